//! Trees of files that are roots of other systems: no link in them is ever followed as one of this machine's.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
};

use crate::{Error, Result};

mod inside;

pub(crate) use inside::Inside;

/// Copies a directory, a file or a link; directories that `empty` names stay empty, and links that `unwanted` names are
/// left out.
pub(crate) fn copy(
    from: &Path,
    to: &Path,
    empty: &dyn Fn(&Path) -> bool,
    unwanted: &dyn Fn(&Path) -> bool,
) -> Result<()> {
    let found = metadata(from)?;
    if found.is_symlink() {
        return match unwanted(from) {
            true => Ok(()),
            false => copy_link(from, to),
        };
    }
    if found.is_file() {
        fs::copy(from, to).map_err(Error::io("copying to", to))?;
        return same_owner(to, &found);
    }
    if !found.is_dir() {
        // Sockets and fifos are made by whoever uses them.
        return Ok(());
    }
    make_directory(to, &found)?;
    if empty(from) {
        return Ok(());
    }
    entries(from)?
        .into_iter()
        .try_for_each(|(name, _)| copy(&from.join(&name), &to.join(&name), empty, unwanted))
}

pub(crate) fn copy_link(from: &Path, to: &Path) -> Result<()> {
    let target = fs::read_link(from).map_err(Error::io("reading", from))?;
    std::os::unix::fs::symlink(target, to).map_err(Error::io("linking", to))
}

pub(crate) fn make_directory(path: &Path, like: &Metadata) -> Result<()> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(Error::io("creating", path))?;
    same_owner(path, like)
}

/// Gives `path` the owner and the mode of another file; in this order, since a change of owner clears set-id bits.
fn same_owner(path: &Path, like: &Metadata) -> Result<()> {
    if (like.uid(), like.gid()) != (0, 0) {
        std::os::unix::fs::chown(path, Some(like.uid()), Some(like.gid()))
            .map_err(Error::io("changing the owner of", path))?;
    }
    fs::set_permissions(path, like.permissions()).map_err(Error::io("changing the mode of", path))
}

/// What is at a path; a link's own.
pub(crate) fn metadata(path: &Path) -> Result<Metadata> {
    path.symlink_metadata().map_err(Error::io("reading", path))
}

/// Names in a directory, sorted, with what each is.
pub(crate) fn entries(directory: &Path) -> Result<Vec<(OsString, fs::FileType)>> {
    let read = || -> io::Result<Vec<_>> {
        fs::read_dir(directory)?
            .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))))
            .collect()
    };
    let mut found = read().map_err(Error::io("reading", directory))?;
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}
