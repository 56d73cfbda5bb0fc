//! What each witness said as redacted text: for the snapshot, for a failing case, for JSON.

use std::fmt::{self, Write as _};

use classic_tls::names::{CipherSuite, NamedGroup, Version};
use classic_tls::wire::{ServerKeyExchange, Transcript};

use super::account;
use super::command::CommandReport;
use super::log::PostfixLog;
use super::statements::Evidence;
use crate::observe::LogEvent;
use crate::observe::agreement::Witness;
use crate::observe::log::Verbose;
use crate::observe::summary::Side;
use crate::peer::{Beginning, PeerReport, SeenCertificate};
use crate::redact;

/// The parts of a snapshot, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// The log of the client.
    ClientLog,
    /// The log of the server.
    ServerLog,
    /// The `Received:` header.
    Received,
    /// The account of our own peer.
    Peer,
    /// What the client offered on the wire.
    ClientHello,
    /// What the server chose on the wire, and alerts.
    Wire,
    /// How a program of the user's ended that was the client.
    Command,
    /// What became of the mail, if it did not arrive.
    Mail,
    /// What a program of the user's printed; in no snapshot.
    Output,
}

impl Section {
    /// All of them, in the order of a snapshot.
    pub const ALL: [Self; 9] = [
        Self::ClientLog,
        Self::ServerLog,
        Self::Received,
        Self::Peer,
        Self::ClientHello,
        Self::Wire,
        Self::Command,
        Self::Mail,
        Self::Output,
    ];

