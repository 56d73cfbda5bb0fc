//! Root directories: the one a target is kept in, and copies of it that share its files.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    Error, Result,
    fleet::files::RootFiles,
    source::nodes,
    tree::{self, Inside, copy_link, entries, make_directory, metadata},
};

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
const LEFT_OUT_ANYWHERE: [&str; 1] = ["gconv"];

/// Makes `copy` a root directory like `root`, quickly. Directories of `own`, too, are written to, wherever this Postfix
/// has them.
pub(crate) fn share(root: &Path, copy: &Path, own: &[String]) -> Result<()> {
    make_directory(copy, &metadata(root)?)?;
    let own: Vec<PathBuf> = own
        .iter()
        .map(|path| root.join(path.trim_start_matches('/')))
        .collect();
    for (name, kind) in entries(root)? {
        let (from, to) = (root.join(&name), copy.join(&name));
        let top = name.to_str().unwrap_or_default();
        if kind.is_dir() && top == "dev" {
            continue;
        }
        if COPIED.contains(&top) && !kind.is_symlink() {
            copy_tree(root, &from, &to)?;
        } else {
            link_tree(root, &from, &to, &own)?;
        }
    }
    nodes::make(copy, Some(root))
}

fn link_tree(root: &Path, from: &Path, to: &Path, own: &[PathBuf]) -> Result<()> {
    let found = metadata(from)?;
    if found.is_symlink() {
        return copy_link(from, to);
    }
    if !found.is_dir() {
        return fs::hard_link(from, to).map_err(Error::io("linking", to));
    }
    if own.iter().any(|own| own == from) {
        return copy_tree(root, from, to);
    }
    make_directory(to, &found)?;
    if is_left_out(root, from) {
        return Ok(());
    }
    entries(from)?
        .into_iter()
        .try_for_each(|(name, _)| link_tree(root, &from.join(&name), &to.join(&name), own))
}

/// Whether a directory stays empty in a copy.
fn is_left_out(root: &Path, directory: &Path) -> bool {
    LEFT_OUT_ANYWHERE.iter().any(|out| directory.ends_with(out))
        || directory
            .strip_prefix(root)
            .is_ok_and(|path| LEFT_OUT.iter().any(|out| path == Path::new(out)))
}

fn copy_tree(root: &Path, from: &Path, to: &Path) -> Result<()> {
    let certificates = root.join(LINKS_LEFT_OUT);
    tree::copy(from, to, &|path| is_left_out(root, path), &|link| {
        link.parent() == Some(certificates.as_path())
    })
}

/// Writes a fleet's own files. They look an hour old: Postfix waits for newer ones to "cool down".
pub(crate) fn write_files(root: &Path, files: &RootFiles) -> Result<()> {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let inside = Inside::of(root)?;
    files
        .iter()
        .try_for_each(|(path, file)| inside.write(path, &file.bytes, file.mode, hour_ago))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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
