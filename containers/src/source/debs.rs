//! Local .deb files over a Debian base.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Base, Making, Origin, Release, inside::Script, over_base};
use crate::{
    BoxFuture, Error, Result,
    cache::in_thread,
    recipe::{DEBS, hash},
    tree,
};

/// Most time the installation may take, a slow mirror included.
const DEADLINE: Duration = Duration::from_secs(15 * 60);
/// Where the files are while they are installed.
const PLACE: &str = "/var/tmp/pfs-debs";

/// A directory of .deb files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Debs {
    /// Absolute path.
    pub directory: PathBuf,
    /// What they are installed over.
    pub base: Base,
}

impl Debs {
    pub(super) fn parse(text: &str) -> Result<Debs, String> {
        let (directory, base) = over_base(text)?;
        Ok(Debs { directory, base })
    }

    fn files(&self, making: &Making<'_>) -> Result<Vec<PathBuf>> {
        let given = self.directory.display();
        let entries = fs::read_dir(&self.directory)
            .map_err(|error| making.unusable(format!("{given}: {error}")))?;
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        files.sort();
        if files.is_empty() {
            return Err(making.unusable(format!("{given} holds no .deb file")));
        }
        Ok(files)
    }
}

impl fmt::Display for Debs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "debs:{}@{}", self.directory.display(), self.base)
    }
}

impl Origin for Debs {
    /// Of every byte of the files.
    fn key<'a>(&'a self, making: &'a Making<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            let files = self.files(making)?;
            let base = Release(&self.base.release).base_hash();
            in_thread(move || {
                let mut parts = vec![base, hash(&[DEBS])];
                for file in &files {
                    parts.push(content_hash(file).map_err(Error::io("reading", file))?);
                }
                Ok(hash(&parts))
            })
            .await
        })
    }

    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let files = self.files(making)?;
            Release(&self.base.release).unpack(making, root).await?;
            let place = root.join(PLACE.trim_start_matches('/'));
            tree::Inside::of(root)?.make_directory(PLACE)?;
            for file in &files {
                let name = file.file_name().unwrap_or_default();
                fs::copy(file, place.join(name)).map_err(Error::io("copying", file))?;
            }
            Script {
                root,
                shown: &[],
                path: "/var/tmp/pfs-debs/install",
                text: DEBS,
                arguments: &[PLACE],
                doing: "installing its .deb files",
                deadline: DEADLINE,
            }
            .run(making)
            .await?;
            crate::removal::remove_tree(&place)
        })
    }
}

fn content_hash(file: &Path) -> io::Result<String> {
    // Names matter no more than order does: dpkg reads both from the contents.
    fs::read(file).map(|bytes| hash(&[bytes]))
}
