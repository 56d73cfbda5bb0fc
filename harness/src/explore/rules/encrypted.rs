//! At encrypt and above no mail goes in clear.

use super::{Broken, Rule, Seen};
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "encrypted",
    claim: "At encrypt and above no mail goes in clear.",
    source: "TLS_README, Mandatory TLS encryption; postconf(5), smtp_tls_security_level and smtpd_tls_security_level",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    if !seen.evidence.delivered() || seen.encrypted() {
        return Vec::new();
    }
    // The wire is the witness that no loglevel silences: where it tells nothing there was no handshake.
    let mut broken = Vec::new();
    if seen.intent.must_encrypt() {
        let level = seen.intent.level().unwrap_or_default();
        broken.push(Broken::new(
            format!("delivered in clear at the client's level {level}"),
            "no witness tells of a session",
        ));
    }
    let server = seen
        .intent
        .setting(SideName::Server, "smtpd_tls_security_level");
    if server == Some("encrypt") {
        broken.push(Broken::new(
            "taken in clear by a server at the level encrypt",
            "no witness tells of a session",
        ));
    }
    broken
}
