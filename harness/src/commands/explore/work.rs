//! Runs the rows of an array, and changes of them that must change nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Array;
use super::notes::{Done, Notes};
use crate::cli::Explore;
use crate::commands::Error;
use crate::commands::prepare::{Ground, check as check_parameters, open_engine};
use crate::commands::run::{default_jobs, interrupted};
use crate::explore::{
    Finding, Intent, Row, Seen, Space, TWINS, check, differences, document, scenario,
};
use crate::outcome::Outcome;
use crate::plan::{self, Case, Decision};
use crate::runner;
use crate::scenario::{Scenario, TargetVersions};
use crate::session::{Kind, Session};

/// How many rows each of the changes that must change nothing is tried on.
const TWINS_EACH: usize = 15;

/// What came of the rows of a target.
#[derive(Default)]
pub(super) struct Ran {
    /// Rows that have run, by number.
    pub(super) rows: BTreeSet<usize>,
    /// How many runs there were of changed rows.
    pub(super) twins: usize,
    /// Everything that broke a rule, twice.
    pub(super) findings: Vec<Finding>,
    /// Why rows could not be run.
    pub(super) broken: Vec<String>,
    /// The documents of rows and changed rows by name.
    pub(super) documents: BTreeMap<String, toml::Table>,
}

/// A combination to be run.
#[derive(Clone)]
struct Job {
    name: String,
    row: usize,
    /// The change that was made of it.
    twin: Option<usize>,
    invalid: bool,
    document: Arc<str>,
    scenario: Arc<Scenario>,
}

/// The jobs of an array: rows in their order, changed rows after them.
fn jobs(array: &Array) -> Result<(Vec<Job>, BTreeMap<String, toml::Table>), Error> {
    let mut jobs = Vec::new();
    let mut changed = Vec::new();
    let mut documents = BTreeMap::new();
    let mut tried = [0_usize; TWINS.len()];
    for (number, row) in array.rows.iter().enumerate() {
        let table = document(&array.space, row);
        let invalid = is_invalid(&array.space, row);
        let mut job = |name: String, twin: Option<usize>, table: toml::Table| {
            let one = scenario(&table, &name).map_err(|error| Error::Scenarios(vec![error]))?;
            let job = Job {
                name: name.clone(),
                row: number,
                twin,
                invalid,
                document: table.to_string().into(),
                scenario: Arc::new(one),
            };
            documents.insert(name, table);
            Ok::<_, Error>(job)
        };
        for (place, twin) in TWINS.iter().enumerate() {
            if tried[place] >= TWINS_EACH {
                continue;
            }
            if let Some(other) = (twin.of)(&table) {
                tried[place] += 1;
                changed.push(job(
                    format!("{number:04}-{}", twin.name),
                    Some(place),
                    other,
                )?);
            }
        }
        jobs.push(job(format!("{number:04}"), None, table)?);
    }
    jobs.extend(changed);
    Ok((jobs, documents))
}

fn is_invalid(space: &Space, row: &Row) -> bool {
    let mut chosen = space.axes.iter().zip(row);
    chosen.any(|(axis, value)| axis.values[*value].invalid)
}

/// Runs all of an array; `None` if interrupted.
pub(super) async fn run(
    options: &Explore,
    ground: &Ground,
    array: &Array,
    until: Option<Instant>,
) -> Result<Option<Ran>, Error> {
    let mut notes = Notes::open(options.resume.as_deref())?;
    let (jobs, documents) = jobs(array)?;
    let mut ran = Ran {
        documents,
        ..Ran::default()
    };
    let target = &array.target;
    let all = [target.clone()];
    let decisions = jobs
        .iter()
        .map(|job| plan::plan(&job.scenario, target, &all))
        .collect();
    let decisions = check_parameters(decisions, &ground.targets)?;
    let mut done: BTreeMap<String, Done> = BTreeMap::new();
    let mut work: Vec<(Job, Arc<Case>)> = Vec::new();
    for (job, decision) in jobs.iter().zip(decisions) {
        if let Some(known) = notes.of(&target.name, &job.document) {
            done.insert(job.name.clone(), known.clone());
            continue;
        }
        if let Decision::Run(case) = decision {
            work.push((job.clone(), Arc::new(*case)));
        }
    }
    let (engine, cache) = open_engine(options.place.engine()?).await?;
    let catalogue = work.iter().map(|(_, case)| Arc::clone(case)).collect();
    let targets = ground.targets.clone();
    let session = Session::open(engine, &cache, Kind::Private, targets, catalogue).await?;
    let session = Arc::new(session);
    let at_once = options.jobs.map_or_else(default_jobs, usize::from);
    let rounds = async {
        let first = round(&session, &work, target, at_once, until).await;
        // What is found once may be a machine's bad moment: it counts if it is found again.
        let suspects = suspects(&jobs, &done, &first);
        let again: Vec<_> = work
            .iter()
            .filter(|(job, _)| suspects.contains(&job.name))
            .cloned()
            .collect();
        let second = round(&session, &again, target, at_once, None).await;
        (first, second)
    };
    let ended = tokio::select! {
        both = rounds => Some(both),
        () = interrupted() => None,
    };
    session.close().await?;
    let Some((first, second)) = ended else {
        return Ok(None);
    };
    let mut before = done.clone();
    before.extend(first.clone());
    let mut after = before.clone();
    after.extend(second);
    for (name, own) in &first {
        let mut own = own.clone();
        own.findings.retain(|one| {
            let again = after.get(name).map(|other| &other.findings);
            again.is_some_and(|all| all.iter().any(|other| same(one, other)))
        });
        if own.broken.is_none() {
            notes.add(&own)?;
        }
        done.insert(name.clone(), own);
    }
    for job in &jobs {
        let Some(own) = done.get(&job.name) else {
            continue;
        };
        if let Some(why) = &own.broken {
            ran.broken.push(format!("{}: {why}", job.name));
            continue;
        }
        match job.twin {
            None => {
                ran.rows.insert(job.row);
                ran.findings.extend(own.findings.iter().cloned());
            }
            Some(_) => {
                ran.twins += 1;
                let once = compared(job, &before);
                let twice = compared(job, &after);
                ran.findings.extend(once.filter(|_| twice.is_some()));
            }
        }
    }
    Ok(Some(ran))
}

