//! No daemon panics, is killed by a signal, or gives up; one that was given a wrong value may give up.

use super::{Broken, Rule, Seen};
use crate::verdict;

pub(super) const RULE: Rule = Rule {
    name: "crash",
    claim: "No daemon panics, is killed by a signal, or gives up; one that was given a wrong value may give up.",
    source: "postconf(5); INSTALL, section 15",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let all = verdict::crashes(seen.evidence).into_iter();
    all.filter(|text| !seen.invalid || !text.contains("fatal: "))
        .map(|text| Broken::new(kind(&text), text))
        .collect()
}

/// Without the numbers of processes, which differ each time.
fn kind(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| {
        !word
            .trim_matches(|c: char| !c.is_ascii_digit())
            .parse::<u32>()
            .is_ok_and(|n| n > 99)
    });
    words.collect::<Vec<_>>().join(" ")
}
