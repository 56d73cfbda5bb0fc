//! `pfs corpus`.

use std::path::Path;
use std::sync::Arc;

use pfs_containers::Target;

use super::Error;
use super::gather::{self, Listener};
use super::library::Library;
use super::prepare::{nominal, prepare, select, versions};
use crate::cli;
use crate::corpus::{Corpus, Seen};
use crate::outcome::{EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_PASS, Outcome};
use crate::plan::{self, Decision};
use crate::scenario::{self, TargetVersions};
use crate::snapshot::{self, Snapshot};
use crate::tell;

/// Name of the folder below the scenarios.
const FOLDER: &str = "corpus";

pub(super) async fn corpus(options: cli::Corpus) -> Result<u8, Error> {
    let library = Library::open(&options.scenarios)?;
    let dir = library.dir();
    let output = match options.output {
        Some(output) => output,
        None => library.folder(FOLDER)?,
    };
    if options.from_snapshots {
        let files = corpus_of_snapshots(dir)?;
        return write(&output, &files).map(|()| EXIT_PASS);
    }
    let scenarios = select(dir, &[])?;
    let listener = Listener::new(|result| {
        let seen = Seen {
            id: result.id.to_string(),
            target: result.target.clone(),
            sides: result.sides.clone(),
            sections: result.sections(),
        };
        let broken = match &result.outcome {
            Outcome::Broken(why) => Some(why.clone()),
            _ => None,
        };
        (seen, broken)
    });
    let ground = prepare(
        scenarios,
        &options.targets.names(),
        options.place.engine()?,
        &listener.events,
    )
    .await?;
    let columns: Vec<TargetVersions> = ground
        .columns
        .iter()
        .filter_map(|column| versions(&ground.targets.get(&column.name)?.1))
        .collect();
    let Some(results) = gather::run(ground, listener).await? else {
        return Ok(EXIT_INTERRUPTED);
    };
    let mut broken = 0;
    for (seen, why) in &results {
        if let Some(why) = why {
            broken += 1;
            tell!("BROKEN {} on {}: {why}", seen.id, seen.target);
        }
    }
    let seen: Vec<Seen> = results.into_iter().map(|(seen, _)| seen).collect();
    if broken > 0 {
        tell!("nothing is written: {broken} cases are broken");
        return Ok(EXIT_BROKEN);
    }
    for target in &columns {
        let corpus = Corpus::of(target, &seen);
        write(&output, &corpus.files())?;
        tell!(
            "{}: {} examples in {}",
            target.name,
            corpus.len(),
            output.display()
        );
    }
    Ok(EXIT_PASS)
}

fn write(folder: &Path, files: &[(String, String)]) -> Result<(), Error> {
    let failed = |path: &Path, error: std::io::Error| {
        Error::Usage(format!("{}: cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// The corpus of the built-in targets as the snapshots have it: names and contents of its files.
///
/// # Errors
/// A scenario or a snapshot that cannot be used.
pub fn corpus_of_snapshots(dir: &Path) -> Result<Vec<(String, String)>, Error> {
    let scenarios: Vec<_> = scenario::load(dir)?.into_iter().map(Arc::new).collect();
    let targets: Vec<TargetVersions> = Target::built_in()
        .filter_map(|target| nominal(&target))
        .collect();
    let mut seen = Vec::new();
    for decision in plan::plan_all(&scenarios, &targets, &targets) {
        let Decision::Run(case) = decision else {
            continue;
        };
        let snapshot = Snapshot::of(&case.scenario.path, &case.id, &case.target);
        let text = snapshot
            .read()
            .map_err(|error| Error::Usage(format!("a snapshot cannot be read: {error}")))?;
        seen.push(Seen {
            id: case.id.to_string(),
            target: case.target.clone(),
            sides: case.sides(),
            sections: snapshot::sections(&text.unwrap_or_default()),
        });
    }
    Ok(targets
        .iter()
        .flat_map(|target| Corpus::of(target, &seen).files())
        .collect())
}
