//! `[expect]` against what was seen: each fact that is stated and does not hold is a difference.

use std::fmt::Display;

use classic_tls::names::{CipherSuite, KeyExchangeKind, Version};
use classic_tls::wire::{ServerKeyExchange, Transcript};

use super::observation::{Observation, SideEvents};
use crate::observe::received::ClientCertificate;
use crate::observe::summary::{Side, Status, TlsSummary};
use crate::scenario::{
    Certificate, ClientCertificateComment, Expect, FailureExpectation, KeyExchangeName,
    LogExpectation, SideName, StatusWord,
};

/// Collects differences.
struct Differences(Vec<String>);

impl Differences {
    /// `what` should be `expected`.
    fn compare(&mut self, what: &str, expected: impl Display, found: Option<impl Display>) {
        let expected = expected.to_string();
        match found.map(|found| found.to_string()) {
            Some(found) if found == expected => {}
            Some(found) => self
                .0
                .push(format!("{what}: expected {expected}, found {found}")),
            None => self
                .0
                .push(format!("{what}: expected {expected}, but no witness tells")),
        }
    }

    fn check(&mut self, holds: bool, difference: impl FnOnce() -> String) {
        if !holds {
            self.0.push(difference());
        }
    }
}

/// Every difference between what is expected and what was seen.
pub(super) fn differences(expect: &Expect, seen: &Observation) -> Vec<String> {
    let mut out = Differences(Vec::new());
    delivery(expect, seen, &mut out);
    session(expect, seen, &mut out);
    statuses(expect, seen, &mut out);
    signatures(expect, seen, &mut out);
    certificates(expect, seen, &mut out);
    offer(expect, seen, &mut out);
    for (name, expected, side) in [
        ("server log", &expect.server_log, &seen.server),
        ("client log", &expect.client_log, &seen.client),
    ] {
        if let Some(expected) = expected {
            log(name, expected, side.as_ref(), &mut out);
        }
    }
    out.0
}

fn delivery(expect: &Expect, seen: &Observation, out: &mut Differences) {
    let word = |yes| if yes { "delivered" } else { "not delivered" };
    out.compare(
        "mail",
        word(expect.must_deliver()),
        Some(word(seen.delivered)),
    );
    if let Some(expected) = &expect.failure {
        failure(expected, seen, out);
    }
    for (name, side) in [("server log", &seen.server), ("client log", &seen.client)] {
        out.check(side.as_ref().is_none_or(|side| side.complete), || {
            format!("{name}: the last line did not come before the deadline")
        });
    }
}

fn failure(expected: &FailureExpectation, seen: &Observation, out: &mut Differences) {
    let side = match expected.side {
        SideName::Client => Side::Client,
        SideName::Server => Side::Server,
    };
    let failures = seen.failures();
    if failures.is_empty() {
        out.0.push(format!(
            "failure: expected one of the {side}, but no witness saw any"
        ));
        return;
    }
    // Who sent an alert is who gave up; the other side's complaint is only its echo.
    let alerts: Vec<_> = failures
        .iter()
        .filter(|failure| failure.alert.is_some())
        .collect();
    if alerts.is_empty() {
        // Silence and closed connections look different from either end: one witness is enough.
        out.check(failures.iter().any(|failure| failure.side == side), || {
            let told: Vec<_> = failures
                .iter()
                .map(|f| format!("{} tells of the {}: {}", f.seen_by, f.side, f.cause))
                .collect();
            format!(
                "failure: expected the {side} to give up, but {}",
                told.join("; ")
            )
        });
    }
    for teller in &alerts {
        out.check(teller.side == side, || {
            format!(
                "failure: expected the {side} to give up, but {} tells of the {}: {}",
                teller.seen_by, teller.side, teller.cause
            )
        });
        if let (Some(expected), Some(alert)) = (&expected.alert, teller.alert) {
            out.compare("alert", expected, Some(alert));
        }
    }
    match expected.alert.as_deref() {
        Some("none") | None => {}
        Some(alert) => out.check(!alerts.is_empty(), || {
            format!("alert: expected {alert}, but no witness saw one")
        }),
    }
    let texts = || {
        let lines = [&seen.server, &seen.client]
            .into_iter()
            .flatten()
            .flat_map(|side| &side.lines);
        lines
            .map(|line| line.text.as_str())
            .chain(failures.iter().map(|failure| failure.cause.as_str()))
    };
    out.check(texts().any(|text| text.contains(&expected.cause)), || {
        let causes: Vec<_> = failures
            .iter()
            .map(|failure| failure.cause.as_str())
            .collect();
        format!(
            "failure: expected the cause `{}`, found {}",
            expected.cause,
            causes.join("; ")
        )
    });
}

