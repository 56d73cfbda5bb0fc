//! What a cache holds, and whether it can go: for `pfs clean`.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{
    Cache, Error, Result,
    engine::remove_home,
    owned::{self, Found, Owned, Purpose},
};

/// Something in a cache.
#[derive(Debug)]
pub struct Holding {
    /// What it is.
    pub purpose: Purpose,
    /// Where it is.
    pub path: PathBuf,
    /// What it takes on the disk, in bytes, without what it shares with those before it in the list.
    pub size: u64,
    /// Whether it can be removed.
    pub state: State,
}

/// Whether something can be removed.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// Ours, and nobody uses it.
    Unused,
    /// Ours, and in use.
    Used,
    /// Not known to be ours, with the reason.
    Unknown(String),
}

/// What a cache holds of roots, bases, fleets and files of ours, in this order.
///
/// # Errors
/// A directory cannot be read.
pub fn find(cache: &Cache) -> Result<Vec<Holding>> {
    let mut holdings = Vec::new();
    let mut counted = HashSet::new();
    for (name, purpose) in PLACES {
        let directory = cache.directory().join(name);
        let failed = |error| Error::io("reading", &directory)(error);
        let mut found = match owned::directories(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found.map_err(failed)?,
        };
        if purpose == Purpose::Base {
            let files = fs::read_dir(&directory).map_err(failed)?.flatten();
            let tars = files.map(|entry| entry.path());
            found.extend(tars.filter(|path| path.extension().is_some_and(|end| end == "tar")));
        }
        found.sort();
        for path in found {
            let state = match examine(cache, &path, purpose) {
                Ok(Some(_)) => State::Unused,
                Ok(None) => State::Used,
                Err(error) => State::Unknown(error.to_string()),
            };
            holdings.push(Holding {
                purpose,
                size: size(&path, &mut counted),
                path,
                state,
            });
        }
    }
    Ok(holdings)
}

const PLACES: [(&str, Purpose); 4] = [
    ("roots", Purpose::Root),
    ("bases", Purpose::Base),
    ("fleets", Purpose::Fleet),
    ("scenarios", Purpose::Files),
];

/// Removes something by the rules of [`owned`]; false if it is in use by now.
///
/// # Errors
/// It is not known to be ours, something is mounted there, or the file system's.
pub fn remove(cache: &Cache, holding: &Holding) -> Result<bool> {
    let failed = |error| Error::io("removing", &holding.path)(error);
    match examine(cache, &holding.path, holding.purpose).map_err(failed)? {
        None => Ok(false),
        Some(Unused::Directory(owned)) if holding.purpose == Purpose::Fleet => {
            remove_home(owned).map(|()| true)
        }
        Some(Unused::Directory(owned)) => owned.remove().map(|()| true),
        Some(Unused::File(_lock)) => owned::remove_file(&holding.path)
            .map(|()| true)
            .map_err(failed),
    }
}

/// Held until it is removed.
enum Unused {
    Directory(Owned),
    File(crate::cache::CacheLock),
}

fn examine(cache: &Cache, path: &Path, purpose: Purpose) -> io::Result<Option<Unused>> {
    if purpose == Purpose::Base && !path.symlink_metadata()?.is_dir() {
        owned::is_our_file(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let lock = cache.try_lock(&format!("base-{name}"), "cleaning");
        return lock
            .map(|lock| lock.map(Unused::File))
            .map_err(io::Error::other);
    }
    match Owned::examine(path, purpose) {
        Found::Dead(owned) => Ok(Some(Unused::Directory(owned))),
        Found::Used => Ok(None),
        Found::Unknown(error) => Err(error),
    }
}

/// What a tree takes on the disk; each file counts once, and links are not followed.
fn size(path: &Path, counted: &mut HashSet<(u64, u64)>) -> u64 {
    let mut size = 0;
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let Ok(about) = path.symlink_metadata() else {
            continue;
        };
        if counted.insert((about.dev(), about.ino())) {
            // st_blocks counts 512 bytes (stat(2)).
            size += about.blocks() * 512;
        }
        if about.is_dir() {
            left.extend(
                fs::read_dir(path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path()),
            );
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_and_unused_goes() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let (roots, bases) = (
            cache.subdirectory("roots").unwrap(),
            cache.subdirectory("bases").unwrap(),
        );
        let old = roots.join("debian-13-00");
        drop(Owned::make(&old, Purpose::Root).unwrap());
        fs::create_dir(old.join("root")).unwrap();
        let used = Owned::make(&roots.join("debian-13-01"), Purpose::Root).unwrap();
        fs::create_dir(roots.join("debian-13-02")).unwrap();
        let (tar, foreign) = (bases.join("trixie-00.tar"), bases.join("mine.tar"));
        for path in [&tar, &foreign] {
            fs::write(path, "tar").unwrap();
        }
        owned::mark_file(&tar, &tar).unwrap();
        let found = find(&cache).unwrap();
        let states: Vec<_> = found
            .iter()
            .map(|one| (one.path.file_name().unwrap().to_str().unwrap(), &one.state))
            .map(|(name, state)| {
                (
                    name,
                    matches!(state, State::Unused),
                    matches!(state, State::Used),
                )
            })
            .collect();
        assert_eq!(
            states,
            [
                ("debian-13-00", true, false),
                ("debian-13-01", false, true),
                ("debian-13-02", false, false),
                ("mine.tar", false, false),
                ("trixie-00.tar", true, false),
            ]
        );
        for one in &found {
            let removed = remove(&cache, one);
            assert_eq!(
                removed.is_ok_and(|removed| removed),
                one.state == State::Unused
            );
            assert_eq!(one.path.exists(), one.state != State::Unused);
        }
        drop(used);
        assert_eq!(fs::read_dir(&bases).unwrap().count(), 1);
    }
}
