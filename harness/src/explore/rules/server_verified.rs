//! A server never calls a client Verified.

use super::{Broken, Rule, Seen};
use crate::observe::summary::{Side, Status};

pub(super) const RULE: Rule = Rule {
    name: "server-verified",
    claim: "A server never calls a client Verified.",
    source: "FORWARD_SECRECY_README, What do \"Anonymous\", \"Untrusted\", etc. in Postfix logging mean?",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    seen.summaries(Side::Server)
        .filter(|summary| summary.status == Some(Status::Verified))
        .map(|summary| Broken::new("the server says Verified", format!("{summary:?}")))
        .collect()
}
