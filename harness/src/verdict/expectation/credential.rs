//! Signatures and certificates.

use classic_tls::names::Version;
use classic_tls::wire::Transcript;
use pfs_certs::Pki;

use crate::evidence::Evidence;
use crate::observe::summary::TlsSummary;
use crate::scenario::{Certificate, Expect};
use crate::verdict::differences::Differences;

pub(super) fn signatures(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let algorithm = |pick: fn(&TlsSummary) -> Option<String>| {
        seen.fact(pick).unwrap_or_else(|| "none".to_owned())
    };
    if let Some(expected) = &expect.server_signature {
        let found = algorithm(|s| {
            s.server_signature
                .as_ref()
                .map(|signature| signature.algorithm.clone())
        });
        out.compare("server signature", expected, Some(found));
    }
    if let Some(expected) = &expect.server_digest {
        out.compare(
            "server digest",
            expected,
            Some(algorithm(|s| s.server_digest.clone())),
        );
    }
    if let Some(expected) = &expect.client_signature {
        let found = algorithm(|s| {
            s.client_signature
                .as_ref()
                .map(|signature| signature.algorithm.clone())
        });
        out.compare("client signature", expected, Some(found));
    }
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
