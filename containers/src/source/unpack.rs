//! Archives into directories.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Unpacks a root file system but for its /dev, which is made anew.
pub(super) fn unpack(tar: &Path, root: &Path) -> Result<()> {
    let file = File::open(tar).map_err(Error::io("opening", tar))?;
    fs::create_dir_all(root).map_err(Error::io("creating", root))?;
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(1 << 20, file));
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    for entry in archive.entries().map_err(Error::io("reading", tar))? {
        let mut entry = entry.map_err(Error::io("reading", tar))?;
        let in_dev = |path: &Path| path.strip_prefix(".").unwrap_or(path).starts_with("dev");
        if entry.path().is_ok_and(|path| in_dev(&path)) {
            continue;
        }
        entry
            .unpack_in(root)
            .map_err(Error::io("unpacking into", root))?;
    }
    Ok(())
}

/// A file that is removed when dropped.
pub(super) struct Temporary {
    pub(super) path: PathBuf,
}

impl Temporary {
    /// One beside a directory that is being made, in the same unfinished place.
    pub(super) fn beside(directory: &Path, extension: &str) -> Result<Temporary> {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).map_err(Error::io("creating", parent))?;
        }
        Ok(Temporary {
            path: directory.with_extension(extension),
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
