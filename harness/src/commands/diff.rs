//! `pfs diff`: two targets side by side, or two files of results.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use pfs_containers::TargetFacts;
use tokio::sync::mpsc;

use super::Error;
use super::confine::confined;
use super::library::Library;
use super::prepare::{Ground, prepare, select};
use super::run::{default_jobs, interrupted};
use crate::cli::{Diff, DiffFormat, FailOn};
use crate::diff::{Accepted, Class, Comparison, Difference, Finding, Seen, Side, compare, fold};
use crate::event::{Announced, Event, Reproduce};
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, EXIT_TEXT};
use crate::plan::{Case, Decision};
use crate::report::result::ResultLine;
use crate::runner;
use crate::session::{Kind, Session};
use crate::{say, tell};

/// Cases of each way in which something differs that are run once more before it is told.
const AGAIN: usize = 3;

pub(super) async fn diff(options: Diff) -> Result<u8, Error> {
    let accepted = match &options.accepted {
        Some(path) => Some((path.clone(), Accepted::read(path).map_err(usage)?)),
        None => None,
    };
    let compared = match (file(&options.a), file(&options.b)) {
        (Some(a), Some(b)) => Some(of_files(&a, &b)?),
        (None, None) => of_targets(&options).await?,
        _ => {
            return Err(Error::Usage(
                "give two targets, or two files of `pfs run --format json`".to_owned(),
            ));
        }
    };
    let Some(mut comparison) = compared else {
        return Ok(EXIT_INTERRUPTED);
    };
    if let Some((path, accepted)) = accepted {
        comparison.accepted = accepted
            .take_from(&path, &mut comparison.findings, today())
            .map_err(usage)?;
    }
    match options.format {
        DiffFormat::Text => comparison.text().say(),
        DiffFormat::Markdown => say!("{}", comparison.markdown()),
        DiffFormat::Json => say!("{}", comparison.json()),
    }
    Ok(exit_code(&comparison, options.fail_on))
}

fn exit_code(comparison: &Comparison, fail_on: FailOn) -> u8 {
    let behaviour = comparison.differs_in_behaviour();
    match fail_on {
        _ if !comparison.broken.is_empty() => EXIT_BROKEN,
        FailOn::Never => EXIT_PASS,
        _ if behaviour => EXIT_FAIL,
        FailOn::Text if !comparison.findings.is_empty() => EXIT_TEXT,
        _ => EXIT_PASS,
    }
}

fn usage(error: impl ToString) -> Error {
    Error::Usage(error.to_string())
}

fn today() -> (u16, u8, u8) {
    let days = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |now| now.as_secs() / 86_400);
    // Days from the civil calendar's era of 400 years (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms).
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let small = |n: u64| u8::try_from(n).unwrap_or_default();
    (
        u16::try_from(year).unwrap_or(u16::MAX),
        small(month),
        small(of_month),
    )
}

fn file(argument: &str) -> Option<PathBuf> {
    let path = PathBuf::from(argument);
    let named = argument.ends_with(".jsonl") || argument.ends_with(".json");
    (named || path.is_file()).then_some(path)
}

fn of_files(a: &Path, b: &Path) -> Result<Comparison, Error> {
    let side = |path: &Path| Side {
        name: path.display().to_string(),
        versions: String::new(),
        argument: path.display().to_string(),
    };
    let (first, second) = (read(a)?, read(b)?);
    let told = differences(&first, &second);
    Ok(Comparison {
        a: side(a),
        b: side(b),
        compared: told.compared,
        same: told.compared - told.differences.len(),
        findings: fold(told.each()),
        unstable: Vec::new(),
        broken: told.broken,
        accepted: 0,
        reproduce: String::new(),
    })
}

/// Results of one target.
fn read(path: &Path) -> Result<BTreeMap<String, Seen>, Error> {
    let wrong = |why: String| Error::Usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut results = BTreeMap::new();
    let mut targets = BTreeSet::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let seen: Seen = serde_json::from_str(line)
            .map_err(|error| wrong(format!("line {}: {error}", number + 1)))?;
        targets.insert(seen.target.clone());
        results.insert(seen.id.clone(), seen);
    }
    if targets.len() > 1 {
        let names: Vec<String> = targets.into_iter().collect();
        let why = format!(
            "it has results of {}: keep those of one, such as with `pfs run --target {} --format json`",
            names.join(", "),
            names.first().map(String::as_str).unwrap_or_default()
        );
        return Err(wrong(why));
    }
    if results.is_empty() {
        return Err(wrong("no result in it".to_owned()));
    }
    Ok(results)
}

