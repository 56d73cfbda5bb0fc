//! Findings that are known: `known.toml` beside the space. Each has its reason and a reference, and fails when it does not
//! happen any more.

use std::path::Path;

use serde::Deserialize;

use super::finding::Group;
use super::space::SpaceError;
use crate::scenario::{CaseVersions, OneOrMany, Predicate, TargetVersions};

/// All of a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFindings {
    /// In its order.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// A finding that is known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The rule that breaks.
    pub rule: String,
    /// A piece of the cause.
    pub cause: String,
    /// All of these hold for the targets it is known on.
    #[serde(default)]
    pub targets: OneOrMany<Predicate>,
    /// Why it is as it is.
    pub why: String,
    /// Where it is written.
    pub reference: String,
}

impl Known {
    /// Whether it is known on a target.
    pub fn is_of(&self, target: &TargetVersions) -> bool {
        let versions = CaseVersions {
            own: target,
            client: target,
            server: target,
        };
        self.targets.iter().all(|one| one.holds(versions))
    }

    /// Whether a group is what it speaks of.
    pub fn covers(&self, group: &Group) -> bool {
        group.rule == self.rule && group.cause.contains(&self.cause)
    }
}

impl KnownFindings {
    /// Reads a file; one that is not there knows nothing.
    ///
    /// # Errors
    /// It cannot be read, or has other keys.
    pub fn read(path: &Path) -> Result<Self, SpaceError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => {
                return Err(SpaceError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        toml::from_str(&text).map_err(|source| SpaceError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// The entry for a group on a target.
    pub fn of(&self, group: &Group, target: &TargetVersions) -> Option<&Known> {
        let mut all = self.known.iter();
        all.find(|one| one.is_of(target) && one.covers(group))
    }

    /// Entries of a target that stand for none of its groups.
    pub fn stale(&self, groups: &[Group], target: &TargetVersions) -> Vec<&Known> {
        let all = self.known.iter();
        all.filter(|one| one.is_of(target) && !groups.iter().any(|group| one.covers(group)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Finding, group};

    #[test]
    fn a_known_finding_is_of_a_version_and_stale_where_it_does_not_happen() {
        let known: KnownFindings = toml::from_str(
            "[[known]]\nrule = 'a'\ncause = 'open'\ntargets = 'postfix >= 3.11'\nwhy = 'w'\nreference = 'r'",
        )
        .unwrap();
        let target = |postfix: &str| TargetVersions {
            name: "t".to_owned(),
            postfix: postfix.parse().unwrap(),
            openssl: "3.5".parse().unwrap(),
        };
        let groups = group(&[Finding {
            rule: "a".to_owned(),
            cause: "still open".to_owned(),
            detail: String::new(),
            combination: "1".to_owned(),
        }]);
        assert!(known.of(&groups[0], &target("3.11.2")).is_some());
        assert!(known.of(&groups[0], &target("3.10")).is_none());
        assert_eq!(known.stale(&[], &target("3.11")).len(), 1);
        assert!(known.stale(&groups, &target("3.11")).is_empty());
        assert!(known.stale(&[], &target("3.10")).is_empty());
    }
}
