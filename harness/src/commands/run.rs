//! `pfs run`.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::Error;
use super::baseline::baselines;
use super::confine::confined;
use super::prepare::{Ground, prepare, select};
use crate::cli::{Format, Run};
use crate::event::{Event, Reproduce};
use crate::outcome::{EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_PASS};
use crate::printable;
use crate::report::{self, Json, Named, Report, Terminal};
use crate::runner;
use crate::scenario::{Selection, check_untrusted};
use crate::session::{Kind, Session, Warm};
use crate::tell;

/// How many cases run at once for each processor: most of a case is waiting for a new process.
const JOBS_PER_PROCESSOR: usize = 4;

pub(super) async fn run(options: Run) -> Result<u8, Error> {
    let scenarios = select(&options.scenarios.dir, &options.filters)?;
    if options.untrusted {
        check_untrusted(scenarios.iter().map(|one| &**one))?;
    }
    let (targets, engine) = (options.targets.names(), options.place.engine()?);
    let (events, received) = mpsc::unbounded_channel();
    let reporter = tokio::spawn(report::feed(vec![on_stdout(options.format)], received));
    let ground = tokio::select! {
        ground = prepare(scenarios, &targets, engine, &events) => Some(ground),
        () = interrupted() => None,
    };
    let result = match ground {
        Some(Ok(ground)) => {
            let kind = kind(&options, &ground);
            let engine = ground.engine.name();
            let work = work(options, ground, kind.clone(), events.clone());
            confined(engine, &kind, work).await
        }
        Some(Err(error)) => Err(error),
        None => Ok(EXIT_INTERRUPTED),
    };
    drop(events);
    let failed = match reporter.await {
        Ok(failed) => failed,
        Err(panicked) => vec![panicked.to_string()],
    };
    for why in &failed {
        crate::tell!("pfs: a report could not be written: {why}");
    }
    match result {
        Ok(EXIT_PASS) if !failed.is_empty() => Ok(EXIT_BROKEN),
        result => result,
    }
}

fn on_stdout(format: Format) -> Named {
    let report: Box<dyn Report> = match format {
        Format::Json => Box::new(Json::new(printable::Stdout)),
        Format::Text => Box::new(Terminal::new()),
    };
    Named {
        name: "stdout".to_owned(),
        report,
    }
}

/// Whose fleets are used.
fn kind(options: &Run, ground: &Ground) -> Kind {
    let warm = Session::warm(&ground.cache, ground.engine.name());
    if warm == Warm::OfAnotherBuild {
        tell!(
            "the fleets of `pfs up` are those of another build of pfs: this run starts its own; \
             `pfs down` ends the others"
        );
    }
    if options.keep || warm == Warm::Ours {
        Kind::Warm
    } else {
        Kind::Private
    }
}

async fn work(
    options: Run,
    ground: Ground,
    kind: Kind,
    events: mpsc::UnboundedSender<Event>,
) -> Result<u8, Error> {
    let mut reproduce =
        Reproduce::new(&options.scenarios.dir, &options.targets.names()).on(ground.engine.name());
    if !Selection::of(&options.filters).files.is_empty() {
        let scenarios = ground.decisions.iter().map(|decision| decision.scenario());
        reproduce = reproduce.with_files(scenarios.map(|one| (&one.id, one.path.as_path())));
    }
    let catalogue = ground.cases();
    let snapshots = baselines(options.baseline.as_deref(), &ground.targets)?;
    let mut columns = ground.columns.clone();
    if let runner::Snapshots::Baselines(all) = &snapshots {
        for column in &mut columns {
            match all.get(&column.name) {
                Some(Some(baseline)) => column
                    .versions
                    .push_str(&format!("; texts against {baseline}")),
                Some(None) => column.versions.push_str("; no baseline"),
                None => {}
            }
        }
    }
    let _ = events.send(Event::Started {
        engine: ground.engine.name().to_string(),
        targets: columns,
        cases: ground.decisions.len(),
    });
    let session = Arc::new(
        Session::open(
            ground.engine,
            &ground.cache,
            kind,
            ground.targets,
            catalogue,
        )
        .await?,
    );
    let jobs = options.jobs.map_or_else(default_jobs, usize::from);
    let options = runner::Options {
        jobs,
        accept: options.accept,
        snapshots,
        reproduce,
    };
    let code = tokio::select! {
        tally = runner::run(&session, ground.decisions, options, &events) => tally.exit_code(),
        () = interrupted() => EXIT_INTERRUPTED,
    };
    session.close().await?;
    Ok(code)
}

pub(super) fn default_jobs() -> usize {
    JOBS_PER_PROCESSOR * std::thread::available_parallelism().map_or(2, usize::from)
}

/// SIGINT or SIGTERM.
pub(super) async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => {
                terminated.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
