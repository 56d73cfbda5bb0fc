//! The versions that scenarios ask for, from what a target says of itself.

use pfs_containers::TargetFacts;

use crate::scenario::TargetVersions;

/// Nothing where one of the two is no version number.
pub fn versions(facts: &TargetFacts) -> Option<TargetVersions> {
    let number = facts
        .openssl_text
        .split_whitespace()
        .find_map(|word| word.parse().ok());
    Some(TargetVersions {
        name: facts.target.clone(),
        postfix: facts.mail_version.parse().ok()?,
        openssl: number?,
    })
}
