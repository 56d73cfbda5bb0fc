//! The root a target is kept in: made once from its source, then shared by every fleet.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    Cache, Progress, ProgressEvent, Result, Target, TargetFacts,
    owned::{Found, Owned, Purpose, Unfinished},
    recipe::{FACTS_PATH, PREPARE, PREPARE_PATH},
    source::{Making, inside::Script, root_key},
    tree::Inside,
};

/// Most time `images/prepare.sh` may take in a new root.
const PREPARE_DEADLINE: Duration = Duration::from_secs(120);
/// Roots of one target that are kept: one that is being replaced may be in use.
const GENERATIONS: usize = 2;

/// A target's root, and what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The directory that holds `root`.
    pub(crate) path: PathBuf,
    /// Directories of this machine that the root shows.
    pub(crate) shown: Vec<PathBuf>,
    pub(crate) facts: TargetFacts,
    /// Nobody removes it meanwhile; none for one of an older version, which carries no mark.
    _in_use: Option<Arc<Owned>>,
}

/// Finds a target's root, or makes it.
pub(crate) async fn prepare(
    cache: &Cache,
    target: &Target,
    progress: &dyn Progress,
) -> Result<Kept> {
    let making = Making {
        target: target.name(),
        cache,
        progress,
    };
    let origin = target.source().origin();
    let key = root_key(&origin.key(&making).await?);
    let path = cache.subdirectory("roots")?.join(format!("{target}-{key}"));
    let shown = origin.shown();
    if !path.exists() {
        make(&making, target, &path, &shown).await?;
    }
    let in_use = Owned::join(&path, Purpose::Root).ok().map(Arc::new);
    let text = Inside::of(&path.join("root"))?.read(FACTS_PATH)?;
    Ok(Kept {
        facts: TargetFacts::parse(target, &key, &text)?,
        path,
        shown,
        _in_use: in_use,
    })
}

async fn make(making: &Making<'_>, target: &Target, kept: &Path, shown: &[PathBuf]) -> Result<()> {
    let name = kept.file_name().unwrap_or_default().to_string_lossy();
    let purpose = format!("building the root of {target}");
    let _one = making
        .cache
        .lock(
            &format!("root-{name}"),
            &purpose,
            making.target,
            making.progress,
        )
        .await?;
    if kept.exists() {
        return Ok(());
    }
    let unfinished = kept.with_file_name(format!("{name}.new-{}", std::process::id()));
    let new = Unfinished::make(&unfinished, Purpose::Root)?;
    if let Err(error) = fill(making, target, &new.path().join("root"), shown).await {
        new.discard().await;
        return Err(error);
    }
    new.finish(kept.file_name().unwrap_or_default())?;
    forget_older(target, kept);
    Ok(())
}

async fn fill(making: &Making<'_>, target: &Target, root: &Path, shown: &[PathBuf]) -> Result<()> {
    target.source().origin().fill(making, root).await?;
    making.progress.event(ProgressEvent::Building {
        target: making.target.to_owned(),
    });
    Script {
        root,
        shown,
        path: PREPARE_PATH,
        text: PREPARE,
        arguments: &[],
        doing: "asking its Postfix what it is",
        deadline: PREPARE_DEADLINE,
    }
    .run(making)
    .await
}

/// Removes what a user's target was made of some changes ago. Fleets have links of their own to what they use.
fn forget_older(target: &Target, kept: &Path) {
    if target.nominal_postfix().is_some() {
        return;
    }
    let is_generation = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let key = name
            .strip_prefix(target.name())
            .and_then(|rest| rest.strip_prefix('-'));
        key.is_some_and(|key| key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let made = |path: &PathBuf| path.metadata().and_then(|found| found.modified()).ok();
    let Some(Ok(found)) = kept.parent().map(fs::read_dir) else {
        return;
    };
    let mut generations: Vec<PathBuf> = found
        .flatten()
        .map(|entry| entry.path())
        .filter(is_generation)
        .collect();
    generations.sort_by_key(|path| std::cmp::Reverse(made(path)));
    for old in generations.iter().skip(GENERATIONS) {
        // What is in use, or cannot be removed, is in nobody's way.
        if let Found::Dead(old) = Owned::examine(old, Purpose::Root) {
            let _ = old.remove();
        }
    }
}
