//! A root file system in a directory of the user's, which is read and never written.

use std::{
    fmt, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Making, Origin, directory};
use crate::{BoxFuture, Error, Result, cache::in_thread, recipe::hash, tree};

/// Directories, from the root on, that nothing in a root needs or that belong to a running system.
const LEFT_OUT: [&str; 13] = [
    "boot",
    "dev",
    "lib/modules",
    "proc",
    "run",
    "sys",
    "tmp",
    "usr/lib/modules",
    "usr/share/doc",
    "usr/share/man",
    "usr/src",
    "var/cache",
    "var/tmp",
];

/// A directory that holds the root of a system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Root {
    /// Absolute path.
    pub directory: PathBuf,
}

impl Root {
    pub(super) fn parse(text: &str) -> Result<Root, String> {
        Ok(Root {
            directory: directory(text)?,
        })
    }

    /// Refuses what is no root, and what a copy would have to hold itself.
    fn check(&self, making: &Making<'_>) -> Result<PathBuf> {
        let given = self.directory.display();
        let found = self
            .directory
            .canonicalize()
            .map_err(|error| making.unusable(format!("{given}: {error}")))?;
        if !found.is_dir() {
            return Err(making.unusable(format!("{given} is not a directory")));
        }
        if tree::Inside::of(&found)?.is_missing("/bin/sh") {
            let why = format!(
                "{given} is no root file system with a shell: it has no /bin/sh; is a directory in it meant?"
            );
            return Err(making.unusable(why));
        }
        let cache = making.cache.directory();
        if cache
            .canonicalize()
            .is_ok_and(|cache| cache.starts_with(&found))
        {
            let why = format!(
                "{given} holds the cache {}: set PFS_CACHE to a directory outside it",
                cache.display()
            );
            return Err(making.unusable(why));
        }
        Ok(found)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "root:{}", self.directory.display())
    }
}

fn is_left_out(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root)
        .is_ok_and(|path| LEFT_OUT.iter().any(|out| path == Path::new(out)))
}

impl Origin for Root {
    /// Of what the directory holds, as far as names, modes, owners, sizes and times of change tell it: they change with
    /// every change of the contents (`st_ctime`, inode(7)).
    fn key<'a>(&'a self, making: &'a Making<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            let root = self.check(making)?;
            in_thread(move || {
                let listing = listing(&root, &|path| is_left_out(&root, path))?;
                Ok(hash(&[listing]))
            })
            .await
        })
    }

    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let from = self.check(making)?;
            let to = root.to_owned();
            in_thread(move || {
                if let Some(parent) = to.parent() {
                    std::fs::create_dir_all(parent).map_err(Error::io("creating", parent))?;
                }
                // A /dev that is a link would lead what is written there to this machine's.
                let dev = from.join("dev");
                tree::copy(&from, &to, &|path| is_left_out(&from, path), &|link| {
                    link == dev
                })
            })
            .await
        })
    }
}

/// What distinguishes a tree from what it was before, as bytes to be hashed.
pub(super) fn listing(root: &Path, left_out: &dyn Fn(&Path) -> bool) -> Result<Vec<u8>> {
    let mut listing = Vec::new();
    list(root, root, left_out, &mut listing)?;
    Ok(listing)
}

fn list(
    root: &Path,
    directory: &Path,
    left_out: &dyn Fn(&Path) -> bool,
    listing: &mut Vec<u8>,
) -> Result<()> {
    for (name, kind) in tree::entries(directory)? {
        let path = directory.join(&name);
        let found = match path.symlink_metadata() {
            // A file that goes away while others are looked at is none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found.map_err(Error::io("reading", &path))?,
        };
        let relative = path.strip_prefix(root).unwrap_or(&path);
        listing.extend_from_slice(relative.as_os_str().as_bytes());
        listing.push(0);
        let numbers = match kind.is_dir() {
            // Of a directory, the names in it are all that matters.
            true => [u64::from(found.mode()), 0, 0, 0],
            false => [
                u64::from(found.mode()),
                found.size(),
                found.ctime().cast_unsigned(),
                found.ctime_nsec().cast_unsigned(),
            ],
        };
        for number in numbers
            .into_iter()
            .chain([found.uid(), found.gid()].map(u64::from))
        {
            listing.extend_from_slice(&number.to_be_bytes());
        }
        if kind.is_dir() && !left_out(&path) {
            list(root, &path, left_out, listing)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_change_of_the_contents_is_another_listing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        fs::create_dir_all(path.join("usr/sbin")).unwrap();
        fs::create_dir_all(path.join("proc")).unwrap();
        fs::write(path.join("usr/sbin/master"), "one").unwrap();
        let of = || listing(path, &|found| is_left_out(path, found)).unwrap();
        let first = of();
        assert_eq!(first, of());
        fs::write(path.join("proc/version"), "x").unwrap();
        assert_eq!(first, of());
        fs::write(path.join("usr/sbin/master"), "two").unwrap();
        let second = of();
        assert_ne!(first, second);
        std::os::unix::fs::symlink("master", path.join("usr/sbin/link")).unwrap();
        assert_ne!(second, of());
    }
}
