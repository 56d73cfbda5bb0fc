//! Device nodes of a root: made where that is allowed, else shown from this machine's own.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::{Error, Result};

/// Device nodes Postfix and shell scripts need: name, major, minor (Linux, admin-guide/devices.txt).
/// `images/mounts.sh` names them, too.
const NODES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// Makes /dev with its nodes; as links to those of another root, if there is one, which takes no privilege. Where the
/// kernel forbids device nodes, as in a user namespace, or the file system is mounted `nodev`, they are empty files, on
/// which `images/mounts.sh` mounts those of this machine.
pub(crate) fn make(root: &Path, like: Option<&Path>) -> Result<()> {
    let directory = root.join("dev");
    match fs::create_dir(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::io("creating", &directory)(error));
        }
        _ => {}
    }
    for (name, major, minor) in NODES {
        let path = directory.join(name);
        if path.symlink_metadata().is_ok() {
            continue;
        }
        if like.is_some_and(|like| fs::hard_link(like.join("dev").join(name), &path).is_ok()) {
            continue;
        }
        let mode = Mode::from_raw_mode(0o666);
        let device = makedev(major, minor);
        let made = mknodat(CWD, &path, FileType::CharacterDevice, mode, device)
            .map_err(io::Error::from)
            // The umask took part of it.
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o666)))
            // What cannot be opened is no use.
            .and_then(|()| match name {
                "null" => File::open(&path).map(drop),
                _ => Ok(()),
            });
        match made {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let _ = fs::remove_file(&path);
                File::create(&path).map_err(Error::io("creating", &path))?;
            }
            made => made.map_err(Error::io("making the device node", &path))?,
        }
    }
    Ok(())
}

/// Whether this machine's nodes have to be mounted on those of a root.
pub(crate) fn need_mounts(root: &Path) -> bool {
    !fs::symlink_metadata(root.join("dev/null"))
        .is_ok_and(|found| found.file_type().is_char_device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_mounts_every_node() {
        let line = "for node in null zero full random urandom tty; do";
        assert!(crate::recipe::MOUNTS.contains(line));
        assert!(NODES.iter().all(|(name, ..)| line.contains(name)));
    }

    #[test]
    fn a_file_is_no_node() {
        let root = tempfile::tempdir().unwrap();
        assert!(need_mounts(root.path()));
        fs::create_dir(root.path().join("dev")).unwrap();
        File::create(root.path().join("dev/null")).unwrap();
        assert!(need_mounts(root.path()));
    }
}
