//! `pfs mutate`: does each case notice when what it is about is changed?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Error;
use super::confine::confined;
use super::gather::Listener;
use super::library::Library;
use super::prepare::{Ground, open_engine, prepare, select, versions};
use super::run::{default_jobs, interrupted};
use crate::cli::{EngineName, Format, Mutate};
use crate::mutate::{Defaults, Fate, Mutant, mutants};
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, Outcome};
use crate::plan::{Case, Decision};
use crate::printable::say_json;
use crate::runner::{self, Examined};
use crate::scenario::{SideName, TargetVersions};
use crate::session::{Kind, Session};
use crate::snapshot::Snapshot;
use crate::{say, tell};

/// How many Postfix of their own run at once for cases that want one.
const OWN_FLEETS: usize = 6;
/// How many mutants share one Postfix for each target: each has a line or two in its master.cf, and a start with many
/// thousands of them takes longer than any other start may.
const SHARED_FLEET: usize = 1500;

/// The mutants of everything that runs; of a sample, one in `sample`.
///
/// # Errors
/// A mutation that makes no valid scenario.
pub fn mutants_of(ground: &Ground, sample: Option<u32>) -> Result<Vec<Mutant>, Error> {
    let all: Vec<TargetVersions> = ground
        .targets
        .values()
        .filter_map(|(_, facts)| versions(facts))
        .collect();
    let mut found = Vec::new();
    for decision in &ground.decisions {
        let Decision::Run(case) = decision else {
            continue;
        };
        let Some(own) = all.iter().find(|one| one.name == case.target) else {
            continue;
        };
        let sides = case.sides();
        let defaults = |side: SideName, name: &str| {
            let target = match side {
                SideName::Client => sides.client.as_ref(),
                SideName::Server => sides.server.as_ref(),
            };
            let (_, facts) = ground.targets.get(target?)?;
            facts.defaults.get(name).cloned()
        };
        let defaults: &Defaults<'_> = &defaults;
        found.extend(mutants(case, own, &all, defaults).map_err(Error::Usage)?);
    }
    // What a key is set to in the cases of its file.
    let mut values: BTreeMap<(PathBuf, String), BTreeSet<String>> = BTreeMap::new();
    let mut variants: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for mutant in &found {
        let path = &mutant.case.scenario.path;
        let key = (path.clone(), mutant.mutation.key.clone());
        values.entry(key).or_default().insert(mutant.value.clone());
        let variants = variants.entry(path.clone()).or_default();
        variants.insert(mutant.original.to_string());
    }
    for mutant in &mut found {
        let path = &mutant.case.scenario.path;
        let key = (path.clone(), mutant.mutation.key.clone());
        mutant.constant = variants.get(path).is_some_and(|all| all.len() > 1)
            && values.get(&key).is_some_and(|all| all.len() == 1);
    }
    if let Some(n) = sample {
        found.retain(|mutant| mutant.in_sample(n));
    }
    Ok(found)
}

/// Runs a mutant and says what came of it.
pub async fn fate_of(session: &Session, mutant: &Mutant, slot: impl Send) -> Fate {
    let examined = runner::examine(session, &mutant.case, slot).await;
    let case = &mutant.case;
    let snapshot = Snapshot::of(&case.scenario.path, &mutant.original, &case.target);
    let compared = snapshot
        .compare(&examined.text())
        .map_err(|e| e.to_string());
    mutant.fate(&examined.outcome, compared)
}

pub(super) async fn mutate(options: Mutate) -> Result<u8, Error> {
    let started = Instant::now();
    let library = Library::of(&options.scenarios, &options.filters)?;
    let scenarios = select(library.dir(), &options.filters)?;
    let listener = Listener::new(|_| ());
    let ground = prepare(
        scenarios,
        &options.targets.names(),
        options.place.engine()?,
        &listener.events,
    )
    .await?;
    let engine = ground.engine.name();
    confined(engine, &Kind::Private, all(options, ground, started)).await
}

