//! Directories that are ours to remove, and how that is known.
//!
//! Such a directory holds a file, [`MARK`], that says what it is and the inode of the directory itself: a copy of it, or
//! one that somebody made by hand, is not ours. Whoever makes or uses the directory holds a shared lock on the file
//! (flock(2)), which the kernel gives back when that process is gone. So
//!
//! - what carries no mark that can be read and is right, is unknown, and unknown means not ours;
//! - what cannot be looked at (a descriptor table that is full, a permission that is missing) is in use;
//! - what is ours is removed when nobody holds its lock and nothing is mounted below it (see `removal`).

use std::{
    ffi::{CStr, OsStr},
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat};

use crate::{Error, Result, cache::in_thread, removal::Tree};

/// Name of the file that tells whose a directory is.
pub const MARK: &str = "pfs-mark";
const MARK_NAME: &CStr = c"pfs-mark";
/// How the name of a directory begins that is being made or removed, and may have no mark. It is empty then.
const PASSING: &str = ".pfs-passing-";
/// An empty directory of such a name that is older than this is left over.
const PASSING_KEPT: Duration = Duration::from_secs(60);
/// No mark of ours is longer. Bytes.
const LONGEST: u64 = 200;

/// What a directory is for, as its mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// One fleet of the chroot engine.
    Fleet,
    /// A root file system, or what becomes one.
    Root,
    /// A base system in the making.
    Base,
    /// Records and keys of a run.
    Session,
    /// Files that a program brings with itself.
    Files,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Fleet => "fleet",
            Purpose::Root => "root",
            Purpose::Base => "base",
            Purpose::Session => "session",
            Purpose::Files => "files",
        }
    }
}

/// A directory that is ours, and our lock on it.
#[derive(Debug)]
pub struct Owned {
    tree: Tree,
    mark: File,
}

/// What is known of a directory.
#[derive(Debug)]
pub enum Found {
    /// Ours, and nobody uses it.
    Dead(Owned),
    /// Ours, and in use.
    Used,
    /// Not known to be ours, with the reason.
    Unknown(io::Error),
}

impl Owned {
    /// Makes a directory of ours, which this process uses as long as it holds the value.
    ///
    /// # Errors
    /// There is something of that name; or the file system's.
    pub fn make(path: &Path, purpose: Purpose) -> Result<Owned> {
        let failed = |error| Error::io("creating", path)(error);
        // Killed at any moment, we leave what can be told from others' by its mark, or an empty directory.
        let passing = path.with_file_name(format!("{PASSING}{}", unique()));
        fs::create_dir(&passing).map_err(failed)?;
        let made = Tree::open(&passing).and_then(|mut tree| {
            let mark = write_mark(&tree, purpose)?;
            tree.rename(path.file_name().unwrap_or_default())?;
            Ok(Owned { tree, mark })
        });
        if made.is_err() {
            let _ = fs::remove_file(passing.join(MARK));
            let _ = fs::remove_dir(&passing);
        }
        made.map_err(failed)
    }

    /// Uses a directory of ours, against its removal by another process.
    ///
    /// # Errors
    /// Why it is not known to be ours; [`WouldBlock`](io::ErrorKind::WouldBlock) if it is just being removed.
    pub fn join(path: &Path, purpose: Purpose) -> io::Result<Owned> {
        let owned = Owned::open(path, purpose)?;
        lock(owned.mark.try_lock_shared())?;
        owned.is_there()?;
        Ok(owned)
    }

    /// What is known of a directory. One that is found dead stays so for as long as the value is held.
    #[must_use]
    pub fn examine(path: &Path, purpose: Purpose) -> Found {
        let owned = match Owned::open(path, purpose) {
            Ok(owned) => owned,
            Err(error) => return Found::Unknown(error),
        };
        match lock(owned.mark.try_lock()).and_then(|()| owned.is_there()) {
            Ok(()) => Found::Dead(owned),
            Err(_) => Found::Used,
        }
    }

    fn open(path: &Path, purpose: Purpose) -> io::Result<Owned> {
        let tree = Tree::open(path)?;
        let mark = read_mark(&tree, purpose)?;
        Ok(Owned { tree, mark })
    }

    /// The mark we hold a lock on is still that of the directory.
    fn is_there(&self) -> io::Result<()> {
        let there = rustix::fs::statat(self.tree.as_fd(), MARK_NAME, AtFlags::SYMLINK_NOFOLLOW)?;
        let held = self.mark.metadata()?;
        match (there.st_dev, there.st_ino) == (held.dev(), held.ino()) {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Where it is, without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.tree.path
    }

    /// Gives it another name in its directory.
    ///
    /// # Errors
    /// There is something of that name; or the file system's.
    pub fn rename(&mut self, name: &OsStr) -> Result<()> {
        let path = self.tree.path.clone();
        self.tree.rename(name).map_err(Error::io("renaming", path))
    }

    /// Removes it; its mark last, so that a removal which is interrupted can be taken up again.
    ///
    /// # Errors
    /// Something is mounted there, or the file system's.
    pub fn remove(mut self) -> Result<()> {
        self.tree.remove_contents(Some(MARK_NAME))?;
        let path = self.tree.path.clone();
        let failed = |error| Error::io("removing", &path)(error);
        match self
            .tree
            .rename(OsStr::new(&format!("{PASSING}{}", unique())))
        {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(failed)?,
        }
        // What somebody has put there meanwhile, by a path that leads nowhere now.
        self.tree.remove_contents(Some(MARK_NAME))?;
        self.tree.unlink(MARK_NAME).map_err(failed)?;
        self.tree.remove_directory()
    }
}

/// Says that a file is ours, in another one beside `path`, which is the name it will have.
///
/// # Errors
/// The file system's.
pub(crate) fn mark_file(file: &Path, path: &Path) -> io::Result<()> {
    fs::write(beside(path), file_text(file)?)
}

/// Fails unless a file is ours.
pub(crate) fn is_our_file(path: &Path) -> io::Result<()> {
    let mark = beside(path);
    let ours = mark.symlink_metadata().map_err(no_mark)?.is_file()
        && path.symlink_metadata()?.is_file()
        && fs::read_to_string(&mark)? == file_text(path)?;
    match ours {
        true => Ok(()),
        false => Err(io::Error::other("the mark beside it is not of this file")),
    }
}

/// Removes a file of ours, and then its mark.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    is_our_file(path)?;
    fs::remove_file(path)?;
    fs::remove_file(beside(path))
}