fn session(expect: &Expect, seen: &Observation, out: &mut Differences) {
    let protocol = seen.fact(|summary| Some(summary.protocol));
    let cipher = seen.fact(|summary| Some(summary.cipher.clone()));
    if let Some(expected) = expect.tls {
        let word = |yes| if yes { "TLS" } else { "in clear" };
        out.compare("session", word(expected), Some(word(protocol.is_some())));
    }
    if let Some(expected) = &expect.protocol {
        out.compare("protocol", expected.0, protocol);
    }
    if let Some(expected) = &expect.cipher {
        let names: Vec<String> = expected.iter().map(|cipher| cipher.0.to_string()).collect();
        let holds = cipher.as_ref().is_some_and(|found| names.contains(found));
        out.check(holds, || {
            format!(
                "cipher: expected {}, found {}",
                names.join(" or "),
                cipher.as_deref().unwrap_or("none")
            )
        });
    }
    if let Some(expected) = &expect.key_exchange {
        let found = key_exchange(seen);
        out.check(
            found.is_some_and(|found| expected.iter().any(|one| one.0 == found)),
            || {
                let words: Vec<_> = expected.iter().map(|one| exchange_word(one.0)).collect();
                let found = found.map_or("none".to_owned(), exchange_word);
                format!(
                    "key exchange: expected {}, found {found}",
                    words.join(" or ")
                )
            },
        );
    }
    prime(expect, seen, out);
    let verdict = seen.fact(|summary| Some(summary.forward_secrecy()));
    if let Some(expected) = expect.forward_secrecy {
        let word = |yes| if yes { "yes" } else { "no" };
        out.compare(
            "forward secrecy",
            word(expected),
            verdict.map(|verdict| word(verdict.holds())),
        );
    }
    // What the name promises must be what was really done.
    if let (Some(verdict), Some(exchange)) = (verdict, key_exchange(seen)) {
        let ephemeral = exchange != KeyExchangeName::StaticRsa;
        out.check(verdict.holds() == ephemeral, || {
            format!(
                "forward secrecy: {verdict} by name, but the key exchange was {}",
                exchange_word(exchange)
            )
        });
    }
}

fn prime(expect: &Expect, seen: &Observation, out: &mut Differences) {
    let exchange = seen
        .wire
        .as_ref()
        .and_then(|wire| wire.server_key_exchange.as_ref());
    let parameters = match exchange {
        Some(
            ServerKeyExchange::Dhe { parameters, .. } | ServerKeyExchange::DhAnon { parameters },
        ) => Some(parameters),
        _ => None,
    };
    if let Some(expected) = expect.prime_bits {
        out.compare("prime, bits", expected, parameters.map(|p| p.bits()));
    }
    if let Some(file) = expect
        .prime
        .as_ref()
        .and_then(|prime| prime.strip_prefix("dh:"))
    {
        match pfs_certs::dh::Parameters::named(file) {
            Ok(wanted) => {
                let same = wanted
                    .group()
                    .zip(parameters)
                    .is_some_and(|(group, p)| group.p == p.p && group.g == p.g);
                out.check(same, || {
                    format!("prime: expected that of dh:{file}, found another one or none")
                });
            }
            Err(error) => out.0.push(format!("prime: {error}")),
        }
    } else if let Some(expected) = &expect.prime {
        out.compare(
            "prime",
            expected,
            parameters.map(|p| p.name().unwrap_or("unknown")),
        );
    }
}

/// What was really run, by those who were there.
fn key_exchange(seen: &Observation) -> Option<KeyExchangeName> {
    let group = |summary: &TlsSummary| {
        summary
            .key_exchange
            .as_ref()
            .and_then(|exchange| exchange.group)
    };
    if let Some(group) = seen.fact(group) {
        return Some(KeyExchangeName::Group(group));
    }
    let suite =
        CipherSuite::from_openssl_name(&seen.fact(|summary| Some(summary.cipher.clone()))?)?;
    match suite.key_exchange() {
        KeyExchangeKind::Rsa => Some(KeyExchangeName::StaticRsa),
        KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon => Some(KeyExchangeName::Dhe),
        _ => None,
    }
}

fn exchange_word(exchange: KeyExchangeName) -> String {
    match exchange {
        KeyExchangeName::Dhe => "DHE".to_owned(),
        KeyExchangeName::Group(group) => group.to_string(),
        KeyExchangeName::StaticRsa => "RSA".to_owned(),
    }
}

