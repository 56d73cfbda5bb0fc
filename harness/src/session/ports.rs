//! Ports on which the harness listens for the Postfix of its fleets. Several runs at once share
//! one address, so each fleet claims a range of its own, below the ephemeral ports.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::record::children;

/// First and last port that may be claimed.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Room in a claim for lines that are added while the fleet runs.
const SPARE: usize = 64;

/// Ending of the file beside a fleet's record that says what it has claimed: reading it is quick, and the record is not.
const CLAIM: &str = "ports";

/// Claims a free range for the `lines` lines of the fleet whose record is at `record`: its first port, and its size.
/// `sessions` is the directory of all sessions; the caller holds the lock on it. A fleet that grows gets room to do so.
/// Nothing if there is no such range.
pub(super) fn claim(
    sessions: &Path,
    record: &Path,
    lines: usize,
    grows: bool,
) -> io::Result<Option<(u16, u16)>> {
    let spare = if grows { SPARE } else { 0 };
    let size = u16::try_from(lines.saturating_add(spare)).unwrap_or(u16::MAX);
    let own = record.with_extension(CLAIM);
    let gap = || {
        let mut taken: Vec<(u16, u16)> = children(sessions)
            .flat_map(|session| children(&session))
            .filter(|path| path.extension().is_some_and(|e| e == CLAIM) && *path != own)
            .filter_map(|path| parse(&fs::read_to_string(path).ok()?))
            .collect();
        taken.sort_unstable();
        first_gap(&taken, size)
    };
    let again = || {
        forget_unused(sessions);
        gap()
    };
    let Some(first) = gap().or_else(again) else {
        return Ok(None);
    };
    fs::write(own, format!("{first} {size}\n"))?;
    Ok(Some((first, size)))
}

fn parse(text: &str) -> Option<(u16, u16)> {
    let (first, size) = text.trim_end().split_once(' ')?;
    Some((first.parse().ok()?, size.parse().ok()?))
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
        let Ok(lock) = File::open(super::hold::in_use(&session)) else {
            continue;
        };
        if lock.try_lock().is_err() {
            continue;
        }
        let ends = |path: &Path, with: &str| path.extension().is_some_and(|e| e == with);
        for file in children(&session).filter(|path| ends(path, "json") || ends(path, CLAIM)) {
            let _ = fs::remove_file(file);
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
    fn a_fleet_that_starts_again_gives_up_what_it_had() {
        let sessions = tempfile::tempdir().unwrap();
        let (one, two) = (sessions.path().join("one"), sessions.path().join("two"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        let claim =
            |record: &Path, lines, grows| claim(sessions.path(), record, lines, grows).unwrap();
        assert_eq!(claim(&one.join("a.json"), 10, true), Some((10_000, 74)));
        assert_eq!(claim(&two.join("a.json"), 3, false), Some((10_074, 3)));
        assert_eq!(claim(&one.join("a.json"), 20, false), Some((10_000, 20)));
        assert_eq!(claim(&one.join("b.json"), 30_000, false), None);
    }

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
        let record = |session: &str| sessions.path().join(session).join("fleet.json");
        let session = |name: &str, first_port: u16| {
            fs::create_dir(sessions.path().join(name)).unwrap();
            let claim = record(name).with_extension(CLAIM);
            fs::write(claim, format!("{first_port} 11000\n")).unwrap();
            File::create(record(name).with_file_name("in-use")).unwrap()
        };
        let claim = |lines, grows| claim(sessions.path(), &record("mine"), lines, grows).unwrap();
        drop(session("mine", 50_000));
        let used = session("shared-docker-1", 10_000);
        used.lock_shared().unwrap();
        drop(session("shared-docker-2", 21_000));
        assert_eq!(claim(10, false), Some((21_000, 10)));
        drop(used);
        drop(session("run-3", 21_000));
        assert_eq!(claim(10, true), Some((10_000, 74)));
        drop(session("run-4", 10_000));
        assert_eq!(claim(10, true), None);
    }
}
