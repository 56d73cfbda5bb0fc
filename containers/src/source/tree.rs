//! A source tree of Postfix, built over a Debian base.

use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{Base, Making, Origin, Release, inside::Script, over_base, root::listing};
use crate::{
    BoxFuture, Error, ProgressEvent, Result,
    cache::in_thread,
    recipe::{BUILD, hash},
    tree::{self as trees, Inside},
};

/// Most time a build may take, its tools from a slow mirror included.
const DEADLINE: Duration = Duration::from_secs(60 * 60);
/// Where the tree is in the system it is built in.
const TREE: &str = "/src/postfix";
/// Where what was built is put there.
const RESULT: &str = "/src/result";
/// Directories that hold no sources.
const UNWANTED: [&str; 4] = [".git", ".pc", ".hg", ".svn"];
/// Directories, from the tree's top, that a build writes into.
const BUILT: [&str; 3] = ["bin", "lib", "libexec"];
/// Which files of the tree there were the last time.
const MANIFEST: &str = ".pfs-files";

/// A directory with the sources of Postfix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tree {
    /// Absolute path.
    pub directory: PathBuf,
    /// What it is built and installed over.
    pub base: Base,
}

impl Tree {
    pub(super) fn parse(text: &str) -> Result<Tree, String> {
        let (directory, base) = over_base(text)?;
        Ok(Tree { directory, base })
    }

    fn check(&self, making: &Making<'_>) -> Result<()> {
        if self.directory.join("makedefs").is_file() {
            return Ok(());
        }
        Err(making.unusable(format!(
            "{} is no source tree of Postfix: it has no file `makedefs`",
            self.directory.display()
        )))
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source:{}@{}", self.directory.display(), self.base)
    }
}

impl Origin for Tree {
    fn key<'a>(&'a self, making: &'a Making<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            self.check(making)?;
            let base = Release(&self.base.release).base_hash();
            let directory = self.directory.clone();
            in_thread(move || {
                let unwanted = |path: &Path| is_unwanted(&directory, path);
                let listing = listing(&directory, &unwanted)?;
                Ok(hash(&[base.as_bytes(), BUILD.as_bytes(), &listing]))
            })
            .await
        })
    }

    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            self.check(making)?;
            let release = Release(&self.base.release);
            let name = format!(
                "{}-{}",
                making.target,
                hash(&[
                    release.base_hash().as_bytes(),
                    self.directory.as_os_str().as_bytes()
                ])
            );
            let kept = making.cache.subdirectory("builds")?.join(&name);
            let _one = making
                .cache
                .lock(
                    &format!("build-{name}"),
                    &format!("building {}", self.directory.display()),
                    making.target,
                    making.progress,
                )
                .await?;
            if !kept.exists() {
                // Unfinished, it would look finished to the next.
                let partial = kept.with_extension(format!("partial-{}", std::process::id()));
                release.unpack(making, &partial).await?;
                fs::rename(&partial, &kept).map_err(Error::io("renaming", &partial))?;
            }
            let (from, to) = (
                self.directory.clone(),
                kept.join(TREE.trim_start_matches('/')),
            );
            Inside::of(&kept)?.make_directory(TREE)?;
            let changed = in_thread(move || synchronise(&from, &to)).await?;
            making.progress.event(ProgressEvent::Making {
                target: making.target.to_owned(),
                line: format!("{changed} files of the tree are new or have changed"),
            });
            let jobs = std::thread::available_parallelism().map_or(1, usize::from);
            Script {
                root: &kept,
                shown: &[],
                path: "/src/build",
                text: BUILD,
                arguments: &[TREE, RESULT, &jobs.to_string()],
                doing: "building its source tree",
                deadline: DEADLINE,
            }
            .run(making)
            .await?;
            release.unpack(making, root).await?;
            let to = root.to_owned();
            in_thread(move || install(&kept, &to)).await
        })
    }
}

fn is_unwanted(top: &Path, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let in_built = path
        .strip_prefix(top)
        .is_ok_and(|path| BUILT.iter().any(|built| path == Path::new(built)));
    in_built || UNWANTED.iter().any(|unwanted| name == *unwanted)
}

/// Objects and the like that a build in the tree itself has left there.
fn is_made(top: &Path, path: &Path) -> bool {
    let relative = path.strip_prefix(top).unwrap_or(path);
    let extension = path.extension().unwrap_or_default();
    let beside = |name: &str| path.with_file_name(name).exists();
    ["o", "a", "so"].iter().any(|made| extension == *made)
        || relative == Path::new("conf/makedefs.out")
        || (relative == Path::new("Makefile") && beside("Makefile.init"))
        || (path.ends_with("Makefile") && relative.starts_with("src") && beside("Makefile.in"))
}

