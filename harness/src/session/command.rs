//! A program of the user's inside a target: a line of master.cf by which spawn(8) runs it for the harness, as `nobody`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pfs_certs::{Generated, GeneratedName, Pki};
use pfs_containers::config::ServiceKind;
use pfs_containers::{FleetFile, Service};

use crate::plan::{CommandLine, Paths, own_path, path_of};

/// What runs a program, here and in a target.
pub(crate) const RUNNER: &str = include_str!("command.sh");

/// Where a server of the user's listens: so far above the port at which it is started. Nothing else of a fleet is there.
const ABOVE: u16 = 20_000;

/// The port at which the server listens that is started at this port of its fleet.
pub(crate) fn command_port(start: u16) -> u16 {
    start.saturating_add(ABOVE)
}

/// The same where fleets share a network, each at an address 127.10.N.1 of its own (chroot(2)): a program that listens at
/// every address would take the port from the programs of other fleets, and be taken for one of theirs. So each fleet has
/// its own part of the ports from 20,000 on.
pub(crate) fn command_port_at(start: u16, address: IpAddr) -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    // A prime: fleets whose parts overlap still begin at different ports.
    const APART: u32 = 1_499;
    let number = match address {
        IpAddr::V4(address) => u32::from(address.octets()[2]),
        IpAddr::V6(_) => 0,
    };
    let port = FIRST + (u32::from(start) + number * APART) % COUNT;
    u16::try_from(port).unwrap_or(u16::MAX)
}

fn runner() -> String {
    path_of("command-runner")
}

fn script(tag: &str) -> String {
    path_of(&format!("{tag}.command"))
}

fn mail(tag: &str) -> String {
    path_of(&format!("{tag}.mail"))
}

/// The line at whose port the program is started.
pub(super) fn service(tag: &str, port: u16) -> Service {
    Service::new(ServiceKind::Inet(port), "spawn")
        .privileged()
        // Under no tag: that spawn(8) says how the program was ended is nothing that a Postfix under test says.
        .set("max_use", "1")
        // Its own deadline is the case's: its end is the end of the connection.
        .set("command_time_limit", "1000d")
        .argument("user=nobody")
        .argument("argv=/bin/sh")
        .argument(runner())
        .argument(script(tag))
}

/// What the line needs.
pub(super) fn files(
    tag: &str,
    line: &CommandLine,
    pki: &Pki,
    files: &mut BTreeMap<String, FleetFile>,
) -> Result<(), pfs_certs::Error> {
    let mut put = |path: String, text: &str| {
        let mut file = FleetFile::public(&path, text);
        file.mode = mode_of(text);
        files.insert(path, file);
    };
    put(runner(), RUNNER);
    put(mail(tag), &line.mail);
    for (name, text) in &line.files {
        put(own_path(tag, name), text);
    }
    let mut paths = Inside { tag, pki, files };
    let text = line.script(&mut paths)?;
    files.insert(script(tag), FleetFile::public(script(tag), text));
    Ok(())
}

/// What begins as a program does, can be run.
pub(crate) fn mode_of(text: &str) -> u32 {
    if text.starts_with("#!") { 0o755 } else { 0o644 }
}

/// Paths in a target.
struct Inside<'a> {
    tag: &'a str,
    pki: &'a Pki,
    files: &'a mut BTreeMap<String, FleetFile>,
}

impl Paths for Inside<'_> {
    /// A copy that `nobody` can read.
    fn generated(&mut self, name: &GeneratedName) -> Result<String, pfs_certs::Error> {
        match name.make(self.pki)? {
            Generated::File { name, contents, .. } => {
                let path = path_of(&format!("readable-{name}"));
                let file = FleetFile::public(&path, contents);
                self.files.insert(path.clone(), file);
                Ok(path)
            }
            Generated::Value(text) => Ok(text),
        }
    }

    fn own_file(&mut self, name: &str) -> String {
        own_path(self.tag, name)
    }

    fn mail(&mut self) -> String {
        mail(self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_fleets_side_by_side_have_ports_of_their_own() {
        let mut ports = std::collections::BTreeSet::new();
        for fleet in 1..=3_u8 {
            let address = IpAddr::from([127, 10, fleet, 1]);
            for start in 10_000..11_499 {
                let port = command_port_at(start, address);
                assert!((20_000..32_000).contains(&port), "{port}");
                assert!(ports.insert(port), "{fleet}: {start}");
            }
        }
    }
}
