//! What targets said of themselves in earlier runs, for commands that start nothing.

use std::fs;
use std::path::PathBuf;

use pfs_containers::{Cache, Target};

use crate::plan::digest;
use crate::scenario::TargetVersions;

/// Directory below the cache.
const DIRECTORY: &str = "targets";

fn file(cache: &Cache, target: &Target) -> Option<PathBuf> {
    let key = serde_json::to_string(target).ok()?;
    let name = format!("{}-{}.json", target.name(), digest(&key));
    Some(cache.directory().join(DIRECTORY).join(name))
}

/// Keeps what a target has said. A cache that cannot be written costs only the memory of it.
pub(super) fn remember(cache: &Cache, target: &Target, versions: &TargetVersions) {
    let written = || {
        let path = file(cache, target)?;
        let text = serde_json::to_string_pretty(versions).ok()?;
        let directory = cache.subdirectory(DIRECTORY).ok()?;
        let temporary = tempfile::NamedTempFile::new_in(directory).ok()?;
        fs::write(temporary.path(), text).ok()?;
        temporary.persist(path).ok()
    };
    let _ = written();
}

/// What a target said when it was last asked.
pub(super) fn recall(cache: &Cache, target: &Target) -> Option<TargetVersions> {
    let text = fs::read(file(cache, target)?).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_remembered_by_all_that_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let target = |text: &str| Target::parse(text).unwrap();
        let (one, other) = (target("mine=image:a"), target("mine=image:b"));
        let versions = TargetVersions {
            name: "mine".to_owned(),
            postfix: "3.10.13".parse().unwrap(),
            openssl: "3.5.7".parse().unwrap(),
        };
        assert_eq!(recall(&cache, &one), None);
        remember(&cache, &one, &versions);
        assert_eq!(recall(&cache, &one), Some(versions));
        assert_eq!(recall(&cache, &other), None);
    }
}
