//! A whole run for a command that wants its results, not a report of it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Error;
use super::confine::confined;
use super::prepare::Ground;
use super::run::{default_jobs, interrupted};
use crate::event::{CaseResult, Event, Reproduce};
use crate::runner;
use crate::session::{Kind, Session};
use crate::tell;

/// Tells on stderr what takes long, and keeps of each result what is wanted of it.
pub(super) struct Listener<T> {
    /// For `prepare` and [`run`].
    pub(super) events: mpsc::UnboundedSender<Event>,
    results: tokio::task::JoinHandle<Vec<T>>,
}

impl<T: Send + 'static> Listener<T> {
    pub(super) fn new(keep: impl Fn(&CaseResult) -> T + Send + 'static) -> Self {
        let (events, mut received) = mpsc::unbounded_channel();
        let results = tokio::spawn(async move {
            let mut results = Vec::new();
            while let Some(event) = received.recv().await {
                match event {
                    Event::Case(result) => results.push(keep(&result)),
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
pub(super) async fn run<T: Send + 'static>(
    ground: Ground,
    listener: Listener<T>,
) -> Result<Option<Vec<T>>, Error> {
    let events = listener.events.clone();
    let engine = ground.engine.name();
    let ended = confined(engine, &Kind::Private, all(ground, events)).await?;
    drop(listener.events);
    let results = listener.results.await.unwrap_or_default();
    Ok(ended.then_some(results))
}

/// Whether it came to its end.
async fn all(ground: Ground, events: mpsc::UnboundedSender<Event>) -> Result<bool, Error> {
    let catalogue = ground.cases();
    let reproduce = Reproduce::default().on(ground.engine.name());
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
        snapshots: runner::Snapshots::Own,
        reproduce,
    };
    let ended = tokio::select! {
        _ = runner::run(&session, ground.decisions, options, &events) => true,
        () = interrupted() => false,
    };
    session.close().await?;
    Ok(ended)
}
