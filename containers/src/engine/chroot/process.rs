//! Processes of a fleet that runs on this machine itself, and the address it has for itself.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use tokio::{net::unix::pipe, process::Command};

use crate::{
    Error, Lifetime, Result,
    engine::supervise::{SUPERVISE, poll},
    source::{inside, nodes},
};

/// A loopback address nobody else has while this is open, or inherited by an open process.
///
/// It is a name in the abstract socket namespace, which belongs to the network namespace as the address does, and
/// which the kernel gives back whatever happens.
pub(crate) struct Claim {
    pub(crate) address: Ipv4Addr,
    socket: UnixListener,
}

impl Claim {
    /// Takes the first free one of 127.10.1.1 to 127.10.250.1; `port` is one that will be listened on there.
    pub(crate) fn take(port: u16) -> Result<Claim> {
        for n in 1..=250 {
            let address = Ipv4Addr::new(127, 10, n, 1);
            let name = SocketAddr::from_abstract_name(format!("pfs-fleet-{address}"))
                .map_err(Error::io("naming a socket for", address.to_string()))?;
            match UnixListener::bind_addr(&name) {
                // master(8) would share a port with another that listens already (SO_REUSEPORT),
                // and get only some of the connections.
                Ok(socket) if TcpListener::bind((address, port)).is_ok() => {
                    return Ok(Claim { address, socket });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(Error::io("claiming", address.to_string())(error)),
            }
        }
        let all = io::Error::new(
            io::ErrorKind::AddrInUse,
            "250 fleets run already; stop some with `pfs down`",
        );
        Err(Error::io("claiming", "127.10.0.0/16")(all))
    }
}

/// The process that starts a fleet's master and ends it.
pub(crate) struct Supervisor {
    pub(crate) pid: i32,
    // What is asked of a handle on a process is what pipes can do, too: tell when it is readable.
    handle: pipe::Receiver,
}

impl Supervisor {
    /// Runs `images/supervise.sh` in a process group of its own, so that a Ctrl-C meant for us does not reach it. It
    /// keeps the claim as its standard input, and a lock on the log as its output.
    pub(crate) fn start(
        home: &Path,
        shown: &[PathBuf],
        daemons: &str,
        lifetime: Lifetime,
        claim: Claim,
        log: File,
    ) -> Result<Supervisor> {
        let script = home.join("supervise");
        fs::write(&script, SUPERVISE).map_err(Error::io("writing", &script))?;
        let errors = log.try_clone().map_err(Error::io("opening", home))?;
        let root = home.join("root");
        let own_mounts = !shown.is_empty() || nodes::need_mounts(&root);
        let mut command = match own_mounts {
            // What is mounted for a fleet, nobody else sees; it is gone with the last of its processes.
            true => {
                let mut command = Command::new("unshare");
                command.args(["--mount", "--propagation", "private"]);
                inside::mounted(&mut command, &root, shown);
                command.arg("/bin/sh");
                command
            }
            false => Command::new("/bin/sh"),
        };
        let mut child = command
            .arg(&script)
            .arg(home)
            .args([daemons, &poll(lifetime)])
            .env_clear()
            .env("PATH", inside::PATH)
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(claim.socket)))
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(errors))
            .process_group(0)
            .spawn()
            .map_err(Error::io("running", "/bin/sh"))?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .unwrap_or_default();
        let supervisor = Supervisor::open(pid).map_err(Error::io("watching", "/bin/sh"))?;
        tokio::spawn(async move { child.wait().await });
        Ok(supervisor)
    }

    /// The running supervisor of this home, if `pid` still is it.
    pub(crate) fn attach(pid: i32, home: &Path) -> Option<Supervisor> {
        let supervisor = Supervisor::open(pid).ok()?;
        // The handle is of whoever had that pid when it was opened; only now is it known who that is.
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let home = home.to_str()?;
        let is_it = command
            .split(|byte| *byte == 0)
            .any(|argument| argument == home.as_bytes());
        is_it.then_some(supervisor)
    }

    fn open(pid: i32) -> io::Result<Supervisor> {
        let process = Pid::from_raw(pid).ok_or(io::ErrorKind::NotFound)?;
        let handle = pidfd_open(process, PidfdFlags::NONBLOCK)?;
        Ok(Supervisor {
            pid,
            handle: pipe::Receiver::from_owned_fd_unchecked(handle)?,
        })
    }

    /// Asks it to end its fleet and itself.
    pub(crate) fn terminate(&self) {
        let _ = pidfd_send_signal(&self.handle, Signal::TERM);
    }

    /// Asks it to have its master read the configuration again.
    pub(crate) fn reload(&self) {
        let _ = pidfd_send_signal(&self.handle, Signal::USR1);
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) {
        let _ = self.handle.readable().await;
    }
}

/// Kills every process whose root is this directory, a path without symbolic links; returns how many there were.
pub(crate) fn kill_all(root: &Path) -> usize {
    // As the kernel tells it once the directory has been removed.
    let deleted = PathBuf::from(format!("{} (deleted)", root.display()));
    let inside = |process: &PathBuf| {
        fs::read_link(process.join("root")).is_ok_and(|its| its == root || its == deleted)
    };
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0;
    };
    processes
        .flatten()
        .map(|entry| entry.path())
        .filter(|process| {
            process
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(is_number)
        })
        .filter(inside)
        .filter_map(|process| {
            process
                .file_name()?
                .to_str()?
                .parse()
                .ok()
                .and_then(Pid::from_raw)
        })
        .filter(|pid| kill_process(*pid, Signal::KILL).is_ok())
        .count()
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_claims_differ_and_are_given_back() {
        let (one, two) = (Claim::take(0).unwrap(), Claim::take(0).unwrap());
        assert_ne!(one.address, two.address);
        let taken = two.address;
        drop(two);
        let free = SocketAddr::from_abstract_name(format!("pfs-fleet-{taken}")).unwrap();
        assert!(UnixListener::bind_addr(&free).is_ok());
    }
}
