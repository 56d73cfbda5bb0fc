//! Which scenarios are meant: those that the user names, those that stand in the working directory, or those within `pfs`.

use std::path::{Path, PathBuf};

use pfs_containers::{Cache, Unpacked};

use super::Error;
use crate::cli::Scenarios;
use crate::outcome::EXIT_PASS;
use crate::say;
use crate::scenario::{Selection, embedded};

/// Where a checkout has them.
const OF_A_CHECKOUT: &str = "scenarios";

/// A directory of scenarios.
#[derive(Debug)]
pub(super) struct Library {
    dir: PathBuf,
    /// Those within `pfs`, held in the cache against their removal.
    unpacked: Option<Unpacked>,
}

impl Library {
    /// The directory that was named, else `scenarios` where that holds some, else the scenarios within `pfs`.
    ///
    /// # Errors
    /// These cannot be written into the cache.
    pub(super) fn open(scenarios: &Scenarios) -> Result<Self, Error> {
        let dir = match &scenarios.dir {
            Some(dir) => Some(dir.clone()),
            None => holds_some(Path::new(OF_A_CHECKOUT)).then(|| OF_A_CHECKOUT.into()),
        };
        if let Some(dir) = dir {
            let unpacked = None;
            return Ok(Self { dir, unpacked });
        }
        let cache = Cache::of_user();
        let unpacked = Unpacked::of(&cache, &embedded::digest(), embedded::write_into)?;
        Ok(Self {
            dir: unpacked.path(),
            unpacked: Some(unpacked),
        })
    }

    /// As [`open`](Self::open), for a command that means `arguments`: where these are files, no directory is looked at.
    ///
    /// # Errors
    /// As there.
    pub(super) fn of(scenarios: &Scenarios, arguments: &[String]) -> Result<Self, Error> {
        if scenarios.dir.is_none() && !Selection::of(arguments).files.is_empty() {
            let (dir, unpacked) = (OF_A_CHECKOUT.into(), None);
            return Ok(Self { dir, unpacked });
        }
        Self::open(scenarios)
    }

    /// Where they are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A folder of theirs that pages are written into.
    ///
    /// # Errors
    /// They are those within `pfs`.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        match self.is_embedded() {
            false => Ok(self.dir.join(name)),
            true => Err(Error::Usage(
                "the scenarios are those within pfs, which nothing is written into: name where to write with --output DIR"
                    .to_owned(),
            )),
        }
    }

    /// The directory as a command line needs it to mean the same scenarios, if it needs it.
    pub(super) fn named(&self) -> Option<&Path> {
        let needed = self.unpacked.is_none() && self.dir != Path::new(OF_A_CHECKOUT);
        needed.then_some(&*self.dir)
    }

    /// Whether they are those within `pfs`, of which no file is the user's to change.
    pub(super) fn is_embedded(&self) -> bool {
        self.unpacked.is_some()
    }
}

/// Whether there is a scenario file where [`Scenarios`] has them; what cannot be read has its error told later.
fn holds_some(dir: &Path) -> bool {
    let below = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    below(dir)
        .iter()
        .flat_map(|topic| below(topic))
        .any(|path| path.extension().is_some_and(|end| end == "toml"))
}

/// Writes the scenarios within `pfs` into a new directory, or into an empty one.
///
/// # Errors
/// There is something in it, or it cannot be written.
pub(super) fn export(dir: &Path) -> Result<u8, Error> {
    let failed = |error: std::io::Error| Error::Usage(format!("{}: {error}", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    if std::fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Err(Error::Usage(format!(
            "{}: there is something in it; name a directory that is new or empty",
            dir.display()
        )));
    }
    embedded::write_into(dir).map_err(failed)?;
    say!("{}", dir.display());
    Ok(EXIT_PASS)
}
