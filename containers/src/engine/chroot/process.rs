//! Processes of a fleet that runs on this machine itself, and the address it has for itself.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            fs::MetadataExt as _,
            net::{SocketAddr, UnixListener},
        },
    },
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use tokio::{net::unix::pipe, process::Command};

use crate::{
    Error, Lifetime, Result,
    engine::supervise::{self, SUPERVISE},
    removal::Tree,
    source::{inside, nodes},
};

/// Most time that killed processes may take to end.
const END_DEADLINE: Duration = Duration::from_secs(5);

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
    /// keeps the claim as its standard input, and the log as its output.
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
            .args([daemons, &supervise::poll(lifetime)])
            .env_clear()
            .env("PATH", inside::PATH)
            .env("LC_ALL", "C")
            // It stays in the directory it was started for, whatever becomes of the name.
            .current_dir(home)
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

    /// The running supervisor of this home, found without knowing its number.
    pub(crate) fn of(home: &Path) -> Option<Supervisor> {
        let script = home.join("supervise");
        // `/bin/sh HOME/supervise HOME DAEMONS POLL`; what it starts of itself has more to say.
        let is_it = |pid: &i32| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
            // The last word is what follows the last end of a word: nothing.
            words.len() == 6 && words[1] == script.as_os_str().as_bytes()
        };
        let numbers = fs::read_dir("/proc").ok()?.flatten();
        numbers
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(is_it)
            .find_map(|pid| Supervisor::attach(pid, home))
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

/// Ends every process whose root directory is this one, which is a fleet's and ours to end.
///
/// Somebody who looks around in it from a terminal is none of ours.
///
/// # Errors
/// Such a one is there, or a process that does not end within [`END_DEADLINE`]; the directory or the processes cannot be
/// looked at.
pub(crate) fn end_inside(root: &Path) -> Result<()> {
    let failed = |error| Error::io("ending the processes in", root)(error);
    // Neither through a link nor into a mount: what stands in our root's place is not our root.
    let root = match Tree::open(root) {
        Ok(root) => root,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    end_those_of(&root).map_err(failed)
}

fn end_those_of(root: &Tree) -> io::Result<()> {
    let found = rustix::fs::fstat(root.as_fd())?;
    let root = (found.st_dev, found.st_ino);
    if is_root_of("self", root)? {
        return Err(io::Error::other("it is the root of this very process"));
    }
    let began = Instant::now();
    loop {
        let mut ended = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().filter(|name| is_number(name)) else {
                continue;
            };
            if !is_root_of(pid, root)? {
                continue;
            }
            // What is asked next is asked of whoever has the number once there is a handle on him. If that is another
            // one by then, the handle is of nobody who could be killed.
            let Some(handle) = handle_on(pid)? else {
                continue;
            };
            if !is_root_of(pid, root)? {
                continue;
            }
            if has_terminal(pid)? {
                return Err(io::Error::other(format!(
                    "process {pid} is in there, at a terminal: leave it, and try again"
                )));
            }
            match pidfd_send_signal(&handle, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => ended.push(handle),
                Err(error) => return Err(error.into()),
            }
        }
        // A master that is killed starts nothing new; its children may still have been starting others.
        if ended.is_empty() {
            return Ok(());
        }
        for handle in ended {
            let left = END_DEADLINE.saturating_sub(began.elapsed());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            if poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&left))? == 0 {
                return Err(io::Error::other("a process of it does not end"));
            }
        }
    }
}

/// Whether a process (by its name in /proc) has this root directory: device and inode.
fn is_root_of(process: &str, root: (u64, u64)) -> io::Result<bool> {
    match fs::metadata(format!("/proc/{process}/root")) {
        Ok(its) => Ok((its.dev(), its.ino()) == root),
        // It has ended, or is not for us to look at.
        Err(error) if has_ended(&error) || error.kind() == io::ErrorKind::PermissionDenied => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Whether a file of a process in /proc could not be read because the process is gone: its name is not there, or it went
/// between opening the file and reading it.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

fn handle_on(pid: &str) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) else {
        return Ok(None);
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => Ok(Some(handle)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a process has a controlling terminal: the seventh field of its stat (proc_pid_stat(5)), in which its name may
/// hold anything. None that has ended.
fn has_terminal(pid: &str) -> io::Result<bool> {
    let stat = match fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error) if has_ended(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let stat = String::from_utf8_lossy(&stat);
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    match fields.split(' ').nth(4) {
        Some(terminal) => Ok(terminal != "0"),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_went_before_its_file_was_read_has_ended() {
        use std::io::Read as _;

        let mut child = std::process::Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stat = File::open(format!("/proc/{}/stat", child.id())).unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        let error = stat.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(has_ended(&error), "{error}");
    }

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
