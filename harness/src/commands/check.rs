//! `pfs check`: scenarios and their snapshots, looked at without a Postfix, an engine or root: for the steps of a build that
//! may start nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use pfs_containers::Target;

use super::Error;
use super::library::Library;
use super::prepare::{foresee, nominal, select};
use crate::cli::Check;
use crate::outcome::{EXIT_FAIL, EXIT_PASS};
use crate::plan::Decision;
use crate::scenario::{Scenario, Selection, check_untrusted, unexplained};
use crate::snapshot::{self, Snapshot};
use crate::{say, tell};

pub(super) fn check(options: &Check) -> Result<u8, Error> {
    let library = Library::of(&options.scenarios, &options.filters)?;
    let scenarios = select(library.dir(), &options.filters)?;
    if options.untrusted {
        check_untrusted(scenarios.iter().map(|one| &**one))?;
    }
    let names: Vec<String> = Target::built_in()
        .map(|target| target.name().to_owned())
        .collect();
    let decisions = foresee(&scenarios, &names)?.unwrap_or_default();
    let found = Found::of(&decisions);
    // Of a part of the cases, the snapshots of the others are no strays.
    let strays = match Selection::of(&options.filters) == Selection::default() {
        true => strays(library.dir(), &scenarios)?,
        false => Vec::new(),
    };
    let wrong: Vec<&String> = found.wrong.iter().chain(&strays).collect();
    for one in &wrong {
        tell!("{one}");
    }
    say!(
        "{} cases and {} snapshots read; {} wrong",
        scenarios.len(),
        found.read,
        wrong.len()
    );
    Ok(match wrong.is_empty() {
        true => EXIT_PASS,
        false => EXIT_FAIL,
    })
}

/// What the snapshots of cases are.
#[derive(Default)]
struct Found {
    read: usize,
    wrong: Vec<String>,
}

impl Found {
    fn of(decisions: &[Decision]) -> Self {
        let mut found = Self::default();
        let by_default: BTreeSet<String> = Target::defaults()
            .map(|target| target.name().to_owned())
            .collect();
        // A file that no target has snapshots of keeps none, as a user's own before it is accepted.
        let mut kept: BTreeMap<&Path, Vec<(bool, String)>> = BTreeMap::new();
        for decision in decisions {
            let (target, applies) = match decision {
                Decision::Run(case) => (&case.target, true),
                Decision::NotApplicable { target, .. } | Decision::Broken { target, .. } => {
                    (target, false)
                }
            };
            let scenario = decision.scenario();
            let one = Snapshot::of(&scenario.path, &scenario.id, target);
            match one.read() {
                Ok(Some(text)) if snapshot::sections(&text).is_empty() => {
                    let path = one.path();
                    found.wrong.push(format!(
                        "{}: no witness says anything in it: write it again with `pfs run {} --accept`",
                        path.display(),
                        crate::printable::shell_word(&scenario.id.to_string()),
                    ));
                }
                Ok(Some(_)) => {
                    found.read += 1;
                    let of_file = kept.entry(&scenario.path).or_default();
                    of_file.push((true, String::new()));
                }
                // A target that nobody gets without asking may be behind.
                Ok(None) if applies && by_default.contains(target) => {
                    let why = format!(
                        "{}: there is no such snapshot; where that Postfix lacks a parameter, say so with `targets`",
                        one.path().display()
                    );
                    kept.entry(&scenario.path).or_default().push((false, why));
                }
                Ok(None) => {}
                Err(error) => found.wrong.push(error.to_string()),
            }
        }
        for of_file in kept.into_values() {
            if of_file.iter().any(|(is_there, _)| *is_there) {
                let missing = of_file.into_iter().filter(|(is_there, _)| !is_there);
                found.wrong.extend(missing.map(|(_, why)| why));
            }
        }
        found
    }
}

/// Departures and known bugs on conditions that the built-in targets cannot tell from one on the other software, and that do not
/// say which of the two is the reason.
///
/// # Errors
/// Scenarios that cannot be read.
pub fn unexplained_conditions(dir: &Path) -> Result<Vec<String>, Error> {
    let targets: Vec<_> = Target::built_in()
        .filter_map(|target| nominal(&target))
        .collect();
    let scenarios = select(dir, &[])?;
    let found: BTreeSet<String> = scenarios
        .iter()
        .flat_map(|scenario| unexplained(scenario, &targets))
        .collect();
    Ok(found.into_iter().collect())
}

/// Snapshots that belong to no case, of whatever target.
fn strays(dir: &Path, scenarios: &[Arc<Scenario>]) -> Result<Vec<String>, Error> {
    let ours: BTreeSet<(String, String)> = scenarios
        .iter()
        .map(|one| (one.id.topic.clone(), one.id.file_stem()))
        .collect();
    let failed = |path: &Path, error| Error::Usage(format!("{}: {error}", path.display()));
    let mut strays = Vec::new();
    let topics = std::fs::read_dir(dir).map_err(|error| failed(dir, error))?;
    for topic in topics.flatten() {
        let folder = topic.path().join("snapshots");
        let Ok(files) = std::fs::read_dir(&folder) else {
            continue;
        };
        let topic = topic.file_name().to_string_lossy().into_owned();
        for path in files.flatten().map(|file| file.path()) {
            if path.extension().is_none_or(|end| end != "snap") {
                continue;
            }
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let stem = name.rsplit_once('@').map_or(&*name, |(stem, _)| stem);
            if !ours.contains(&(topic.clone(), stem.to_owned())) {
                strays.push(format!("{}: of no case: remove it", path.display()));
            }
        }
    }
    strays.sort();
    Ok(strays)
}
