//! Drives cases through the stages. Knows no report type: what happens goes out as events.

mod case;
mod change;
mod collect;
mod command;
mod fault;
mod peers;
mod place;
mod serve;

pub use case::{Obstacle, gather};
pub use peers::{PeerSetupError, classic_client, classic_server, client_options, server_options};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};

use crate::diff;
use crate::event::{CaseResult, Event, Reproduce, Said};
use crate::evidence::Evidence;
use crate::outcome::{Outcome, Tally};
use crate::plan::{Case, Decision, Sides};
use crate::session::{Session, SessionError};
use crate::snapshot::{self, Comparison, Snapshot};
use crate::verdict;

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many cases at once.
    pub jobs: usize,
    /// Write what was seen as the new snapshots.
    pub accept: bool,
    /// What is held against what was seen.
    pub snapshots: Snapshots,
    /// The command line that runs one of the cases alone.
    pub reproduce: Reproduce,
}

/// What a case's text is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Snapshots {
    /// The snapshot of its target.
    #[default]
    Own,
    /// The same; for these targets, where they have none, that of another target, if there is one.
    Baselines(BTreeMap<String, Option<String>>),
    /// None: expectations and agreement alone decide.
    Unread,
}

impl Snapshots {
    /// What a target is held against where it has no snapshot; `None` for one that must have its own.
    fn baseline(&self, target: &str) -> Option<Option<&str>> {
        match self {
            Self::Baselines(all) => all.get(target).map(Option::as_deref),
            Self::Own | Self::Unread => None,
        }
    }
}

/// Runs everything that is decided on; events go to `events` as they happen.
pub async fn run(
    session: &Arc<Session>,
    decisions: Vec<Decision>,
    options: Options,
    events: &mpsc::UnboundedSender<Event>,
) -> Tally {
    let mut tally = cases(session, decisions, options, events).await;
    for (fleet, line) in session.unheard_crashes() {
        let crash = CaseResult::late_crash(&fleet.target, &format!("{fleet}: {line}"));
        tally.add(&crash.outcome);
        let _ = events.send(Event::Case(Arc::new(crash)));
    }
    let _ = events.send(Event::Finished(tally));
    tally
}

/// Runs some cases of a run to their results, one [`Event::Case`] for each decision: all that judges a case is here, for
/// `pfs run` and for tests.
pub async fn cases(
    session: &Arc<Session>,
    decisions: Vec<Decision>,
    options: Options,
    events: &mpsc::UnboundedSender<Event>,
) -> Tally {
    let mut tally = Tally::default();
    let slots = Arc::new(Semaphore::new(options.jobs));
    let mut running = JoinSet::new();
    let options = Arc::new(options);
    let mut announced = HashMap::new();
    for decision in decisions {
        let (session, slots) = (Arc::clone(session), Arc::clone(&slots));
        let options = Arc::clone(&options);
        let events = events.clone();
        let decided = Decided::of(&decision, &options.reproduce);
        let known = decided.clone();
        let task = running.spawn(async move {
            match decision {
                Decision::NotApplicable { why, .. } => {
                    decided.result(Examined::without(Outcome::NotApplicable(why)), false)
                }
                Decision::Broken { why, .. } => {
                    decided.result(Examined::without(Outcome::Broken(why)), false)
                }
                Decision::Run(case) => {
                    let broken = |error: String| Examined::without(Outcome::Broken(error));
                    // Fleets start before a slot is taken: waiting for one must not stop the others.
                    // But those that a case has for itself: they would all start at once.
                    for key in case.fleets().filter(|key| key.own.is_none()) {
                        if let Err(error) = session.fleet(key, &case).await {
                            return decided.result(broken(error.to_string()), false);
                        }
                    }
                    let slot = slots.acquire_owned().await;
                    let (id, target) = (case.id.clone(), case.target.clone());
                    let _ = events.send(Event::Begun { id, target });
                    let mut examined = examine(&session, &case, slot).await;
                    let accepted = options.snapshots != Snapshots::Unread
                        && with_snapshot(&case, &mut examined, &options);
                    decided.result(examined, accepted)
                }
            }
        });
        announced.insert(task.id(), known);
    }
    while let Some(ended) = running.join_next_with_id().await {
        let (id, result) = match ended {
            Ok((id, result)) => (id, Ok(result)),
            Err(error) => (error.id(), Err(error)),
        };
        let known = announced.remove(&id);
        let result = match (result, known) {
            (Ok(result), _) => result,
            (Err(error), Some(known)) => known.result(Examined::lost(&error), false),
            // Every task was announced.
            (Err(_), None) => continue,
        };
        tally.add(&result.outcome);
        let _ = events.send(Event::Case(Arc::new(result)));
    }
    tally
}

/// What is known of a case before it runs.
#[derive(Clone)]
struct Decided(CaseResult);

impl Decided {
    fn of(decision: &Decision, reproduce: &Reproduce) -> Self {
        let target = decision.target().to_owned();
        let (scenario, sides, configuration) = match decision {
            Decision::Run(case) => (&case.scenario, case.sides(), crate::plan::show(case)),
            Decision::NotApplicable { scenario, .. } | Decision::Broken { scenario, .. } => {
                (scenario, Sides::default(), String::new())
            }
        };
        Self(CaseResult {
            id: scenario.id.clone(),
            reproduce: reproduce.line(&scenario.id, &target),
            target,
            sides,
            why: scenario.file.why.clone(),
            outcome: Outcome::Pass,
            elapsed: Duration::ZERO,
            said: None,
            configuration,
            accepted: false,
        })
    }

