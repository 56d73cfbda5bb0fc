//! A whole run for a command that wants its results, not a report of it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Error;
use super::prepare::Ground;
use super::run::{default_jobs, interrupted};
use crate::outcome::CaseResult;
use crate::report::Event;
use crate::runner;
use crate::session::{Kind, Session};
use crate::tell;

/// Tells on stderr what takes long, and keeps the results.
pub(super) struct Listener {
    /// For `prepare` and [`run`].
    pub(super) events: mpsc::UnboundedSender<Event>,
    results: tokio::task::JoinHandle<Vec<CaseResult>>,
}

impl Listener {
    pub(super) fn new() -> Self {
        let (events, mut received) = mpsc::unbounded_channel();
        let results = tokio::spawn(async move {
            let mut results = Vec::new();
            while let Some(event) = received.recv().await {
                match event {
                    Event::Case(result) => results.push(*result),
                    Event::Doing { target, what } => tell!("{target}: {what}"),
                    _ => {}
                }
            }
            results
        });
        Self { events, results }
    }
}

/// Runs all that is decided on, in a session of its own; `None` if interrupted.
pub(super) async fn run(
    ground: Ground,
    listener: Listener,
) -> Result<Option<Vec<CaseResult>>, Error> {
    let catalogue = ground.cases();
    let session = Session::open(
        ground.engine,
        &ground.cache,
        Kind::Private,
        ground.targets,
        catalogue,
    )
    .await?;
    let session = Arc::new(session);
    let options = runner::Options {
        jobs: default_jobs(),
        accept: false,
    };
    let ended = tokio::select! {
        _ = runner::run(&session, ground.decisions, options, &listener.events) => true,
        () = interrupted() => false,
    };
    session.close().await?;
    drop(listener.events);
    let results = listener.results.await.unwrap_or_default();
    Ok(ended.then_some(results))
}
