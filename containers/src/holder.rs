//! Who something outside the cache is for, such as a container: so that what a killed run left is told from what a living
//! one has, from what another user has, and from what is none of ours.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

use crate::{Cache, Error, Result};

/// Labels that carry a [`Holder`].
const CACHE: &str = "pfs.cache";
pub(crate) const CACHE_ID: &str = "pfs.cache-id";
const LOCK: &str = "pfs.lock";
/// The file of a cache that holds a word no other cache has.
const ID: &str = "id";

/// A file of a cache that is locked, by whoever wants the thing, for as long as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    cache: PathBuf,
    id: String,
    /// Below the cache.
    lock: PathBuf,
}

impl Holder {
    /// Whoever locks `lock`, a file below the cache's directory.
    ///
    /// # Errors
    /// [`Error::Io`]: the cache cannot be written to, or has no such file.
    pub fn new(cache: &Cache, lock: &Path) -> Result<Holder> {
        let directory = cache.directory().to_owned();
        let inside = lock.strip_prefix(&directory).map_err(|_| {
            Error::io("looking below the cache for", lock)(io::ErrorKind::InvalidInput.into())
        })?;
        Ok(Holder {
            id: id_of(&directory)?,
            lock: inside.to_owned(),
            cache: directory,
        })
    }

    /// What marks a container.
    #[must_use]
    pub fn labels(&self) -> [(&'static str, String); 3] {
        [
            (CACHE, self.cache.display().to_string()),
            (CACHE_ID, self.id.clone()),
            (LOCK, self.lock.display().to_string()),
        ]
    }

    pub(crate) fn of_labels(labels: &HashMap<String, String>) -> Option<Holder> {
        Some(Holder {
            cache: labels.get(CACHE)?.into(),
            id: labels.get(CACHE_ID)?.clone(),
            lock: labels.get(LOCK)?.into(),
        })
    }

    /// The directory of its cache.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// What marks a thing inside the cache: the file alone.
    pub(crate) fn lock(&self) -> &Path {
        &self.lock
    }

    /// Whether it is proved that nobody holds it: the very cache is here and ours, and in it the file is free, or gone with
    /// whoever had it. Whatever cannot be looked at is held.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        let is_plain = |part| matches!(part, Component::Normal(_));
        let id = self.cache.join(ID);
        let ours = self.cache.is_absolute()
            && self.lock.components().all(is_plain)
            && id.symlink_metadata().is_ok_and(|found| {
                found.is_file() && found.uid() == rustix::process::geteuid().as_raw()
            })
            && fs::read_to_string(&id).is_ok_and(|text| text == self.id);
        ours && match File::open(self.cache.join(&self.lock)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// The word that only this cache has, made when there is none.
fn id_of(cache: &Path) -> Result<String> {
    let path = cache.join(ID);
    let known = || match fs::read_to_string(&path) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("reading", &path)(error)),
    };
    if let Some(id) = known()? {
        return Ok(id);
    }
    let mut random = [0; 16];
    let mut source = File::open("/dev/urandom").map_err(Error::io("opening", "/dev/urandom"))?;
    source
        .read_exact(&mut random)
        .map_err(Error::io("reading", "/dev/urandom"))?;
    let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::create_dir_all(cache).map_err(Error::io("creating", cache))?;
    // Complete when it appears, and the first one stays.
    let new = cache.join(format!("{ID}-{id}"));
    let made = || -> io::Result<()> {
        File::create_new(&new)?.write_all(id.as_bytes())?;
        match fs::hard_link(&new, &path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    };
    let made = made();
    let _ = fs::remove_file(&new);
    made.map_err(Error::io("writing", &path))?;
    known()?.ok_or_else(|| Error::io("reading", &path)(io::ErrorKind::NotFound.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(directory: &Path, name: &str) -> Holder {
        Holder::new(&Cache::at(directory), &directory.join(name)).unwrap()
    }

    #[test]
    fn dead_when_free_or_gone_and_alive_when_held() {
        let cache = tempfile::tempdir().unwrap();
        let holder = holder(cache.path(), "lock");
        assert!(holder.is_dead(), "gone");
        let file = File::create(cache.path().join("lock")).unwrap();
        assert!(holder.is_dead(), "free");
        file.lock_shared().unwrap();
        assert!(!holder.is_dead(), "held");
        let labels = holder
            .labels()
            .map(|(name, value)| (name.to_owned(), value));
        assert_eq!(Holder::of_labels(&HashMap::from(labels)), Some(holder));
    }

    #[test]
    fn what_cannot_be_proved_is_alive() {
        let cache = tempfile::tempdir().unwrap();
        let holder = holder(cache.path(), "lock");
        let changes: [fn(&mut Holder); 4] = [
            |holder| holder.id.push('0'),
            |holder| holder.cache = "/nowhere/pfs".into(),
            |holder| holder.lock = "../lock".into(),
            |holder| holder.lock = "id/lock".into(),
        ];
        for change in changes {
            let mut other = holder.clone();
            change(&mut other);
            assert!(!other.is_dead(), "{other:?}");
        }
        // Another cache in the same place.
        fs::remove_file(cache.path().join(ID)).unwrap();
        assert!(!holder.is_dead());
        assert_ne!(id_of(cache.path()).unwrap(), holder.id);
        assert!(!holder.is_dead());
    }

    #[test]
    fn a_cache_has_one_id() {
        let cache = tempfile::tempdir().unwrap();
        let path = cache.path();
        let ids: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| id_of(path))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap())
                .collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(fs::read_dir(path).unwrap().count(), 1);
    }
}