async fn all(options: Mutate, ground: Ground, started: Instant) -> Result<u8, Error> {
    let engine = ground.engine.name().to_string();
    for why in ground.unmade.values() {
        tell!("{why}");
    }
    let mutants = mutants_of(&ground, options.sample)?;
    let cases: BTreeSet<String> = mutants.iter().map(name).collect();
    tell!(
        "{} mutants of {} cases, engine {engine}",
        mutants.len(),
        cases.len()
    );
    let total = mutants.len();
    // Cases that want a Postfix of their own are run a few at a time.
    let (own, shared): (Vec<_>, Vec<_>) = mutants
        .into_iter()
        .partition(|mutant| has_own_fleet(&mutant.case));
    let batches = batches(shared, SHARED_FLEET)
        .into_iter()
        .chain(batches(own, OWN_FLEETS));
    let originals: BTreeMap<String, Case> = ground
        .decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Run(case) => {
                Some((format!("{} on {}", case.id, case.target), (**case).clone()))
            }
            Decision::NotApplicable { .. } | Decision::Broken { .. } => None,
        })
        .collect();
    let mut fates: Vec<(Mutant, Fate)> = Vec::new();
    let jobs = options.jobs.map_or_else(default_jobs, usize::from);
    for batch in batches {
        let work = run_batch(&ground, &originals, batch, jobs, options.place.engine()?);
        tokio::select! {
            done = work => fates.extend(done?),
            () = interrupted() => return Ok(EXIT_INTERRUPTED),
        }
        if fates.len() < total {
            tell!("{} of {total} run", fates.len());
        }
    }
    settle(&mut fates);
    fates.sort_by(|(a, _), (b, _)| (name(a), &a.mutation.what).cmp(&(name(b), &b.mutation.what)));
    let complete =
        options.filters.is_empty() && options.sample.is_none() && ground.unmade.is_empty();
    let stale = if complete { stale(&fates) } else { Vec::new() };
    let code = report(&options, &fates, &stale, started, &engine);
    Ok(if ground.unmade.is_empty() {
        code
    } else {
        EXIT_BROKEN
    })
}

/// As many at a time as fit into what is started for them.
fn batches(mutants: Vec<Mutant>, size: usize) -> Vec<Vec<Mutant>> {
    let mut rest = mutants.into_iter().peekable();
    let mut batches = Vec::new();
    while rest.peek().is_some() {
        batches.push(rest.by_ref().take(size).collect());
    }
    batches
}

/// The case a mutant was made from.
fn name(mutant: &Mutant) -> String {
    format!("{} on {}", mutant.original, mutant.case.target)
}

fn has_own_fleet(case: &Case) -> bool {
    case.fleets().any(|fleet| fleet.own.is_some())
}

/// Runs mutants, and the cases they were made from, in one session: all lines are in the fleets
/// from the start.
async fn run_batch(
    ground: &Ground,
    originals: &BTreeMap<String, Case>,
    mutants: Vec<Mutant>,
    jobs: usize,
    engine: EngineName,
) -> Result<Vec<(Mutant, Fate)>, Error> {
    let names: BTreeSet<String> = mutants.iter().map(name).collect();
    let baseline: Vec<Arc<Case>> = names
        .iter()
        .filter_map(|name| originals.get(name))
        .map(|case| Arc::new(case.clone()))
        .collect();
    let mutated = mutants.iter().map(|mutant| Arc::new(mutant.case.clone()));
    let catalogue: Vec<Arc<Case>> = baseline.iter().cloned().chain(mutated).collect();
    let (engine, cache) = open_engine(engine).await?;
    let session = Session::open(
        engine,
        &cache,
        Kind::Private,
        ground.targets.clone(),
        catalogue,
    )
    .await?;
    let session = Arc::new(session);
    let slots = Arc::new(Semaphore::new(jobs));
    let mut running = JoinSet::new();
    let mut announced = HashMap::new();
    let cases = baseline.into_iter().map(Work::Baseline);
    let mutants = mutants
        .into_iter()
        .map(|mutant| Work::Mutant(Box::new(mutant)));
    for work in cases.chain(mutants) {
        let (session, slots) = (Arc::clone(&session), Arc::clone(&slots));
        let known = work.clone();
        let task = running.spawn(async move {
            let slot = slots.acquire_owned().await;
            match work {
                Work::Baseline(case) => {
                    let outcome = runner::examine(&session, &case, slot).await.outcome;
                    Done::Baseline(name_of(&case), outcome)
                }
                Work::Mutant(mutant) => {
                    let fate = fate_of(&session, &mutant, slot).await;
                    Done::Mutant(mutant, fate)
                }
            }
        });
        announced.insert(task.id(), known);
    }
    let mut fates = Vec::new();
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    while let Some(ended) = running.join_next_with_id().await {
        let done = match ended {
            Ok((id, done)) => {
                announced.remove(&id);
                done
            }
            // A fault of this program: none of them is left out.
            Err(error) => match announced.remove(&error.id()) {
                Some(Work::Baseline(case)) => {
                    Done::Baseline(name_of(&case), Examined::lost(&error).outcome)
                }
                Some(Work::Mutant(mutant)) => {
                    Done::Mutant(mutant, Fate::Broken(format!("its task has ended: {error}")))
                }
                None => continue,
            },
        };
        match done {
            Done::Baseline(_, Outcome::Pass | Outcome::New { .. } | Outcome::Differs(_)) => {}
            Done::Baseline(name, other) => {
                let why = other.reasons().first().cloned().unwrap_or_default();
                wrong.insert(name, why);
            }
            Done::Mutant(mutant, fate) => fates.push((*mutant, fate)),
        }
    }
    session.close().await?;
    for (mutant, fate) in &mut fates {
        if let Some(why) = wrong.get(&name(mutant)) {
            *fate = Fate::Broken(format!("the case itself does not pass: {why}"));
        }
    }
    Ok(fates)
}

