//! Stage: what the witnesses said → one outcome. Pure.

mod disclosure;
mod expectation;
mod observation;
mod text;

pub use observation::Observation;

use crate::outcome::Outcome;
use crate::plan::Case;

/// Expectations, and the agreement of the witnesses.
pub fn judge(case: &Case, seen: &Observation) -> Outcome {
    if let Some(fatal) = seen.refused_configuration() {
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
    let mut differences = expectation::differences(&case.expect, seen);
    differences.extend(disclosure::difference(case, seen));
    differences.extend(seen.disagreements());
    if differences.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail(differences)
    }
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
