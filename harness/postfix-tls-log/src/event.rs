//! Postfix's log, line by line: the text after `daemon[pid]: ` into a [`LogEvent`].
//!
//! Every template of Postfix 2.2 to 3.12 that speaks of TLS is known, and the templates around it that tell the story of
//! a connection. The text is untrusted: whatever is not understood becomes [`LogEvent::Other`] or [`LogEvent::Warning`],
//! and nothing panics.

mod configuration;
mod dane;
mod delivery;
mod handshake;
mod openssl;
mod process;
mod queue;
mod screening;
mod session;
mod tlsrpt;
mod verbose;

pub use configuration::{Configuration, DhParameters, DhProblem};
pub use dane::{Dane, TlsaRecord};
pub use delivery::{ClientProblem, Delivery, DeliveryStatus};
pub use handshake::{CertificateVerification, SslError, SslErrorDetail, SslOperation};
pub use openssl::LibraryProblem;
pub use process::{DeadProcess, ProcessEnd};
pub use queue::is_queue_id;
pub use queue::{QueueAction, QueueEvent};
pub use screening::Screening;
pub use session::{CommandCount, Restriction};
pub use tlsrpt::TlsReport;
pub use verbose::Verbose;

use crate::summary::{PeerName, Side, TlsSummary};

/// Longer texts are cut before they are parsed: Postfix itself stops a log line at 2,000 bytes (`line_length_limit` and
/// syslog's own limit), so anything longer is not Postfix's.
const LONGEST_TEXT: usize = 16 * 1024;

/// What one log line says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogEvent {
    /// `NOQUEUE: abort: TLS from PEER: REASON`: the server ends a session whose client certificate will not do.
    Abort {
        /// The client.
        peer: PeerName,
        /// `No client certificate presented`, `Client certificate not trusted`.
        reason: String,
    },
    /// A certificate did not verify.
    CertificateVerification(CertificateVerification),
    /// Why the SMTP client gave a server up, in a line of its own.
    ClientProblem {
        /// The message it was delivering.
        queue_id: String,
        /// The reason.
        problem: ClientProblem,
    },
    /// A TLS setting that Postfix or OpenSSL cannot use.
    Configuration(Configuration),
    /// `connect from PEER`.
    Connect {
        /// The client.
        peer: PeerName,
    },
    /// `process PROGRAM pid N killed by signal 11`: a daemon ended badly, says master.
    DeadProcess(DeadProcess),
    /// DNS-based authentication (RFC 7672).
    Dane(Dane),
    /// `daemon started -- version V, configuration DIR`.
    DaemonStarted {
        /// Such as `3.10.13`.
        version: String,
    },
    /// The end of one recipient's delivery attempt.
    Delivery(Delivery),
    /// A problem with the Diffie-Hellman parameters of `smtpd_tls_dh1024_param_file`.
    DhParameters(DhParameters),
    /// `disconnect from PEER`, with the count of each command.
    Disconnect {
        /// The client.
        peer: PeerName,
        /// In the order logged; the last one, `commands`, is their sum.
        commands: Vec<CommandCount>,
    },
    /// `error:`: something did not happen, and the process goes on.
    Error(String),
    /// `fatal:` or `panic:`: the process is ending.
    Fatal(String),
    /// `TLS library problem: …`: one entry of OpenSSL's error stack.
    LibraryProblem(LibraryProblem),
    /// `lost connection after COMMAND from PEER`, or `timeout after …`.
    LostConnection {
        /// The last command, such as `STARTTLS`, with the byte count that follows `DATA`.
        after: String,
        /// Whether the line starts with `NOQUEUE: ` (3.10 and later).
        noqueue: bool,
        /// Whether the client was silent instead of gone.
        timeout: bool,
        /// The client.
        peer: PeerName,
    },
    /// `non-SMTP command from PEER: TEXT`: it may be a ClientHello where SMTP was expected.
    NonSmtpCommand {
        /// The client.
        peer: PeerName,
        /// What it sent, as printed.
        text: String,
    },
    /// Nothing this module knows.
    Other(String),
    /// `improper command pipelining after COMMAND from PEER: TEXT`: the client sent more without waiting for the reply.
    Pipelining {
        /// Such as `STARTTLS`.
        after: String,
        /// The client.
        peer: PeerName,
        /// What it sent, as printed; Postfix before 2.9 does not say.
        text: String,
    },
    /// The queue's own bookkeeping.
    Queue(QueueEvent),
    /// The server refused, redirected or otherwise acted on a command.
    Restriction(Restriction),
    /// A complaint about SMTP authentication: which mechanisms are offered often depends on TLS.
    Sasl(String),
    /// postscreen and tlsproxy.
    Screening(Screening),
    /// `TLSRPT: status=…`: a note for the daily report to the domain's owner.
    TlsReport(TlsReport),
    /// `TLS SNI from PEER is invalid: NAME`; the handshake goes on without it.
    SniInvalid {
        /// What the client sent.
        name: String,
        /// The client.
        peer: PeerName,
    },
    /// `TLS SNI NAME from PEER not matched, using default chain`.
    SniNotMatched {
        /// What the client sent.
        name: String,
        /// The client.
        peer: PeerName,
    },
    /// `SSL_accept error from …`, `SSL_connect error to …`: the handshake ended.
    SslError(SslError),
    /// The summary of a completed handshake.
    Tls(TlsSummary),
    /// A line that only a `*_tls_loglevel` of 2 or more brings.
    Verbose(Verbose),
    /// A warning about something else.
    Warning(String),
}

