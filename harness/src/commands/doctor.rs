//! `pfs doctor`: what this machine can run. Each line is something that has been tried.

use std::io;
use std::net::{Ipv4Addr, TcpListener, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use pfs_containers::{Cache, Network};
use serde::Serialize;

use super::Error;
use super::prepare::open_engine;
use crate::cli::{Doctor, EngineName, Format};
use crate::outcome::{EXIT_BROKEN, EXIT_PASS};
use crate::say;

/// Room that the three systems and a run take, in bytes.
const ROOM: u64 = 3_000_000_000;
/// An address of loopback that fleets of the chroot engine do not get.
const LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 255, 254, 253);
/// How long a mirror may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It works.
    Works,
    /// It does not, and something else takes its place or is left out.
    Without,
    /// It does not, and nothing runs without it.
    Missing,
}

/// One thing that was tried.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What to do for it.
    advice: Option<String>,
}

impl Check {
    fn works(name: &'static str, found: impl Into<String>) -> Check {
        Check {
            name,
            state: State::Works,
            found: found.into(),
            advice: None,
        }
    }

    fn not(name: &'static str, state: State, found: impl ToString, advice: &str) -> Check {
        Check {
            name,
            state,
            found: found.to_string(),
            advice: Some(advice.to_owned()),
        }
    }

    fn of(name: &'static str, tried: Result<String, String>, state: State, advice: &str) -> Check {
        match tried {
            Ok(found) => Check::works(name, found),
            Err(why) => Check::not(name, state, why, advice),
        }
    }
}

/// What the machine can do.
#[derive(Debug, Serialize)]
struct Machine {
    /// Names of the engines that work.
    engines: Vec<&'static str>,
    /// An engine works, and nothing that it needs is missing.
    can_run: bool,
    checks: Vec<Check>,
}

pub(super) async fn doctor(options: &Doctor) -> Result<u8, Error> {
    let docker = open_engine(EngineName::Docker)
        .await
        .map(|_| ())
        .map_err(|error| error.to_string());
    let chroot = open_engine(EngineName::Chroot)
        .await
        .map(|_| ())
        .map_err(|error| error.to_string());
    let rest = tokio::task::spawn_blocking(checks)
        .await
        .map_err(io::Error::other);
    let mut checks = engines(docker, chroot);
    checks.extend(rest.unwrap_or_else(|error| {
        vec![Check::not(
            "the rest",
            State::Missing,
            error,
            "report this: it is a fault of pfs",
        )]
    }));
    let machine = judge(checks);
    match options.format {
        Format::Json => say!("{}", serde_json::to_string(&machine).unwrap_or_default()),
        Format::Text => show(&machine),
    }
    Ok(if machine.can_run {
        EXIT_PASS
    } else {
        EXIT_BROKEN
    })
}

/// The engines, as a run would open them.
fn engines(docker: Result<(), String>, chroot: Result<(), String>) -> Vec<Check> {
    let socket = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "its own socket".to_owned());
    let chroot = chroot.and_then(|()| run("chroot", &["/", "true"]));
    vec![
        Check::of(
            "docker",
            docker.map(|()| format!("answers at {socket}")),
            State::Without,
            "start it, join its group, or set DOCKER_HOST; without it the engine chroot takes its place",
        ),
        Check::of(
            "chroot",
            chroot.map(|_| "this process may enter one".to_owned()),
            State::Without,
            "run as root; without it the engine docker takes its place",
        ),
    ]
}

/// What can be tried without an engine.
fn checks() -> Vec<Check> {
    let user = run("unshare", &["--user", "--map-root-user", "true"]);
    let network =
        Network::new().map(|_| "a run has a network of its own, which leads nowhere".to_owned());
    let loopback = TcpListener::bind((LOOPBACK, 25))
        .map(|_| "port 25 of an address in 127.0.0.0/8 can be had".to_owned());
    vec![
        podman(),
        Check::of(
            "user namespaces",
            user.map(|_| "can be made".to_owned()),
            State::Without,
            "sysctl kernel.unprivileged_userns_clone=1, or user.max_user_namespaces; only needed without root",
        ),
        Check::of(
            "network namespaces",
            network.map_err(|error| error.to_string()),
            State::Without,
            "CAP_SYS_ADMIN allows it; without, mail for an address that a scenario names may leave this machine",
        ),
        Check::of(
            "ports",
            loopback.map_err(|error| error.to_string()),
            State::Without,
            "CAP_NET_BIND_SERVICE allows it; the engine chroot needs it, docker does not",
        ),
        room(),
        cores(),
        tool("flock", State::Missing, "apt-get install util-linux"),
        tool("setsid", State::Missing, "apt-get install util-linux"),
        tool(
            "mmdebstrap",
            State::Without,
            "apt-get install mmdebstrap; it makes the systems where no container registry answers",
        ),
        mirror(),
    ]
}

fn podman() -> Check {
    let own = std::env::var_os("XDG_RUNTIME_DIR")
        .map(|dir| PathBuf::from(dir).join("podman/podman.sock"));
    let all = own
        .into_iter()
        .chain([PathBuf::from("/run/podman/podman.sock")]);
    let found = all
        .into_iter()
        .find(|path| UnixStream::connect(path).is_ok());
    match found {
        Some(path) => Check::works(
            "podman",
            format!(
                "its socket answers: DOCKER_HOST=unix://{}, where a registry has the images",
                path.display()
            ),
        ),
        None => Check::not(
            "podman",
            State::Without,
            "no socket of it answers",
            "apt-get install podman, podman system service --time 0 &; only needed in place of Docker",
        ),
    }
}

