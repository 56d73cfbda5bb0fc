//! `cargo test`: every scenario file is a test, run on every default target and judged as `pfs run`
//! judges. What is not meant for a target is a test of its own, ignored, with the reason in its name.
//! `PFS_ENGINE` (auto, docker, chroot) and `PFS_TARGETS` (names separated by commas) choose other ones.
//!
//! The fleets are shared by all tests, also by those of other processes (`cargo nextest`), and
//! end by themselves soon after the last one.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use harness::cli::{Targets, Where};
use harness::commands::{Error, Ground, fate_of, foresee, mutants_of, prepare, settle};
use harness::event::{CaseResult, Event, Reproduce};
use harness::mutate::{Fate, Mutant};
use harness::outcome::Outcome;
use harness::plan::Decision;
use harness::runner::{self, Options, Snapshots};
use harness::scenario::{Scenario, load};
use harness::session::{Kind, Session};
use harness::snapshot::{self, Comparison, Snapshot};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, mpsc};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// What all tests of a process share.
struct Shared {
    session: Arc<Session>,
    decisions: Vec<Decision>,
    mutants: Vec<Mutant>,
    reproduce: Reproduce,
}

/// One mutated key in this many is tried here; `pfs mutate` tries all.
const SAMPLE: u32 = 40;
/// How many mutants run at once.
const MUTANTS_AT_ONCE: usize = 16;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match trials() {
        Ok(trials) => trials,
        // Whatever was asked for, listing included: no filter leaves this out.
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::FAILURE;
        }
    };
    let count = trials.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The name was in the list a moment ago: a test that is gone has not passed.
    let named = arguments.exact && !arguments.list && std::env::var_os("NEXTEST").is_some();
    if named && usize::try_from(conclusion.num_filtered_out) == Ok(count) {
        eprintln!("no test has this name any more: {:?}", arguments.filter);
        return ExitCode::FAILURE;
    }
    if let Some(shared) = SHARED.get() {
        // Of the processes of others too: only where there is one process are they all ours.
        let crashes = shared.session.unheard_crashes();
        for (fleet, line) in &crashes {
            eprintln!("{fleet}: a process crashed: {line}");
        }
        if !crashes.is_empty() && std::env::var_os("NEXTEST").is_none() {
            return ExitCode::FAILURE;
        }
    }
    conclusion.exit_code()
}

/// A test for each file of which some case will run, an ignored one for each case and target that will not, and the mutants.
///
/// # Errors
/// Scenarios that cannot be read, names that are no targets: there is no telling which tests there are.
fn trials() -> Result<Vec<Trial>, String> {
    let scenarios: Vec<Arc<Scenario>> = read()?.into_iter().map(Arc::new).collect();
    // Decided from nominal versions: whoever only lists the tests has made no target yet, and the list must be the same
    // each time.
    let foreseen = foresee(&scenarios, &targets()).map_err(|error| lines(&error))?;
    let mut files: BTreeMap<PathBuf, (String, bool)> = BTreeMap::new();
    for scenario in &scenarios {
        let name = format!("{}/{}", scenario.id.topic, scenario.id.case);
        let runs = foreseen.is_none();
        files.insert(scenario.path.clone(), (name, runs));
    }
    let mut ignored = Vec::new();
    let mut told = BTreeSet::new();
    for decision in foreseen.into_iter().flatten() {
        let scenario = decision.scenario();
        if let Decision::NotApplicable { target, why, .. } = &decision {
            let (id, on) = (scenario.id.clone(), target.clone());
            let name = format!("{id} on {target}: not applicable: {why}");
            told.insert((id.to_string(), on.clone()));
            let runner = move || {
                let is_it = |one: &Decision| one.scenario().id == id && one.target() == on;
                judged(is_it, &BTreeSet::new())
            };
            ignored.push(Trial::ignorable_test(name, runner).with_ignored_flag(true));
        } else if let Some((_, runs)) = files.get_mut(&scenario.path) {
            *runs = true;
        }
    }
    let told = Arc::new(told);
    let running = files.into_iter().filter(|(_, (_, runs))| *runs);
    let mut trials: Vec<Trial> = running
        .map(|(path, (name, _))| {
            let told = Arc::clone(&told);
            Trial::ignorable_test(name, move || {
                judged(|one| one.scenario().path == path, &told)
            })
        })
        .collect();
    trials.extend(ignored);
    trials.push(Trial::test("mutants_of_a_sample_are_noticed", || {
        mutants_of_a_sample_are_noticed();
        Ok(())
    }));
    Ok(trials)
}

