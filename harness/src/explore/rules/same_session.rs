//! The status word of a resumed session, and of mail over a kept connection, is that of the full handshake.

use super::{Broken, Rule, Seen};
use crate::observe::summary::Side;

pub(super) const RULE: Rule = Rule {
    name: "same-session",
    claim: "The status word of a resumed session, and of mail over a kept connection, is that of the full handshake.",
    source: "FORWARD_SECRECY_README, What do \"Anonymous\", \"Untrusted\", etc. in Postfix logging mean?; TLS_README, Client-side SMTP connection reuse",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for side in [Side::Client, Side::Server] {
        let mut all = seen.summaries(side);
        let Some(first) = all.next() else { continue };
        for other in all {
            if other.status != first.status {
                let word = |summary: &crate::observe::TlsSummary| {
                    summary
                        .status
                        .map_or("no word".to_owned(), |word| word.to_string())
                };
                broken.push(Broken::new(
                    format!(
                        "the {side} says {} first and {} of the next session",
                        word(first),
                        word(other)
                    ),
                    format!("{other:?}"),
                ));
            }
        }
    }
    broken
}
