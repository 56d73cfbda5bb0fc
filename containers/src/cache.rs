//! Where built roots, bases and running fleets are kept, and the locks around them.

use std::{
    env,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tokio::sync::oneshot;

use crate::{
    Error, Progress, ProgressEvent, Result,
    owned::{self, Found, Owned, Purpose},
    unpacked,
};

/// What we make in a cache.
const SUBDIRECTORIES: [&str; 7] = [
    "bases",
    "facts",
    "fleets",
    "locks",
    "roots",
    "scenarios",
    "sessions",
];
/// Contents of CACHEDIR.TAG; the first line is what programs look for.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55
# Roots, bases, keys and records of pfs, which it can make again. See `pfs clean`.
";

/// A directory that may be deleted at any time when nothing runs: everything in it can be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    directory: PathBuf,
}

/// A lock on a file of the cache; given back when dropped, or when the process dies.
#[derive(Debug)]
pub struct CacheLock {
    _file: File,
}

impl Cache {
    /// A cache in this directory, which is made when needed.
    pub fn at(directory: impl Into<PathBuf>) -> Cache {
        Cache {
            directory: directory.into(),
        }
    }

    /// The user's: `$PFS_CACHE`, else `$XDG_CACHE_HOME/pfs`, else `~/.cache/pfs`, else `/var/cache/pfs`.
    #[must_use]
    pub fn of_user() -> Cache {
        let set = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let directory = set("PFS_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("pfs")))
            .or_else(|| set("HOME").map(|home| home.join(".cache/pfs")))
            .unwrap_or_else(|| PathBuf::from("/var/cache/pfs"));
        Cache {
            directory: std::path::absolute(&directory).unwrap_or(directory),
        }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A directory below it, made if it does not exist.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::DiskFull`].
    pub fn subdirectory(&self, name: &str) -> Result<PathBuf> {
        let path = self.directory.join(name);
        if !path.is_dir() {
            fs::create_dir_all(&path).map_err(Error::io("creating", &path))?;
            self.tag()?;
        }
        Ok(path)
    }

    /// Tells programs that make backups to leave the cache out (bford.info/cachedir), unless there is more in the
    /// directory than ours.
    fn tag(&self) -> Result<()> {
        let found = fs::read_dir(&self.directory).map_err(Error::io("reading", &self.directory))?;
        let ours = |name: &std::ffi::OsStr| SUBDIRECTORIES.iter().any(|known| name == *known);
        if !found.flatten().all(|entry| ours(&entry.file_name())) {
            return Ok(());
        }
        let path = self.directory.join("CACHEDIR.TAG");
        match File::create_new(&path) {
            Ok(mut file) => file
                .write_all(TAG.as_bytes())
                .map_err(Error::io("writing", &path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(Error::io("creating", &path)(error)),
        }
    }

    /// Takes a lock that one process at a time may hold. While another has it, tells so with what that one is doing,
    /// which is what it gave as `purpose`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn lock(
        &self,
        name: &str,
        purpose: &str,
        target: &str,
        progress: &dyn Progress,
    ) -> Result<CacheLock> {
        let path = self.lock_file(name)?;
        if let Some(lock) = try_lock(&path, purpose)? {
            return Ok(lock);
        }
        progress.event(waiting(&path, target));
        wait_for(vec![path], purpose.to_owned()).await
    }

    /// As [`lock`](Cache::lock), but `None` while another process has it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn try_lock(&self, name: &str, purpose: &str) -> Result<Option<CacheLock>> {
        try_lock(&self.lock_file(name)?, purpose)
    }

    /// As [`lock`](Cache::lock), but `count` processes may hold one of that name at a time.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn slot(
        &self,
        name: &str,
        count: usize,
        purpose: &str,
        target: &str,
        progress: &dyn Progress,
    ) -> Result<CacheLock> {
        let paths = (0..count.max(1))
            .map(|n| self.lock_file(&format!("{name}-{n}")))
            .collect::<Result<Vec<_>>>()?;
        for path in &paths {
            if let Some(lock) = try_lock(path, purpose)? {
                return Ok(lock);
            }
        }
        progress.event(waiting(&paths[0], target));
        wait_for(paths, purpose.to_owned()).await
    }

    /// Removes what a killed process had begun to make. Whoever still makes something holds its mark.
    pub(crate) fn sweep(&self) -> Result<()> {
        owned::finish_removals();
        let mut result = self.tag();
        for (directory, purpose, word) in [
            ("roots", Purpose::Root, ".new-"),
            ("bases", Purpose::Base, ".partial-"),
            ("scenarios", Purpose::Files, unpacked::UNFINISHED),
        ] {
            let directory = self.directory.join(directory);
            let found = match owned::directories(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(Error::io("reading", &directory))?,
            };
            for path in found {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.contains(word)
                    && let Found::Dead(unfinished) = Owned::examine(&path, purpose)
                {
                    result = result.and(unfinished.remove());
                }
            }
        }
        result
    }

    fn lock_file(&self, name: &str) -> Result<PathBuf> {
        Ok(self.subdirectory("locks")?.join(format!("{name}.lock")))
    }
}

fn waiting(path: &Path, target: &str) -> ProgressEvent {
    let reason = fs::read_to_string(path).unwrap_or_default();
    let reason = reason
        .lines()
        .next()
        .filter(|line| !line.is_empty())
        .unwrap_or("another process is busy");
    ProgressEvent::Waiting {
        target: target.to_owned(),
        reason: reason.to_owned(),
        lock: path.to_owned(),
    }
}

fn open(path: &Path) -> Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(Error::io("opening", path))
}

fn try_lock(path: &Path, purpose: &str) -> Result<Option<CacheLock>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(taken(file, purpose))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("locking", path)(error)),
    }
}

/// Waits for whichever lock is free first. Threads of their own, not tokio's: a runtime waits for its own when it
/// shuts down, and nobody can interrupt a lock.
async fn wait_for(paths: Vec<PathBuf>, purpose: String) -> Result<CacheLock> {
    let (sender, mut receiver) =
        tokio::sync::mpsc::channel::<(PathBuf, io::Result<File>)>(paths.len());
    for path in paths {
        let file = open(&path)?;
        let sender = sender.clone();
        std::thread::spawn(move || {
            let locked = file.lock().map(|()| file);
            // A second lock, or one that nobody waits for any more, is dropped and so given back.
            let _ = sender.blocking_send((path, locked));
        });
    }
    match receiver.recv().await {
        Some((_, Ok(file))) => Ok(taken(file, &purpose)),
        Some((path, Err(error))) => Err(Error::io("locking", path)(error)),
        None => Err(Error::io("locking", "")(io::ErrorKind::BrokenPipe.into())),
    }
}

fn taken(mut file: File, purpose: &str) -> CacheLock {
    // Only tells others what they wait for.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{purpose} (process {})", std::process::id()));
    CacheLock { _file: file }
}

/// Runs blocking work on a thread that nobody has to wait for when the program ends.
///
/// # Errors
/// Those of `work`; [`Error::Io`] if it panicked.
pub(crate) async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.await.unwrap_or_else(|_| {
        Err(Error::io("working on", "a thread")(
            io::ErrorKind::BrokenPipe.into(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::silent;

    #[tokio::test]
    async fn one_waits_for_the_other_and_knows_why() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let first = cache
            .lock("x", "bootstrapping debian-13", "debian-13", &silent())
            .await
            .unwrap();
        let seen = Mutex::new(Vec::new());
        let progress = |event| seen.lock().unwrap().push(event);
        let mut second = Box::pin(cache.lock("x", "second", "debian-13", &progress));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        second.await.unwrap();
        let seen = seen.into_inner().unwrap();
        let [ProgressEvent::Waiting { reason, .. }] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert!(
            reason.starts_with("bootstrapping debian-13 (process "),
            "{reason}"
        );
    }

    #[test]
    fn a_sweep_leaves_what_is_being_made() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let (roots, bases) = (
            cache.subdirectory("roots").unwrap(),
            cache.subdirectory("bases").unwrap(),
        );
        let dead = roots.join("debian-13-00.new-1");
        drop(Owned::make(&dead, Purpose::Root).unwrap());
        let partial = bases.join("trixie-00.partial-1");
        drop(Owned::make(&partial, Purpose::Base).unwrap());
        let finished = roots.join("debian-13-00");
        drop(Owned::make(&finished, Purpose::Root).unwrap());
        let making = roots.join("debian-12-00.new-1");
        let _making = Owned::make(&making, Purpose::Root).unwrap();
        // Nobody knows whose these are.
        let foreign = [
            roots.join("debian-11-00.new-1"),
            bases.join("bullseye-00.partial-1"),
        ];
        for path in [&dead, &partial, &finished, &making]
            .into_iter()
            .chain(&foreign)
        {
            fs::create_dir_all(path.join("etc")).unwrap();
        }
        fs::write(bases.join("trixie-00.tar"), "").unwrap();
        cache.sweep().unwrap();
        assert!(!dead.exists() && !partial.exists());
        assert!(finished.exists() && making.exists());
        assert!(foreign.iter().all(|path| path.join("etc").exists()));
        assert!(bases.join("trixie-00.tar").exists());
    }

    #[tokio::test]
    async fn two_slots() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let slot = || async {
            cache
                .slot("build", 2, "building", "t", &silent())
                .await
                .unwrap()
        };
        let (_one, two) = (slot().await, slot().await);
        let mut third = Box::pin(slot());
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(two);
        third.await;
    }
}