fn read() -> Result<Vec<Scenario>, String> {
    load(&directory()).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// The folder of this file.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .canonicalize()
        .expect("the scenarios")
}

/// The targets that were asked for; none for the default ones.
fn targets() -> Vec<String> {
    Targets { targets: vec![] }.names()
}

async fn shared() -> Shared {
    let directory = directory();
    let scenarios = read().unwrap_or_else(|error| panic!("{error}"));
    let engine = Where { engine: None }.engine();
    let engine = engine.unwrap_or_else(|error| panic!("{error}"));
    let targets = targets();
    let (events, mut received) = mpsc::unbounded_channel();
    RUNTIME.spawn(async move {
        while let Some(event) = received.recv().await {
            if let Event::Doing { target, what } = event {
                // A first run builds images for minutes.
                harness::tell!("{target}: {what}");
            }
        }
    });
    let scenarios = scenarios.into_iter().map(Arc::new).collect();
    let ground: Ground = prepare(scenarios, &targets, engine, &events)
        .await
        .unwrap_or_else(|e| panic!("{}", lines(&e)));
    // Those that want a Postfix of their own are left to `pfs mutate`: here it would live on.
    let mut mutants = mutants_of(&ground, Some(SAMPLE)).unwrap_or_else(|e| panic!("{}", lines(&e)));
    mutants.retain(|mutant| mutant.case.fleets().all(|fleet| fleet.own.is_none()));
    let mutated = mutants.iter().map(|mutant| Arc::new(mutant.case.clone()));
    let catalogue = ground.cases().into_iter().chain(mutated).collect();
    let key = key_of(&directory);
    let reproduce = Reproduce::new(None, &targets).on(ground.engine.name());
    let session = Session::open(
        ground.engine,
        &ground.cache,
        Kind::Shared(key),
        ground.targets,
        catalogue,
    )
    .await
    .unwrap_or_else(|e| panic!("{e}"));
    Shared {
        session: Arc::new(session),
        decisions: ground.decisions,
        mutants,
        reproduce,
    }
}

/// One session for each checkout.
fn key_of(directory: &Path) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    format!("{:08x}", hasher.finish() as u32)
}

