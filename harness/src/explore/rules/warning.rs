//! Where nothing is wrong with the settings and the mail arrived, no line warns of TLS.

use super::{Broken, Rule, Seen};

pub(super) const RULE: Rule = Rule {
    name: "warning",
    claim: "Where nothing is wrong with the settings and the mail arrived, no line warns of TLS.",
    source: "postconf(5); TLS_README",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    if seen.invalid || !seen.evidence.delivered() {
        return Vec::new();
    }
    let lines = seen.evidence.logs().flat_map(|(_, log)| log.lines());
    lines
        .filter(|line| line.text.starts_with("warning: "))
        // That a role is off which nobody uses is no contradiction: tlsproxy(8) says so when it starts.
        .filter(|line| !line.text.contains("role is disabled"))
        .filter(|line| line.text.contains("TLS") || line.text.contains("certificate"))
        .map(|line| Broken::new(kind(&line.text), format!("{}: {}", line.daemon, line.text)))
        .collect()
}

/// Its first words: what follows names addresses and files.
fn kind(text: &str) -> String {
    let words = text.split_whitespace().take(6);
    words.collect::<Vec<_>>().join(" ")
}
