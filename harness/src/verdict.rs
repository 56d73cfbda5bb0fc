//! Stage: what the witnesses said → one outcome. Pure.

mod crash;
mod differences;
mod disclosure;
mod expectation;

use pfs_certs::Pki;

use crate::evidence::Evidence;
use crate::outcome::Outcome;
use crate::plan::Case;

/// Expectations, and the agreement of the witnesses.
pub fn judge(case: &Case, seen: &Evidence, pki: &Pki) -> Outcome {
    let mut differences = expectation::differences(&case.expect, seen, pki);
    differences.extend(crash::differences(&case.expect, seen));
    differences.extend(disclosure::difference(case, seen, pki));
    differences.extend(seen.disagreements().iter().map(ToString::to_string));
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