/// Runs the cases that are meant as `pfs run` does. A test of which nothing ran is ignored, with the reasons; one of which a
/// part did not run says so, but for what stands among the ignored ones already (`told`, case and target).
fn judged(
    is_meant: impl Fn(&Decision) -> bool,
    told: &BTreeSet<(String, String)>,
) -> Result<Completion, Failed> {
    let results = RUNTIME.block_on(async {
        let shared = SHARED.get_or_init(shared).await;
        let meant = shared.decisions.iter().filter(|one| is_meant(one));
        let decisions: Vec<Decision> = meant.cloned().collect();
        let options = Options {
            jobs: decisions.len().max(1),
            accept: false,
            snapshots: Snapshots::Own,
            reproduce: shared.reproduce.clone(),
        };
        let (events, mut received) = mpsc::unbounded_channel();
        runner::cases(&shared.session, decisions, options, &events).await;
        drop(events);
        let mut results = Vec::new();
        while let Some(event) = received.recv().await {
            if let Event::Case(result) = event {
                results.push((path_of(shared, &result), result));
            }
        }
        results
    });
    let mut failures = Vec::new();
    let mut not_run = Vec::new();
    let mut unforeseen = Vec::new();
    for (path, result) in &results {
        match &result.outcome {
            Outcome::Pass | Outcome::New { fails: false, .. } | Outcome::Differs(_) => {}
            Outcome::NotApplicable(why) => {
                let (id, target) = (result.id.to_string(), &result.target);
                let line = format!("{id} on {target}: not applicable: {why}");
                if !told.contains(&(id, target.clone())) {
                    unforeseen.push(line.clone());
                }
                not_run.push(line);
            }
            Outcome::Fail(_) | Outcome::New { .. } | Outcome::Broken(_) => {
                offer(path, result);
                failures.push(failure(result));
            }
        }
    }
    if !failures.is_empty() {
        let (failed, all) = (failures.len(), results.len() - not_run.len());
        let text = failures.join("\n\n");
        return Err(format!("{failed} of {all} failed\n\n{text}").into());
    }
    if results.is_empty() {
        return Err("the run has no case of this test".into());
    }
    if not_run.len() == results.len() {
        return Ok(Completion::ignored_with(not_run.join("; ")));
    }
    for line in unforeseen {
        harness::tell!("{line}");
    }
    Ok(Completion::Completed)
}

/// The file of a result's case.
fn path_of(shared: &Shared, result: &CaseResult) -> PathBuf {
    let mut scenarios = shared.decisions.iter().map(Decision::scenario);
    let scenario = scenarios.find(|scenario| scenario.id == result.id);
    scenario.map_or_else(PathBuf::new, |scenario| scenario.path.clone())
}

/// Leaves a text that is not that of its snapshot to `cargo insta review`; the verdict is given already.
fn offer(path: &Path, result: &CaseResult) {
    let Some(evidence) = result.evidence() else {
        return;
    };
    let text = snapshot::text(evidence);
    let snapshot = Snapshot::of(path, &result.id, &result.target);
    if matches!(snapshot.compare(&text), Ok(Comparison::Same)) {
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&snapshot.folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_input_file(path);
    settings.set_omit_expression(true);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(snapshot.name.clone(), text));
    }));
}

/// What is wrong with a case, in words.
fn failure(result: &CaseResult) -> String {
    let wrong = result.outcome.reasons().join("\n  ");
    let word = result.outcome.word();
    let mut text = format!("{} on {}: {word}\n  {wrong}", result.id, result.target);
    for (section, said) in result.sections() {
        text.push_str(&format!("\n[{section}]\n{}", said.trim_end()));
    }
    text.push_str(&format!(
        "\n{}reproduce: {}",
        result.configuration, result.reproduce
    ));
    text
}

/// A case whose mutant passes would pass for another reason than the one it is about. See
/// `pfs mutate`.
fn mutants_of_a_sample_are_noticed() {
    let mut fates: Vec<(Mutant, Fate)> = Vec::new();
    RUNTIME.block_on(async {
        let shared = SHARED.get_or_init(shared).await;
        assert!(!shared.mutants.is_empty(), "the sample is empty");
        for some in shared.mutants.chunks(MUTANTS_AT_ONCE) {
            let ended = some.iter().map(|mutant| async {
                (mutant.clone(), fate_of(&shared.session, mutant, ()).await)
            });
            fates.extend(futures_util::future::join_all(ended).await);
        }
    });
    settle(&mut fates);
    let wrong: Vec<String> = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Survived | Fate::Otherwise(_) | Fate::Broken(_)))
        .map(|(mutant, fate)| {
            format!(
                "{} on {}: {}: {fate:?}",
                mutant.original, mutant.case.target, mutant.mutation.what
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} mutants were not noticed\n{}",
        wrong.len(),
        fates.len(),
        wrong.join("\n")
    );
}

fn lines(error: &Error) -> String {
    error.lines().join("\n")
}
