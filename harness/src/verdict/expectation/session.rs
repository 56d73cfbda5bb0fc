//! Protocol, cipher and key exchange, and what they are worth.

use classic_tls::names::{CipherSuite, KeyExchangeKind};
use classic_tls::wire::ServerKeyExchange;

use crate::evidence::Evidence;
use crate::observe::summary::TlsSummary;
use crate::scenario::{Expect, KeyExchangeName};
use crate::verdict::differences::Differences;

pub(super) fn session(expect: &Expect, seen: &Evidence, out: &mut Differences) {
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
    resumption(expect, seen, out);
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

/// By those who were there; neither log nor header tells.
fn resumption(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let Some(expected) = expect.resumed else {
        return;
    };
    let word = |yes| if yes { "resumed" } else { "of its own" };
    let peer = seen.peer().and_then(|peer| peer.tls.as_ref());
    let wire = seen.wire().filter(|wire| wire.server_hello.is_some());
    let told = [peer.map(|tls| tls.resumed), wire.map(|wire| wire.resumed)];
    out.check(told.iter().any(Option::is_some), || {
        "resumption: nobody was there to see whether it was resumed".to_owned()
    });
    for found in told.into_iter().flatten() {
        out.compare("resumption", word(expected), Some(word(found)));
    }
}

fn prime(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let exchange = seen
        .wire()
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
    if expect.prime.as_deref() == Some("changed") {
        let same = |contents: &String| {
            pfs_certs::dh::Group::from_pem(contents)
                .zip(parameters)
                .is_some_and(|(group, p)| group.p == p.p && group.g == p.g)
        };
        out.check(seen.changed().iter().any(same), || {
            "prime: expected that of the changed file, found another one or none".to_owned()
        });
    } else if let Some(file) = expect
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
fn key_exchange(seen: &Evidence) -> Option<KeyExchangeName> {
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

pub(super) fn exchange_word(exchange: KeyExchangeName) -> String {
    match exchange {
        KeyExchangeName::Dhe => "DHE".to_owned(),
        KeyExchangeName::Group(group) => group.to_string(),
        KeyExchangeName::StaticRsa => "RSA".to_owned(),
    }
}
