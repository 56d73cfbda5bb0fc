//! `cargo test`: every scenario file is a test, run on every default target against the same
//! snapshots as `pfs run`. `PFS_ENGINE` (auto, docker, chroot) and `PFS_TARGETS` (names separated
//! by commas) choose other ones.
//!
//! The fleets are shared by all tests, also by those of other processes (`cargo nextest`), and
//! end by themselves soon after the last one.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use harness::cli::{Targets, Where};
use harness::commands::{
    Error, Ground, claims_page, corpus_of_snapshots, fate_of, mutants_of, prepare, settle,
};
use harness::event::Event;
use harness::mutate::{Fate, Mutant};
use harness::outcome::Outcome;
use harness::plan::{self, Case, Decision};
use harness::report::result;
use harness::runner::{self, Examined};
use harness::scenario::{load, schema};
use harness::session::{Kind, Session};
use harness::snapshot::Snapshot;
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, mpsc};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// What all tests of a process share.
struct Shared {
    session: Session,
    decisions: Vec<Decision>,
    mutants: Vec<Mutant>,
}

/// One mutated key in this many is tried here; `pfs mutate` tries all.
const SAMPLE: u32 = 40;
/// How many mutants run at once.
const MUTANTS_AT_ONCE: usize = 16;

/// The folder of this file.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .canonicalize()
        .expect("the scenarios")
}

async fn shared() -> Shared {
    let directory = directory();
    let scenarios = load(&directory).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    });
    let engine = Where { engine: None }.engine();
    let engine = engine.unwrap_or_else(|error| panic!("{error}"));
    let targets = Targets { targets: vec![] }.names();
    let (events, mut received) = mpsc::unbounded_channel();
    RUNTIME.spawn(async move {
        while let Some(event) = received.recv().await {
            if let Event::Doing { target, what } = event {
                // Past the capture of the test runner: a first run builds images for minutes.
                harness::tell!("{target}: {what}");
            }
        }
    });
    let scenarios = scenarios.into_iter().map(Arc::new).collect();
    let ground: Ground = prepare(scenarios, &targets, engine, &events)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    // Those that want a Postfix of their own are left to `pfs mutate`: here it would live on.
    let mut mutants = mutants_of(&ground, Some(SAMPLE)).unwrap_or_else(|e| panic!("{}", lines(&e)));
    mutants.retain(|mutant| mutant.case.fleets().all(|fleet| fleet.own.is_none()));
    let mutated = mutants.iter().map(|mutant| Arc::new(mutant.case.clone()));
    let catalogue = ground.cases().into_iter().chain(mutated).collect();
    let key = key_of(&directory);
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
        session,
        decisions: ground.decisions,
        mutants,
    }
}

/// One session for each checkout.
fn key_of(directory: &Path) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    format!("{:08x}", hasher.finish() as u32)
}

#[rstest]
fn scenario(#[files("../scenarios/*/*.toml")] path: PathBuf) {
    let path = path.canonicalize().expect("the file is there");
    let examined = RUNTIME.block_on(async {
        let shared = SHARED.get_or_init(shared).await;
        let cases = shared
            .decisions
            .iter()
            .filter_map(|decision| match decision {
                Decision::Run(case) if case.scenario.path == path => Some(&**case),
                _ => None,
            });
        futures_util::future::join_all(cases.map(async |case| {
            let examined = runner::examine(&shared.session, case, ()).await;
            (case.clone(), examined)
        }))
        .await
    });
    let mut failures: Vec<String> = examined
        .iter()
        .filter_map(|(case, examined)| failure(case, examined))
        .collect();
    let decisions = SHARED
        .get()
        .into_iter()
        .flat_map(|shared| &shared.decisions);
    failures.extend(decisions.filter_map(|decision| match decision {
        Decision::Broken {
            scenario,
            target,
            why,
        } if scenario.path == path => Some(format!("{} on {target}\n  broken: {why}", scenario.id)),
        _ => None,
    }));
    assert!(
        failures.is_empty(),
        "{} of {} failed\n\n{}",
        failures.len(),
        examined.len(),
        failures.join("\n\n")
    );
}

/// What is wrong with a case, in words.
fn failure(case: &Case, examined: &Examined) -> Option<String> {
    let mut wrong = match &examined.outcome {
        Outcome::Pass | Outcome::New(_) | Outcome::Differs(_) | Outcome::NotApplicable(_) => {
            Vec::new()
        }
        Outcome::Fail(differences) => differences.clone(),
        Outcome::Broken(why) => vec![format!("broken: {why}")],
    };
    if !matches!(examined.outcome, Outcome::Broken(_)) {
        let snapshot = Snapshot::of(&case.scenario.path, &case.id, &case.target);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&snapshot.folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_input_file(&case.scenario.path);
        settings.set_omit_expression(true);
        // Every case of the file is looked at, also behind one that differs.
        let compared = catch_unwind(AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(snapshot.name.clone(), examined.text()));
        }));
        if compared.is_err() {
            wrong.push(format!("differs from {}", snapshot.path().display()));
        }
    }
    if wrong.is_empty() {
        return None;
    }
    let mut text = format!("{} on {}\n  {}", case.id, case.target, wrong.join("\n  "));
    for (section, said) in examined.evidence.iter().flat_map(|all| all.sections()) {
        text.push_str(&format!("\n[{section}]\n{}", said.trim_end()));
    }
    text.push_str(&format!(
        "\n{}reproduce: pfs run '{}' --target {}",
        plan::show(case),
        case.id,
        case.target
    ));
    Some(text)
}

/// A case whose mutant passes would pass for another reason than the one it is about. See
/// `pfs mutate`.
#[test]
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

/// The committed page of claims is that of the scenarios and their snapshots.
#[test]
fn claims_page_is_current() {
    let path = directory().join("CLAIMS.md");
    let (page, _) = claims_page(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "run `cargo pfs claims >{}`",
        path.display()
    );
}

/// The committed corpus has what the snapshots have, and nothing else.
#[test]
fn corpus_is_current() {
    let folder = directory().join("corpus");
    let files = corpus_of_snapshots(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    let mut wrong: Vec<String> = Vec::new();
    for (name, text) in &files {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            wrong.push(format!("{name} is out of date"));
        }
    }
    for entry in std::fs::read_dir(&folder).expect("the corpus") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        if name != "README.md" && !files.iter().any(|(known, _)| *known == name) {
            wrong.push(format!("{name} belongs to no target"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nsee scenarios/corpus/README.md for the command that makes it",
        wrong.join("\n")
    );
}

/// Nothing that the documentation promises is without a scenario, on each side it names.
#[test]
fn every_claim_is_shown() {
    let (_, gaps) = claims_page(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

fn lines(error: &Error) -> String {
    error.lines().join("\n")
}

/// The committed schema is that of the code.
#[test]
fn schema_is_current() {
    let path = directory().join("schema.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema(),
        "run `cargo pfs schema >{}`",
        path.display()
    );
}

/// So is that of a result.
#[test]
fn result_schema_is_current() {
    let path = directory().join("result.schema.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == result::schema(),
        "run `cargo pfs schema result >{}`",
        path.display()
    );
}
