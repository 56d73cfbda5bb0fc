//! What a case that did not pass has to say, for every report that is read by people.

use std::fmt::Write as _;

use crate::event::CaseResult;
use crate::printable::{line, printable};

/// The case and the target.
pub(super) fn name(result: &CaseResult) -> String {
    line(&format!("{} on {}", result.id, result.target))
}

/// The first line of the first reason, which is what a list has room for.
pub(super) fn first_reason(result: &CaseResult) -> &str {
    let reasons = result.outcome.reasons().iter();
    reasons
        .flat_map(|text| text.lines())
        .next()
        .unwrap_or_default()
}

/// What the witnesses said, and what the case is made of, each with its heading.
pub(super) fn parts(result: &CaseResult) -> Vec<(&'static str, String)> {
    let mut parts: Vec<_> = result
        .sections()
        .into_iter()
        .map(|(section, said)| (section.name(), said))
        .collect();
    if !result.configuration.is_empty() {
        parts.push(("configuration", result.configuration.clone()));
    }
    parts
}

/// All of it as plain text, safe to show.
pub(super) fn account(result: &CaseResult) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", result.why.trim());
    for reason in result.outcome.reasons() {
        let _ = writeln!(out, "{}", reason.trim_end());
    }
    for (heading, said) in parts(result) {
        let _ = writeln!(out, "{heading}");
        for one in said.trim_end().lines() {
            let _ = writeln!(out, "  {one}");
        }
    }
    if !result.reproduce.is_empty() {
        let _ = writeln!(out, "reproduce: {}", result.reproduce);
    }
    printable(&out)
}
