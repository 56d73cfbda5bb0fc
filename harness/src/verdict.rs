//! Stage: what the witnesses said → one outcome. Pure.

mod differences;
mod disclosure;
mod expectation;

use pfs_certs::Pki;

use crate::evidence::Evidence;
use crate::observe::log::LogEvent;
use crate::outcome::Outcome;
use crate::plan::Case;

/// Expectations, and the agreement of the witnesses.
pub fn judge(case: &Case, seen: &Evidence, pki: &Pki) -> Outcome {
    if let Some(fatal) = refused_configuration(seen) {
        // A case may be about just that.
        let expected = case
            .expect
            .failure
            .as_ref()
            .is_some_and(|failure| expectation::is_cause(fatal, &failure.cause));
        if !expected {
            return Outcome::Broken(format!("Postfix refuses its configuration: {fatal}"));
        }
    }
    let mut differences = expectation::differences(&case.expect, seen, pki);
    differences.extend(disclosure::difference(case, seen, pki));
    differences.extend(seen.disagreements().iter().map(ToString::to_string));
    if differences.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail(differences)
    }
}

/// The words with which a Postfix gave up on its settings.
fn refused_configuration(seen: &Evidence) -> Option<&str> {
    let events = seen.logs().flat_map(|(_, log)| log.events());
    events.into_iter().find_map(|event| match event {
        LogEvent::Fatal(words) => Some(words.as_str()),
        _ => None,
    })
}

/// A known bug is expected to fail; that it does not any more must be noticed.
pub fn known_bug(outcome: Outcome, reason: &str) -> Outcome {
    match outcome {
        Outcome::Pass => Outcome::Fail(vec![format!(
            "passes, though it is marked as a known bug: {reason}; take the mark away"
        )]),
        Outcome::Fail(_) => Outcome::Pass,
        other => other,
    }
}
