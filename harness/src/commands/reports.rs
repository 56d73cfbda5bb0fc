//! From options to reports.

use std::collections::BTreeSet;
use std::path::Path;

use super::Error;
use crate::bundle::{Bundle, Parts};
use crate::cli::{ReportFormat, Reports};
use crate::printable::Stdout;
use crate::report::{Html, Json, Junit, Markdown, Named, Notes, Report, Sink, Terminal, WholeFile};

/// All that was asked for. Files are opened now: one that cannot be written is known before anything is started.
///
/// # Errors
/// A file that cannot be written, or is to be two reports.
pub(super) fn open(options: &Reports, terminal: Terminal) -> Result<Vec<Named>, Error> {
    let mut paths = BTreeSet::new();
    if let Some(twice) = options
        .written
        .iter()
        .find(|file| !paths.insert(&file.path))
    {
        let path = twice.path.display();
        return Err(Error::Usage(format!(
            "two reports are to be written to {path}"
        )));
    }
    let mut all = Vec::new();
    for file in &options.written {
        let name = file.path.display().to_string();
        match WholeFile::create(&file.path) {
            Ok(out) => all.extend(written(file.format, out).map(|report| Named { name, report })),
            Err(error) => return Err(Error::Report(format!("{name}: {error}"))),
        }
    }
    let named = |name: &str, report| Named {
        name: name.to_owned(),
        report,
    };
    match written(options.format, Stdout) {
        Some(report) => all.extend([named("stdout", report), named("stderr", Box::new(Notes))]),
        None => {
            let terminal = terminal.verbose(options.verbose);
            all.push(named("stdout", Box::new(terminal)));
        }
    }
    Ok(all)
}

/// The archive of a case.
///
/// # Errors
/// It cannot be written, or is to be a report, too.
pub(super) fn bundle(options: &Reports, path: &Path, parts: Parts) -> Result<Named, Error> {
    let name = path.display().to_string();
    if options.written.iter().any(|file| file.path == path) {
        return Err(Error::Usage(format!(
            "a report and the bundle are to be written to {name}"
        )));
    }
    let out = WholeFile::create(path).map_err(|error| Error::Report(format!("{name}: {error}")))?;
    let report = Box::new(Bundle::new(out, parts));
    Ok(Named { name, report })
}

/// A report that goes to `out`; `None` for text, which goes to the terminal.
fn written(format: ReportFormat, out: impl Sink + 'static) -> Option<Box<dyn Report>> {
    match format {
        ReportFormat::Text => None,
        ReportFormat::Json => Some(Box::new(Json::new(out))),
        ReportFormat::Junit => Some(Box::new(Junit::new(out))),
        ReportFormat::Markdown => Some(Box::new(Markdown::new(out))),
        ReportFormat::Html => Some(Box::new(Html::new(out))),
    }
}
