//! What broke a rule, put together where the rule and the cause are the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One rule that one combination broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// What is wrong.
    pub cause: String,
    /// What was seen.
    pub detail: String,
    /// The combination by name.
    pub combination: String,
}

/// All findings of one rule for one cause on one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The rule's name.
    pub rule: String,
    /// What is wrong.
    pub cause: String,
    /// In the order of the combinations.
    pub findings: Vec<Finding>,
}

/// Puts findings together; those with many combinations first.
pub fn group(findings: &[Finding]) -> Vec<Group> {
    let mut groups: BTreeMap<(&str, &str), Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        let known = groups.entry((&finding.rule, &finding.cause)).or_default();
        // Several lines of one combination with the same cause are one.
        if known
            .iter()
            .all(|one| one.combination != finding.combination)
        {
            known.push(finding.clone());
        }
    }
    let mut all: Vec<Group> = groups
        .into_iter()
        .map(|((rule, cause), mut findings)| {
            findings.sort_by(|a, b| a.combination.cmp(&b.combination));
            Group {
                rule: rule.to_owned(),
                cause: cause.to_owned(),
                findings,
            }
        })
        .collect();
    all.sort_by_key(|group| std::cmp::Reverse(group.findings.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cause_is_one_group_and_a_combination_counts_once() {
        let finding = |rule: &str, cause: &str, combination: &str| Finding {
            rule: rule.to_owned(),
            cause: cause.to_owned(),
            detail: String::new(),
            combination: combination.to_owned(),
        };
        let groups = group(&[
            finding("a", "x", "2"),
            finding("b", "x", "1"),
            finding("a", "x", "1"),
            finding("a", "x", "1"),
        ]);
        let shown: Vec<_> = groups
            .iter()
            .map(|one| (one.rule.as_str(), one.findings.len()))
            .collect();
        assert_eq!(shown, [("a", 2), ("b", 1)]);
        assert_eq!(groups[0].findings[0].combination, "1");
    }
}
