//! Who holds a session, and what becomes of one that nobody holds.
//!
//! Every process that uses a session has its file `in-use` locked, shared; whoever removes something of it has it for
//! itself. The kernel takes the lock back from a process that dies, however it dies.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pfs_containers::removal::remove_tree;

use super::{SessionError, blocking, open_lock, record};

/// How long the keys and fleets of tests are kept for the next ones. The fleets end sooner than that.
const SHARED_KEPT: Duration = Duration::from_secs(10 * 60);
/// How long fleets that `pfs up` has started run without being used.
pub(super) const WARM_KEPT: Duration = Duration::from_secs(60 * 60);

/// The file that is locked.
pub(super) fn in_use(directory: &Path) -> PathBuf {
    directory.join("in-use")
}

/// Holds the directory of a session, made if it does not exist, against its removal.
pub(super) fn hold(directory: &Path) -> Result<File, SessionError> {
    let path = in_use(directory);
    loop {
        fs::create_dir_all(directory).map_err(SessionError::io(directory))?;
        let file = match open_lock(&path) {
            Err(_) if !directory.exists() => continue,
            opened => opened?,
        };
        file.lock_shared().map_err(SessionError::io(&path))?;
        used_now(&file).map_err(SessionError::io(&path))?;
        // Somebody may have been about to remove it, and have it done by now.
        if is_at(&file, &path) {
            return Ok(file);
        }
    }
}

/// Notes that the session was used until now.
pub(super) fn used_now(file: &File) -> std::io::Result<()> {
    file.set_modified(SystemTime::now())
}

fn is_at(file: &File, path: &Path) -> bool {
    let there = fs::metadata(path).map(|found| (found.dev(), found.ino()));
    let held = file.metadata().map(|found| (found.dev(), found.ino()));
    there.ok().is_some_and(|there| held.ok() == Some(there))
}

/// Whether a session was used by anybody that recently.
pub(super) fn was_used_within(directory: &Path, time: Duration) -> bool {
    fs::metadata(in_use(directory))
        .and_then(|found| found.modified())
        .is_ok_and(|used| used.elapsed().is_ok_and(|since| since < time))
}

/// Waits until nobody else uses a session, and keeps everybody out for as long as the file is open. Nothing if there is no
/// such session any more. Tells who is waited for.
pub(super) async fn hold_alone(
    directory: &Path,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Option<File>, SessionError> {
    let path = in_use(directory);
    let file = match open_lock(&path) {
        Err(_) if !directory.exists() => return Ok(None),
        opened => opened?,
    };
    let file = match file.try_lock() {
        Ok(()) => file,
        Err(TryLockError::Error(error)) => return Err(SessionError::io(&path)(error)),
        Err(TryLockError::WouldBlock) => {
            tell(format!(
                "the fleets are in use by {}: waiting for its end",
                holders(&file)
            ));
            let locked = blocking(move || file.lock().map(|()| file)).await?;
            locked.map_err(SessionError::io(&path))?
        }
    };
    Ok(is_at(&file, &path).then_some(file))
}

/// The processes that have a lock on a file, as far as /proc shows them (proc_locks(5)).
fn holders(file: &File) -> String {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let inode = file.metadata().map(|found| found.ino()).unwrap_or_default();
    let mut found: Vec<String> = locks
        .lines()
        .filter_map(|line| holder(line, inode))
        .map(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command: Vec<_> = command
                .split(|byte| *byte == 0)
                .filter(|word| !word.is_empty())
                .map(String::from_utf8_lossy)
                .collect();
            format!("process {pid} ({})", command.join(" "))
        })
        .collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        found.push("another process".to_owned());
    }
    found.join(", ")
}

/// `1: FLOCK  ADVISORY  READ  1234 fe:00:5678 0 EOF` → 1234, if the inode is 5678; not of one that waits (`1: -> FLOCK …`).
fn holder(line: &str, inode: u64) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    let kind = words.next()?;
    let (pid, file) = (words.nth(2)?, words.next()?);
    let its: u64 = file.rsplit(':').next()?.parse().ok()?;
    (kind == "FLOCK" && its == inode)
        .then(|| pid.parse().ok())
        .flatten()
}

/// Removes the directories of runs that are no more, and those that tests shared some time ago. Their fleets end by
/// themselves.
pub(super) fn remove_left_over(sessions: &Path) {
    for directory in record::children(sessions) {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let keep = match name.split('-').next() {
            Some("run") => Duration::ZERO,
            Some("shared") => SHARED_KEPT,
            // Longer than its fleets run, so that `pfs down` finds them until then.
            Some("warm") => 2 * WARM_KEPT,
            _ => continue,
        };
        // To open a fifo would be to wait for who writes to it.
        let mark = in_use(&directory);
        let is_file = mark.symlink_metadata().is_ok_and(|found| found.is_file());
        let Some(lock) = is_file.then(|| File::open(mark).ok()).flatten() else {
            continue;
        };
        if !was_used_within(&directory, keep) && lock.try_lock().is_ok() {
            let _ = remove_tree(&directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_locks() {
        let held = "3: FLOCK  ADVISORY  READ  1234 fe:00:5678 0 EOF";
        assert_eq!(holder(held, 5678), Some(1234));
        assert_eq!(holder(held, 678), None);
        assert_eq!(
            holder("3: -> FLOCK  ADVISORY  WRITE 99 fe:00:5678 0 EOF", 5678),
            None
        );
        assert_eq!(
            holder("4: POSIX  ADVISORY  WRITE 99 fe:00:5678 0 EOF", 5678),
            None
        );
        assert_eq!(holder("", 5678), None);
    }

    #[tokio::test]
    async fn whoever_wants_it_alone_waits_and_knows_for_whom() {
        let sessions = tempfile::tempdir().unwrap();
        let directory = sessions.path().join("warm-x");
        let held = hold(&directory).unwrap();
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |text| told.lock().unwrap().push(text);
        let mut alone = Box::pin(hold_alone(&directory, &tell));
        assert!(futures_util::poll!(&mut alone).is_pending());
        let own = format!("process {} (", std::process::id());
        assert!(told.lock().unwrap()[0].contains(&own), "{told:?}");
        drop(held);
        let alone = alone.await.unwrap();
        assert!(alone.is_some());
        assert!(
            File::open(in_use(&directory))
                .unwrap()
                .try_lock_shared()
                .is_err()
        );
        assert!(
            hold_alone(&sessions.path().join("none"), &tell)
                .await
                .unwrap()
                .is_none()
        );
    }
}