    /// As it is headed in snapshots, reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientLog => "client log",
            Self::ServerLog => "server log",
            Self::Received => "received",
            Self::Peer => "peer",
            Self::ClientHello => "client hello",
            Self::Wire => "wire",
            Self::Command => "command",
            Self::Mail => "mail",
            Self::Output => "command output",
        }
    }

    /// The section headed `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    /// Who says it; nobody says that a mail did not arrive.
    pub fn witness(self) -> Option<Witness> {
        match self {
            Self::ClientLog => Some(Witness::ClientLog),
            Self::ServerLog => Some(Witness::ServerLog),
            Self::Received => Some(Witness::Received),
            Self::Peer | Self::Command | Self::Output => Some(Witness::Peer),
            Self::ClientHello | Self::Wire => Some(Witness::Wire),
            Self::Mail => None,
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Evidence {
    /// What was said, redacted, in the order of a snapshot. What a witness has nothing to say about is left out.
    pub fn sections(&self) -> Vec<(Section, String)> {
        Section::ALL
            .into_iter()
            .filter_map(|section| Some((section, self.text(section)?)))
            .filter(|(_, said)| !said.is_empty())
            .collect()
    }

    fn text(&self, section: Section) -> Option<String> {
        // The offer of a peer of ours is the scenario's own.
        let is_client = |report: &CommandReport| !report.is_server;
        let client = self.command().filter(|report| is_client(report));
        let with_ciphers = self.log(Side::Client).is_some() || client.is_some();
        match section {
            Section::ClientLog => self.log(Side::Client).map(|log| self.log_text(log)),
            Section::ServerLog => self.log(Side::Server).map(|log| self.log_text(log)),
            Section::Received => self.received_text().map(redact::header),
            Section::Peer => self.peer().map(peer_text),
            Section::ClientHello => self.wire().map(|wire| hello_text(wire, with_ciphers)),
            Section::Wire => self.wire().map(|wire| wire_text(wire, self.began())),
            Section::Command => client.map(|report| format!("{}\n", report.end())),
            Section::Output => self.command().map(|report| report.output.clone()),
            Section::Mail => (!self.delivered()).then(|| "not delivered\n".to_owned()),
        }
    }

    fn log_text(&self, log: &PostfixLog) -> String {
        let mut out = String::new();
        let mut in_dump = false;
        for (line, event) in log.lines().iter().zip(log.events()) {
            if self.is_volatile(&line.text) && !matches!(event, LogEvent::Tls(_)) {
                continue;
            }
            let dump = is_dump(&line.daemon, &line.text);
            if !dump {
                let _ = writeln!(out, "{}: {}", line.daemon, redact::log_line(&line.text));
            } else if !in_dump {
                let _ = writeln!(out, "{}: {}", line.daemon, redact::DUMP);
            }
            in_dump = dump;
        }
        if !log.is_complete() {
            let _ = writeln!(out, "(nothing more until the deadline)");
        }
        out
    }
}

/// What OpenSSL read and wrote, octet by octet (log levels 3 and 4): no two runs have the same, nor the same number of
/// lines.
fn is_dump(daemon: &str, text: &str) -> bool {
    matches!(
        LogEvent::parse(daemon, text),
        LogEvent::Verbose(Verbose::Dump { .. })
    )
}

fn names<T>(items: &[T], name: impl Fn(&T) -> String) -> String {
    items.iter().map(name).collect::<Vec<_>>().join(" ")
}

fn group(group: &NamedGroup) -> String {
    group.to_string()
}

/// What the client offered, the lists in the order they were sent.
fn hello_text(transcript: &Transcript, with_ciphers: bool) -> String {
    let Some(hello) = &transcript.client_hello else {
        return String::new();
    };
    let mut out = String::new();
    let versions = if hello.versions.is_empty() {
        vec![hello.legacy_version]
    } else {
        hello.versions.clone()
    };
    let _ = writeln!(out, "versions: {}", names(&versions, Version::to_string));
    if with_ciphers {
        let _ = writeln!(
            out,
            "ciphers: {}",
            names(&hello.suites, CipherSuite::to_string)
        );
        let _ = writeln!(
            out,
            "signatures: {}",
            names(&hello.signature_schemes, ToString::to_string)
        );
    }
    let _ = writeln!(out, "groups: {}", names(&hello.groups, group));
    if !hello.key_shares.is_empty() {
        let _ = writeln!(out, "key shares: {}", names(&hello.key_shares, group));
    }
    if let Some(sni) = &hello.sni {
        let _ = writeln!(out, "SNI: {}", redact::own_names(sni));
    }
    out
}

fn wire_text(transcript: &Transcript, began: Option<Beginning>) -> String {
    let mut out = String::new();
    // By STARTTLS it begins everywhere else.
    if began == Some(Beginning::FirstByte) {
        let _ = writeln!(out, "TLS begins with {}", Beginning::FirstByte);
    }
    if let Some(group) = transcript.hello_retry_group {
        let _ = writeln!(out, "server asks for another key share: {group}");
    }
    if let Some(hello) = &transcript.server_hello {
        let _ = write!(out, "server chooses: {} {}", hello.version, hello.suite);
        if let Some(group) = hello.group {
            let _ = write!(out, " {group}");
        }
        out.push('\n');
    }
    match &transcript.server_key_exchange {
        Some(
            ServerKeyExchange::Dhe { parameters, .. } | ServerKeyExchange::DhAnon { parameters },
        ) => {
            let _ = writeln!(
                out,
                "server sends: prime of {} bits, {}",
                parameters.bits(),
                parameters.name().unwrap_or("unknown")
            );
        }
        Some(
            ServerKeyExchange::Ecdhe { parameters, .. }
            | ServerKeyExchange::EcdhAnon { parameters },
        ) => {
            let _ = writeln!(out, "server sends: point on {}", parameters.group);
        }
        _ => {}
    }
    if transcript.resumed {
        out.push_str("session resumed\n");
    }
    for (side, level, alert) in &transcript.alerts {
        let _ = writeln!(out, "alert from the {side}: {level} {alert}");
    }
    out
}

fn certificate(seen: &SeenCertificate) -> String {
    let key = seen
        .key
        .map_or_else(|| "unknown key".to_owned(), account::key);
    if seen.raw_public_key {
        return format!("none, but the key itself: {key}");
    }
    format!(
        "CN={} issuer={} {key}",
        seen.subject_cn.as_deref().unwrap_or("-"),
        seen.issuer_cn.as_deref().unwrap_or("-")
    )
}

fn peer_text(report: &PeerReport) -> String {
    let mut out = String::new();
    if let Some(summary) = account::of_peer(report) {
        let _ = writeln!(out, "{summary}");
    }
    if report.tls.as_ref().is_some_and(|tls| tls.resumed) {
        out.push_str("resumed\n");
    }
    for seen in &report.certificates {
        let _ = writeln!(out, "certificate: {}", certificate(seen));
    }
    for (side, irregularity) in &report.irregularities {
        let _ = writeln!(out, "the {side} sent {irregularity}");
    }
    if let Some(error) = &report.error {
        let _ = write!(out, "ended by the {} during {}", error.side, error.stage);
        if let Some(alert) = error.alert {
            let _ = write!(out, ", alert {}", alert.description);
        }
        let _ = writeln!(out, ": {}", redact::log_line(&error.text));
    }
    out
}
