//! A client calls a server Verified that it knows as its level asks, Trusted whose chain leads to its CA, Anonymous that has no certificate, else Untrusted.

use super::{Broken, Rule, Seen};
use crate::observe::summary::{Side, Status, TlsSummary};
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "client-status",
    claim: "A client calls a server Verified that it knows as its level asks, Trusted whose chain leads to its CA, Anonymous that has no certificate, else Untrusted.",
    source: "FORWARD_SECRECY_README, What do \"Anonymous\", \"Untrusted\", etc. in Postfix logging mean?",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let intent = &seen.intent;
    let [certificate] = intent.certificates()[..] else {
        return Vec::new();
    };
    if intent.has_sni() {
        return Vec::new();
    }
    let level = intent.level().unwrap_or("may");
    let trusted = intent.is_trusted(certificate, intent.ca(SideName::Client));
    let expected = match level {
        "verify" | "secure" if trusted && certificate != "wrong-name" => Status::Verified,
        "fingerprint" if intent.has_fingerprint_of(certificate) => Status::Verified,
        "dane" | "dane-only" if intent.has_usable_tlsa() && intent.has_tlsa_of(certificate) => {
            Status::Verified
        }
        // What CA there is does not count at these.
        "fingerprint" | "dane-only" => Status::Untrusted,
        "dane" if intent.has_usable_tlsa() => Status::Untrusted,
        _ if trusted => Status::Trusted,
        _ => Status::Untrusted,
    };
    seen.summaries(Side::Client)
        .filter_map(|summary| {
            let expected = if is_anonymous(summary) {
                Status::Anonymous
            } else {
                expected
            };
            let status = summary.status.filter(|status| *status != expected)?;
            Some(Broken::new(
                format!("{level}: the client says {status} where it should say {expected}"),
                format!("the server has {certificate}"),
            ))
        })
        .collect()
}

fn is_anonymous(summary: &TlsSummary) -> bool {
    ["ADH-", "AECDH-"]
        .iter()
        .any(|one| summary.cipher.starts_with(one))
}
