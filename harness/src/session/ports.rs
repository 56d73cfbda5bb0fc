//! Ports on which the harness listens for the Postfix of its fleets. Several runs at once share
//! one address, so each fleet claims a range of its own, below the ephemeral ports.

use std::fs::{self, File};
use std::path::Path;

use super::record::{Record, children};

/// First and last port that may be claimed.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Room in a claim for lines that are added while the fleet runs.
const SPARE: u16 = 64;

/// The first port of a free range for `lines` lines, and its size. `sessions` is the directory
/// of all sessions; the caller holds the lock on it. A fleet that grows gets room to do so.
pub(super) fn claim(sessions: &Path, lines: usize, grows: bool) -> Option<(u16, u16)> {
    let spare = if grows { SPARE } else { 0 };
    let size = u16::try_from(lines).ok()?.checked_add(spare)?;
    let gap = || {
        let mut taken: Vec<(u16, u16)> = Record::all(sessions)
            .map(|r| (r.first_port, r.port_count))
            .collect();
        taken.sort_unstable();
        first_gap(&taken, size)
    };
    let first = gap().or_else(|| {
        forget_unused(sessions);
        gap()
    })?;
    Some((first, size))
}

/// Forgets the fleets of shared sessions that no process uses: they end by themselves, and whoever
/// comes back to such a session starts new ones.
fn forget_unused(sessions: &Path) {
    let is_shared = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("shared-"))
    };
    for session in children(sessions).filter(|path| is_shared(path)) {
        // Held until the records are gone: nobody opens the session meanwhile.
        let Ok(lock) = File::open(session.join("in-use")) else {
            continue;
        };
        if lock.try_lock().is_err() {
            continue;
        }
        for record in children(&session).filter(|path| path.extension() == Some("json".as_ref())) {
            let _ = fs::remove_file(record);
        }
    }
}

fn first_gap(taken: &[(u16, u16)], size: u16) -> Option<u16> {
    let mut candidate = RANGE.start;
    for (first, count) in taken {
        if candidate.checked_add(size)? <= *first {
            break;
        }
        candidate = candidate.max(first.saturating_add(*count));
    }
    (candidate.checked_add(size)? <= RANGE.end).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_overlap() {
        assert_eq!(first_gap(&[], 100), Some(10_000));
        assert_eq!(first_gap(&[(10_000, 100)], 100), Some(10_100));
        assert_eq!(first_gap(&[(10_050, 10), (10_200, 10)], 100), Some(10_060));
        assert_eq!(first_gap(&[(10_000, 22_000)], 1), None);
    }

    #[test]
    fn a_session_that_nobody_uses_holds_no_ports() {
        let sessions = tempfile::tempdir().unwrap();
        let session = |name: &str, first_port| {
            let directory = sessions.path().join(name);
            fs::create_dir(&directory).unwrap();
            let record = Record {
                state: None,
                first_port,
                port_count: 11_000,
                ports_used: 0,
                generation: 0,
                lines: std::collections::BTreeMap::new(),
            };
            record.write(&directory.join("fleet.json")).unwrap();
            File::create(directory.join("in-use")).unwrap()
        };
        let used = session("shared-docker-1", 10_000);
        used.lock_shared().unwrap();
        drop(session("shared-docker-2", 21_000));
        assert_eq!(claim(sessions.path(), 10, false), Some((21_000, 10)));
        drop(used);
        drop(session("run-3", 21_000));
        assert_eq!(claim(sessions.path(), 10, true), Some((10_000, 74)));
        drop(session("run-4", 10_000));
        assert_eq!(claim(sessions.path(), 10, true), None);
    }
}