/// What differs, case by case.
#[derive(Default)]
struct Told {
    compared: usize,
    differences: BTreeMap<String, Vec<Difference>>,
    broken: Vec<(String, String)>,
}

impl Told {
    fn each(&self) -> impl Iterator<Item = (&str, &Difference)> {
        self.differences
            .iter()
            .flat_map(|(case, all)| all.iter().map(move |one| (case.as_str(), one)))
    }
}

fn differences(first: &BTreeMap<String, Seen>, second: &BTreeMap<String, Seen>) -> Told {
    let mut told = Told::default();
    for (id, a) in first {
        let Some(b) = second.get(id) else { continue };
        let broken = [a, b].into_iter().find(|seen| seen.outcome == "broken");
        if let Some(seen) = broken {
            let why = format!("on {}: {}", seen.target, seen.differences.join("; "));
            told.broken.push((id.clone(), why));
            continue;
        }
        told.compared += 1;
        let found = compare(a, b);
        if !found.is_empty() {
            told.differences.insert(id.clone(), found);
        }
    }
    told
}

async fn of_targets(options: &Diff) -> Result<Option<Comparison>, Error> {
    let library = Library::of(&options.scenarios, &options.filters)?;
    let scenarios = select(library.dir(), &options.filters)?;
    let (events, mut received) = mpsc::unbounded_channel();
    let teller = tokio::spawn(async move {
        while let Some(event) = received.recv().await {
            if let Event::Doing { target, what } = event {
                tell!("{target}: {what}");
            }
        }
    });
    let names = [options.a.clone(), options.b.clone()];
    let engine = options.place.engine()?;
    let ground = tokio::select! {
        ground = prepare(scenarios, &names, engine, &events) => ground?,
        () = interrupted() => return Ok(None),
    };
    drop(events);
    let _ = teller.await;
    ground.all_made()?;
    let engine = ground.engine.name();
    confined(engine, &Kind::Private, on_both(ground)).await
}

async fn on_both(ground: Ground) -> Result<Option<Comparison>, Error> {
    let [a, b] = ground.columns.as_slice() else {
        return Err(Error::Usage("give two different targets".to_owned()));
    };
    let (a, b) = (a.name.clone(), b.name.clone());
    let side = |name: &str| {
        ground.targets.get(name).map(|(target, facts)| Side {
            name: name.to_owned(),
            versions: versions(facts),
            argument: target.argument(),
        })
    };
    let (Some(side_a), Some(side_b)) = (side(&a), side(&b)) else {
        return Err(Error::Usage("give two different targets".to_owned()));
    };
    tell!(
        "- {a} ({}) {}\n+ {b} ({}) {}",
        side_a.versions,
        side_a.argument,
        side_b.versions,
        side_b.argument
    );
    let defaults = match (ground.targets.get(&a), ground.targets.get(&b)) {
        (Some((_, a)), Some((_, b))) => other_defaults(a, b),
        _ => Vec::new(),
    };
    let reproduce = format!(
        "pfs diff {} {} {{}} --engine {}",
        crate::printable::shell_word(&side_a.argument),
        crate::printable::shell_word(&side_b.argument),
        ground.engine.name()
    );
    let bench = Bench::open(ground).await?;
    let both = async {
        let decisions = bench.decisions.clone();
        let all = bench.run(decisions).await;
        let told = differences(all.of(&a), all.of(&b));
        let findings = fold(told.each());
        let again: BTreeSet<&String> = findings
            .iter()
            .flat_map(|finding| &finding.ways)
            .flat_map(|way| way.cases.iter().take(AGAIN))
            .collect();
        let decisions = bench.decisions.iter().filter(|decision| match decision {
            Decision::Run(case) => again.contains(&case.id.to_string()),
            Decision::NotApplicable { .. } | Decision::Broken { .. } => false,
        });
        let second = bench.run(decisions.cloned().collect()).await;
        let again = differences(second.of(&a), second.of(&b));
        (told, again)
    };
    let ended = tokio::select! {
        ended = both => Some(ended),
        () = interrupted() => None,
    };
    bench.session.close().await?;
    let Some((told, again)) = ended else {
        return Ok(None);
    };
    let (mut stable, unstable) = seen_again(&told, &again);
    let mut findings = fold(defaults.iter().map(|one| ("", one)));
    for finding in &mut findings {
        finding.cases.clear();
        finding.ways.iter_mut().for_each(|way| way.cases.clear());
    }
    findings.append(&mut stable);
    Ok(Some(Comparison {
        a: side_a,
        b: side_b,
        compared: told.compared,
        same: told.compared - told.differences.len(),
        findings,
        unstable,
        broken: told.broken,
        accepted: 0,
        reproduce,
    }))
}

