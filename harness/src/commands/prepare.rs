//! From options to everything a run needs: scenarios, targets with their facts, a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use pfs_containers::{Cache, Engine, EngineChoice, ProgressEvent, Settings, Target, TargetFacts};
use tokio::sync::mpsc;

use super::Error;
use super::remembered::remember;
use crate::cli::EngineName;
use crate::event::{Event, TargetLine};
pub(super) use crate::plan::versions;
use crate::plan::{self, Case, Decision, Lacking};
use crate::scenario::{Scenario, Selection, TargetVersions};
use crate::{note, tell};

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
    /// Targets that were asked for and cannot be made, and why.
    pub unmade: BTreeMap<String, String>,
}

impl Ground {
    /// The cases that will run.
    pub fn cases(&self) -> Vec<Arc<Case>> {
        cases(&self.decisions)
    }

    /// For work that wants every target that was asked for.
    ///
    /// # Errors
    /// One of them cannot be made.
    pub fn all_made(&self) -> Result<(), Error> {
        match self.unmade.values().next() {
            None => Ok(()),
            Some(why) => Err(Error::Unmade(why.clone())),
        }
    }
}

/// The cases of `decisions` that will run.
pub(super) fn cases(decisions: &[Decision]) -> Vec<Arc<Case>> {
    decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Run(case) => Some(Arc::new((**case).clone())),
            Decision::NotApplicable { .. } | Decision::Broken { .. } => None,
        })
        .collect()
}

/// The cases that `arguments` mean, files and filters, in `dir` or in the files. What is wrong with files that are not
/// meant is told.
pub(super) fn select(dir: &Path, arguments: &[String]) -> Result<Vec<Arc<Scenario>>, Error> {
    let selected = Selection::of(arguments).select(dir)?;
    for error in &selected.left_out {
        tell!("left out, and wrong: {error}");
    }
    Ok(selected.scenarios.into_iter().map(Arc::new).collect())
}

