//! What the ClientHello offered.

use classic_tls::names::CipherSuite;

use super::session::exchange_word;
use crate::evidence::Evidence;
use crate::redact::own_names;
use crate::scenario::Expect;
use crate::verdict::differences::Differences;

pub(super) fn offer(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let hello = seen.wire().and_then(|wire| wire.client_hello.as_ref());
    if let Some(expected) = &expect.sni_sent {
        out.compare(
            "SNI on the wire",
            expected,
            hello.map(|h| own_names(h.sni.as_deref().unwrap_or("none"))),
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
