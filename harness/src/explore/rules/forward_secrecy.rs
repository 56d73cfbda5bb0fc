//! The forward secrecy that the cipher's name tells is what the key exchange on the wire gave.

use classic_tls::names::{KeyExchangeKind, Version};

use super::{Broken, Rule, Seen};
use crate::observe::summary::Side;

pub(super) const RULE: Rule = Rule {
    name: "forward-secrecy",
    claim: "The forward secrecy that the cipher's name tells is what the key exchange on the wire gave.",
    source: "FORWARD_SECRECY_README, How can I see that a connection has forward secrecy?",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let Some(hello) = seen
        .evidence
        .wire()
        .and_then(|wire| wire.server_hello.as_ref())
    else {
        return Vec::new();
    };
    let really =
        hello.version >= Version::TLS1_3 || hello.suite.key_exchange() != KeyExchangeKind::Rsa;
    let mut broken = Vec::new();
    for side in [Side::Client, Side::Server] {
        let Some(last) = seen.summaries(side).last() else {
            continue;
        };
        if last.forward_secrecy().holds() != really {
            broken.push(Broken::new(
                format!("the {side} names a cipher that is not that of the wire"),
                format!("{} and {}", last.cipher, hello.suite),
            ));
        }
    }
    broken
}
