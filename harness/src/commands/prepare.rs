//! From options to everything a run needs: scenarios, targets with their facts, a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pfs_containers::{Cache, Engine, EngineChoice, ProgressEvent, Settings, Target, TargetFacts};
use tokio::sync::mpsc;

use super::Error;
use crate::cli::EngineName;
use crate::event::{Event, TargetLine};
use crate::plan::{self, Case, Decision};
use crate::scenario::{self, Scenario, Selection, TargetVersions};

/// Everything a run stands on.
pub struct Ground {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// Images, roots, sessions.
    pub cache: Cache,
    /// Targets by name, with what they said of themselves.
    pub targets: BTreeMap<String, (Target, TargetFacts)>,
    /// The targets of the table, in order.
    pub columns: Vec<TargetLine>,
    /// What is to be done.
    pub decisions: Vec<Decision>,
}

impl Ground {
    /// The cases that will run.
    pub fn cases(&self) -> Vec<Arc<Case>> {
        self.decisions
            .iter()
            .filter_map(|decision| match decision {
                Decision::Run(case) => Some(Arc::new((**case).clone())),
                Decision::NotApplicable { .. } => None,
            })
            .collect()
    }
}

/// The wanted cases of a directory, or of the files that are named.
pub(super) fn select(dir: &Path, filters: &[String]) -> Result<Vec<Arc<Scenario>>, Error> {
    let (files, filters): (Vec<_>, Vec<_>) = filters
        .iter()
        .cloned()
        .partition(|filter| filter.ends_with(".toml"));
    let mut wanted = Vec::new();
    if !files.is_empty() {
        let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
        wanted.extend(scenario::load_files(&files)?);
    }
    if wanted.is_empty() || !filters.is_empty() {
        let selection = Selection { filters };
        let all = scenario::load(dir)?;
        let before = wanted.len();
        let names: Vec<String> = all.iter().map(|scenario| scenario.id.to_string()).collect();
        wanted.extend(
            all.into_iter()
                .filter(|scenario| selection.wants(&scenario.id)),
        );
        if wanted.len() == before {
            let asked = selection.filters.join(" ");
            let near = scenario::nearest(&asked, names.iter().map(String::as_str))
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            return Err(Error::Usage(format!(
                "no case's name contains `{asked}`{near}"
            )));
        }
    }
    Ok(wanted.into_iter().map(Arc::new).collect())
}

/// What is known of a target without asking it.
pub(super) fn nominal(target: &Target) -> Option<TargetVersions> {
    Some(TargetVersions {
        name: target.name().to_owned(),
        postfix: target.nominal_postfix()?.to_string().parse().ok()?,
        openssl: target.nominal_openssl()?.to_string().parse().ok()?,
    })
}

pub(super) fn versions(facts: &TargetFacts) -> Option<TargetVersions> {
    let number = facts
        .openssl_text
        .split_whitespace()
        .find_map(|word| word.parse().ok());
    Some(TargetVersions {
        name: facts.target.clone(),
        postfix: facts.mail_version.parse().ok()?,
        openssl: number?,
    })
}

/// Opens the engine that was asked for, in the user's cache.
pub(super) async fn open_engine(name: EngineName) -> Result<(Box<dyn Engine>, Cache), Error> {
    let cache = Cache::of_user();
    let choice = match name {
        EngineName::Auto => EngineChoice::Auto,
        EngineName::Chroot => EngineChoice::Chroot,
        EngineName::Docker => EngineChoice::Docker,
    };
    let engine = choice.open(Settings::new(cache.clone())).await?;
    Ok((engine, cache))
}

