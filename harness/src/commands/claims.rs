//! `pfs claims`: nothing is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use pfs_containers::Target;

use super::Error;
use super::library::Library;
use super::prepare::nominal;
use crate::claims::{Gap, gaps, pages};
use crate::cli::ClaimsOf;
use crate::outcome::{EXIT_FAIL, EXIT_PASS};
use crate::scenario::{self, Catalogue, TargetVersions};
use crate::tell;

/// Name of the folder below the scenarios.
const FOLDER: &str = "claims";

pub(super) fn claims(options: &ClaimsOf) -> Result<u8, Error> {
    let library = Library::open(&options.scenarios)?;
    let (pages, gaps) = claims_pages(library.dir())?;
    let output = match &options.output {
        Some(output) => output.clone(),
        None => library.folder(FOLDER)?,
    };
    for (name, text) in &pages {
        let path = output.join(name);
        let failed = |error| Error::Usage(format!("{}: {error}", path.display()));
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(failed)?;
    }
    tell!("{} pages in {}", pages.len(), output.display());
    for gap in &gaps {
        tell!("{gap}");
    }
    Ok(if gaps.is_empty() {
        EXIT_PASS
    } else {
        EXIT_FAIL
    })
}

/// The pages of a directory of scenarios by their names, with a column for each built-in target; and what no scenario
/// shows.
///
/// # Errors
/// A scenario, the catalogue or a snapshot that cannot be used.
pub fn claims_pages(dir: &Path) -> Result<(BTreeMap<String, String>, Vec<Gap>), Error> {
    let catalogue = Catalogue::load(dir)
        .map_err(|error| Error::Scenarios(vec![error]))?
        .ok_or_else(|| Error::Usage(format!("{}: there is no claims.toml", dir.display())))?;
    let scenarios = scenario::load(dir)?;
    let gaps = gaps(&catalogue, &scenarios);
    let scenarios: Vec<_> = scenarios.into_iter().map(Arc::new).collect();
    let targets: Vec<TargetVersions> = Target::built_in()
        .filter_map(|target| nominal(&target))
        .collect();
    let pages = pages(&catalogue, &scenarios, &targets)
        .map_err(|error| Error::Usage(format!("a snapshot cannot be read: {error}")))?;
    Ok((pages, gaps))
}
