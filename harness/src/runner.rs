//! Drives cases through the stages. Knows no report type: what happens goes out as events.

mod case;
mod change;
mod collect;
mod fault;
mod peers;
mod place;
mod serve;

pub use case::{Gathered, Obstacle, gather};
pub use collect::SideLog;
pub use peers::{PeerSetupError, classic_client, classic_server, client_options, server_options};

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::outcome::{CaseResult, Outcome, Tally};
use crate::plan::{Case, Decision, Sides};
use crate::report::Event;
use crate::session::Session;
use crate::snapshot::{Comparison, Snapshot};
use crate::verdict::{self, Observation};

/// How a run is done.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many cases at once.
    pub jobs: usize,
    /// Write what was seen as the new snapshots.
    pub accept: bool,
}

/// Runs everything that is decided on; events go to `events` as they happen.
pub async fn run(
    session: &Arc<Session>,
    decisions: Vec<Decision>,
    options: Options,
    events: &mpsc::UnboundedSender<Event>,
) -> Tally {
    let mut tally = Tally::default();
    let slots = Arc::new(Semaphore::new(options.jobs));
    let mut running = JoinSet::new();
    for decision in decisions {
        let (session, slots) = (Arc::clone(session), Arc::clone(&slots));
        running.spawn(async move {
            match decision {
                Decision::NotApplicable {
                    scenario,
                    target,
                    why,
                } => CaseResult {
                    id: scenario.id.clone(),
                    target,
                    sides: Sides::default(),
                    why: scenario.file.why.clone(),
                    outcome: Outcome::NotApplicable(why),
                    elapsed: Duration::ZERO,
                    witnesses: Vec::new(),
                    configuration: String::new(),
                    accepted: false,
                },
                Decision::Run(case) => {
                    // Fleets start before a slot is taken: waiting for one must not stop the others.
                    // But those that a case has for itself: they would all start at once.
                    for key in case.fleets().filter(|key| key.own.is_none()) {
                        if let Err(error) = session.fleet(key, &case).await {
                            return broken(&case, error.to_string());
                        }
                    }
                    let _slot = slots.acquire().await;
                    if let Err(error) = peers::fleets(&session, &case).await {
                        return broken(&case, error.to_string());
                    }
                    run_case(&session, &case, options.accept).await
                }
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        let Ok(result) = ended else { continue };
        tally.add(&result.outcome);
        let _ = events.send(Event::Case(Box::new(result)));
    }
    let _ = events.send(Event::Finished(tally));
    tally
}

/// A case that has been run and judged, but not yet held against its snapshot.
#[derive(Debug)]
pub struct Examined {
    /// The case.
    pub case: Case,
    /// Expectations and agreement.
    pub outcome: Outcome,
    /// What belongs into the snapshot.
    pub text: String,
    /// What each witness said, redacted, by name.
    pub witnesses: Vec<(String, String)>,
    /// Wall time.
    pub elapsed: Duration,
}

/// Runs one case, on fleets that are there or are started for it, and judges it.
pub async fn examine(session: &Session, case: &Case) -> Examined {
    let started = Instant::now();
    let mut examined = Examined {
        case: case.clone(),
        outcome: Outcome::Pass,
        text: String::new(),
        witnesses: Vec::new(),
        elapsed: Duration::ZERO,
    };
    match gather(session, case).await {
        Ok(gathered) => {
            examined.elapsed = started.elapsed();
            let observation = Observation::of(gathered, session.pki());
            examined.outcome = verdict::judge(case, &observation);
            examined.text = observation.snapshot();
            examined.witnesses = observation.witnesses();
        }
        Err(Obstacle::Broken(why)) => examined.outcome = Outcome::Broken(why),
        Err(Obstacle::NotApplicable(why)) => examined.outcome = Outcome::NotApplicable(why),
    }
    session.release(case).await;
    if let Some(reason) = &case.scenario.file.known_bug {
        examined.outcome = verdict::known_bug(examined.outcome, reason);
    }
    examined
}

async fn run_case(session: &Session, case: &Case, accept: bool) -> CaseResult {
    let Examined {
        mut outcome,
        text,
        witnesses,
        elapsed,
        ..
    } = examine(session, case).await;
    let mut accepted = false;
    if matches!(outcome, Outcome::Pass | Outcome::Fail(_)) {
        (outcome, accepted) = with_snapshot(case, outcome, &text, accept);
    }
    CaseResult {
        id: case.id.clone(),
        target: case.target.clone(),
        sides: case.sides(),
        why: case.scenario.file.why.clone(),
        outcome,
        elapsed,
        witnesses,
        configuration: crate::plan::show(case),
        accepted,
    }
}

/// Holds the text against the snapshot. A case that fails anyhow is never accepted.
fn with_snapshot(case: &Case, outcome: Outcome, text: &str, accept: bool) -> (Outcome, bool) {
    let snapshot = Snapshot::of(&case.scenario.path, &case.id, &case.target);
    let failed = |outcome, difference: String| match outcome {
        Outcome::Fail(mut differences) => {
            differences.push(difference);
            Outcome::Fail(differences)
        }
        _ => Outcome::Fail(vec![difference]),
    };
    match (snapshot.compare(text), accept, &outcome) {
        (Ok(Comparison::Same), ..) => (outcome, false),
        (Ok(_), true, Outcome::Pass) => match snapshot.accept(text) {
            Ok(()) => (outcome, true),
            Err(error) => (
                Outcome::Broken(format!("{}: {error}", snapshot.path().display())),
                false,
            ),
        },
        (Ok(Comparison::Missing), ..) => {
            let path = snapshot.path();
            (
                failed(
                    outcome,
                    format!("no snapshot {}; --accept writes it", path.display()),
                ),
                false,
            )
        }
        (Ok(Comparison::Different(difference)), ..) => {
            let path = snapshot.path();
            (
                failed(
                    outcome,
                    format!("differs from {}:\n{difference}", path.display()),
                ),
                false,
            )
        }
        (Err(error), ..) => (Outcome::Broken(error.to_string()), false),
    }
}

fn broken(case: &Case, why: String) -> CaseResult {
    CaseResult {
        id: case.id.clone(),
        target: case.target.clone(),
        sides: case.sides(),
        why: case.scenario.file.why.clone(),
        outcome: Outcome::Broken(why),
        elapsed: Duration::ZERO,
        witnesses: Vec::new(),
        configuration: crate::plan::show(case),
        accepted: false,
    }
}
