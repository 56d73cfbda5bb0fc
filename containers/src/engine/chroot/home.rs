//! Homes: the directory of one fleet, with its root and the file that says whose it is.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::process::kill_all;
use crate::{Cache, Error, Result, cache::in_thread, removal::remove_tree, silent};

/// First file of a fleet's home; `images/supervise.sh` removes no directory without it.
const MARKER: &str = "pfs-fleet";
/// Postfix, finding no /proc behind /dev/stdout, makes it a file: its log.
pub(crate) const LOG: &str = "root/dev/stdout";

/// A fleet's directory, removed unless the fleet got ready.
pub(crate) struct NewHome {
    pub(crate) path: PathBuf,
    marker: Option<File>,
    kept: bool,
}

impl NewHome {
    /// Makes the home of a fleet of this id.
    pub(crate) async fn make(cache: &Cache, id: &str) -> Result<NewHome> {
        let fleets = cache.subdirectory("fleets")?;
        // Against a sweep that looks between the two steps.
        let _lock = cache
            .lock("fleets", "making a fleet's directory", id, &silent())
            .await?;
        // The kernel tells a process's root without symbolic links in it.
        let path = fleets
            .canonicalize()
            .map_err(Error::io("resolving", &fleets))?
            .join(id);
        let doing = "creating (does a fleet of that id run?)";
        fs::create_dir(&path).map_err(Error::io(doing, &path))?;
        let mut new = NewHome {
            path,
            marker: None,
            kept: false,
        };
        let marker = new.path.join(MARKER);
        let file = File::create(&marker).map_err(Error::io("creating", &marker))?;
        file.lock().map_err(Error::io("locking", &marker))?;
        new.marker = Some(file);
        Ok(new)
    }

    pub(crate) fn keep(mut self) -> PathBuf {
        self.kept = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for NewHome {
    fn drop(&mut self) {
        if !self.kept {
            let _ = remove(&self.path);
        }
    }
}

/// Ends what runs in a home, and removes it.
pub(crate) fn remove(home: &Path) -> Result<()> {
    // A master that is killed starts nothing new; its children may still be starting.
    while kill_all(&home.join("root")) > 0 {
        std::thread::yield_now();
    }
    remove_tree(home)
}

/// Whether nobody makes or runs a fleet in this home: its maker has locked the marker, its supervisor the log.
fn is_dead(home: &Path) -> bool {
    let free = |path: PathBuf| File::open(path).map_or(true, |file| file.try_lock().is_ok());
    home.is_dir() && free(home.join(MARKER)) && free(home.join(LOG))
}

/// Removes the homes of dead fleets; returns how many there were.
pub(crate) async fn sweep(cache: &Cache) -> Result<usize> {
    let fleets = cache.subdirectory("fleets")?;
    let _lock = cache.lock("fleets", "sweeping", "", &silent()).await?;
    in_thread(move || {
        let found = fs::read_dir(&fleets).map_err(Error::io("reading", &fleets))?;
        let dead: Vec<PathBuf> = found
            .flatten()
            .map(|entry| entry.path())
            .filter(|home| is_dead(home))
            .collect();
        dead.iter().try_for_each(|home| remove(home))?;
        Ok(dead.len())
    })
    .await
}

/// Makes the log, locked for whoever inherits it.
pub(crate) fn open_log(home: &Path) -> Result<File> {
    let path = home.join(LOG);
    let file = File::options()
        .append(true)
        .create_new(true)
        .open(&path)
        .map_err(Error::io("creating", &path))?;
    file.lock().map_err(Error::io("locking", &path))?;
    Ok(file)
}