fn room() -> Check {
    let cache = Cache::of_user();
    let directory = cache.directory();
    let writable = cache
        .subdirectory("fleets")
        .map_err(|error| error.to_string());
    let free =
        rustix::fs::statvfs(directory).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    let tried = writable.and_then(|fleets| {
        tempfile::tempfile_in(&fleets).map_err(|error| format!("{}: {error}", fleets.display()))?;
        let free = free.map_err(|error| format!("{}: {error}", directory.display()))?;
        let text = format!(
            "{:.1} GB free in {}",
            free as f64 / 1e9,
            directory.display()
        );
        if free < ROOM { Err(text) } else { Ok(text) }
    });
    Check::of(
        "room",
        tried,
        State::Missing,
        "set PFS_CACHE to a directory of yours with 3 GB free, or see pfs clean",
    )
}

fn cores() -> Check {
    match std::thread::available_parallelism() {
        Ok(cores) => Check::works(
            "cores",
            format!("{cores}; a run has two cases for each at a time"),
        ),
        Err(error) => Check::not("cores", State::Without, error, "runs do as with one"),
    }
}

fn tool(name: &'static str, state: State, advice: &str) -> Check {
    let version = run(name, &["--version"]).map(|text| match text.lines().next() {
        Some(line) => line.to_owned(),
        None => "there".to_owned(),
    });
    Check::of(name, version, state, advice)
}

/// Where packages come from. Behind a proxy nobody knows without asking it.
fn mirror() -> Check {
    let advice = "set PFS_MIRROR to one that answers; a system that is made already needs none, and a proxy of apt is not tried here";
    let Some(url) = std::env::var("PFS_MIRROR")
        .ok()
        .filter(|url| !url.is_empty())
    else {
        let said = "PFS_MIRROR is not set: mmdebstrap takes its own, which is not tried here";
        return Check::of("mirror", Ok(said.to_owned()), State::Without, advice);
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", &url));
    let host = rest.split('/').next().unwrap_or(rest);
    let place = match host.contains(':') {
        true => host.to_owned(),
        false => format!("{host}:{}", if scheme == "https" { 443 } else { 80 }),
    };
    let tried = place
        .to_socket_addrs()
        .map_err(|error| format!("{place}: {error}"))
        .and_then(|addresses| {
            let mut why = format!("{place} has no address");
            for address in addresses {
                match std::net::TcpStream::connect_timeout(&address, PATIENCE) {
                    Ok(_) => return Ok(format!("{place} answers")),
                    Err(error) => why = format!("{place}: {error}"),
                }
            }
            Err(why)
        });
    Check::of("mirror", tried, State::Without, advice)
}

/// Runs a program; what it printed, or why it could not or did not.
fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    match text(&output.stderr) {
        said if said.is_empty() => Err(format!("{program}: {}", output.status)),
        said => Err(said),
    }
}

fn judge(checks: Vec<Check>) -> Machine {
    let works = |name: &str| {
        checks
            .iter()
            .any(|check| check.name == name && check.state == State::Works)
    };
    let engines: Vec<&'static str> = [
        ("docker", works("docker")),
        ("chroot", works("chroot") && works("ports")),
    ]
    .into_iter()
    .filter_map(|(name, works)| works.then_some(name))
    .collect();
    let missing = checks.iter().any(|check| check.state == State::Missing);
    Machine {
        can_run: !engines.is_empty() && !missing,
        engines,
        checks,
    }
}

fn show(machine: &Machine) {
    for check in &machine.checks {
        let word = match check.state {
            State::Works => "works",
            State::Without => "without",
            State::Missing => "MISSING",
        };
        say!("{word:<8} {:<19} {}", check.name, check.found);
        if let Some(advice) = &check.advice {
            say!("{:<8} {:<19} → {advice}", "", "");
        }
    }
    match (machine.can_run, machine.engines.as_slice()) {
        (true, engines) => say!("This machine can run pfs: {}", engines.join(", ")),
        (false, []) => say!("No engine works here: start Docker, or run as root"),
        (false, _) => say!("Something that every run needs is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(machine: &Machine) -> (Vec<&str>, bool) {
        (machine.engines.clone(), machine.can_run)
    }

    #[test]
    fn one_engine_is_enough() {
        let docker_alone = vec![
            Check::works("docker", ""),
            Check::not("chroot", State::Without, "no", "root"),
        ];
        assert_eq!(names(&judge(docker_alone)), (vec!["docker"], true));
        let without_ports = vec![
            Check::works("chroot", ""),
            Check::not("ports", State::Without, "no", ""),
        ];
        assert_eq!(names(&judge(without_ports)), (vec![], false));
    }

    #[test]
    fn without_room_nothing_runs() {
        let checks = vec![
            Check::works("docker", ""),
            Check::not("room", State::Missing, "0 GB", "clean"),
        ];
        assert_eq!(names(&judge(checks)), (vec!["docker"], false));
    }

    #[test]
    fn a_tool_is_run_not_looked_for() {
        assert_eq!(
            tool("no-such-tool-of-pfs", State::Missing, "x").state,
            State::Missing
        );
        assert!(
            run("sh", &["-c", "echo why >&2; exit 3"])
                .unwrap_err()
                .contains("why")
        );
        assert_eq!(run("sh", &["-c", "echo yes"]).unwrap(), "yes");
    }
}
