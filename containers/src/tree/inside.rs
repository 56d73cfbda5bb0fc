//! Files of a root by the paths they have in it, as a process would find them after chroot(2): a link to `/opt/x` is
//! one to the root's own `/opt/x`.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, ResolveFlags, mkdirat, open, openat, openat2, symlinkat, unlinkat,
    },
    io::Errno,
};

use crate::{Error, Result};

/// A root directory.
pub(crate) struct Inside {
    directory: OwnedFd,
    path: PathBuf,
}

impl Inside {
    /// Opens a root directory.
    pub(crate) fn of(root: &Path) -> Result<Inside> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open(root, flags, Mode::empty())
            .map_err(|error| Error::io("opening", root)(error.into()))?;
        Ok(Inside {
            directory,
            path: root.to_owned(),
        })
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        let bytes = self.read_bytes(path)?;
        String::from_utf8(bytes)
            .map_err(|_| Error::io("reading", self.shown(path))(io::ErrorKind::InvalidData.into()))
    }

    /// What a file holds.
    pub(crate) fn read_bytes(&self, path: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.find(Path::new(path), OFlags::RDONLY)
            .map(File::from)
            .map_err(io::Error::from)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(Error::io("reading", self.shown(path)))?;
        Ok(bytes)
    }

    /// Makes a link in place of what is there; `target` is what it says, wherever that leads.
    pub(crate) fn link(&self, path: &str, target: &Path) -> Result<()> {
        let make = || -> io::Result<()> {
            let (parent, name) = split(path).ok_or(io::ErrorKind::InvalidFilename)?;
            let parent = self.directory_at(parent)?;
            match unlinkat(&parent, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(symlinkat(target, &parent, name)?)
        };
        make().map_err(Error::io("linking", self.shown(path)))
    }

    /// Whether nothing is at a path.
    pub(crate) fn is_missing(&self, path: &str) -> bool {
        self.find(Path::new(path), OFlags::PATH).is_err()
    }

    /// Makes a directory and those it is in, mode 0755, as far as they do not exist.
    pub(crate) fn make_directory(&self, path: &str) -> Result<()> {
        self.directory_at(Path::new(path))
            .map(drop)
            .map_err(Error::io("creating", self.shown(path)))
    }

    /// Writes a file in place of what is there, in directories that are made if they do not exist.
    pub(crate) fn write(
        &self,
        path: &str,
        bytes: &[u8],
        mode: u32,
        modified: SystemTime,
    ) -> Result<()> {
        let write = || -> io::Result<()> {
            let (parent, name) = split(path).ok_or(io::ErrorKind::InvalidFilename)?;
            let parent = self.directory_at(parent)?;
            // The file of the target, or what it links to, stays as it is.
            match unlinkat(&parent, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(mode);
            let mut file = File::from(openat(&parent, name, flags, mode)?);
            file.write_all(bytes)?;
            rustix::fs::fchmod(&file, mode)?;
            file.set_modified(modified)
        };
        write().map_err(Error::io("writing", self.shown(path)))
    }

    fn directory_at(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        match self.find(path, flags) {
            Err(Errno::NOENT) => {}
            found => return Ok(found?),
        }
        let (parent, name) = path
            .parent()
            .zip(path.file_name())
            .ok_or(io::ErrorKind::InvalidFilename)?;
        let parent = self.directory_at(parent)?;
        match mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
            // The umask may have taken part of it; one that is there is a link that leads nowhere.
            Ok(()) => {
                rustix::fs::chmodat(&parent, name, Mode::from_raw_mode(0o755), AtFlags::empty())?
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.find(path, flags)?)
    }

    fn find(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        openat2(
            &self.directory,
            path,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    }

    fn shown(&self, path: &str) -> PathBuf {
        self.path.join(path.trim_start_matches('/'))
    }
}

fn split(path: &str) -> Option<(&Path, &OsStr)> {
    let path = Path::new(path);
    Some((path.parent()?, path.file_name()?))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn links_stay_in_the_root() {
        let host = tempfile::tempdir().unwrap();
        let outside = host.path().join("outside");
        let root = host.path().join("root");
        fs::create_dir(&outside).unwrap();
        fs::create_dir(&root).unwrap();
        // As a link is written that is meant for a system of its own, and as one that would climb out.
        symlink(&outside, root.join("etc")).unwrap();
        symlink("../../../../../../outside", root.join("var")).unwrap();
        let inside = Inside::of(&root).unwrap();
        let now = SystemTime::now();
        for path in ["/etc/main.cf", "/var/main.cf"] {
            inside
                .make_directory(&format!("{}", outside.display()))
                .unwrap();
            inside.make_directory("/outside").unwrap();
            inside.write(path, b"x = y\n", 0o644, now).unwrap();
            assert_eq!(inside.read(path).unwrap(), "x = y\n");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        assert!(root.join("outside/main.cf").exists());
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_replaced() {
        let host = tempfile::tempdir().unwrap();
        let kept = host.path().join("kept");
        fs::write(&kept, "mine").unwrap();
        let root = host.path().join("root");
        fs::create_dir(&root).unwrap();
        symlink(&kept, root.join("file")).unwrap();
        let inside = Inside::of(&root).unwrap();
        inside
            .write("/file", b"new", 0o600, SystemTime::now())
            .unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
        assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "new");
    }
}
