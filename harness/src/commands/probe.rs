//! Cases run for what they show, not for a report: expectations and agreement are judged, snapshots are left alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Error;
use super::confine::confined;
use super::gather::Listener;
use super::prepare::{Ground, cases, prepare, versions};
use super::run::{default_jobs, interrupted};
use crate::cli::EngineName;
use crate::outcome::Outcome;
use crate::plan::Decision;
use crate::runner::{self, Examined};
use crate::scenario::{CaseId, Scenario, TargetVersions};
use crate::session::{Kind, Session};

/// A case and what came of it.
pub(super) struct Probe {
    /// Its name.
    pub(super) id: CaseId,
    /// The target.
    pub(super) target: String,
    /// What was seen.
    pub(super) examined: Examined,
}

impl Probe {
    /// Lines of the log of a side, `daemon: text`, redacted.
    pub(super) fn log(&self, section: crate::evidence::Section) -> Vec<String> {
        let Some(evidence) = &self.examined.evidence else {
            return Vec::new();
        };
        let sections = evidence.sections().into_iter();
        let own = sections.filter(|(known, _)| *known == section);
        own.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

/// What came of several cases on several targets.
pub(super) struct Probes {
    /// In no order.
    pub(super) all: Vec<Probe>,
    /// The targets by name.
    pub(super) targets: BTreeMap<String, TargetVersions>,
    /// Why targets that were asked for are not among them.
    pub(super) unmade: Vec<String>,
}

/// Runs the cases on the targets, all at once, in a session of their own; `None` if interrupted.
pub(super) async fn probe(
    scenarios: Vec<Arc<Scenario>>,
    targets: &[String],
    engine: EngineName,
) -> Result<Option<Probes>, Error> {
    let listener = Listener::new(|_| ());
    let ground = prepare(scenarios, targets, engine, &listener.events).await?;
    let engine = ground.engine.name();
    confined(engine, &Kind::Private, all(ground)).await
}

async fn all(ground: Ground) -> Result<Option<Probes>, Error> {
    let known = ground.targets.values();
    let targets = known
        .filter_map(|(_, facts)| versions(facts))
        .map(|versions| (versions.name.clone(), versions))
        .collect();
    let unmade = ground.unmade.into_values().collect();
    let catalogue = cases(&ground.decisions);
    let mut all: Vec<Probe> = Vec::new();
    for decision in &ground.decisions {
        let outcome = match decision {
            Decision::Run(_) => continue,
            Decision::NotApplicable { why, .. } => Outcome::NotApplicable(why.clone()),
            Decision::Broken { why, .. } => Outcome::Broken(why.clone()),
        };
        all.push(Probe {
            id: decision.scenario().id.clone(),
            target: decision.target().to_owned(),
            examined: Examined {
                outcome,
                evidence: None,
                elapsed: std::time::Duration::ZERO,
            },
        });
    }
    let session = Session::open(
        ground.engine,
        &ground.cache,
        Kind::Private,
        ground.targets,
        catalogue.clone(),
    )
    .await?;
    let session = Arc::new(session);
    let slots = Arc::new(Semaphore::new(default_jobs()));
    let mut running = JoinSet::new();
    for case in catalogue {
        let (session, slots) = (Arc::clone(&session), Arc::clone(&slots));
        running.spawn(async move {
            let slot = slots.acquire_owned().await;
            Probe {
                id: case.id.clone(),
                target: case.target.clone(),
                examined: runner::examine(&session, &case, slot).await,
            }
        });
    }
    let done = async {
        let mut done = Vec::new();
        while let Some(probe) = running.join_next().await {
            done.push(probe);
        }
        done
    };
    let done = tokio::select! {
        done = done => Some(done),
        () = interrupted() => None,
    };
    session.close().await?;
    let Some(done) = done else { return Ok(None) };
    for probe in done {
        match probe {
            Ok(probe) => all.push(probe),
            Err(panicked) => {
                return Err(Error::Usage(format!("a case could not be run: {panicked}")));
            }
        }
    }
    Ok(Some(Probes {
        all,
        targets,
        unmade,
    }))
}
