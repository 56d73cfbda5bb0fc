//! Witnesses as text: for the snapshot, for a failing case, for JSON; and the peer's view in the
//! words that the other witnesses use.

use std::fmt::Write as _;

use classic_tls::names::{CipherSuite, NamedGroup, Version};
use classic_tls::wire::{ServerKeyExchange, Transcript};

use super::observation::{Observation, SideEvents};
use crate::observe::agreement::Witness;
use crate::observe::failure::Failure;
use crate::observe::summary::{KeyExchange, Signature, TlsSummary};
use crate::peer::{Direction, KeyKind, PeerReport, SeenCertificate, SignatureFacts};
use crate::redact;

/// What the Rust peer knows, as a log line would say it.
pub(super) fn peer_summary(report: &PeerReport) -> Option<TlsSummary> {
    let facts = report.summary()?;
    let mut summary = TlsSummary::new(facts.protocol, facts.suite.openssl_name()?);
    summary.algorithm_bits = facts.suite.cipher_bits().map(u32::from);
    summary.sni = facts.sni;
    summary.key_exchange = facts.group.map(KeyExchange::from_group);
    (summary.server_signature, summary.server_digest) = signature(facts.server_signature);
    (summary.client_signature, summary.client_digest) = signature(facts.client_signature);
    if facts.resumed {
        // Nobody signs again. Who still names a signature must mean the one that was made.
        let first = report.earlier.iter().rev().filter_map(peer_summary).next();
        if let Some(first) = first {
            summary.server_signature = first.server_signature;
        }
    }
    Some(summary)
}

fn signature(facts: Option<SignatureFacts>) -> (Option<Signature>, Option<String>) {
    let Some(facts) = facts else {
        return (None, None);
    };
    let bits = match facts.key {
        Some(KeyKind::Rsa(bits)) => u32::try_from(bits).ok(),
        _ => None,
    };
    let (mut signature, digest) = Signature::from_scheme(facts.scheme, bits);
    if facts.raw_public_key {
        signature = signature.with_raw_public_key();
    }
    (Some(signature), digest)
}

/// What anybody on the wire knows of a session that was set up.
pub(super) fn wire_summary(transcript: &Transcript) -> Option<TlsSummary> {
    let hello = transcript.server_hello.as_ref()?;
    let mut summary = TlsSummary::new(hello.version, hello.suite.openssl_name()?);
    summary.algorithm_bits = hello.suite.cipher_bits().map(u32::from);
    summary.sni = transcript
        .client_hello
        .as_ref()
        .and_then(|hello| hello.sni.clone());
    summary.key_exchange = match &transcript.server_key_exchange {
        Some(
            ServerKeyExchange::Dhe { parameters, .. } | ServerKeyExchange::DhAnon { parameters },
        ) => u32::try_from(parameters.bits())
            .ok()
            .map(KeyExchange::from_prime),
        Some(
            ServerKeyExchange::Ecdhe { parameters, .. }
            | ServerKeyExchange::EcdhAnon { parameters },
        ) => Some(KeyExchange::from_group(parameters.group)),
        _ => hello.group.map(KeyExchange::from_group),
    };
    Some(summary)
}

/// How the Rust peer saw it fail.
pub(super) fn peer_failure(report: &PeerReport) -> Option<Failure> {
    let error = report.error.as_ref()?;
    let side = match error.alert {
        Some(alert) if alert.direction == Direction::Sent => report.side,
        Some(_) => report.side.other(),
        None => error.side,
    };
    Some(Failure {
        side,
        alert: error.alert.map(|alert| alert.description),
        cause: error.text.clone(),
        seen_by: Witness::Peer,
    })
}

fn log_text(side: &SideEvents) -> String {
    let mut out = String::new();
    for line in &side.lines {
        let _ = writeln!(out, "{}: {}", line.daemon, redact::log_line(&line.text));
    }
    if !side.complete {
        let _ = writeln!(out, "(nothing more until the deadline)");
    }
    out
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

fn wire_text(transcript: &Transcript) -> String {
    let mut out = String::new();
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
    let key = match seen.key {
        Some(KeyKind::Rsa(bits)) => format!("RSA {bits}"),
        Some(other) => other
            .curve()
            .map_or_else(|| format!("{other:?}"), str::to_owned),
        None => "unknown key".to_owned(),
    };
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
    if let Some(summary) = peer_summary(report) {
        let _ = writeln!(out, "{summary}");
    }
    if report.tls.as_ref().is_some_and(|tls| tls.resumed) {
        out.push_str("resumed\n");
    }
    for seen in &report.certificates {
        let _ = writeln!(out, "certificate: {}", certificate(seen));
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

/// By name, in the order of a report. What a witness has nothing to say about is left out.
pub(super) fn witnesses(seen: &Observation) -> Vec<(String, String)> {
    let client_is_postfix = seen.client.is_some();
    let sections = [
        ("client log", seen.client.as_ref().map(log_text)),
        ("server log", seen.server.as_ref().map(log_text)),
        (
            "received",
            seen.received_text.as_deref().map(redact::header),
        ),
        ("peer", seen.peer.as_ref().map(peer_text)),
        (
            "client hello",
            seen.wire
                .as_ref()
                .map(|wire| hello_text(wire, client_is_postfix)),
        ),
        ("wire", seen.wire.as_ref().map(wire_text)),
    ];
    sections
        .into_iter()
        .filter_map(|(name, said)| Some((name.to_owned(), said?)))
        .filter(|(_, said)| !said.is_empty())
        .collect()
}

/// All of it in one text.
pub(super) fn snapshot(seen: &Observation) -> String {
    let mut out = String::new();
    for (name, said) in witnesses(seen) {
        let _ = writeln!(out, "[{name}]\n{}\n", said.trim_end());
    }
    if !seen.delivered {
        out.push_str("[mail]\nnot delivered\n");
    }
    out
}