#[derive(Clone)]
enum Work {
    /// A case as it is.
    Baseline(Arc<Case>),
    Mutant(Box<Mutant>),
}

enum Done {
    /// A case as it is, by name, and what came of it.
    Baseline(String, Outcome),
    Mutant(Box<Mutant>, Fate),
}

fn name_of(case: &Case) -> String {
    format!("{} on {}", case.id, case.target)
}

/// Entries `[[equivalent]]` that stand for no mutant that made no difference.
fn stale(fates: &[(Mutant, Fate)]) -> Vec<String> {
    let mut entries: BTreeMap<(String, String), bool> = BTreeMap::new();
    // Of a file of which something could not be tried, nothing is known to be stale.
    let broken: BTreeSet<&Path> = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Broken(_)))
        .map(|(mutant, _)| mutant.case.scenario.path.as_path())
        .collect();
    for (mutant, fate) in fates {
        let scenario = &mutant.case.scenario;
        if broken.contains(scenario.path.as_path()) {
            continue;
        }
        for entry in &scenario.file.equivalent {
            for key in entry.key.iter() {
                let place = (scenario.path.display().to_string(), key.clone());
                let used = *key == mutant.mutation.key && matches!(fate, Fate::Equivalent(_));
                *entries.entry(place).or_default() |= used;
            }
        }
    }
    let unused = entries.into_iter().filter(|(_, used)| !used);
    unused
        .map(|((path, key), _)| format!("{path}: [[equivalent]] {key}: it makes a difference"))
        .collect()
}

/// Several mutants may change one key in several ways, and a key may have one value in all cases
/// of a file: then one that is noticed speaks for the others.
pub fn settle(fates: &mut [(Mutant, Fate)]) {
    let group = |mutant: &Mutant| {
        let case = (!mutant.constant).then(|| name(mutant));
        let file = mutant.case.scenario.path.clone();
        (file, case, mutant.mutation.key.clone())
    };
    let noticed: BTreeSet<_> = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Expectations(_) | Fate::Snapshot))
        .map(|(mutant, _)| group(mutant))
        .collect();
    for (mutant, fate) in fates {
        if *fate == Fate::Survived && noticed.contains(&group(mutant)) {
            *fate = Fate::Idle;
        }
    }
}

fn report(
    options: &Mutate,
    fates: &[(Mutant, Fate)],
    stale: &[String],
    started: Instant,
    engine: &str,
) -> u8 {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (mutant, fate) in fates {
        *counts.entry(fate.word()).or_default() += 1;
        match options.format {
            Format::Json => say_json(&object(mutant, fate)),
            Format::Text => {
                if let Some(text) = explain(mutant, fate) {
                    say!("{text}");
                }
            }
        }
    }
    for line in stale {
        tell!("{line}");
    }
    let count = |word| counts.get(word).copied().unwrap_or_default();
    let survived = count("survived") + count("survived-otherwise");
    let line = format!(
        "{} mutants: {} noticed by expectations or witnesses, {} by the snapshot alone, {} equivalent, \
         {} idle, {survived} survived, {} broken, in {:.1} s ({engine})",
        fates.len(),
        count("killed"),
        count("killed-by-snapshot"),
        count("equivalent"),
        count("idle"),
        count("broken"),
        started.elapsed().as_secs_f64(),
    );
    match options.format {
        Format::Json => tell!("{line}"),
        Format::Text => say!("{line}"),
    }
    match (survived + stale.len(), count("broken")) {
        (0, 0) => EXIT_PASS,
        (_, 0) => EXIT_FAIL,
        _ => EXIT_BROKEN,
    }
}

/// What is wrong with a case, if its mutant shows it.
fn explain(mutant: &Mutant, fate: &Fate) -> Option<String> {
    let what = &mutant.mutation.what;
    Some(match fate {
        Fate::Broken(why) => format!("BROKEN {}\n  {what}\n  {why}", name(mutant)),
        Fate::Otherwise(why) => format!("SURVIVED {}\n  {what}\n  {why}", name(mutant)),
        Fate::Survived => format!(
            "SURVIVED {}\n  {what}\n  the same: every expectation, the agreement of the witnesses, the snapshot",
            name(mutant)
        ),
        Fate::Equivalent(_) | Fate::Expectations(_) | Fate::Idle | Fate::Snapshot => return None,
    })
}

fn object(mutant: &Mutant, fate: &Fate) -> serde_json::Value {
    let detail = match fate {
        Fate::Broken(why)
        | Fate::Equivalent(why)
        | Fate::Expectations(why)
        | Fate::Otherwise(why) => Some(why),
        Fate::Idle | Fate::Snapshot | Fate::Survived => None,
    };
    json!({
        "id": mutant.original.to_string(),
        "target": mutant.case.target,
        "key": mutant.mutation.key,
        "mutation": mutant.mutation.what,
        "fate": fate.word(),
        "detail": detail,
    })
}
