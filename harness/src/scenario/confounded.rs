//! Conditions that the built-in targets cannot tell from one on the other software.
//!
//! Every newer Debian has a newer Postfix and a newer OpenSSL, so that `postfix < 3.6` and `openssl < 3` hold for the same of them. Which of
//! the two is the reason, no run shows: the scenario has to say it.

use super::case::Scenario;
use super::predicate::TargetVersions;

/// What departs on a condition that is confounded on `targets`, and whose `why` does not name the software of that condition.
pub fn unexplained(scenario: &Scenario, targets: &[TargetVersions]) -> Vec<String> {
    let file = &scenario.file;
    let departures = file.departure.iter().map(|one| (&one.targets, &one.why));
    let bugs = file.known_bug.iter().map(|one| (&one.targets, &one.why));
    let mut found = Vec::new();
    for (conditions, why) in departures.chain(bugs) {
        for condition in conditions.iter() {
            let Some(other) = condition.confounded_with(targets) else {
                continue;
            };
            let subject = condition.software();
            if !why.to_lowercase().contains(&subject.to_lowercase()) {
                found.push(format!(
                    "{}: `{condition}` is one with a condition on {other} on every built-in target; `why` has to say what {subject} does \
                     otherwise, or the condition has to be on {other}: {why:?}",
                    scenario.path.display()
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{Predicate, parse};

    fn targets(all: &[(&str, &str)]) -> Vec<TargetVersions> {
        let version = |text: &str| text.parse().unwrap();
        all.iter()
            .map(|(postfix, openssl)| TargetVersions {
                name: format!("{postfix} on {openssl}"),
                postfix: version(postfix),
                openssl: version(openssl),
            })
            .collect()
    }

    #[test]
    fn what_one_target_tells_apart_needs_no_words() {
        let confounded = targets(&[("3.5", "1.1.1"), ("3.7", "3.0"), ("3.10", "3.5")]);
        let apart = targets(&[("3.5", "1.1.1"), ("3.7", "1.1.1"), ("3.10", "3.5")]);
        let condition: Predicate = "postfix < 3.6".parse().unwrap();
        assert_eq!(condition.confounded_with(&confounded), Some("OpenSSL"));
        assert_eq!(condition.confounded_with(&apart), None);
        let all: Predicate = "postfix >= 3.4".parse().unwrap();
        assert_eq!(all.confounded_with(&confounded), None);
        let of = |why: &str| {
            let text = format!(
                "why = \"w\"\nserver = {{ postfix = {{}} }}\nclient = {{ rustls = {{}} }}\n\
                 [[departure]]\ntargets = \"postfix < 3.6\"\nwhy = \"{why}\"\nexpect = {{}}\n"
            );
            let scenario = &parse(Path::new("t/c.toml"), &text).unwrap()[0];
            unexplained(scenario, &confounded).len()
        };
        assert_eq!(of("OpenSSL 1.1.1 reads both forms."), 1);
        assert_eq!(of("Postfix before 3.6 reads both forms."), 0);
    }
}
