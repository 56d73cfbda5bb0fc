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

/// Expectations, and the agreement of the witnesses. A known bug is held to its symptom.
pub fn judge(case: &Case, seen: &Evidence, pki: &Pki) -> Outcome {
    let mut differences = expectation::differences(&case.expect, seen, pki);
    differences.extend(disclosure::difference(case, seen, pki));
    differences.extend(seen.disagreements().iter().map(ToString::to_string));
    let crashes = crash::differences(&case.expect, seen);
    sum_up(differences, crashes, case.known_bug.as_ref())
}

/// A known bug is expected to show its symptom and nothing else; that it does not any more must be noticed. A crash that is not
/// expected by name is no symptom of anything, whatever its line says.
fn sum_up(mut differences: Vec<String>, crashes: Vec<String>, bug: Option<&KnownBug>) -> Outcome {
    if let Some(bug) = bug {
        let is_symptom =
            |difference: &String| bug.symptom.iter().any(|one| difference.contains(one));
        if differences.is_empty() && crashes.is_empty() {
            return Outcome::Fail(vec![format!(
                "passes, though it is marked as a known bug: {}; take the mark away",
                bug.why
            )]);
        }
        differences.retain(|one| !is_symptom(one));
        if !differences.is_empty() || !crashes.is_empty() {
            let symptoms: Vec<_> = bug.symptom.iter().map(|one| format!("`{one}`")).collect();
            differences.push(format!(
                "besides, it is marked as a known bug, whose symptom is {}: {}",
                symptoms.join(" or "),
                bug.why
            ));
        }
    }
    // The worst first.
    let mut all = crashes;
    all.append(&mut differences);
    match all.is_empty() {
        true => Outcome::Pass,
        false => Outcome::Fail(all),
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
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let of = |differences: &[&str], crashes: &[&str]| {
            sum_up(owned(differences), owned(crashes), Some(&bug))
        };
        assert_eq!(of(&["the signature differs"], &[]), Outcome::Pass);
        assert!(matches!(of(&[], &[]), Outcome::Fail(_)));
        let Outcome::Fail(others) = of(&["the signature differs", "another"], &[]) else {
            panic!("another failure passes")
        };
        assert_eq!(others[0], "another");
    }

    #[test]
    fn a_crash_is_no_symptom() {
        let bug = KnownBug {
            targets: Default::default(),
            why: "w".to_owned(),
            symptom: crate::scenario::OneOrMany(vec!["smtpd was killed by signal 11".to_owned()]),
        };
        let crash = vec!["Postfix: smtpd was killed by signal 11".to_owned()];
        let Outcome::Fail(told) = sum_up(Vec::new(), crash.clone(), Some(&bug)) else {
            panic!("a crash passes as a known bug")
        };
        assert_eq!(told[0], crash[0]);
    }
}
