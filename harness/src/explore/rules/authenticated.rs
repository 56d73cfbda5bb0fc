//! At fingerprint, verify, secure, dane-only, and dane with records, no mail goes to a server that is not the one asked for.

use super::{Broken, Rule, Seen};
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "authenticated",
    claim: "At fingerprint, verify, secure, dane-only, and dane with records, no mail goes to a server that is not the one asked for.",
    source: "TLS_README, Mandatory server certificate verification, Certificate fingerprint verification, DANE TLS authentication",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let intent = &seen.intent;
    if !seen.evidence.delivered() || !intent.must_know_server() || intent.has_sni() {
        return Vec::new();
    }
    let level = intent.level().unwrap_or_default();
    let known = |certificate: &&str| match level {
        "fingerprint" => intent.has_fingerprint_of(certificate),
        "dane" | "dane-only" => intent.has_tlsa_of(certificate),
        _ => {
            let named = *certificate != "wrong-name";
            named && intent.is_trusted(certificate, intent.ca(SideName::Client))
        }
    };
    let certificates = intent.certificates();
    if certificates.iter().any(known) {
        return Vec::new();
    }
    vec![Broken::new(
        format!("delivered at {level} to a server that it must not know"),
        format!("the server has {}", certificates.join(", ")),
    )]
}