fn versions(facts: &TargetFacts) -> String {
    format!(
        "Postfix {}, {}, compatibility_level {}",
        facts.mail_version, facts.openssl_text, facts.compatibility_level
    )
}

/// Parameters of TLS that both know, and that are built with different defaults.
fn other_defaults(a: &TargetFacts, b: &TargetFacts) -> Vec<Difference> {
    let tls = |name: &str| {
        name.split('_')
            .any(|word| ["tls", "tlsproxy", "openssl"].contains(&word))
    };
    let changed = a.defaults.iter().filter_map(|(name, old)| {
        let new = b.defaults.get(name)?;
        (tls(name) && new != old).then(|| Difference {
            class: Class::Default,
            field: name.clone(),
            old: shown(old),
            new: shown(new),
            example: vec![format!("- {name} = {old}"), format!("+ {name} = {new}")],
        })
    });
    changed.collect()
}

fn shown(value: &str) -> String {
    match value {
        "" => "(empty)".to_owned(),
        value => value.to_owned(),
    }
}

/// Those findings that were seen when some of their cases ran once more, and those that were not.
fn seen_again(told: &Told, again: &Told) -> (Vec<Finding>, Vec<Finding>) {
    let what = |one: &Difference| {
        (
            one.class,
            one.field.clone(),
            one.old.clone(),
            one.new.clone(),
        )
    };
    let seen: BTreeSet<_> = again.each().map(|(_, one)| what(one)).collect();
    // What applies to a target is known without running anything.
    let is_stable =
        |one: &Difference| one.class == Class::Applicability || seen.contains(&what(one));
    let stable = fold(told.each().filter(|(_, one)| is_stable(one)));
    let unstable = fold(told.each().filter(|(_, one)| !is_stable(one)));
    (stable, unstable)
}

/// Two targets with their fleets, for more than one run.
struct Bench {
    session: Arc<Session>,
    decisions: Vec<Decision>,
    engine: String,
}

/// Results by target and case.
#[derive(Default)]
struct Results {
    by_target: BTreeMap<String, BTreeMap<String, Seen>>,
    none: BTreeMap<String, Seen>,
}

impl Results {
    fn of(&self, target: &str) -> &BTreeMap<String, Seen> {
        self.by_target.get(target).unwrap_or(&self.none)
    }
}

impl Bench {
    async fn open(ground: Ground) -> Result<Self, Error> {
        let engine = ground.engine.name().to_string();
        let catalogue: Vec<Arc<Case>> = ground.cases();
        let decisions = ground.decisions;
        let session = Session::open(
            ground.engine,
            &ground.cache,
            Kind::Private,
            ground.targets,
            catalogue,
        )
        .await?;
        Ok(Self {
            session: Arc::new(session),
            decisions,
            engine,
        })
    }

    async fn run(&self, decisions: Vec<Decision>) -> Results {
        let (events, mut received) = mpsc::unbounded_channel();
        let keep = tokio::spawn(async move {
            let mut results = Results::default();
            while let Some(event) = received.recv().await {
                if let Event::Case(result) = event
                    && let Some(seen) =
                        serde_json::to_value(ResultLine::of(&result, &Announced::default()))
                            .ok()
                            .and_then(|line| serde_json::from_value::<Seen>(line).ok())
                {
                    let of_target = results.by_target.entry(seen.target.clone()).or_default();
                    of_target.insert(seen.id.clone(), seen);
                }
            }
            results
        });
        let options = runner::Options {
            jobs: default_jobs(),
            accept: false,
            snapshots: runner::Snapshots::Unread,
            reproduce: Reproduce::default().on(&self.engine),
        };
        runner::run(&self.session, decisions, options, &events).await;
        drop(events);
        keep.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_calendar() {
        let (year, month, day) = today();
        assert!(year >= 2026 && (1..=12).contains(&month) && (1..=31).contains(&day));
    }
}
