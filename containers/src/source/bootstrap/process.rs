//! mmdebstrap as a process that ends with us, however we end, and whose mounts nobody else ever sees.

use std::{env, ffi::OsStr, fs, os::fd::OwnedFd, path::Path, process::Stdio, sync::OnceLock};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::{Child, Command};

use crate::{Error, Result};

/// Starts mmdebstrap, writing to its standard output; `mirror` is taken instead of its own. `tree` is made for it to work in where that is safe.
///
/// As root, mmdebstrap mounts /proc, /sys and the host's own /dev/shm in what it makes. Whoever removed such a tree
/// after mmdebstrap was killed would remove the host's files. So it runs in a mount namespace, which nobody else
/// looks into, and in a pid namespace, which the kernel ends as a whole. Where that is forbidden, mmdebstrap works in
/// its own temporary directory, and nobody but itself removes that.
pub(super) fn start(
    arguments: &[String],
    mirror: Option<&OsStr>,
    tree: &Path,
) -> Result<(Child, Running)> {
    if !is_there("mmdebstrap") {
        let tool = "mmdebstrap".to_owned();
        return Err(Error::MissingTool {
            package: tool.clone(),
            tool,
        });
    }
    let isolated = can_isolate();
    let mut words = Vec::new();
    if is_there("setpriv") {
        words.extend([
            "setpriv",
            "--pdeathsig",
            if isolated { "KILL" } else { "TERM" },
        ]);
    }
    if isolated {
        words.push("unshare");
        words.extend(NAMESPACES);
    }
    words.push("mmdebstrap");
    let mut command = Command::new(words[0]);
    if isolated {
        fs::create_dir_all(tree).map_err(Error::io("creating", tree))?;
        command.env("TMPDIR", tree);
    }
    let child = command
        .args(&words[1..])
        .args(arguments)
        .arg("-")
        .args(mirror)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C is for us to pass on.
        .process_group(0)
        .spawn()
        .map_err(Error::io("running", "mmdebstrap"))?;
    // Nobody has waited for it yet: the number is its own.
    let process = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw)
        .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    Ok((child, Running { process, isolated }))
}

/// Options of unshare(1): mounts and processes of its own, private to it, all ended with it.
pub(in crate::source) const NAMESPACES: [&str; 7] = [
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];

/// Whether [`NAMESPACES`] can be made here; asked once.
pub(in crate::source) fn can_isolate() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        rustix::process::geteuid().is_root()
            && std::process::Command::new("unshare")
                .args(NAMESPACES)
                .arg("true")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
    })
}

pub(in crate::source) fn is_there(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(tool).is_file())
}

/// Ends mmdebstrap when dropped: at once where the kernel cleans up behind it, else so that it can do so itself.
pub(super) struct Running {
    process: Option<OwnedFd>,
    isolated: bool,
}

impl Running {
    /// It has ended by itself.
    pub(super) fn has_ended(mut self) {
        self.process = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(process) = &self.process else { return };
        // Only the first process: the kernel ends the others with it, or it does, and unmounts what they used.
        let signal = if self.isolated {
            Signal::KILL
        } else {
            Signal::TERM
        };
        let _ = pidfd_send_signal(process, signal);
    }
}
