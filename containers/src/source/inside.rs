//! Programs run once in a root that is being made, with their own last words if they fail.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Command,
    time::Instant,
};

use super::{Making, bootstrap, nodes};
use crate::{
    Error, ProgressEvent, Result, fleet::ready::within, recipe::MOUNTS, tree::Inside as Files,
};

/// Lines of a program's output that an error carries.
pub(crate) const TAIL: usize = 15;
/// Search path in a root.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A script to be run in a root.
pub(crate) struct Script<'a> {
    /// The root.
    pub(crate) root: &'a Path,
    /// Directories of this machine that it shows.
    pub(crate) shown: &'a [PathBuf],
    /// Where the script is put, as a path in the root.
    pub(crate) path: &'a str,
    /// Its text, for /bin/sh.
    pub(crate) text: &'a str,
    /// Its arguments.
    pub(crate) arguments: &'a [&'a str],
    /// What it does, as a verb in -ing form.
    pub(crate) doing: &'a str,
    /// Most time it may take.
    pub(crate) deadline: Duration,
}

impl Script<'_> {
    /// Runs it; what it says is told as it goes.
    ///
    /// Where the kernel lets us, it runs in a mount and a pid namespace of its own: what it mounts nobody else sees, and
    /// all it started ends with it and with us.
    pub(crate) async fn run(&self, making: &Making<'_>) -> Result<()> {
        nodes::make(self.root, None)?;
        let files = Files::of(self.root)?;
        files.write(
            self.path,
            self.text.as_bytes(),
            0o755,
            std::time::SystemTime::now(),
        )?;
        for directory in self.shown {
            files.make_directory(&directory.display().to_string())?;
        }
        let mut command = self.command(making)?;
        let mut child = command
            .env_clear()
            .envs([("PATH", PATH), ("LC_ALL", "C"), ("PFS_PROC", "yes")])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("running", "chroot"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let tail = std::sync::Mutex::new(VecDeque::new());
        let ended = within(
            Instant::now() + self.deadline,
            making.target,
            self.doing,
            async {
                let (_, _, status) = tokio::join!(
                    hear(stdout, making, &tail),
                    hear(stderr, making, &tail),
                    child.wait(),
                );
                status.map_err(Error::io("waiting for", "chroot"))
            },
        )
        .await?;
        if ended.success() {
            return Ok(());
        }
        let tail: Vec<String> = tail.into_inner().unwrap_or_default().into();
        if tail
            .iter()
            .any(|line| line.contains("No space left on device"))
        {
            return Err(Error::DiskFull {
                path: making.cache.directory().to_owned(),
            });
        }
        Err(Error::Making {
            target: making.target.to_owned(),
            doing: self.doing.to_owned(),
            status: ended.to_string(),
            tail,
        })
    }

    fn command(&self, making: &Making<'_>) -> Result<Command> {
        let chroot = |command: &mut Command| {
            command
                .arg(self.root)
                .args(["/bin/sh", self.path])
                .args(self.arguments);
        };
        if !bootstrap::can_isolate() {
            if !self.shown.is_empty() || nodes::need_mounts(self.root) {
                return Err(making.unusable(
                    "its root needs mounts of this machine's directories or device nodes, and no mount namespace \
                     can be made here: this takes CAP_SYS_ADMIN, or a user namespace (unshare --user --map-root-user)",
                ));
            }
            let mut command = Command::new("chroot");
            chroot(&mut command);
            return Ok(command);
        }
        let mut command = match bootstrap::is_there("setpriv") {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", "unshare"]);
                command
            }
            false => Command::new("unshare"),
        };
        command.args(bootstrap::NAMESPACES);
        mounted(&mut command, self.root, self.shown);
        command.arg("chroot");
        chroot(&mut command);
        Ok(command)
    }
}

/// Adds the arguments that show directories of this machine in a root before what follows is run: see
/// `images/mounts.sh`.
pub(crate) fn mounted(command: &mut Command, root: &Path, shown: &[PathBuf]) {
    command
        .args(["/bin/sh", "-c", MOUNTS, "mounts"])
        .arg(root)
        .arg(shown.len().to_string())
        .args(shown);
}

async fn hear(
    from: Option<impl AsyncRead + Unpin>,
    making: &Making<'_>,
    tail: &std::sync::Mutex<VecDeque<String>>,
) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = shown(&bootstrap::last_shown(&line));
        if line.trim().is_empty() {
            continue;
        }
        making.progress.event(ProgressEvent::Making {
            target: making.target.to_owned(),
            line: line.clone(),
        });
        let mut tail = tail
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}

/// A line of a program without what only a terminal understands: escape sequences (ECMA-48, 5.4) and control
/// characters.
pub(crate) fn shown(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '\x1b' {
            if c == '\t' || !c.is_control() {
                text.push(c);
            }
            continue;
        }
        match characters.next() {
            // CSI: parameters and intermediates up to one final character.
            Some('[') => {
                for c in characters.by_ref() {
                    if ('\x40'..='\x7e').contains(&c) {
                        break;
                    }
                }
            }
            // OSC: up to BEL or ST.
            Some(']') => {
                while let Some(c) = characters.next() {
                    if c == '\x07' || (c == '\x1b' && characters.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn words_without_what_a_terminal_obeys() {
        assert_eq!(
            shown("\x1b[01m\x1b[Kmain.c:1:\x1b[m error"),
            "main.c:1: error"
        );
        assert_eq!(shown("\x1b]0;title\x07text\x1b]8;;x\x1b\\y"), "texty");
        assert_eq!(shown("a\tb\u{9b}31m\x08c"), "a\tb31mc");
        assert_eq!(shown("cut \x1b["), "cut ");
    }
}
