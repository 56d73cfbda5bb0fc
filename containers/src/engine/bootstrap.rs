//! A base system from a Debian mirror, by mmdebstrap(1), kept as a tar file.

mod process;

use std::{
    collections::VecDeque,
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

use crate::{
    Cache, Error, Progress, ProgressEvent, Result, Target, recipe::Recipe, removal::remove_tree,
};

/// Most time one bootstrap may take; a slow mirror is no error before that.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Bootstraps at a time: they share one mirror and one disk.
const AT_ONCE: usize = 2;
/// Most time mmdebstrap may take to clean up when it is told to stop.
const CLEANUP: Duration = Duration::from_secs(60);
/// What the names of unfinished files have in them.
pub(crate) const PARTIAL: &str = "partial-";
/// Lines of the tool's output that an error carries.
const TAIL: usize = 15;

/// The tar file of a release's base system, made if it does not exist.
pub(crate) async fn base(
    cache: &Cache,
    target: &Target,
    release: &str,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let name = format!("{release}-{}", Recipe::base_hash(release));
    let path = cache.subdirectory("bases")?.join(format!("{name}.tar"));
    if path.exists() {
        return Ok(path);
    }
    let purpose = format!("bootstrapping {target}");
    let _one = cache
        .lock(&format!("base-{name}"), &purpose, target.name(), progress)
        .await?;
    if path.exists() {
        return Ok(path);
    }
    let _slot = cache
        .slot("bootstrap", AT_ONCE, &purpose, target.name(), progress)
        .await?;
    let partial = Partial(path.with_extension(format!("{PARTIAL}{}", std::process::id())));
    let mut failed = run(target, release, false, &partial.0, progress).await?;
    if failed.as_ref().is_some_and(|failed| failed.said.expired) {
        let text = format!(
            "the mirror's Release file of {release} is older than it says it may be; taken as it is"
        );
        progress.event(ProgressEvent::Note {
            target: target.name().to_owned(),
            text,
        });
        failed = run(target, release, true, &partial.0, progress).await?;
    }
    if let Some(failed) = failed {
        return Err(failed.into_error(target, cache));
    }
    fs::rename(&partial.0, &path).map_err(Error::io("renaming", &partial.0))?;
    Ok(path)
}

/// A file that is removed unless it was renamed, and the directory beside it that mmdebstrap works in.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = remove_tree(&tree(&self.0));
    }
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
    fn into_error(self, target: &Target, cache: &Cache) -> Error {
        if self.said.disk_full {
            return Error::DiskFull {
                path: cache.directory().to_owned(),
            };
        }
        Error::Bootstrap {
            target: target.name().to_owned(),
            status: self.status.to_string(),
            tail: self.said.tail.into(),
        }
    }
}

async fn run(
    target: &Target,
    release: &str,
    expired: bool,
    output: &Path,
    progress: &dyn Progress,
) -> Result<Option<Failed>> {
    let mut file = File::create(output)
        .await
        .map_err(Error::io("creating", output))?;
    let (mut child, stopped) = process::start(
        &Recipe::bootstrap_arguments(release, expired),
        &tree(output),
    )?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut said = Said::default();
    let told = async {
        let Some(stderr) = stderr else { return };
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = last_shown(&line);
            let target = target.name().to_owned();
            progress.event(ProgressEvent::Bootstrapping {
                target,
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
            fleet: target.name().to_owned(),
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

/// The directory mmdebstrap works in.
fn tree(output: &Path) -> PathBuf {
    output.with_extension(format!("{PARTIAL}{}-tree", std::process::id()))
}

/// What stands on a terminal after this line: apt shows progress by overwriting it.
fn last_shown(line: &[u8]) -> String {
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
