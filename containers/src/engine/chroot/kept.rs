//! The root a target is kept in: made once from a bootstrapped base, then shared by every fleet.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::Instant};

use super::root;
use crate::{
    Cache, Error, Progress, ProgressEvent, Result, Target, cache::in_thread, engine::bootstrap,
    fleet::ready::within, recipe::PREPARE, removal::remove_tree,
};

/// Most time `images/prepare.sh` may take in a new root.
const PREPARE_DEADLINE: Duration = Duration::from_secs(120);

/// Makes a target's root.
pub(crate) async fn make(
    cache: &Cache,
    target: &Target,
    release: &str,
    kept: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let name = kept.file_name().unwrap_or_default().to_string_lossy();
    let purpose = format!("building the root of {target}");
    let _one = cache
        .lock(&format!("root-{name}"), &purpose, target.name(), progress)
        .await?;
    if kept.exists() {
        return Ok(());
    }
    let tar = bootstrap::base(cache, target, release, progress).await?;
    progress.event(ProgressEvent::Building {
        target: target.name().to_owned(),
    });
    let new = Unfinished(kept.with_extension(format!("new-{}", std::process::id())));
    let root = new.0.join("root");
    let unpacked = root.clone();
    in_thread(move || root::unpack(&tar, &unpacked)).await?;
    run_prepare(target, &root).await?;
    fs::rename(&new.0, kept).map_err(Error::io("renaming", &new.0))
}

/// A root directory in the making, removed unless it was renamed.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = remove_tree(&self.0);
    }
}

async fn run_prepare(target: &Target, root: &Path) -> Result<()> {
    let script = root.join("usr/share/pfs/prepare.sh");
    fs::create_dir_all(root.join("usr/share/pfs"))
        .map_err(Error::io("creating", root.join("usr/share/pfs")))?;
    fs::write(&script, PREPARE).map_err(Error::io("writing", &script))?;
    let run = Command::new("chroot")
        .arg(root)
        .args(["/bin/sh", "/usr/share/pfs/prepare.sh"])
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = within(
        Instant::now() + PREPARE_DEADLINE,
        target.name(),
        "running prepare.sh in its root",
        async { run.await.map_err(Error::io("running", "chroot")) },
    )
    .await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<String> = said.lines().map(str::to_owned).collect();
    let tail = lines[lines.len().saturating_sub(15)..].to_vec();
    Err(Error::ImageBuild {
        target: target.name().to_owned(),
        tail,
    })
}
