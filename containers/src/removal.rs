//! Removing directories without ever following a link, or a mount to somewhere else.
//!
//! What is to be removed is looked at through descriptors, name by name from its parent (openat2(2)): whoever renames
//! or replaces something meanwhile cannot lead the walk out of the tree.

use std::{
    ffi::{CStr, OsStr, OsString},
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2, unlinkat},
    io::Errno,
};

use crate::{Error, Result};

/// Directories within directories that a removal follows; each holds a descriptor. No root that we make is as deep.
const DEPTH: usize = 200;

/// Removes a directory and everything in it, unless something is mounted there; one that does not exist is fine.
///
/// Whose it is, is for the caller to know: see [`Owned`](crate::owned::Owned).
///
/// # Errors
/// [`Error::Io`]: a link or a file in its place, a mount at or below it, a permission that is missing. What is left then
/// is still there.
pub fn remove_tree(directory: &Path) -> Result<()> {
    match Tree::open(directory) {
        Ok(tree) => tree.remove(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("removing", directory)(error)),
    }
}

/// An open directory, and the way to it.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Without symbolic links.
    pub(crate) path: PathBuf,
    parent: OwnedFd,
    name: OsString,
    directory: OwnedFd,
}

impl Tree {
    /// Opens it. The way to its parent may have links in it, its own name may not be one.
    pub(crate) fn open(directory: &Path) -> io::Result<Tree> {
        let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let path = parent.canonicalize()?;
        let parent = openat(rustix::fs::CWD, &path, DIRECTORY, Mode::empty())?;
        let name_of_it = c_string(name)?;
        let opened = enter(parent.as_fd(), &name_of_it)?;
        Ok(Tree {
            path: path.join(name),
            parent,
            name: name.to_owned(),
            directory: opened,
        })
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Its inode.
    pub(crate) fn inode(&self) -> io::Result<u64> {
        Ok(fstat(&self.directory)?.st_ino)
    }

    /// Removes it with everything in it.
    pub(crate) fn remove(self) -> Result<()> {
        self.remove_contents(None)?;
        self.remove_directory()
    }

    /// Removes everything in it but for one name.
    pub(crate) fn remove_contents(&self, but: Option<&CStr>) -> Result<()> {
        self.is_free_of_mounts()?;
        clear(self.as_fd(), but, DEPTH).map_err(Error::io("removing what is in", &self.path))
    }

    /// Gives it another name beside the one it has; nothing that has that name is replaced.
    pub(crate) fn rename(&mut self, name: &OsStr) -> io::Result<()> {
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(&self.parent, &self.name, &self.parent, name, flags)?;
        self.name = name.to_owned();
        self.path.set_file_name(name);
        Ok(())
    }

    /// Removes a file of it.
    pub(crate) fn unlink(&self, name: &CStr) -> io::Result<()> {
        gone(unlinkat(&self.directory, name, AtFlags::empty()))
    }

    /// Removes the empty directory.
    pub(crate) fn remove_directory(self) -> Result<()> {
        let removed = gone(unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR));
        removed.map_err(Error::io("removing", &self.path))
    }

