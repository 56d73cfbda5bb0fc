//! What is negotiated is within the protocols of the side's level, and no anonymous cipher where a certificate is needed.

use super::{Broken, Rule, Seen};
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "version-bounds",
    claim: "What is negotiated is within the protocols of the side's level, and no anonymous cipher where a certificate is needed.",
    source: "postconf(5), smtp_tls_protocols, smtp_tls_mandatory_protocols, smtpd_tls_protocols, smtpd_tls_mandatory_protocols",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let Some(protocol) = seen.evidence.fact(|told| Some(told.protocol.to_string())) else {
        return Vec::new();
    };
    let intent = &seen.intent;
    let mandatory = |side, level: Option<&str>| match side {
        SideName::Client => {
            !matches!(level, Some("may" | "none"))
                && (level != Some("dane") || intent.has_usable_tlsa())
        }
        SideName::Server => level == Some("encrypt"),
    };
    let mut broken = Vec::new();
    for (side, prefix, level) in [
        (SideName::Client, "smtp_tls", intent.level()),
        (
            SideName::Server,
            "smtpd_tls",
            intent.setting(SideName::Server, "smtpd_tls_security_level"),
        ),
    ] {
        let kind = if mandatory(side, level) {
            "mandatory_protocols"
        } else {
            "protocols"
        };
        let wrapped = intent.setting(SideName::Server, "smtpd_tls_wrappermode") == Some("yes");
        // TLS from the first byte is mandatory whatever the level says.
        if side == SideName::Server && wrapped {
            continue;
        }
        let parameter = format!("{prefix}_{kind}");
        let Some(allowed) = intent.setting(side, &parameter) else {
            continue;
        };
        let outside = match allowed.strip_prefix('!') {
            Some(excluded) => protocol == excluded,
            None => protocol != allowed,
        };
        if outside {
            broken.push(Broken::new(
                format!("a version that {parameter} does not allow"),
                format!("{protocol} with {allowed}"),
            ));
        }
    }
    let anonymous = seen.evidence.fact(|told| Some(told.cipher.clone()));
    let anonymous = anonymous.filter(|one| one.starts_with("ADH") || one.starts_with("AECDH"));
    if let (Some(cipher), true) = (anonymous, intent.must_know_server()) {
        broken.push(Broken::new(
            "an anonymous cipher where the server must be known",
            cipher,
        ));
    }
    broken
}
