//! `pfs up` and `pfs down`.

use std::collections::BTreeSet;

use pfs_containers::Settings;
use tokio::sync::mpsc;

use super::Error;
use super::library::Library;
use super::prepare::{open_engine, prepare, select};
use super::run::interrupted;
use crate::cli::{Up, Where};
use crate::event::Event;
use crate::outcome::{EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_PASS};
use crate::session::{Kind, Session};
use crate::tell;

pub(super) async fn up(options: Up) -> Result<u8, Error> {
    let library = Library::open(&options.scenarios)?;
    let scenarios = select(library.dir(), &[])?;
    let (events, mut received) = mpsc::unbounded_channel();
    let reporter = tokio::spawn(async move {
        while let Some(event) = received.recv().await {
            if let Event::Doing { target, what } = event {
                tell!("{target}: {what}");
            }
        }
    });
    let ground = prepare(
        scenarios,
        &options.targets.names(),
        options.place.engine()?,
        &events,
    )
    .await?;
    let cases = ground.cases();
    let engine = ground.engine.name();
    let session = Session::open(
        ground.engine,
        &ground.cache,
        Kind::Warm,
        ground.targets,
        cases.clone(),
    )
    .await?;
    let mut seen = BTreeSet::new();
    for case in &cases {
        // One that a case has for itself is started anew for each of its runs.
        for fleet in case.fleets().filter(|fleet| fleet.own.is_none()) {
            if seen.insert(fleet.clone()) {
                session.fleet(fleet, case).await?;
                tell!("{fleet}: up ({engine})");
            }
        }
    }
    drop(events);
    let _ = reporter.await;
    tell!(
        "{} fleets are up; `pfs run` uses them, `pfs down` stops them, as does an hour without a run",
        seen.len()
    );
    for why in ground.unmade.values() {
        tell!("{why}");
    }
    Ok(if ground.unmade.is_empty() {
        EXIT_PASS
    } else {
        EXIT_BROKEN
    })
}

pub(super) async fn down(place: Where) -> Result<u8, Error> {
    let (engine, cache) = open_engine(place.engine()?).await?;
    let say = |text: String| tell!("{text}");
    let stopped = tokio::select! {
        stopped = Session::down(&*engine, &cache, &say) => stopped?,
        () = interrupted() => return Ok(EXIT_INTERRUPTED),
    };
    // Of runs that were killed, which nobody else may come to look for.
    pfs_containers::engine::sweep_all(Settings::new(cache)).await;
    tell!("{stopped} fleets stopped ({})", engine.name());
    Ok(EXIT_PASS)
}
