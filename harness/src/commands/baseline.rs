//! What a target without snapshots of its own is held against.

use std::collections::BTreeMap;

use pfs_containers::{Target, TargetFacts, Version};

use super::Error;
use crate::runner::Snapshots;

/// For each target that is no built-in one the built-in one whose texts it is held against: the nearest, or the one that
/// was asked for, or with `none` no one.
///
/// # Errors
/// A name that is no built-in target's.
pub(super) fn baselines(
    asked: Option<&str>,
    targets: &BTreeMap<String, (Target, TargetFacts)>,
) -> Result<Snapshots, Error> {
    let asked = match asked {
        None => None,
        Some("none") => Some(None),
        Some(name) => {
            let known = Target::built_in().find(|target| target.name() == name);
            let known = known.ok_or_else(|| {
                let names: Vec<String> = Target::built_in().map(|one| one.to_string()).collect();
                Error::Usage(format!(
                    "--baseline {name}: expected none, or a target with snapshots: {}",
                    names.join(", ")
                ))
            })?;
            Some(Some(known.name().to_owned()))
        }
    };
    let own = targets
        .iter()
        .filter(|(_, (target, _))| target.nominal_postfix().is_none());
    Ok(Snapshots::Baselines(
        own.map(|(name, (_, facts))| {
            let baseline = match &asked {
                Some(asked) => asked.clone(),
                None => nearest(facts.postfix, facts.openssl),
            };
            (name.clone(), baseline)
        })
        .collect(),
    ))
}

/// OpenSSL 3.5 and later negotiate and log hybrid groups and groups of their own choice; 1.1.1 has other error texts.
fn dialect(openssl: Version) -> u8 {
    match openssl {
        old if old < Version::new(3, 0) => 0,
        middle if middle < Version::new(3, 5) => 1,
        _ => 2,
    }
}

/// The built-in target of the same dialect of OpenSSL whose Postfix is nearest; of two as near the older one.
fn nearest(postfix: Version, openssl: Version) -> Option<String> {
    let number = |version: Version| version.major() * 1000 + version.minor();
    Target::built_in()
        .filter_map(|target| {
            let (its_postfix, its_openssl) = (target.nominal_postfix()?, target.nominal_openssl()?);
            let far = (
                dialect(openssl).abs_diff(dialect(its_openssl)),
                number(postfix).abs_diff(number(its_postfix)),
            );
            Some((far, target.name().to_owned()))
        })
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_speaks_the_same_dialect() {
        let of = |postfix: &str, openssl: &str| {
            let version = |text| Version::parse(text).unwrap();
            nearest(version(postfix), version(openssl)).unwrap()
        };
        assert_eq!(of("3.10.13", "3.5.9"), "debian-13");
        assert_eq!(of("3.4.29", "1.1.1w"), "debian-11");
        assert_eq!(of("3.8.1", "3.0.2"), "debian-12");
        assert_eq!(of("3.8.1", "3.5.1"), "debian-13");
        assert_eq!(of("3.12-20260821", "3.6.0"), "debian-testing");
    }
}
