//! `pfs run`.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::baseline::baselines;
use super::confine::confined;
use super::library::{self, Library};
use super::prepare::{Ground, prepare, select};
use super::report::written;
use super::{Error, reports};
use crate::bundle::{Part, Parts};
use crate::cli::Run;
use crate::event::{Announced, Event, Reproduce};
use crate::outcome::{EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_USAGE};
use crate::plan::Decision;
use crate::report::{self, Named, Terminal, Watch};
use crate::scenario::{Scenario, Selection, check_untrusted};
use crate::session::{Kind, Session, Warm};
use crate::{note, printable, runner, tell};

/// How many cases run at once for each processor: most of a case is waiting for a new process.
const JOBS_PER_PROCESSOR: usize = 4;

pub(super) async fn run(options: Run) -> Result<u8, Error> {
    if !options.bisect {
        return reported(options, None).await;
    }
    let watch = Arc::new(Watch::for_text(options.want.clone()));
    let code = match reported(options, Some(Arc::clone(&watch))).await {
        Ok(code) => code,
        Err(error) => {
            for line in error.lines() {
                tell!("pfs: {line}");
            }
            match error.is_usage() {
                true => EXIT_USAGE,
                false => EXIT_BROKEN,
            }
        }
    };
    Ok(watch.exit_code(code))
}

async fn reported(options: Run, watch: Option<Arc<Watch>>) -> Result<u8, Error> {
    if options.quiet {
        printable::be_quiet();
    }
    if let Some(dir) = &options.export {
        return library::export(dir);
    }
    let library = Library::of(&options.scenarios, &options.filters)?;
    if options.accept && library.is_embedded() {
        return Err(Error::Usage(
            "the scenarios are those within pfs, which nothing is written into: \
             `pfs run --export scenarios` makes them yours, or name your own files"
                .to_owned(),
        ));
    }
    let scenarios = select(library.dir(), &options.filters)?;
    if options.untrusted {
        check_untrusted(scenarios.iter().map(|one| &**one))?;
    }
    let (targets, engine) = (options.targets.names(), options.place.engine()?);
    let reproduce = Reproduce::new(library.named(), &targets);
    let mut reports = reports::open(&options.reports, Terminal::new())?;
    reports.extend(watch.map(|watch| Named {
        name: "--bisect".to_owned(),
        report: Box::new(watch),
    }));
    let parts = Parts::default();
    if let Some(path) = &options.bundle {
        of_one_case(&scenarios)?;
        reports.push(reports::bundle(&options.reports, path, parts.clone())?);
    }
    let (events, received) = mpsc::unbounded_channel();
    let reporter = tokio::spawn(report::feed(reports, received));
    let ground = tokio::select! {
        ground = prepare(scenarios, &targets, engine, &events) => Some(ground),
        () = interrupted() => None,
    };
    let result = match ground {
        Some(Ok(ground)) => {
            let kind = kind(&options, &ground);
            let engine = ground.engine.name();
            if options.bundle.is_some() {
                parts.set(bundled(&ground).await?);
            }
            let work = work(options, reproduce, ground, kind.clone(), events.clone());
            confined(engine, &kind, work).await
        }
        Some(Err(error)) => Err(error),
        None => Ok(EXIT_INTERRUPTED),
    };
    drop(events);
    let told = reporter.await;
    match result {
        Ok(code) => Ok(written(told, code)),
        Err(error) => {
            written(told, EXIT_BROKEN);
            Err(error)
        }
    }
}

/// A bundle is of one case.
fn of_one_case(scenarios: &[Arc<Scenario>]) -> Result<(), Error> {
    match scenarios {
        [_] => Ok(()),
        several => {
            let names = several.iter().take(5).map(|one| one.id.to_string());
            let names: Vec<String> = names.collect();
            Err(Error::Usage(format!(
                "--bundle is for one case; these are {}, such as {}; give the whole name of one",
                several.len(),
                names.join(", ")
            )))
        }
    }
}

/// The files of the case on each target it runs on. Keys are made, which takes a moment.
async fn bundled(ground: &Ground) -> Result<Vec<Part>, Error> {
    let (cases, targets) = (ground.cases(), ground.targets.clone());
    let made = tokio::task::spawn_blocking(move || {
        let parts = cases.into_iter().map(|case| Part::of(case, &targets));
        parts.collect::<Result<Vec<Part>, _>>()
    });
    match made.await {
        Ok(Ok(parts)) => Ok(parts),
        Ok(Err(error)) => Err(Error::Report(format!("the bundle: {error}"))),
        Err(panicked) => Err(Error::Report(format!("the bundle: {panicked}"))),
    }
}

/// Whose fleets are used.
fn kind(options: &Run, ground: &Ground) -> Kind {
    let warm = Session::warm(&ground.cache, ground.engine.name());
    if warm == Warm::OfAnotherBuild {
        note!(
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
    reproduce: Reproduce,
    mut ground: Ground,
    kind: Kind,
    events: mpsc::UnboundedSender<Event>,
) -> Result<u8, Error> {
    let mut reproduce = reproduce.on(ground.engine.name());
    if !Selection::of(&options.filters).files.is_empty() {
        let scenarios = ground.decisions.iter().map(|decision| decision.scenario());
        reproduce = reproduce.with_files(scenarios.map(|one| (&one.id, one.path.as_path())));
    }
    let of = ground.decisions.len();
    if let Some(shard) = options.shard {
        let is_in = |decision: &Decision| shard.holds(&decision.scenario().id);
        ground.decisions.retain(is_in);
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
    let _ = events.send(Event::Started(Arc::new(Announced {
        engine: ground.engine.name().to_string(),
        shard: options.shard,
        cases: ground.decisions.len(),
        of,
        targets: columns,
    })));
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
