//! Ports on which the harness listens for the Postfix of its fleets. Runs of one cache may share an address, as with Docker,
//! so each fleet claims a range of its own. Left out is what others use: at present, or by custom, and what the kernel
//! gives to whoever asks for any port.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use pfs_containers::EngineName;

use super::record::children;

/// First and last port that may be claimed.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Ports of widespread services in that range, which may start at any time: Webmin, Zabbix, kubelet, memcached, RabbitMQ,
/// MongoDB.
const CUSTOMARY: [u16; 14] = [
    10_000, 10_050, 10_051, 10_248, 10_249, 10_250, 10_255, 10_256, 10_257, 10_259, 11_211, 15_672,
    25_672, 27_017,
];

/// What is known of the ports of this machine.
struct Machine {
    /// First and last port that the kernel gives to whoever asks for any.
    ephemeral: Option<(u16, u16)>,
    /// Whether nobody listens at a port.
    is_free: fn(u16) -> bool,
}

impl Machine {
    fn this() -> Machine {
        let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
        Machine {
            ephemeral: range.ok().and_then(|text| ephemeral(&text)),
            // Found there are those who listen at every address. No fleet has this one.
            is_free: |port| TcpListener::bind((Ipv4Addr::new(127, 10, 0, 1), port)).is_ok(),
        }
    }

    /// What others may take at any time: first ports, and how many.
    fn left_out(&self) -> Vec<(u16, u16)> {
        let ephemeral = self.ephemeral.map(|(first, last)| {
            let count = last.saturating_sub(first).saturating_add(1);
            (first, count)
        });
        let customary = CUSTOMARY.map(|port| (port, 1));
        customary.into_iter().chain(ephemeral).collect()
    }

    /// The first range of free ports beside those `taken`.
    fn first_free(&self, mut taken: Vec<(u16, u16)>, size: u16) -> Option<u16> {
        loop {
            taken.sort_unstable();
            let first = first_gap(&taken, size)?;
            let mut ports = first..first.saturating_add(size);
            match ports.find(|port| !(self.is_free)(*port)) {
                None => return Some(first),
                Some(port) => taken.push((port, 1)),
            }
        }
    }
}

/// The two numbers of `ip_local_port_range` (ip(7)).
fn ephemeral(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

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
    engine: EngineName,
) -> io::Result<Option<(u16, u16)>> {
    let shared = engine == EngineName::Docker;
    claim_on(&Machine::this(), sessions, record, lines, grows, shared)
}

/// `shared`: other fleets have the same address of the harness.
fn claim_on(
    machine: &Machine,
    sessions: &Path,
    record: &Path,
    lines: usize,
    grows: bool,
    shared: bool,
) -> io::Result<Option<(u16, u16)>> {
    let spare = if grows { SPARE } else { 0 };
    let size = u16::try_from(lines.saturating_add(spare)).unwrap_or(u16::MAX);
    let own = record.with_extension(CLAIM);
    let gap = || {
        let taken: Vec<(u16, u16)> = children(sessions)
            .flat_map(|session| children(&session))
            .filter(|path| path.extension().is_some_and(|e| e == CLAIM) && *path != own && shared)
            .filter_map(|path| parse(&fs::read_to_string(path).ok()?))
            .collect();
        // Where that leaves too few, what is free now must do.
        let quiet = machine.first_free([taken.clone(), machine.left_out()].concat(), size);
        quiet.or_else(|| machine.first_free(taken, size))
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

    fn machine(ephemeral: Option<(u16, u16)>, is_free: fn(u16) -> bool) -> Machine {
        Machine { ephemeral, is_free }
    }

    #[test]
    fn what_others_use_is_left_out() {
        assert_eq!(ephemeral("32768\t60999\n"), Some((32_768, 60_999)));
        let sessions = tempfile::tempdir().unwrap();
        let record = sessions.path().join("a.json");
        let first = |machine: Machine, size| {
            let claimed = claim_on(&machine, sessions.path(), &record, size, false, true);
            claimed.unwrap().map(|(first, _)| first)
        };
        // Webmin's is the first, Zabbix's comes next.
        assert_eq!(first(machine(None, |_| true), 49), Some(10_001));
        assert_eq!(first(machine(None, |_| true), 50), Some(10_052));
        let busy = machine(None, |port| port != 10_020);
        assert_eq!(first(busy, 20), Some(10_021));
        let wide = machine(ephemeral("1024\t20000\n"), |_| true);
        assert_eq!(first(wide, 20), Some(20_001));
        let whole = machine(ephemeral("1024 65535"), |port| port != 10_003);
        assert_eq!(first(whole, 20), Some(10_004));
    }

    #[test]
    fn a_fleet_that_starts_again_gives_up_what_it_had() {
        let sessions = tempfile::tempdir().unwrap();
        let (one, two) = (sessions.path().join("one"), sessions.path().join("two"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        let claim = |record: &Path, lines, grows| {
            let machine = machine(None, |_| true);
            claim_on(&machine, sessions.path(), record, lines, grows, true).unwrap()
        };
        assert_eq!(claim(&one.join("a.json"), 10, true), Some((10_052, 74)));
        assert_eq!(claim(&two.join("a.json"), 60, false), Some((10_126, 60)));
        assert_eq!(claim(&one.join("a.json"), 20, false), Some((10_001, 20)));
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
        let claim = |lines, grows| {
            let (machine, record) = (machine(None, |_| true), record("mine"));
            claim_on(&machine, sessions.path(), &record, lines, grows, true).unwrap()
        };
        drop(session("mine", 50_000));
        let used = session("shared-docker-1", 10_000);
        used.lock_shared().unwrap();
        drop(session("shared-docker-2", 21_000));
        assert_eq!(claim(10, false), Some((21_000, 10)));
        drop(used);
        drop(session("run-3", 21_000));
        assert_eq!(claim(10, true), Some((10_052, 74)));
        drop(session("run-4", 10_000));
        assert_eq!(claim(10, true), None);
    }
}