fn statuses(expect: &Expect, seen: &Observation, out: &mut Differences) {
    for (name, expected, side) in [
        ("server status", expect.server_status, &seen.server),
        ("client status", expect.client_status, &seen.client),
    ] {
        let Some(expected) = expected else { continue };
        let summary = side.as_ref().map(SideEvents::summary);
        let found = match summary {
            None => None,
            Some(None) => Some("none".to_owned()),
            Some(Some(summary)) => summary.status.map(|status| status.to_string()),
        };
        let expected = match expected {
            StatusWord::Anonymous => Status::Anonymous.to_string(),
            StatusWord::Untrusted => Status::Untrusted.to_string(),
            StatusWord::Trusted => Status::Trusted.to_string(),
            StatusWord::Verified => Status::Verified.to_string(),
            StatusWord::None => "none".to_owned(),
        };
        out.compare(name, expected, found);
    }
    if let Some(expected) = &expect.sni {
        let summary = seen.server.as_ref().and_then(SideEvents::summary);
        out.compare(
            "SNI in the log",
            expected,
            summary.map(|s| s.sni.as_deref().unwrap_or("none")),
        );
    }
    if let Some(expected) = expect.received_tls {
        let word = |yes| {
            if yes {
                "a TLS comment"
            } else {
                "no TLS comment"
            }
        };
        out.compare(
            "Received",
            word(expected),
            seen.received.as_ref().map(|r| word(r.tls.is_some())),
        );
    }
    if let Some(expected) = expect.received_client {
        out.compare(
            "Received",
            comment_word(expected),
            seen.received.as_ref().and_then(received_word),
        );
    }
}

fn comment_word(comment: ClientCertificateComment) -> &'static str {
    match comment {
        ClientCertificateComment::NotRequested => "no client certificate requested",
        ClientCertificateComment::NotPresented => "client did not present a certificate",
        ClientCertificateComment::NotVerified => "client certificate not verified",
        ClientCertificateComment::VerifiedOk => "client certificate verified",
        ClientCertificateComment::RawPublicKey => "client raw public key",
    }
}

fn received_word(received: &crate::observe::received::Received) -> Option<&'static str> {
    Some(comment_word(
        match received.client_certificate.as_ref()? {
            ClientCertificate::NotPresented => ClientCertificateComment::NotPresented,
            ClientCertificate::NotRequested => ClientCertificateComment::NotRequested,
            ClientCertificate::Presented { verified: true, .. } => {
                ClientCertificateComment::VerifiedOk
            }
            ClientCertificate::Presented {
                verified: false, ..
            } => ClientCertificateComment::NotVerified,
            ClientCertificate::RawPublicKey { .. } => ClientCertificateComment::RawPublicKey,
        },
    ))
}

fn signatures(expect: &Expect, seen: &Observation, out: &mut Differences) {
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

fn certificates(expect: &Expect, seen: &Observation, out: &mut Differences) {
    let report = seen.peer.as_ref();
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
            .wire
            .as_ref()
            .filter(readable)
            .map(|wire| wire.server_certificates.first().cloned());
        certificate("server certificate", expected, shown.or(wire), seen, out);
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
        certificate("client certificate", expected, shown, seen, out);
    }
}

fn certificate(
    what: &str,
    expected: &Certificate,
    shown: Option<Option<Vec<u8>>>,
    seen: &Observation,
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
        (Some(name), Some(der)) => match seen.pki.leaf(name) {
            Ok(leaf) => out.check(leaf.certificate_der() == der, || {
                format!("{what}: expected {name}, found another one")
            }),
            Err(error) => out.0.push(format!("{what}: {error}")),
        },
    }
}

fn offer(expect: &Expect, seen: &Observation, out: &mut Differences) {
    let hello = seen
        .wire
        .as_ref()
        .and_then(|wire| wire.client_hello.as_ref());
    if let Some(expected) = &expect.sni_sent {
        out.compare(
            "SNI on the wire",
            expected,
            hello.map(|h| h.sni.as_deref().unwrap_or("none")),
        );
    }
    if let Some(expected) = &expect.groups_offered {
        let words: Vec<_> = expected
            .iter()
            .map(|group| exchange_word(group.0))
            .collect();
        let found = hello.map(|h| {
            h.groups
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        });
        out.compare("groups offered", words.join(" "), found);
    }
    let offered: Vec<CipherSuite> = hello.map(|hello| hello.suites.clone()).unwrap_or_default();
    if let Some(expected) = &expect.ciphers_in_order {
        let mut rest = offered.iter();
        for cipher in expected {
            out.check(rest.any(|suite| *suite == cipher.0), || {
                format!(
                    "ciphers offered: {} does not stand behind those named before it",
                    cipher.0
                )
            });
        }
    }
    for cipher in expect.ciphers_absent.iter().flatten() {
        out.check(hello.is_some() && !offered.contains(&cipher.0), || {
            format!("ciphers offered: {} should not be among them", cipher.0)
        });
    }
}

fn log(name: &str, expected: &LogExpectation, side: Option<&SideEvents>, out: &mut Differences) {
    let Some(side) = side else {
        out.0.push(format!(
            "{name}: there is none, since that side is no Postfix"
        ));
        return;
    };
    let has = |piece: &str| side.lines.iter().any(|line| line.text.contains(piece));
    for piece in &expected.has {
        out.check(has(piece), || format!("{name}: no line has `{piece}`"));
    }
    for piece in &expected.lacks {
        out.check(!has(piece), || format!("{name}: a line has `{piece}`"));
    }
}
