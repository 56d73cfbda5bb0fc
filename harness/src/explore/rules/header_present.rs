//! The Received: header has a comment on TLS where the session had TLS and smtpd_tls_received_header is yes, and never else.

use super::{Broken, Rule, Seen};
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "header-present",
    claim: "The Received: header has a comment on TLS where the session had TLS and smtpd_tls_received_header is yes, and never else.",
    source: "postconf(5), smtpd_tls_received_header",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let intent = &seen.intent;
    let (Some(received), true) = (seen.evidence.received(), intent.postfix_server()) else {
        return Vec::new();
    };
    let setting = intent.setting(SideName::Server, "smtpd_tls_received_header");
    let asked = setting.is_none_or(|value| value == "yes");
    let handshake = seen
        .evidence
        .wire()
        .is_some_and(|wire| wire.server_hello.is_some());
    match (received.tls.is_some(), asked && handshake) {
        (true, false) => vec![Broken::new(
            "a comment on TLS that is not wanted or not true",
            "",
        )],
        (false, true) => vec![Broken::new("no comment on the TLS session", "")],
        _ => Vec::new(),
    }
}