/// Reads scenarios, prepares targets, plans. Slow steps are told to `events`.
///
/// # Errors
/// Scenarios or options that are wrong, before anything is started; an engine or image that is
/// broken.
pub async fn prepare(
    scenarios: Vec<Arc<Scenario>>,
    target_names: &[String],
    engine: EngineName,
    events: &mpsc::UnboundedSender<Event>,
) -> Result<Ground, Error> {
    let mut asked: Vec<Target> = Vec::new();
    for name in target_names {
        let target = Target::parse(name)?;
        if asked.iter().any(|known| known.name() == target.name()) {
            return Err(Error::Usage(format!(
                "the target {} is given twice",
                target.name()
            )));
        }
        asked.push(target);
    }
    if asked.is_empty() {
        asked = Target::defaults().collect();
    }
    let mut needed = asked.clone();
    let pinned: BTreeSet<&str> = scenarios
        .iter()
        .flat_map(|scenario| [&scenario.file.server.on, &scenario.file.client.on])
        .filter_map(|on| on.as_deref())
        .collect();
    for name in pinned {
        if !needed.iter().any(|known| known.name() == name) {
            needed.push(Target::parse(name)?);
        }
    }
    let (engine, cache) = open_engine(engine).await?;
    // What dead runs left is in nobody's way: a sweep that fails must not stop this one.
    let _ = engine.sweep().await;
    let targets = facts(&*engine, needed, events).await?;
    let all = targets
        .values()
        .map(|(_, facts)| {
            versions(facts).ok_or_else(|| {
                Error::Usage(format!(
                    "{}: cannot read the versions `{}` and `{}`",
                    facts.target, facts.mail_version, facts.openssl_text
                ))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let table: Vec<TargetVersions> = asked
        .iter()
        .filter_map(|target| all.iter().find(|one| one.name == target.name()))
        .cloned()
        .collect();
    let columns = table
        .iter()
        .map(|versions| TargetLine {
            name: versions.name.clone(),
            versions: format!("Postfix {}, OpenSSL {}", versions.postfix, versions.openssl),
        })
        .collect();
    let decisions = plan::plan_all(&scenarios, &table, &all);
    check(&decisions, &targets)?;
    Ok(Ground {
        engine,
        cache,
        targets,
        columns,
        decisions,
    })
}

async fn facts(
    engine: &dyn Engine,
    needed: Vec<Target>,
    events: &mpsc::UnboundedSender<Event>,
) -> Result<BTreeMap<String, (Target, TargetFacts)>, Error> {
    let progress = |event: ProgressEvent| {
        if let Some((target, what)) = words(&event) {
            let _ = events.send(Event::Doing { target, what });
        }
    };
    let prepared = futures_util::future::join_all(
        needed
            .iter()
            .map(|target| engine.prepare(target, &progress)),
    )
    .await;
    let mut targets = BTreeMap::new();
    for (target, facts) in needed.into_iter().zip(prepared) {
        targets.insert(target.name().to_owned(), (target, facts?));
    }
    Ok(targets)
}

/// Progress as a sentence; nothing for what needs no telling.
fn words(event: &ProgressEvent) -> Option<(String, String)> {
    let (target, what) = match event {
        ProgressEvent::Pulling { target, image } => (target, format!("pulling {image}")),
        ProgressEvent::Bootstrapping { target, line } => (target, format!("bootstrapping: {line}")),
        ProgressEvent::Making { target, line } => (target, line.clone()),
        ProgressEvent::Building { target } => (target, "building the image".to_owned()),
        ProgressEvent::Waiting { target, reason, .. } => (target, format!("waiting: {reason}")),
        ProgressEvent::Note { target, text } => (target, text.clone()),
        _ => return None,
    };
    Some((target.clone(), what))
}

fn check(
    decisions: &[Decision],
    targets: &BTreeMap<String, (Target, TargetFacts)>,
) -> Result<(), Error> {
    let known: BTreeMap<&str, BTreeSet<String>> = targets
        .iter()
        .map(|(name, (_, facts))| {
            (
                name.as_str(),
                facts.parameters().map(str::to_owned).collect(),
            )
        })
        .collect();
    let mut errors = BTreeMap::new();
    for decision in decisions {
        if let Decision::Run(case) = decision
            && let Err(error) = plan::check_parameters(case, |target| known.get(target))
        {
            // Once for each place, not once for each variant of a matrix.
            errors
                .entry((error.place.clone(), error.target.clone()))
                .or_insert(error);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Parameters(errors.into_values().collect()))
    }
}