fn same(one: &Finding, other: &Finding) -> bool {
    (&one.rule, &one.cause) == (&other.rule, &other.cause)
}

/// What a change made that must make none.
fn compared(job: &Job, all: &BTreeMap<String, Done>) -> Option<Finding> {
    let twin = TWINS[job.twin?];
    let own = all.get(&job.name)?;
    let original = all.get(&format!("{:04}", job.row))?;
    if own.broken.is_some() || original.broken.is_some() {
        return None;
    }
    // The name of a combination is that of its services.
    let text = own.text.replace(&job.name, &format!("{:04}", job.row));
    let lines = differences(&original.text, &text);
    let first = lines.first()?;
    // The kind of the line: what is in it may be different each time.
    let words: Vec<&str> = first[1..].split_whitespace().take(4).collect();
    Some(Finding {
        rule: twin.name.to_owned(),
        cause: format!("it changes a line: {}", words.join(" ")),
        detail: lines.join("\n"),
        combination: job.name.clone(),
    })
}

/// The names of what is to be run again.
fn suspects(
    jobs: &[Job],
    done: &BTreeMap<String, Done>,
    first: &BTreeMap<String, Done>,
) -> BTreeSet<String> {
    let mut all = done.clone();
    all.extend(first.clone());
    let mut names = BTreeSet::new();
    for job in jobs {
        let found = first
            .get(&job.name)
            .is_some_and(|own| !own.findings.is_empty());
        if found && job.twin.is_none() {
            names.insert(job.name.clone());
        }
        if compared(job, &all).is_some() {
            names.insert(job.name.clone());
            names.insert(format!("{:04}", job.row));
        }
    }
    names
}

/// Runs jobs at once, as many as are allowed, and begins none after `until`.
async fn round(
    session: &Arc<Session>,
    work: &[(Job, Arc<Case>)],
    target: &TargetVersions,
    at_once: usize,
    until: Option<Instant>,
) -> BTreeMap<String, Done> {
    let slots = Arc::new(Semaphore::new(at_once));
    let target = Arc::new(target.clone());
    let mut running = JoinSet::new();
    for (job, case) in work {
        let (session, slots) = (Arc::clone(session), Arc::clone(&slots));
        let (job, case, target) = (job.clone(), Arc::clone(case), Arc::clone(&target));
        running.spawn(async move {
            let slot = slots.acquire_owned().await;
            if until.is_some_and(|until| Instant::now() >= until) {
                return None;
            }
            let examined = runner::examine(&session, &case, slot).await;
            let text = examined.text();
            let (broken, findings) = match (&examined.outcome, &examined.evidence) {
                (Outcome::Broken(why) | Outcome::NotApplicable(why), _) => {
                    (Some(why.clone()), Vec::new())
                }
                (_, None) => (Some("nobody said anything".to_owned()), Vec::new()),
                (_, Some(evidence)) => {
                    let seen = Seen {
                        scenario: &job.scenario,
                        intent: Intent::of(&job.scenario),
                        invalid: job.invalid,
                        versions: &target,
                        evidence,
                    };
                    let broken = check(&seen).into_iter();
                    let found = broken.map(|(rule, broken)| Finding {
                        rule: rule.to_owned(),
                        cause: broken.cause,
                        detail: broken.detail,
                        combination: job.name.clone(),
                    });
                    (None, found.collect())
                }
            };
            let done = Done {
                target: target.name.clone(),
                document: job.document.to_string(),
                broken,
                findings,
                text,
            };
            Some((job.name, done))
        });
    }
    let mut all = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        // A task that panicked is missed below: its row counts as not run.
        if let Ok(Some((name, done))) = ended {
            all.insert(name, done);
        }
    }
    all
}
