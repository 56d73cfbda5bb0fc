//! Removing directories without ever following a mount to somewhere else.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Removes a directory and everything in it, unless something is mounted there; one that does not exist is fine.
pub(crate) fn remove_tree(directory: &Path) -> Result<()> {
    match directory.symlink_metadata() {
        Ok(found) if found.is_dir() => {}
        // What a link leads to is somebody else's.
        Ok(_) => {
            return Err(Error::io("removing", directory)(
                io::ErrorKind::NotADirectory.into(),
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("reading", directory)(error)),
    }
    let path = directory
        .canonicalize()
        .map_err(Error::io("resolving", directory))?;
    let mounts =
        fs::read("/proc/self/mountinfo").map_err(Error::io("reading", "/proc/self/mountinfo"))?;
    if let Some(mounted) = mounted_below(&mounts, &path) {
        let busy = io::Error::new(
            io::ErrorKind::ResourceBusy,
            "something is mounted there: unmount it first",
        );
        return Err(Error::io("removing", mounted)(busy));
    }
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("removing", path)(error))
        }
        _ => Ok(()),
    }
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
        fs::create_dir_all(&tree).unwrap();
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
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        assert!(remove_tree(&link).is_err());
        assert!(kept.exists() && link.symlink_metadata().is_ok());
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