/// Makes `to` hold the sources of `from`; files that are the same are left alone, since make(1) goes by times. Returns how
/// many were written or removed.
fn synchronise(from: &Path, to: &Path) -> Result<usize> {
    let mut files = BTreeSet::new();
    collect(from, from, &mut files)?;
    let manifest = to.join(MANIFEST);
    let before = fs::read_to_string(&manifest).unwrap_or_default();
    let mut changed = 0;
    for old in before.lines().map(Path::new) {
        if !files.contains(old) && fs::remove_file(to.join(old)).is_ok() {
            changed += 1;
        }
    }
    for file in &files {
        let (source, copy) = (from.join(file), to.join(file));
        let bytes = match source.symlink_metadata().map(|found| found.is_symlink()) {
            Ok(true) => {
                let target = fs::read_link(&source).map_err(Error::io("reading", &source))?;
                if fs::read_link(&copy).is_ok_and(|known| known == target) {
                    continue;
                }
                changed += 1;
                let _ = fs::remove_file(&copy);
                make_parent(&copy)?;
                std::os::unix::fs::symlink(target, &copy).map_err(Error::io("linking", &copy))?;
                continue;
            }
            _ => fs::read(&source).map_err(Error::io("reading", &source))?,
        };
        if fs::read(&copy).is_ok_and(|known| known == bytes) {
            continue;
        }
        changed += 1;
        make_parent(&copy)?;
        let _ = fs::remove_file(&copy);
        let write = || -> io::Result<()> {
            let mut written = fs::File::create_new(&copy)?;
            written.write_all(&bytes)?;
            written.set_permissions(source.metadata()?.permissions())?;
            written.set_modified(SystemTime::now())
        };
        write().map_err(Error::io("writing", &copy))?;
    }
    let names: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
    fs::write(&manifest, names.join("\n")).map_err(Error::io("writing", &manifest))?;
    Ok(changed)
}

fn make_parent(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(Error::io("creating", parent))
}

fn collect(top: &Path, directory: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for (name, kind) in trees::entries(directory)? {
        let path = directory.join(name);
        if is_unwanted(top, &path) || is_made(top, &path) {
            continue;
        }
        if kind.is_dir() {
            collect(top, &path, files)?;
        } else if kind.is_file() || kind.is_symlink() {
            files.insert(path.strip_prefix(top).unwrap_or(&path).to_owned());
        }
    }
    Ok(())
}

/// Puts what was built into a root, with the libraries that the root lacks.
fn install(build: &Path, root: &Path) -> Result<()> {
    let result = build.join(RESULT.trim_start_matches('/'));
    let libraries = fs::read_to_string(result.join("libraries"))
        .map_err(Error::io("reading", result.join("libraries")))?;
    let into = Inside::of(root)?;
    let from = Inside::of(build)?;
    for library in libraries.lines() {
        if into.is_missing(library) {
            into.write(
                library,
                &from.read_bytes(library)?,
                0o755,
                SystemTime::now(),
            )?;
        }
    }
    overlay(&result, &into, Path::new("/"))
}

/// Writes every file below a directory into a root in place of its own; main.cf and master.cf stay as the root has them.
fn overlay(directory: &Path, into: &Inside, place: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for (name, kind) in trees::entries(directory)? {
        let (path, there) = (directory.join(&name), place.join(&name));
        let text = there.display().to_string();
        let kept = [
            "/etc/postfix/main.cf",
            "/etc/postfix/master.cf",
            "/libraries",
        ];
        if kept.contains(&text.as_str()) {
            continue;
        }
        if kind.is_dir() {
            // Queue directories are made by the Postfix that uses them; manuals nobody reads.
            let unwanted = [
                "/var/spool",
                "/usr/share/doc",
                "/usr/share/man",
                "/usr/local/man",
            ];
            if !unwanted.contains(&text.as_str()) {
                into.make_directory(&text)?;
                overlay(&path, into, &there)?;
            }
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(Error::io("reading", &path))?;
            into.link(&text, &target)?;
        } else {
            let bytes = fs::read(&path).map_err(Error::io("reading", &path))?;
            let found = trees::metadata(&path)?;
            into.write(
                &text,
                &bytes,
                found.permissions().mode() & 0o777,
                SystemTime::now(),
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        for part in ["src/tls", "lib", ".git", "conf"] {
            fs::create_dir_all(from.join(part)).unwrap();
        }
        for (file, text) in [
            ("makedefs", "x"),
            ("Makefile", "made"),
            ("Makefile.init", "z"),
            ("src/tls/tls_misc.c", "one"),
            ("src/tls/tls_misc.o", "object"),
            ("src/tls/Makefile", "made"),
            ("src/tls/Makefile.in", "y"),
            ("lib/libpostfix-tls.so", "object"),
            ("conf/makedefs.out", "made"),
            (".git/HEAD", "x"),
        ] {
            fs::write(from.join(file), text).unwrap();
        }
        fs::create_dir(&to).unwrap();
        assert_eq!(synchronise(&from, &to).unwrap(), 4);
        assert_eq!(synchronise(&from, &to).unwrap(), 0);
        // What the build makes stays.
        fs::write(to.join("src/tls/tls_misc.o"), "built").unwrap();
        fs::write(from.join("src/tls/tls_misc.c"), "two").unwrap();
        fs::remove_file(from.join("src/tls/Makefile.in")).unwrap();
        // With its pattern gone, the Makefile counts as a source.
        assert_eq!(synchronise(&from, &to).unwrap(), 3);
        assert!(to.join("src/tls/tls_misc.o").exists() && !to.join("lib").exists());
        assert!(!to.join("src/tls/Makefile.in").exists());
    }
}
