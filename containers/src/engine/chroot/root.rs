//! Root directories: the one a target is kept in, and copies of it that share its files.

use std::{
    fs::{self, DirBuilder, File, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::{Error, Result, fleet::files::RootFiles};

/// Directories that a fleet may write to: copied; /dev is made anew. Every other file is shared with the target's root by a hard link.
const COPIED: [&str; 6] = ["etc", "home", "root", "run", "tmp", "var"];
/// What Postfix never looks at: more than half of all files.
const LEFT_OUT: [&str; 11] = [
    "usr/lib/apt",
    "usr/lib/systemd",
    "usr/share/ca-certificates",
    "usr/share/common-licenses",
    "usr/share/keyrings",
    "usr/share/perl5",
    "usr/share/terminfo",
    "var/cache",
    "var/lib/apt",
    "var/lib/dpkg",
    "var/log",
];
/// Here, links to single public authorities are left out; the file with all of them stays.
const LINKS_LEFT_OUT: &str = "etc/ssl/certs";
/// As [`LEFT_OUT`], under whatever name the architecture's library directory has.
const LEFT_OUT_ANYWHERE: [&str; 2] = ["gconv", "perl-base"];
/// Device nodes: name, major, minor (Linux, admin-guide/devices.txt).
const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// Unpacks a base system, and makes a /dev of its own.
pub(crate) fn unpack(tar: &Path, root: &Path) -> Result<()> {
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
    make_devices(root, None)
}

/// Makes the device nodes Postfix and shell scripts need; as links to those of another root, if there is one, which
/// takes no privilege.
fn make_devices(root: &Path, like: Option<&Path>) -> Result<()> {
    let directory = root.join("dev");
    fs::create_dir_all(&directory).map_err(Error::io("creating", &directory))?;
    for (name, major, minor) in DEVICES {
        let path = directory.join(name);
        if like.is_some_and(|like| fs::hard_link(like.join("dev").join(name), &path).is_ok()) {
            continue;
        }
        let mode = Mode::from_raw_mode(0o666);
        mknodat(
            CWD,
            &path,
            FileType::CharacterDevice,
            mode,
            makedev(major, minor),
        )
        .map_err(io::Error::from)
        // The umask took part of it.
        .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o666)))
        .map_err(Error::io(
            "making the device node (this takes root with CAP_MKNOD)",
            &path,
        ))?;
    }
    let null = directory.join("null");
    let doing = "opening (is this file system mounted `nodev`? then set PFS_CACHE to a directory elsewhere)";
    File::open(&null).map(drop).map_err(Error::io(doing, &null))
}

/// Makes `copy` a root directory like `root`, quickly.
pub(crate) fn share(root: &Path, copy: &Path) -> Result<()> {
    make_directory(copy, &metadata(root)?)?;
    for (name, kind) in entries(root)? {
        let (from, to) = (root.join(&name), copy.join(&name));
        let top = name.to_str().unwrap_or_default();
        if kind.is_symlink() {
            copy_link(&from, &to)?;
        } else if COPIED.contains(&top) {
            copy_tree(root, &from, &to)?;
        } else if kind.is_dir() && top != "dev" {
            link_tree(root, &from, &to)?;
        }
    }
    make_devices(copy, Some(root))
}

fn link_tree(root: &Path, from: &Path, to: &Path) -> Result<()> {
    make_directory(to, &metadata(from)?)?;
    if is_left_out(root, from) {
        return Ok(());
    }
    for (name, kind) in entries(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        if kind.is_dir() {
            link_tree(root, &from, &to)?;
        } else {
            fs::hard_link(&from, &to).map_err(Error::io("linking", &to))?;
        }
    }
    Ok(())
}

/// Whether a directory stays empty in a copy.
fn is_left_out(root: &Path, directory: &Path) -> bool {
    LEFT_OUT_ANYWHERE.iter().any(|out| directory.ends_with(out))
        || directory
            .strip_prefix(root)
            .is_ok_and(|path| LEFT_OUT.iter().any(|out| path == Path::new(out)))
}

fn copy_tree(root: &Path, from: &Path, to: &Path) -> Result<()> {
    let found = metadata(from)?;
    if found.is_symlink() {
        let left_out = from
            .parent()
            .is_some_and(|parent| parent == root.join(LINKS_LEFT_OUT));
        return if left_out {
            Ok(())
        } else {
            copy_link(from, to)
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
    if is_left_out(root, from) {
        return Ok(());
    }
    entries(from)?
        .into_iter()
        .try_for_each(|(name, _)| copy_tree(root, &from.join(&name), &to.join(&name)))
}

fn copy_link(from: &Path, to: &Path) -> Result<()> {
    let target = fs::read_link(from).map_err(Error::io("reading", from))?;
    std::os::unix::fs::symlink(target, to).map_err(Error::io("linking", to))
}

fn make_directory(path: &Path, like: &Metadata) -> Result<()> {
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

fn metadata(path: &Path) -> Result<Metadata> {
    path.symlink_metadata().map_err(Error::io("reading", path))
}

fn entries(directory: &Path) -> Result<Vec<(std::ffi::OsString, fs::FileType)>> {
    let read = || -> io::Result<Vec<_>> {
        fs::read_dir(directory)?
            .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))))
            .collect()
    };
    read().map_err(Error::io("reading", directory))
}

/// Writes a fleet's own files. They look an hour old: Postfix waits for newer ones to "cool down".
pub(crate) fn write_files(root: &Path, files: &RootFiles) -> Result<()> {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for (path, file) in files {
        let path = root.join(path.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("creating", parent))?;
        }
        let write = || -> io::Result<()> {
            // The file of the target, or what it links to, stays as it is.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut written = File::create_new(&path)?;
            io::Write::write_all(&mut written, &file.bytes)?;
            written.set_permissions(Permissions::from_mode(file.mode))?;
            written.set_modified(hour_ago)
        };
        write().map_err(Error::io("writing", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::files::RootFile;

    #[test]
    fn files_look_old_and_keep_their_mode() {
        let root = tempfile::tempdir().unwrap();
        let file = RootFile {
            mode: 0o600,
            bytes: b"key".to_vec(),
        };
        let files = RootFiles::from([("/etc/postfix/pfs/a/key.pem".to_owned(), file)]);
        write_files(root.path(), &files).unwrap();
        let written = metadata(&root.path().join("etc/postfix/pfs/a/key.pem")).unwrap();
        assert_eq!(written.permissions().mode() & 0o7777, 0o600);
        assert!(written.modified().unwrap().elapsed().unwrap() > Duration::from_secs(3000));
    }
}