    fn result(self, examined: Examined, accepted: bool) -> CaseResult {
        CaseResult {
            outcome: examined.outcome,
            elapsed: examined.elapsed,
            said: examined.evidence.map(Said::Heard),
            accepted,
            ..self.0
        }
    }
}

/// What came of a case that has been run and judged, but not yet held against its snapshot.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Expectations and agreement.
    pub outcome: Outcome,
    /// What the witnesses said; nothing where it could not be run.
    pub evidence: Option<Arc<Evidence>>,
    /// Wall time.
    pub elapsed: Duration,
}

impl Examined {
    fn without(outcome: Outcome) -> Self {
        Self {
            outcome,
            evidence: None,
            elapsed: Duration::ZERO,
        }
    }

    /// Of a case whose task has not come back: that is a fault of this program, and the case is not left out.
    pub fn lost(error: &JoinError) -> Self {
        let why =
            format!("a fault of pfs itself, not of Postfix: the case's task has ended: {error}");
        Self::without(Outcome::Broken(why))
    }

    /// What belongs into the snapshot; empty where nobody said anything.
    pub fn text(&self) -> String {
        self.evidence
            .as_ref()
            .map(|evidence| snapshot::text(evidence))
            .unwrap_or_default()
    }
}

/// Runs one case, on fleets that are there or are started for it, and judges it.
///
/// `slot` is let go as soon as its connections are over.
pub async fn examine(session: &Session, case: &Case, slot: impl Send) -> Examined {
    let ready = async {
        let held = session.hold_case(case).await?;
        peers::fleets(session, case).await?;
        Ok::<_, SessionError>(held)
    };
    let _alone = match ready.await {
        Ok(held) => held,
        Err(error) => return Examined::without(Outcome::Broken(error.to_string())),
    };
    let started = Instant::now();
    let examined = match gather(session, case, slot).await {
        Ok(evidence) => Examined {
            elapsed: started.elapsed(),
            outcome: verdict::judge(case, &evidence, session.pki()),
            evidence: Some(Arc::new(evidence)),
        },
        Err(Obstacle::Broken(why)) => Examined::without(Outcome::Broken(why)),
        Err(Obstacle::NotApplicable(why)) => Examined::without(Outcome::NotApplicable(why)),
    };
    session.release(case).await;
    examined
}

/// Holds what was seen against the snapshot; true if that was written. A case that fails anyhow is never accepted.
fn with_snapshot(case: &Case, examined: &mut Examined, options: &Options) -> bool {
    let accept = options.accept;
    if !matches!(examined.outcome, Outcome::Pass | Outcome::Fail(_)) {
        return false;
    }
    let text = examined.text();
    let snapshot = Snapshot::of(&case.scenario.path, &case.id, &case.target);
    let path = snapshot.path();
    let difference = match (snapshot.compare(&text), accept, &examined.outcome) {
        (Ok(Comparison::Same), ..) => return false,
        (Ok(_), true, Outcome::Pass) => match snapshot.accept(&text) {
            Ok(()) => return true,
            Err(error) => {
                examined.outcome = Outcome::Broken(format!("{}: {error}", path.display()));
                return false;
            }
        },
        (Ok(Comparison::Missing), ..) if options.snapshots.baseline(&case.target).is_some() => {
            if examined.outcome == Outcome::Pass {
                let baseline = options.snapshots.baseline(&case.target).flatten();
                examined.outcome = against_baseline(case, &text, baseline);
            }
            return false;
        }
        (Ok(Comparison::Missing), ..) => {
            // What fails anyhow could not be accepted either.
            if examined.outcome == Outcome::Pass {
                examined.outcome = Outcome::New {
                    why: format!("no snapshot {}; --accept writes it", path.display()),
                    fails: true,
                };
            }
            return false;
        }
        (Ok(Comparison::Different(difference)), ..) => {
            format!("differs from {}:\n{difference}", path.display())
        }
        (Err(error), ..) => {
            examined.outcome = Outcome::Broken(error.to_string());
            return false;
        }
    };
    match &mut examined.outcome {
        Outcome::Fail(differences) => differences.push(difference),
        other => *other = Outcome::Fail(vec![difference]),
    }
    false
}

/// What becomes of a case that passed and has no snapshot.
fn against_baseline(case: &Case, text: &str, baseline: Option<&str>) -> Outcome {
    let Some(baseline) = baseline else {
        return Outcome::New {
            why: format!("no snapshot of {}", case.target),
            fails: false,
        };
    };
    match Snapshot::of(&case.scenario.path, &case.id, baseline).read() {
        Ok(Some(old)) => {
            let words = diff::words(&old, baseline, text, &case.target);
            if words.is_empty() {
                Outcome::Pass
            } else {
                Outcome::Differs(words)
            }
        }
        Ok(None) => Outcome::New {
            why: format!("no snapshot of {baseline}, its baseline"),
            fails: false,
        },
        Err(error) => Outcome::Broken(error.to_string()),
    }
}
