//! `pfs report`: results of earlier runs, put together.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Error, reports};
use crate::cli::ReportOf;
use crate::event::Event;
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_PASS, Tally};
use crate::report::saved::{SavedFile, join};
use crate::report::{self, Terminal};
use crate::tell;

pub(super) async fn report(options: ReportOf) -> Result<u8, Error> {
    let files = options.files.iter().map(|path| read(path));
    let joined = join(files.collect::<Result<_, _>>()?).map_err(usage)?;
    let reports = reports::open(&options.reports, Terminal::of_saved())?;
    let (events, received) = mpsc::unbounded_channel();
    let reporter = tokio::spawn(report::feed(reports, received));
    let mut tally = Tally::default();
    let _ = events.send(Event::Started(Arc::new(joined.run)));
    for result in joined.results {
        tally.add(&result.outcome);
        let _ = events.send(Event::Case(Arc::new(result)));
    }
    let _ = events.send(Event::Finished(tally));
    drop(events);
    Ok(written(reporter.await, tally.exit_code()))
}

/// Tells which reports could not be written; returns the exit code of a run whose own is `code`.
pub(super) fn written(failed: Result<Vec<String>, tokio::task::JoinError>, code: u8) -> u8 {
    let failed = failed.unwrap_or_else(|panicked| vec![panicked.to_string()]);
    for why in &failed {
        tell!("pfs: a report could not be written: {why}");
    }
    match code {
        EXIT_PASS | EXIT_FAIL if !failed.is_empty() => EXIT_BROKEN,
        code => code,
    }
}

fn read(path: &Path) -> Result<SavedFile, Error> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| usage(format!("{name}: {error}")))?;
    SavedFile::parse(&name, &text).map_err(usage)
}

fn usage(error: impl ToString) -> Error {
    Error::Usage(error.to_string())
}