    /// Fails if something is mounted at it or below, or if that cannot be known.
    pub(crate) fn is_free_of_mounts(&self) -> Result<()> {
        let mounts = fs::read("/proc/self/mountinfo")
            .map_err(Error::io("reading", "/proc/self/mountinfo"))?;
        match mounted_below(&mounts, &self.path) {
            None => Ok(()),
            Some(mounted) => {
                let busy = io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "something is mounted there: unmount it first",
                );
                Err(Error::io("removing", mounted)(busy))
            }
        }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Opens a directory of another one, unless it is a link or something is mounted there.
fn enter(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = DIRECTORY.union(OFlags::NOFOLLOW);
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    match openat2(parent, name, flags, Mode::empty(), resolve) {
        // Before Linux 5.6, and where a filter of system calls does not know it. A mount of the same file system was
        // found in mountinfo, then.
        Err(Errno::NOSYS | Errno::PERM) => {
            let opened = openat(parent, name, flags, Mode::empty())?;
            if fstat(&opened)?.st_dev != fstat(parent)?.st_dev {
                return Err(Errno::XDEV.into());
            }
            Ok(opened)
        }
        opened => Ok(opened?),
    }
}

fn clear(directory: BorrowedFd<'_>, but: Option<&CStr>, depth: usize) -> io::Result<()> {
    if depth == 0 {
        return Err(io::Error::other("directories within directories, too deep"));
    }
    // All names first: a directory that changes while it is read may show some twice or never.
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." && Some(name) != but {
            found.push((name.to_owned(), entry.file_type()));
        }
    }
    for (name, kind) in found {
        let is_directory = match kind {
            FileType::Directory => true,
            // Some file systems do not tell.
            FileType::Unknown => {
                match rustix::fs::statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => continue,
                    found => FileType::from_raw_mode(found?.st_mode) == FileType::Directory,
                }
            }
            _ => false,
        };
        if !is_directory {
            gone(unlinkat(directory, &*name, AtFlags::empty()))?;
            continue;
        }
        match enter(directory, &name) {
            Ok(inner) => clear(inner.as_fd(), None, depth - 1)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        }
        gone(unlinkat(directory, &*name, AtFlags::REMOVEDIR))?;
    }
    Ok(())
}

/// Another process may remove the same tree.
fn gone(removed: rustix::io::Result<()>) -> io::Result<()> {
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn c_string(name: &OsStr) -> io::Result<std::ffi::CString> {
    std::ffi::CString::new(name.as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// A mount point at or below a directory, if there is one.
fn mounted_below(mountinfo: &[u8], directory: &Path) -> Option<PathBuf> {
    mount_points(mountinfo).find(|mounted| mounted.starts_with(directory))
}

/// The fifth field of each line (proc_pid_mountinfo(5)), in which blanks and backslashes are octal escapes.
fn mount_points(mountinfo: &[u8]) -> impl Iterator<Item = PathBuf> {
    mountinfo
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|field| PathBuf::from(OsString::from_vec(unescape(field))))
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &[u8] = b"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        47 27 0:27 / /tmp/a\\040b/dev/shm rw,relatime - tmpfs tmpfs rw\n";

    #[test]
    fn reads_mount_points() {
        let points: Vec<_> = mount_points(MOUNTINFO).collect();
        assert_eq!(points, [Path::new("/"), Path::new("/tmp/a b/dev/shm")]);
        assert!(points[1].starts_with("/tmp/a b"));
        assert!(!points[1].starts_with("/tmp/a"));
    }

    #[test]
    fn removes_and_does_not_mind_what_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let tree = directory.path().join("a/b");
        fs::create_dir_all(tree.join("c/d")).unwrap();
        fs::write(tree.join("c/file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", tree.join("link")).unwrap();
        remove_tree(&directory.path().join("a")).unwrap();
        assert!(!tree.exists());
        remove_tree(&tree).unwrap();
    }

    #[test]
    fn follows_no_link() {
        let directory = tempfile::tempdir().unwrap();
        let (kept, link) = (directory.path().join("kept"), directory.path().join("link"));
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        assert!(remove_tree(&link).is_err());
        assert!(link.symlink_metadata().is_ok());
        let tree = directory.path().join("tree");
        fs::create_dir_all(tree.join("inner")).unwrap();
        std::os::unix::fs::symlink(&kept, tree.join("inner/link")).unwrap();
        remove_tree(&tree).unwrap();
        assert!(kept.join("file").exists() && !tree.exists());
        fs::write(&tree, "").unwrap();
        assert!(remove_tree(&tree).is_err());
    }

    #[test]
    fn finds_what_is_mounted_below() {
        let found = |directory: &str| mounted_below(MOUNTINFO, Path::new(directory));
        assert_eq!(found("/tmp/a b"), Some(PathBuf::from("/tmp/a b/dev/shm")));
        assert_eq!(
            found("/tmp/a b/dev/shm"),
            Some(PathBuf::from("/tmp/a b/dev/shm"))
        );
        assert_eq!(found("/tmp/a"), None);
        assert_eq!(found("/tmp/a b/dev/shm/inside"), None);
        assert_eq!(found("/"), Some(PathBuf::from("/")));
    }
}
