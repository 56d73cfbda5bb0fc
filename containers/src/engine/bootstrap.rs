//! A base system from a Debian mirror, by mmdebstrap(1), kept as a tar file.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::timeout,
};

use crate::{Cache, Error, Progress, ProgressEvent, Result, Target, recipe::Recipe};

/// Most time one bootstrap may take; a slow mirror is no error before that.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Bootstraps at a time: they share one mirror and one disk.
const AT_ONCE: usize = 2;
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
    let partial = Partial(path.with_extension(format!("partial-{}", std::process::id())));
    let mut failed = run(target, release, false, &partial.0, progress).await?;
    if failed.as_ref().is_some_and(Failed::is_expired) {
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

/// A file that is removed unless it was renamed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

struct Failed {
    status: ExitStatus,
    tail: VecDeque<String>,
}

impl Failed {
    fn is_expired(&self) -> bool {
        let words = ["is expired", "is not valid anymore", "has expired"];
        self.tail
            .iter()
            .any(|line| words.iter().any(|word| line.contains(word)))
    }

    fn into_error(self, target: &Target, cache: &Cache) -> Error {
        if self
            .tail
            .iter()
            .any(|line| line.contains("No space left on device"))
        {
            return Error::DiskFull {
                path: cache.directory().to_owned(),
            };
        }
        Error::Bootstrap {
            target: target.name().to_owned(),
            status: self.status.to_string(),
            tail: self.tail.into(),
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
    let mut child = Command::new("mmdebstrap")
        .args(Recipe::bootstrap_arguments(release, expired))
        .arg(output)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::MissingTool {
                tool: "mmdebstrap".to_owned(),
                package: "mmdebstrap".to_owned(),
            },
            _ => Error::io("running", "mmdebstrap")(error),
        })?;
    let guard = Terminate(child.id());
    let mut tail = VecDeque::new();
    let work = async {
        if let Some(stderr) = child.stderr.take() {
            let mut lines = BufReader::new(stderr).split(b'\n');
            while let Ok(Some(line)) = lines.next_segment().await {
                // apt shows progress by overwriting its line.
                let line = String::from_utf8_lossy(&line).into_owned();
                let line = line
                    .rsplit('\r')
                    .find(|part| !part.is_empty())
                    .unwrap_or_default()
                    .to_owned();
                progress.event(ProgressEvent::Bootstrapping {
                    target: target.name().to_owned(),
                    line: line.clone(),
                });
                if tail.len() == TAIL {
                    tail.pop_front();
                }
                tail.push_back(line);
            }
        }
        child.wait().await
    };
    let status = timeout(DEADLINE, work)
        .await
        .map_err(|_| Error::Deadline {
            fleet: target.name().to_owned(),
            doing: "bootstrapping it with mmdebstrap".to_owned(),
            after: DEADLINE,
            tail: Vec::new(),
        })?
        .map_err(Error::io("waiting for", "mmdebstrap"))?;
    std::mem::forget(guard);
    Ok((!status.success()).then_some(Failed { status, tail }))
}

/// Ends mmdebstrap when nobody waits for it any more; unlike SIGKILL, SIGTERM lets it clean up.
struct Terminate(Option<u32>);

impl Drop for Terminate {
    fn drop(&mut self) {
        let pid = self
            .0
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}
