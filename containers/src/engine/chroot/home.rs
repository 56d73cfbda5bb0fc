//! Homes: the directory of one fleet, with its root and the mark that says that it is ours.

use std::{
    fs::{self, File},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::process::end_inside;
use crate::{
    Cache, Error, Holder, Result,
    cache::in_thread,
    owned::{self, Found, Owned, Purpose},
};

/// The file of a home that says who it is for: whose lock, as a path below the cache. `images/supervise.sh` knows it, too.
const HOLDER: &str = "holder";

/// Postfix, finding no /proc behind /dev/stdout, makes it a file: its log.
pub(crate) const LOG: &str = "root/dev/stdout";

/// A fleet's directory, removed unless the fleet got ready.
pub(crate) struct NewHome {
    pub(crate) path: PathBuf,
    owned: Option<Owned>,
}

impl NewHome {
    /// Makes the home of a fleet of this id.
    pub(crate) fn make(cache: &Cache, id: &str) -> Result<NewHome> {
        let path = cache.subdirectory("fleets")?.join(id);
        let owned = Owned::make(&path, Purpose::Fleet).map_err(|error| match error {
            Error::Io { source, .. } => {
                Error::io("creating (does a fleet of that id run?)", &path)(source)
            }
            other => other,
        })?;
        Ok(NewHome {
            // The kernel tells a process's root without symbolic links in it.
            path: owned.path().to_owned(),
            owned: Some(owned),
        })
    }

    /// The fleet is ready: our lock on its home is kept with it.
    pub(crate) fn keep(mut self) -> Option<Owned> {
        self.owned.take()
    }

    /// Removes it, with what has begun to run in it.
    pub(crate) async fn discard(mut self) {
        if let Some(owned) = self.owned.take() {
            // Why the fleet did not start says more; what is left is swept by the next run.
            let _ = in_thread(move || remove(owned)).await;
        }
    }
}

impl Drop for NewHome {
    fn drop(&mut self) {
        // Given up in the middle of something. Nobody waits for this; what it does not reach is swept by the next run.
        if let Some(owned) = self.owned.take() {
            std::thread::spawn(move || remove(owned));
        }
    }
}

/// Ends what runs in a home, and removes it. Waits for processes to end, a few seconds at most.
pub(crate) fn remove(home: Owned) -> Result<()> {
    end_inside(&home.path().join("root"))?;
    home.remove()
}

/// As [`remove`], for a home that others may be removing, too.
pub(crate) fn remove_at(home: &Path) -> Result<()> {
    match Owned::join(home, Purpose::Fleet) {
        Ok(owned) => remove(owned),
        Err(_) if !home.exists() => Ok(()),
        Err(error) => Err(Error::io("removing", home)(error)),
    }
}

/// Writes down who a home is for.
pub(crate) fn mark(home: &Path, holder: &Holder) -> Result<()> {
    let path = home.join(HOLDER);
    fs::write(&path, holder.lock().as_os_str().as_bytes()).map_err(Error::io("writing", &path))
}

/// The homes that are for this holder. Whether they are ours is looked at before anything is done to them.
pub(crate) fn of(cache: &Cache, holder: &Holder) -> Result<Vec<PathBuf>> {
    let fleets = cache.subdirectory("fleets")?;
    let found = owned::directories(&fleets).map_err(Error::io("reading", &fleets))?;
    let is_its = |home: &PathBuf| {
        let marked = fs::read(home.join(HOLDER));
        marked.is_ok_and(|lock| lock == holder.lock().as_os_str().as_bytes())
    };
    Ok(found.into_iter().filter(is_its).collect())
}

/// Removes the homes of dead fleets; returns how many there were. Whoever makes one holds its mark, and its supervisor
/// does. One that cannot be removed keeps none of the others.
pub(crate) async fn sweep(cache: &Cache) -> Result<usize> {
    let fleets = cache.subdirectory("fleets")?;
    in_thread(move || {
        let found = owned::directories(&fleets).map_err(Error::io("reading", &fleets))?;
        let mut removed = 0;
        let mut result = Ok(());
        for home in found {
            if let Found::Dead(dead) = Owned::examine(&home, Purpose::Fleet) {
                match remove(dead) {
                    Ok(()) => removed += 1,
                    Err(error) => result = Err(error),
                }
            }
        }
        result.map(|()| removed)
    })
    .await
}

/// Makes the log.
pub(crate) fn open_log(home: &Path) -> Result<File> {
    let path = home.join(LOG);
    File::options()
        .append(true)
        .create_new(true)
        .open(&path)
        .map_err(Error::io("creating", &path))
}
