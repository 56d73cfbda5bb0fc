//! Every field that two witnesses of a session know is equal, dialects aside.

use super::{Broken, Rule, Seen};

pub(super) const RULE: Rule = Rule {
    name: "agreement",
    claim: "Every field that two witnesses of a session know is equal, dialects aside.",
    source: "FORWARD_SECRECY_README, What do \"Anonymous\", \"Untrusted\", etc. in Postfix logging mean?",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let all = seen.evidence.disagreements().into_iter();
    all.map(|one| {
        let text = one.to_string();
        let cause = format!(
            "{}: {} and {} differ",
            one.field, one.left.witness, one.right.witness
        );
        Broken::new(cause, text)
    })
    .collect()
}