fn no_mark(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "it carries no mark of ours"),
        _ => error,
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(MARK);
    path.with_file_name(name)
}

fn file_text(path: &Path) -> io::Result<String> {
    Ok(format!("pfs file {}\n", path.symlink_metadata()?.ino()))
}

/// A directory of ours that is being made: removed unless it is finished.
#[derive(Debug)]
pub(crate) struct Unfinished(Option<Owned>);

impl Unfinished {
    /// Begins one.
    pub(crate) fn make(path: &Path, purpose: Purpose) -> Result<Unfinished> {
        Owned::make(path, purpose).map(|owned| Unfinished(Some(owned)))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), Owned::path)
    }

    /// Keeps it, under its own name.
    pub(crate) fn finish(mut self, name: &OsStr) -> Result<()> {
        match self.0.take() {
            Some(mut owned) => owned.rename(name),
            None => Ok(()),
        }
    }

    /// Removes it, and waits for that. What is left is swept by the next run.
    pub(crate) async fn discard(mut self) {
        if let Some(owned) = self.0.take() {
            let _ = in_thread(move || owned.remove()).await;
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Given up in the middle of something: nobody waits for it here. A sweep of this process does; what a process
        // that ends leaves is swept by the next.
        if let Some(owned) = self.0.take() {
            let removal = std::thread::spawn(move || drop(owned.remove()));
            removals().push(removal);
        }
    }
}

/// Removals that a [`Drop`] has begun in this process.
fn removals() -> std::sync::MutexGuard<'static, Vec<std::thread::JoinHandle<()>>> {
    static BEGUN: std::sync::Mutex<Vec<std::thread::JoinHandle<()>>> =
        std::sync::Mutex::new(Vec::new());
    BEGUN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits for the removals that were begun in this process and that nobody waits for: until then their directories are
/// in use. Blocks.
pub(crate) fn finish_removals() {
    let begun = std::mem::take(&mut *removals());
    for removal in begun {
        // A panic there was told already; what is left is found by the sweep.
        let _ = removal.join();
    }
}

/// The directories in one, but for those that are passing; of these, removes what was left over.
///
/// # Errors
/// The directory cannot be read.
pub fn directories(of: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(of)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PASSING) {
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > PASSING_KEPT {
                remove_passing(&path);
            }
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Removes a directory that was killed while it was made or removed: only what is empty, or holds a mark alone.
fn remove_passing(path: &Path) {
    for purpose in [
        Purpose::Fleet,
        Purpose::Root,
        Purpose::Base,
        Purpose::Session,
    ] {
        if let Found::Dead(owned) = Owned::examine(path, purpose) {
            let _ = owned.remove();
            return;
        }
    }
    let _ = fs::remove_dir(path);
}

fn lock(locked: std::result::Result<(), TryLockError>) -> io::Result<()> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// `pfs fleet 123456`: what it is, and the directory's inode.
fn text(tree: &Tree, purpose: Purpose) -> io::Result<String> {
    Ok(format!("pfs {} {}\n", purpose.word(), tree.inode()?))
}

fn write_mark(tree: &Tree, purpose: Purpose) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o600);
    let mut mark = File::from(openat(tree.as_fd(), MARK_NAME, flags, mode)?);
    // Locked before it says anything.
    mark.lock_shared()?;
    mark.write_all(text(tree, purpose)?.as_bytes())?;
    Ok(mark)
}

fn read_mark(tree: &Tree, purpose: Purpose) -> io::Result<File> {
    // To open a fifo or a device would be to do something to it already.
    let look: OwnedFd = openat(
        tree.as_fd(),
        MARK_NAME,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| no_mark(error.into()))?;
    let found = rustix::fs::fstat(&look)?;
    let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
    if !is_file || found.st_uid != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!(
            "{MARK} in it is not a file of ours"
        )));
    }
    // For writing, too: what is immutable is not ours.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mark = File::from(openat(tree.as_fd(), MARK_NAME, flags, Mode::empty())?);
    let opened = mark.metadata()?;
    if (opened.dev(), opened.ino()) != (found.st_dev, found.st_ino) {
        return Err(io::Error::other(format!("{MARK} in it changes")));
    }
    let mut said = String::new();
    (&mark).take(LONGEST).read_to_string(&mut said)?;
    if said != text(tree, purpose)? {
        return Err(io::Error::other(format!(
            "{MARK} in it does not say that this is a {}",
            purpose.word()
        )));
    }
    Ok(mark)
}

/// A word that no other process has.
pub(crate) fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default();
    format!(
        "{}-{:x}-{}",
        std::process::id(),
        now.as_nanos(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests;
