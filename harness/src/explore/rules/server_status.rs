//! A server calls a client Anonymous that sent no certificate, Trusted whose chain leads to its CA, else Untrusted.

use super::{Broken, Rule, Seen};
use crate::observe::summary::{Side, Status};
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "server-status",
    claim: "A server calls a client Anonymous that sent no certificate, Trusted whose chain leads to its CA, else Untrusted.",
    source: "FORWARD_SECRECY_README, What do \"Anonymous\", \"Untrusted\", etc. in Postfix logging mean?",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let intent = &seen.intent;
    let yes = |name| intent.setting(SideName::Server, name) == Some("yes");
    let level = intent.setting(SideName::Server, "smtpd_tls_security_level");
    let asks = yes("smtpd_tls_ask_ccert") || yes("smtpd_tls_req_ccert") && level == Some("encrypt");
    let sent = intent.client_certificate().filter(|_| asks);
    let expected = match sent {
        None => Status::Anonymous,
        Some(one) if intent.is_trusted(one, intent.ca(SideName::Server)) => Status::Trusted,
        Some(_) => Status::Untrusted,
    };
    // A client may keep a certificate to itself that it has no signature for, and an anonymous cipher asks for none.
    let fits = |status: Status| status == expected || status == Status::Anonymous && !sure(seen);
    seen.summaries(Side::Server)
        .filter(|summary| {
            !summary.cipher.starts_with("ADH") && !summary.cipher.starts_with("AECDH")
        })
        .filter_map(|summary| summary.status)
        .filter(|status| !fits(*status))
        .map(|status| {
            Broken::new(
                format!("the server says {status} where it should say {expected}"),
                format!(
                    "the client has {}",
                    sent.unwrap_or("no certificate that is asked for")
                ),
            )
        })
        .collect()
}

/// Whether the client signed, as far as anybody saw.
fn sure(seen: &Seen<'_>) -> bool {
    let known = seen.evidence.certificates().client;
    known.is_some_and(|chain| !chain.is_empty())
}
