//! Ports on which the harness listens for the Postfix of its fleets. Several runs at once share
//! one address, so each fleet claims a range of its own, below the ephemeral ports.

use std::path::Path;

use super::record::Record;

/// First and last port that may be claimed.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Room in a claim for lines that are added while the fleet runs.
const SPARE: u16 = 64;

/// The first port of a free range for `lines` lines, and its size. `sessions` is the directory
/// of all sessions; the caller holds the lock on it. A fleet that grows gets room to do so.
pub(super) fn claim(sessions: &Path, lines: usize, grows: bool) -> Option<(u16, u16)> {
    let spare = if grows { SPARE } else { 0 };
    let size = u16::try_from(lines).ok()?.checked_add(spare)?;
    let mut taken: Vec<(u16, u16)> = Record::all(sessions)
        .map(|r| (r.first_port, r.port_count))
        .collect();
    taken.sort_unstable();
    let first = first_gap(&taken, size)?;
    Some((first, size))
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
}
