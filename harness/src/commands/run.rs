//! `pfs run`.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Error;
use super::prepare::{prepare, select};
use crate::cli::{Format, Run};
use crate::outcome::EXIT_INTERRUPTED;
use crate::report::{Event, Json, Report, Terminal};
use crate::runner;
use crate::session::{Kind, Session};

/// How many cases run at once for each processor: most of a case is waiting for a new process.
const JOBS_PER_PROCESSOR: usize = 4;

pub(super) async fn run(options: Run) -> Result<u8, Error> {
    let scenarios = select(&options.scenarios.dir, &options.filters)?;
    let (events, mut received) = mpsc::unbounded_channel();
    let mut report: Box<dyn Report> = match options.format {
        Format::Json => Box::new(Json),
        Format::Text => Box::new(Terminal::new(reproduce(&options))),
    };
    let reporter = tokio::spawn(async move {
        while let Some(event) = received.recv().await {
            report.event(&event);
        }
    });
    let result = tokio::select! {
        result = work(&options, scenarios, &events) => result,
        () = super::warm::interrupted() => Ok(EXIT_INTERRUPTED),
    };
    drop(events);
    let _ = reporter.await;
    result
}

async fn work(
    options: &Run,
    scenarios: Vec<Arc<crate::scenario::Scenario>>,
    events: &mpsc::UnboundedSender<Event>,
) -> Result<u8, Error> {
    let ground = prepare(scenarios, &options.targets.targets, options.place.engine, events).await?;
    let kind = if options.keep || Session::is_warm(&ground.cache, ground.engine.name()) {
        Kind::Warm
    } else {
        Kind::Private
    };
    let catalogue = ground.cases();
    let _ = events.send(Event::Started {
        engine: ground.engine.name().to_string(),
        targets: ground.columns.clone(),
        cases: ground.decisions.len(),
    });
    let session =
        Arc::new(Session::open(ground.engine, &ground.cache, kind, ground.targets, catalogue).await?);
    let guard = super::warm::CloseOnInterrupt::new(&session);
    let jobs = options.jobs.map_or_else(
        || JOBS_PER_PROCESSOR * std::thread::available_parallelism().map_or(2, usize::from),
        usize::from,
    );
    let tally = runner::run(
        &session,
        ground.decisions,
        runner::Options { jobs, accept: options.accept },
        events,
    )
    .await;
    guard.close().await?;
    Ok(tally.exit_code())
}

/// The command that runs one of these cases alone, up to the case's name.
fn reproduce(options: &Run) -> String {
    let mut command = "pfs run".to_owned();
    if options.scenarios.dir.as_os_str() != "scenarios" {
        command.push_str(&format!(" --scenarios {}", options.scenarios.dir.display()));
    }
    for file in options.filters.iter().filter(|filter| filter.ends_with(".toml")) {
        command.push_str(&format!(" {file}"));
    }
    command
}