/// What is known of a target without asking it.
pub(super) fn nominal(target: &Target) -> Option<TargetVersions> {
    Some(TargetVersions {
        name: target.name().to_owned(),
        postfix: target.nominal_postfix()?.to_string().parse().ok()?,
        openssl: target.nominal_openssl()?.to_string().parse().ok()?,
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
    let asked = asked(target_names)?;
    let pinned = pinned(&scenarios, &asked)?;
    let engine = match engine {
        EngineName::Auto if asked.iter().any(Target::needs_chroot) => EngineName::Chroot,
        asked => asked,
    };
    let (engine, cache) = open_engine(engine).await?;
    if let Some(why) = engine.leads_out().await? {
        note!("{why}");
    }
    // What dead runs left is in nobody's way: it is swept beside the work, whatever engine they had.
    let (found, others, ()) = tokio::join!(
        facts(&*engine, asked.clone(), events),
        facts(&*engine, pinned, events),
        pfs_containers::engine::sweep_all(Settings::new(cache.clone())),
    );
    let mut targets = BTreeMap::new();
    let mut unmade = BTreeMap::new();
    for (target, facts) in found {
        let name = target.name().to_owned();
        match facts {
            Ok(facts) => {
                targets.insert(name, (target, facts));
            }
            Err(error) if error.is_usage() => return Err(error.into()),
            Err(error) => {
                let why = format!("{name} cannot be made here: {error}");
                unmade.insert(name, why);
            }
        }
    }
    if targets.is_empty() {
        let all: Vec<String> = unmade.into_values().collect();
        return Err(Error::Unmade(all.join("\n")));
    }
    // Without a target that only a few scenarios name, the others still run.
    let mut missing = BTreeMap::new();
    for (target, facts) in others {
        match facts {
            Ok(facts) => {
                targets.insert(target.name().to_owned(), (target, facts));
            }
            Err(error) => {
                missing.insert(target.name().to_owned(), error.to_string());
            }
        }
    }
    let (scenarios, impossible): (Vec<_>, Vec<_>) = scenarios
        .into_iter()
        .partition(|scenario| names(scenario).all(|name| !missing.contains_key(name)));
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
    for versions in &all {
        if let Some((target, _)) = targets.get(&versions.name) {
            remember(&cache, target, versions);
        }
    }
    let table: Vec<TargetVersions> = asked
        .iter()
        .filter_map(|target| all.iter().find(|one| one.name == target.name()))
        .cloned()
        .collect();
    let columns = asked
        .iter()
        .map(|target| {
            let known = table.iter().find(|one| one.name == target.name());
            TargetLine {
                name: target.name().to_owned(),
                versions: known.map_or_else(
                    || "cannot be made here".to_owned(),
                    |it| format!("Postfix {}, OpenSSL {}", it.postfix, it.openssl),
                ),
            }
        })
        .collect();
    let (stopped, scenarios): (Vec<_>, Vec<_>) = scenarios
        .into_iter()
        .partition(|scenario| names(scenario).any(|name| unmade.contains_key(name)));
    let mut decisions = plan::plan_all(&scenarios, &table, &all);
    decisions.extend(broken(&scenarios, &stopped, &unmade, &table));
    decisions.extend(without(&impossible, &missing, &table));
    let decisions = check(decisions, &targets)?;
    Ok(Ground {
        engine,
        cache,
        targets,
        columns,
        decisions,
        unmade,
    })
}

/// The targets of these names, or the default ones.
fn asked(names: &[String]) -> Result<Vec<Target>, Error> {
    let mut asked: Vec<Target> = Vec::new();
    for name in names {
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
    Ok(asked)
}

/// What can be said of scenarios on targets before any of these is made, by the versions their distributions have. `None`
/// where the version of one of them is not known that early. The answer is the same each time it is asked, whatever a cache
/// holds.
///
/// # Errors
/// Names that are no targets.
pub fn foresee(
    scenarios: &[Arc<Scenario>],
    target_names: &[String],
) -> Result<Option<Vec<Decision>>, Error> {
    let asked = asked(target_names)?;
    let pinned = pinned(scenarios, &asked)?;
    let versions = |targets: &[Target]| targets.iter().map(nominal).collect::<Option<Vec<_>>>();
    let (Some(columns), Some(others)) = (versions(&asked), versions(&pinned)) else {
        return Ok(None);
    };
    let all: Vec<TargetVersions> = columns.iter().cloned().chain(others).collect();
    Ok(Some(plan::plan_all(scenarios, &columns, &all)))
}

/// Targets that scenarios fix a side to, besides those asked for. A pair that is fixed on both sides runs only where one of
/// them was asked for.
fn pinned(scenarios: &[Arc<Scenario>], asked: &[Target]) -> Result<Vec<Target>, Error> {
    let is_asked = |name: &str| asked.iter().any(|target| target.name() == name);
    let mut wanted = BTreeSet::new();
    for scenario in scenarios {
        let fixed: Vec<&str> = names(scenario).collect();
        if fixed.len() < 2 || fixed.iter().any(|name| is_asked(name)) {
            wanted.extend(fixed.into_iter().filter(|name| !is_asked(name)));
        }
    }
    Ok(wanted
        .into_iter()
        .map(Target::parse)
        .collect::<Result<_, _>>()?)
}

/// The targets that a scenario fixes a side to.
fn names(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let sides = [&scenario.file.server.on, &scenario.file.client.on];
    sides.into_iter().filter_map(|on| on.as_deref())
}

/// What becomes of scenarios that name a target that cannot be made here.
fn without(
    scenarios: &[Arc<Scenario>],
    missing: &BTreeMap<String, String>,
    table: &[TargetVersions],
) -> Vec<Decision> {
    let why = |scenario: &Scenario| {
        let (name, error) = names(scenario).find_map(|name| missing.get_key_value(name))?;
        Some(format!(
            "its other side is {name}, which cannot be made here: {error}"
        ))
    };
    let mut decisions = Vec::new();
    for scenario in scenarios {
        let both = names(scenario).count() == 2;
        for column in table.iter().take(if both { 1 } else { table.len() }) {
            decisions.extend(why(scenario).map(|why| Decision::NotApplicable {
                scenario: Arc::clone(scenario),
                target: column.name.clone(),
                why,
            }));
        }
    }
    decisions
}

/// What becomes of cases on a target that was asked for and cannot be made, and of `stopped`, scenarios that fix a side to
/// one: nothing is learned about any of them.
fn broken(
    scenarios: &[Arc<Scenario>],
    stopped: &[Arc<Scenario>],
    unmade: &BTreeMap<String, String>,
    table: &[TargetVersions],
) -> Vec<Decision> {
    let one = |scenario: &Arc<Scenario>, target: &str, why: &String| Decision::Broken {
        scenario: Arc::clone(scenario),
        target: target.to_owned(),
        why: why.clone(),
    };
    let mut decisions = Vec::new();
    // Those with both sides fixed are the same on every target, and run elsewhere.
    for scenario in scenarios.iter().filter(|one| names(one).count() < 2) {
        decisions.extend(unmade.iter().map(|(name, why)| one(scenario, name, why)));
    }
    for scenario in stopped {
        let Some((name, why)) = names(scenario).find_map(|name| unmade.get_key_value(name)) else {
            continue;
        };
        if names(scenario).count() == 2 {
            decisions.push(one(scenario, name, why));
            continue;
        }
        decisions.extend(unmade.keys().map(|column| one(scenario, column, why)));
        let columns = table.iter().map(|column| column.name.as_str());
        decisions.extend(columns.map(|column| one(scenario, column, why)));
    }
    decisions
}

async fn facts(
    engine: &dyn Engine,
    targets: Vec<Target>,
    events: &mpsc::UnboundedSender<Event>,
) -> Vec<(Target, Result<TargetFacts, pfs_containers::Error>)> {
    let progress = |event: ProgressEvent| {
        if let Some((target, what)) = words(&event) {
            let _ = events.send(Event::Doing { target, what });
        }
    };
    let prepared = futures_util::future::join_all(
        targets
            .iter()
            .map(|target| engine.prepare(target, &progress)),
    )
    .await;
    targets.into_iter().zip(prepared).collect()
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

/// Takes the cases out that set what their target's Postfix does not have.
pub(super) fn check(
    decisions: Vec<Decision>,
    targets: &BTreeMap<String, (Target, TargetFacts)>,
) -> Result<Vec<Decision>, Error> {
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
    let mut checked = Vec::new();
    for decision in decisions {
        let Decision::Run(case) = &decision else {
            checked.push(decision);
            continue;
        };
        match plan::check_parameters(case, &known) {
            Ok(()) => checked.push(decision),
            Err(Lacking::Here { target, name }) => checked.push(Decision::NotApplicable {
                scenario: Arc::clone(&case.scenario),
                target: case.target.clone(),
                why: format!(
                    "needs the parameter `{name}`, which the Postfix of {target} does not have"
                ),
            }),
            Err(Lacking::Everywhere(error)) => {
                // Once for each place, not once for each variant of a matrix.
                errors
                    .entry((error.place.clone(), error.target.clone()))
                    .or_insert(error);
            }
        }
    }
    if errors.is_empty() {
        Ok(checked)
    } else {
        Err(Error::Parameters(errors.into_values().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn what_cannot_run_is_known_before_anything_is_made() {
        let text = "why = \"w\"\ntargets = [\"postfix >= 3.6\"]\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
        let scenarios = parse(Path::new("mine/new.toml"), text).unwrap();
        let scenarios: Vec<_> = scenarios.into_iter().map(Arc::new).collect();
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let foreseen = foresee(&scenarios, &names(&["debian-11", "debian-12"]));
        let [old, new] = foreseen.unwrap().unwrap().try_into().unwrap();
        assert!(
            matches!(&old, Decision::NotApplicable { target, why, .. }
                if target == "debian-11" && why.contains("postfix >= 3.6")),
            "{old:?}"
        );
        assert!(matches!(new, Decision::Run(_)), "{new:?}");
        // Nobody knows the version of an own image: nothing is said to be impossible.
        let own = names(&["debian-11", "mine=image:registry.test/postfix:1"]);
        assert!(foresee(&scenarios, &own).unwrap().is_none());
    }
}
