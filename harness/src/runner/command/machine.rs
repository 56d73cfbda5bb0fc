//! A program on this machine: a directory with what it is told, a process group of its own, not as root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use pfs_certs::{Generated, GeneratedName, Pki};
use pfs_containers::removal::remove_tree;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::plan::{Case, CommandPlan, Paths};
use crate::session::{RUNNER, Session, mode_of};

/// Whom a program runs as where nothing is said and `pfs` is run by root.
const NOBODY: &str = "nobody";

/// The shell that leads a program's process group.
pub(super) struct Leader {
    child: Child,
    pid: Option<Pid>,
    /// Tells of its end while its number still is its own.
    handle: Option<pipe::Receiver>,
    _directory: Directory,
}

impl Leader {
    /// Waits until it has ended, which it does when its input has, and ends what is left of its group.
    pub(super) async fn end(mut self, patience: Duration) {
        if let Some(handle) = &self.handle {
            let _ = timeout(patience, handle.readable()).await;
        }
        // Nobody has waited for it: its number, and with it the group's, cannot be anybody else's.
        if let Some(pid) = self.pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = timeout(patience, self.child.wait()).await;
    }
}

/// A directory of a program's own, gone with this.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = remove_tree(&self.0);
    }
}

/// A user, by numbers.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Whom the program runs as; nobody else than now where this process is not root's.
    fn of(name: Option<&str>) -> Result<Option<User>, String> {
        if !rustix::process::geteuid().is_root() {
            return match name {
                Some(name) => Err(format!(
                    "`user = \"{name}\"` takes root, and this is not run by root: leave it out"
                )),
                None => Ok(None),
            };
        }
        let wanted = name.unwrap_or(NOBODY);
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = known.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_it = fields.next() == Some(wanted);
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            is_it.then_some(User { uid, gid })
        });
        match user {
            Some(user) => Ok(Some(user)),
            None => Err(format!("there is no user {wanted} in /etc/passwd")),
        }
    }

    /// Whether everybody may go through all directories on the way to this one.
    fn reaches(path: &Path) -> bool {
        path.ancestors()
            .all(|directory| fs::metadata(directory).is_ok_and(|found| found.mode() & 0o001 != 0))
    }
}

/// Starts a program, to be told the rest on its standard input.
pub(super) async fn start(
    session: &Session,
    case: &Case,
    plan: &CommandPlan,
) -> Result<(ChildStdout, ChildStdin, Leader), String> {
    let user = User::of(plan.user.as_deref())?;
    let parent = match user {
        Some(user) if user.uid != 0 && !User::reaches(session.directory()) => std::env::temp_dir(),
        _ => session.directory().to_owned(),
    };
    let directory = tempfile::Builder::new()
        .prefix("pfs-command.")
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir_in(&parent)
        .map_err(|error| format!("{}: {error}", parent.display()))?;
    let directory = Directory(directory.keep());
    let root = &directory.0;
    write(root, case, plan, session.pki(), user)?;
    let mut command = Command::new("/bin/sh");
    command
        .arg(root.join("runner"))
        .arg(root.join("command"))
        .env_clear()
        .env("TMPDIR", root.join("scratch"))
        .current_dir(root)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(user) = user {
        // Other groups of root's go, too, with its user.
        command.gid(user.gid).uid(user.uid);
    }
    let mut child = command
        .spawn()
        .map_err(|error| format!("/bin/sh: {error}"))?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.and_then(Pid::from_raw);
    let handle = pid.and_then(|pid| {
        let handle = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
        pipe::Receiver::from_owned_fd_unchecked(handle).ok()
    });
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("/bin/sh has no standard input or output".to_owned());
    };
    let leader = Leader {
        child,
        pid,
        handle,
        _directory: directory,
    };
    Ok((stdout, stdin, leader))
}

fn write(
    root: &Path,
    case: &Case,
    plan: &CommandPlan,
    pki: &Pki,
    user: Option<User>,
) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let put = |path: PathBuf, text: &[u8], mode: u32| {
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(|error| failed(&path, error))
    };
    for (name, mode) in [("files", 0o711), ("generated", 0o711), ("scratch", 0o700)] {
        let path = root.join(name);
        fs::create_dir(&path)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(|error| failed(&path, error))?;
    }
    if let Some(user) = user {
        let scratch = root.join("scratch");
        chown(&scratch, Some(user.uid), Some(user.gid)).map_err(|error| failed(&scratch, error))?;
    }
    put(root.join("runner"), RUNNER.as_bytes(), 0o644)?;
    put(root.join("mail"), plan.line.mail.as_bytes(), 0o644)?;
    for (name, text) in &plan.line.files {
        put(
            root.join("files").join(name),
            text.as_bytes(),
            mode_of(text),
        )?;
    }
    let mut paths = Here {
        root,
        pki,
        user,
        failed: None,
    };
    let mut line = plan.line.clone();
    line.beside(&case.scenario.path);
    let script = line.script(&mut paths).map_err(|error| error.to_string())?;
    if let Some(why) = paths.failed {
        return Err(why);
    }
    put(root.join("command"), script.as_bytes(), 0o644)
}

/// Paths on this machine.
struct Here<'a> {
    root: &'a Path,
    pki: &'a Pki,
    user: Option<User>,
    failed: Option<String>,
}

impl Here<'_> {
    fn put(&self, path: &Path, contents: &[u8], private: bool) -> std::io::Result<()> {
        let mode = if private { 0o600 } else { 0o644 };
        fs::write(path, contents)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        match self.user {
            Some(user) => chown(path, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }
}

impl Paths for Here<'_> {
    fn generated(&mut self, name: &GeneratedName) -> Result<String, pfs_certs::Error> {
        let (name, contents, private) = match name.make(self.pki)? {
            Generated::Value(text) => return Ok(text),
            Generated::File {
                name,
                contents,
                private,
            } => (name, contents, private),
        };
        let path = self.root.join("generated").join(name);
        if let Err(error) = self.put(&path, contents.as_ref(), private) {
            self.failed = Some(format!("{}: {error}", path.display()));
        }
        Ok(path.display().to_string())
    }

    fn own_file(&mut self, name: &str) -> String {
        self.root.join("files").join(name).display().to_string()
    }

    fn mail(&mut self) -> String {
        self.root.join("mail").display().to_string()
    }
}