impl LogEvent {
    /// Parses `text`, what follows `daemon[pid]: `; `daemon` is the last part of the name before the bracket, such as
    /// `smtpd` of `postfix/submission/smtpd`, or that whole name.
    pub fn parse(daemon: &str, text: &str) -> Self {
        let text = cut(text.trim_end_matches(['\r', '\n']));
        let daemon = daemon.rsplit('/').next().unwrap_or_default();
        for severity in ["fatal: ", "panic: "] {
            if let Some(rest) = text.strip_prefix(severity) {
                return Self::Fatal(rest.to_owned());
            }
        }
        if let Some(rest) = text.strip_prefix("error: ") {
            return Self::Error(rest.to_owned());
        }
        if let Some(rest) = text.strip_prefix("warning: ") {
            return warning(daemon, rest).unwrap_or_else(|| Self::Warning(rest.to_owned()));
        }
        information(daemon, text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// Whether a line like this matters to the story of a TLS session.
    pub fn concerns_tls(&self) -> bool {
        match self {
            Self::DaemonStarted { .. }
            | Self::DeadProcess(_)
            | Self::Queue(_)
            | Self::Restriction(_)
            | Self::Sasl(_) => false,
            Self::Pipelining { after, text, .. } => speaks_of_tls(after) || speaks_of_tls(text),
            Self::NonSmtpCommand { text, .. } => text.starts_with('?') || text.starts_with('\\'),
            Self::Other(text) | Self::Warning(text) => speaks_of_tls(text),
            _ => true,
        }
    }
}

/// Whether `text` has a word that Postfix uses for TLS and nothing else: `TLS`, `SSL`, `cipher`, `certificate`, `DANE`,
/// a parameter with `_tls_` in its name.
pub fn speaks_of_tls(text: &str) -> bool {
    const WORDS: [&str; 17] = [
        "tls",
        "starttls",
        "ssl",
        "openssl",
        "cipher",
        "ciphers",
        "certificate",
        "certificates",
        "cert",
        "certs",
        "dane",
        "tlsa",
        "dnssec",
        "sni",
        "x509",
        "pem",
        "fingerprint",
    ];
    const INSIDE: [&str; 3] = ["_tls_", "tls_", "TLS"];
    INSIDE.iter().any(|part| text.contains(part))
        || text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| {
                word.len() <= 12 && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
            })
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Which end of a TLS session a daemon is. tlsproxy is either, and says which in the text.
fn side_of(daemon: &str) -> Option<Side> {
    match daemon {
        "smtpd" | "postscreen" => Some(Side::Server),
        "smtp" | "lmtp" | "posttls-finger" | "verify" => Some(Side::Client),
        _ => None,
    }
}

fn warning(daemon: &str, text: &str) -> Option<LogEvent> {
    if let Some(problem) = text.strip_prefix("TLS library problem: ") {
        let problem = LibraryProblem::parse(problem, side_of(daemon))?;
        return Some(LogEvent::LibraryProblem(problem));
    }
    sni_invalid(text)
        .or_else(|| DhParameters::parse(text).map(LogEvent::DhParameters))
        .or_else(|| Dane::parse_warning(text).map(LogEvent::Dane))
        .or_else(|| Screening::parse(daemon, text).map(LogEvent::Screening))
        .or_else(|| DeadProcess::parse(text).map(LogEvent::DeadProcess))
        .or_else(|| Configuration::parse(text).map(LogEvent::Configuration))
        .or_else(|| session::warning(text))
        .or_else(|| Verbose::parse_warning(text).map(LogEvent::Verbose))
}

fn information(daemon: &str, text: &str) -> Option<LogEvent> {
    if text.contains("TLS connection ")
        && let Some(summary) = TlsSummary::from_log(text)
    {
        return Some(LogEvent::Tls(summary));
    }
    if matches!(daemon, "postscreen" | "tlsproxy" | "dnsblog")
        && let Some(screening) = Screening::parse(daemon, text)
    {
        return Some(LogEvent::Screening(screening));
    }
    session::parse(text)
        .or_else(|| SslError::parse(text).map(LogEvent::SslError))
        .or_else(|| {
            CertificateVerification::parse(text, side_of(daemon))
                .map(LogEvent::CertificateVerification)
        })
        .or_else(|| sni_not_matched(text))
        .or_else(|| TlsReport::parse(text).map(LogEvent::TlsReport))
        .or_else(|| delivery::parse(text))
        .or_else(|| QueueEvent::parse(text).map(LogEvent::Queue))
        .or_else(|| Configuration::parse(text).map(LogEvent::Configuration))
        .or_else(|| Verbose::parse(text).map(LogEvent::Verbose))
        .or_else(|| started(text))
}

fn sni_invalid(text: &str) -> Option<LogEvent> {
    let (peer, name) = text
        .strip_prefix("TLS SNI from ")?
        .split_once(" is invalid: ")?;
    Some(LogEvent::SniInvalid {
        name: name.to_owned(),
        peer: PeerName::parse(peer)?,
    })
}

fn sni_not_matched(text: &str) -> Option<LogEvent> {
    let rest = text.strip_prefix("TLS SNI ")?;
    let (name, peer) = rest
        .strip_suffix(" not matched, using default chain")?
        .rsplit_once(" from ")?;
    Some(LogEvent::SniNotMatched {
        name: name.to_owned(),
        peer: PeerName::parse(peer)?,
    })
}

fn started(text: &str) -> Option<LogEvent> {
    let rest = text
        .strip_prefix("daemon started -- version ")
        .or_else(|| text.strip_prefix("reload -- version "))?;
    let (version, _) = rest.split_once(',')?;
    Some(LogEvent::DaemonStarted {
        version: version.to_owned(),
    })
}
