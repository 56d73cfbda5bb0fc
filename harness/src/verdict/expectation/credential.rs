//! Signatures and certificates.

use classic_tls::names::Version;
use classic_tls::wire::Transcript;
use pfs_certs::Pki;

use crate::evidence::Evidence;
use crate::observe::agreement::Witness;
use crate::observe::summary::{Side, Signature, TlsSummary};
use crate::scenario::{Certificate, Expect, SignatureName};
use crate::verdict::differences::Differences;

pub(super) fn signatures(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let signature = |name: &Option<SignatureName>| name.as_ref().map(|name| name.0.clone());
    let facts: [(&str, Option<String>, Side, Pick); 3] = [
        (
            "server signature",
            signature(&expect.server_signature),
            Side::Server,
            |told| algorithm(told.server_signature.as_ref()),
        ),
        (
            "server digest",
            expect.server_digest.as_ref().map(|name| name.0.clone()),
            Side::Server,
            |told| told.server_digest.clone(),
        ),
        (
            "client signature",
            signature(&expect.client_signature),
            Side::Client,
            |told| algorithm(told.client_signature.as_ref()),
        ),
    ];
    for (what, expected, side, pick) in facts {
        let Some(expected) = &expected else {
            continue;
        };
        // That nobody signed and that nobody tells are two things.
        let found = seen.fact(pick).or_else(|| {
            let signed_without =
                what == "server digest" && seen.fact(|t| t.server_signature.clone()).is_some();
            (signed_without || nobody_signed(seen, side)).then(|| "none".to_owned())
        });
        out.compare(what, expected, found);
    }
}

type Pick = fn(&TlsSummary) -> Option<String>;

fn algorithm(signature: Option<&Signature>) -> Option<String> {
    signature.map(|signature| signature.algorithm.clone())
}

/// Whether some witness who would know says that this side did not sign: our own peer; a Postfix that tells of the key
/// exchange of TLS 1.3 (3.4 and later) would tell of the signature behind it; up to TLS 1.2 the messages pass in clear.
fn nobody_signed(seen: &Evidence, side: Side) -> bool {
    let by_peer = seen.peer().and_then(|peer| peer.tls.as_ref()).map(|tls| {
        let scheme = match side {
            Side::Client => tls.client_scheme,
            Side::Server => tls.server_scheme,
        };
        scheme.is_none()
    });
    let by_log = seen
        .testimonies()
        .iter()
        .filter(|told| told.witness != Witness::Peer && told.witness != Witness::Wire)
        .any(|told| told.summary.key_exchange.is_some());
    let by_wire = seen.wire().is_some_and(|wire| {
        let in_clear = wire
            .server_hello
            .as_ref()
            .is_some_and(|hello| hello.version < Version::TLS1_3);
        in_clear
            && match side {
                Side::Client => {
                    wire.client_signature_scheme.is_none() && wire.client_certificates.is_empty()
                }
                Side::Server => wire.server_signature_scheme().is_none() && !signs(wire),
            }
    });
    by_peer.unwrap_or(by_log || by_wire)
}

/// Whether the suite has the server sign its key exchange.
fn signs(wire: &Transcript) -> bool {
    use classic_tls::names::KeyExchangeKind::{Dhe, Ecdhe};
    wire.suite()
        .is_some_and(|suite| matches!(suite.key_exchange(), Dhe | Ecdhe))
        && !wire.resumed
}

pub(super) fn certificates(expect: &Expect, seen: &Evidence, pki: &Pki, out: &mut Differences) {
    let report = seen.peer();
    if let Some(expected) = &expect.server_certificate {
        let shown = report.map(|report| {
            report
                .server_certificates()
                .first()
                .map(|leaf| leaf.der.clone())
        });
        // Up to TLS 1.2 the certificate passes in clear, and so does its absence.
        let readable = |wire: &&Transcript| {
            wire.server_hello
                .as_ref()
                .is_some_and(|hello| hello.version < Version::TLS1_3)
        };
        let wire = seen
            .wire()
            .filter(readable)
            .map(|wire| wire.server_certificates.first().cloned());
        certificate("server certificate", expected, shown.or(wire), pki, out);
    }
    if let Some(expected) = &expect.client_certificate {
        // What a client has and what it was asked for are two things: only a signature shows it.
        let shown = report.map(|report| {
            let signed = report
                .tls
                .as_ref()
                .is_some_and(|tls| tls.client_scheme.is_some());
            report
                .client_certificates()
                .first()
                .filter(|_| signed)
                .map(|leaf| leaf.der.clone())
        });
        certificate("client certificate", expected, shown, pki, out);
    }
}

fn certificate(
    what: &str,
    expected: &Certificate,
    shown: Option<Option<Vec<u8>>>,
    pki: &Pki,
    out: &mut Differences,
) {
    let Some(shown) = shown else {
        out.0.push(format!("{what}: nobody was there to see it"));
        return;
    };
    match (&expected.0, shown) {
        (None, None) => {}
        (None, Some(_)) => out.0.push(format!("{what}: expected none, found one")),
        (Some(name), None) => out.0.push(format!("{what}: expected {name}, found none")),
        (Some(name), Some(der)) => match pki.leaf(name) {
            // A raw public key stands for the certificate it is taken from.
            Ok(leaf) => out.check(
                [leaf.certificate_der(), leaf.public_key_der()].contains(&&*der),
                || format!("{what}: expected {name}, found another one"),
            ),
            Err(error) => out.0.push(format!("{what}: {error}")),
        },
    }
}
