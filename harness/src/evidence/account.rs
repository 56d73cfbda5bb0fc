//! What peers and recordings tell, in the words that logs and headers use.

use classic_tls::wire::{ServerKeyExchange, Transcript};

use crate::observe::agreement::Witness;
use crate::observe::failure::Failure;
use crate::observe::summary::{KeyExchange, Signature, TlsSummary};
use crate::peer::{Direction, KeyKind, PeerReport, SignatureFacts};

/// What our own peer knows, as a log line would say it.
pub(super) fn of_peer(report: &PeerReport) -> Option<TlsSummary> {
    let facts = report.summary()?;
    let mut summary = TlsSummary::new(facts.protocol, facts.suite.openssl_name()?);
    summary.algorithm_bits = facts.suite.cipher_bits().map(u32::from);
    summary.sni = facts.sni;
    summary.key_exchange = facts.group.map(KeyExchange::from_group);
    (summary.server_signature, summary.server_digest) = signature(facts.server_signature);
    (summary.client_signature, summary.client_digest) = signature(facts.client_signature);
    if facts.resumed {
        // Nobody signs again. Who still names a signature must mean the one that was made.
        let first = report.earlier.iter().rev().filter_map(of_peer).next();
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
pub(super) fn of_wire(transcript: &Transcript) -> Option<TlsSummary> {
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

/// How our own peer saw it fail.
pub(super) fn failure_of_peer(report: &PeerReport) -> Option<Failure> {
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

/// The kind of a key: `RSA 2048`, `secp256r1`, `Ed25519`.
pub(super) fn key(kind: KeyKind) -> String {
    match kind {
        KeyKind::Dsa(bits) => format!("DSA {bits}"),
        KeyKind::Rsa(bits) => format!("RSA {bits}"),
        other => other
            .curve()
            .map_or_else(|| format!("{other:?}"), str::to_owned),
    }
}
