//! A base system from a Debian mirror, by mmdebstrap(1), kept as a tar file.

mod process;

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use tokio::{
    fs::File,
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    time::timeout,
};

use super::{Making, Release, inside::TAIL};
use crate::{
    Error, ProgressEvent, Result,
    owned::{self, Purpose, Unfinished},
};

pub(super) use process::{NAMESPACES, can_isolate, is_there};

/// Most time one bootstrap may take; a slow mirror is no error before that.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Bootstraps at a time: they share one mirror and one disk.
const AT_ONCE: usize = 2;
/// Most time mmdebstrap may take to clean up when it is told to stop.
const CLEANUP: Duration = Duration::from_secs(60);
/// What the names of unfinished bases have in them.
const PARTIAL: &str = "partial-";

/// The tar file of a release's base system, made if it does not exist.
pub(super) async fn base(making: &Making<'_>, release: &Release<'_>) -> Result<PathBuf> {
    let (cache, target, progress) = (making.cache, making.target, making.progress);
    let name = format!("{}-{}", release.0, release.base_hash());
    let path = cache.subdirectory("bases")?.join(format!("{name}.tar"));
    if path.exists() {
        return Ok(path);
    }
    let purpose = format!("bootstrapping {target}");
    let _one = cache
        .lock(&format!("base-{name}"), &purpose, target, progress)
        .await?;
    if path.exists() {
        return Ok(path);
    }
    let _slot = cache
        .slot("bootstrap", AT_ONCE, &purpose, target, progress)
        .await?;
    let unfinished = path.with_extension(format!("{PARTIAL}{}", std::process::id()));
    let unfinished = Unfinished::make(&unfinished, Purpose::Base)?;
    let tar = unfinished.path().join("tar");
    let made = match bootstrap(making, release, &tar).await {
        Ok(()) => owned::mark_file(&tar, &path)
            .and_then(|()| fs::rename(&tar, &path))
            .map_err(Error::io("renaming", &tar)),
        Err(error) => Err(error),
    };
    unfinished.discard().await;
    made.map(|()| path)
}

async fn bootstrap(making: &Making<'_>, release: &Release<'_>, tar: &Path) -> Result<()> {
    let mut failed = run(making, release, false, tar).await?;
    if failed.as_ref().is_some_and(|failed| failed.said.expired) {
        making.note(format!(
            "the mirror's Release file of {} is older than it says it may be; taken as it is",
            release.0
        ));
        failed = run(making, release, true, tar).await?;
    }
    match failed {
        Some(failed) => Err(failed.into_error(making)),
        None => Ok(()),
    }
}

/// The mirror the user has chosen, instead of mmdebstrap's own. Bases of all mirrors are the same.
fn mirror() -> Option<OsString> {
    env::var_os("PFS_MIRROR").filter(|mirror| !mirror.is_empty())
}

struct Failed {
    status: ExitStatus,
    said: Said,
}

/// What the tool said, as far as it matters.
#[derive(Default)]
struct Said {
    tail: VecDeque<String>,
    disk_full: bool,
    expired: bool,
}

impl Said {
    fn hear(&mut self, line: String) {
        let expired = ["is expired", "is not valid anymore", "has expired"];
        self.disk_full |= line.contains("No space left on device");
        self.expired |= expired.iter().any(|words| line.contains(words));
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }
}

impl Failed {
    fn into_error(self, making: &Making<'_>) -> Error {
        if self.said.disk_full {
            return Error::DiskFull {
                path: making.cache.directory().to_owned(),
            };
        }
        Error::Bootstrap {
            target: making.target.to_owned(),
            status: self.status.to_string(),
            tail: self.said.tail.into(),
        }
    }
}

async fn run(
    making: &Making<'_>,
    release: &Release<'_>,
    expired: bool,
    output: &Path,
) -> Result<Option<Failed>> {
    let mut file = File::create(output)
        .await
        .map_err(Error::io("creating", output))?;
    let (mut child, stopped) = process::start(
        &release.bootstrap_arguments(expired),
        mirror().as_deref(),
        &output.with_file_name("tree"),
    )?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut said = Said::default();
    let told = async {
        let Some(stderr) = stderr else { return };
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = last_shown(&line);
            making.progress.event(ProgressEvent::Bootstrapping {
                target: making.target.to_owned(),
                line: line.clone(),
            });
            said.hear(line);
        }
    };
    // Told by the tool itself, a full disk would leave it hanging.
    let written = async {
        let Some(mut stdout) = stdout else {
            return Ok(());
        };
        tokio::io::copy(&mut stdout, &mut file).await?;
        file.flush().await
    };
    let all = async {
        let written = async { written.await.map_err(Error::io("writing", output)) };
        let told = async {
            told.await;
            Ok(())
        };
        tokio::try_join!(written, told)
    };
    let done = match timeout(DEADLINE, all).await {
        Ok(done) => done.map(drop),
        Err(_) => Err(Error::Deadline {
            fleet: making.target.to_owned(),
            doing: "bootstrapping it with mmdebstrap".to_owned(),
            after: DEADLINE,
            tail: Vec::new(),
        }),
    };
    if done.is_err() {
        drop(stopped);
        let _ = timeout(CLEANUP, child.wait()).await;
        return done.map(|()| None);
    }
    let status = child
        .wait()
        .await
        .map_err(Error::io("waiting for", "mmdebstrap"))?;
    stopped.has_ended();
    Ok((!status.success()).then_some(Failed { status, said }))
}

/// What stands on a terminal after this line: apt shows progress by overwriting it.
pub(super) fn last_shown(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    line.rsplit('\r')
        .find(|part| !part.is_empty())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overwritten_lines_show_their_end() {
        assert_eq!(last_shown(b"I: done"), "I: done");
        assert_eq!(last_shown(b"10%\r50%\r100%\r"), "100%");
        assert_eq!(last_shown(b""), "");
    }
}
