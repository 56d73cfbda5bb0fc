//! Stage: what the witnesses said → one outcome. Pure.

mod crash;
mod differences;
mod disclosure;
mod expectation;

use pfs_certs::Pki;

use crate::evidence::Evidence;
use crate::outcome::Outcome;
use crate::plan::Case;
use crate::scenario::{Expect, KnownBug};

/// What Postfix said of its own end, where nothing of the kind is expected.
pub fn crashes(seen: &Evidence) -> Vec<String> {
    crash::differences(&Expect::default(), seen)
}

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

/// A known bug is expected to show its symptom and nothing else; that it does not any more must be noticed.
pub fn known_bug(outcome: Outcome, bug: &KnownBug) -> Outcome {
    let is_symptom = |difference: &String| bug.symptom.iter().any(|one| difference.contains(one));
    match outcome {
        Outcome::Pass => Outcome::Fail(vec![format!(
            "passes, though it is marked as a known bug: {}; take the mark away",
            bug.why
        )]),
        Outcome::Fail(differences) if differences.iter().all(is_symptom) => Outcome::Pass,
        Outcome::Fail(mut differences) => {
            differences.retain(|one| !is_symptom(one));
            let symptoms: Vec<_> = bug.symptom.iter().map(|one| format!("`{one}`")).collect();
            differences.push(format!(
                "besides, it is marked as a known bug, whose symptom is {}: {}",
                symptoms.join(" or "),
                bug.why
            ));
            Outcome::Fail(differences)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_bug_has_its_symptom_and_no_other() {
        let bug = KnownBug {
            targets: Default::default(),
            why: "w".to_owned(),
            symptom: crate::scenario::OneOrMany(vec!["signature".to_owned()]),
        };
        let failed =
            |all: &[&str]| Outcome::Fail(all.iter().map(|one| (*one).to_owned()).collect());
        let of = |outcome| known_bug(outcome, &bug);
        assert_eq!(of(failed(&["the signature differs"])), Outcome::Pass);
        assert!(matches!(of(Outcome::Pass), Outcome::Fail(_)));
        let Outcome::Fail(others) = of(failed(&["the signature differs", "panic: x"])) else {
            panic!("another failure passes")
        };
        assert_eq!(others[0], "panic: x");
    }
}
