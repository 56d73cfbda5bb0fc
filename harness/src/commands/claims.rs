//! `pfs claims`: nothing is started.

use std::path::Path;
use std::sync::Arc;

use pfs_containers::Target;

use super::Error;
use super::prepare::nominal;
use crate::claims::{Gap, gaps, page};
use crate::cli::Scenarios;
use crate::outcome::{EXIT_FAIL, EXIT_PASS};
use crate::scenario::{self, Catalogue, TargetVersions};
use crate::{say, tell};

pub(super) fn claims(scenarios: &Scenarios) -> Result<u8, Error> {
    let (page, gaps) = claims_page(&scenarios.dir)?;
    say!("{}", page.trim_end());
    for gap in &gaps {
        tell!("{gap}");
    }
    Ok(if gaps.is_empty() {
        EXIT_PASS
    } else {
        EXIT_FAIL
    })
}

/// The page of a directory of scenarios, with a column for each built-in target; and what no
/// scenario shows.
///
/// # Errors
/// A scenario, the catalogue or a snapshot that cannot be used.
pub fn claims_page(dir: &Path) -> Result<(String, Vec<Gap>), Error> {
    let catalogue = Catalogue::load(dir)
        .map_err(|error| Error::Scenarios(vec![error]))?
        .ok_or_else(|| Error::Usage(format!("{}: there is no claims.toml", dir.display())))?;
    let scenarios = scenario::load(dir)?;
    let gaps = gaps(&catalogue, &scenarios);
    let scenarios: Vec<_> = scenarios.into_iter().map(Arc::new).collect();
    let targets: Vec<TargetVersions> = Target::built_in()
        .filter_map(|target| nominal(&target))
        .collect();
    let page = page(&catalogue, &scenarios, &targets)
        .map_err(|error| Error::Usage(format!("a snapshot cannot be read: {error}")))?;
    Ok((page, gaps))
}
