//! What is written down about a fleet, so that other processes can join it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pfs_containers::FleetState;
use serde::{Deserialize, Serialize};

use super::lines::{Line, Ports};
use crate::plan::{FleetKey, Value, digest};
use crate::scenario::Start;

/// The state of one fleet of a session, kept in `<session>/<fleet>.json` under a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// What it was made from.
    pub(super) made_from: MadeFrom,
    /// Where it runs; nothing while it is being started.
    pub(super) state: Option<FleetState>,
    /// First port claimed for the harness.
    pub(super) first_port: u16,
    /// How many are claimed.
    pub(super) port_count: u16,
    /// How many of them lines have had.
    pub(super) ports_used: u16,
    /// How often it has been changed while it ran.
    pub(super) generation: u32,
    /// Its lines by name.
    pub(super) lines: BTreeMap<String, (Line, Ports)>,
}

impl Record {
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        // Whoever is killed while writing leaves what was there before.
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, text)?;
        fs::rename(temporary, path)
    }
}

/// What is in a directory; nothing if it cannot be read.
pub(super) fn children(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

/// All that makes a fleet what it is: nobody joins one that was made from anything else. The build of this program is not
/// among it, since sessions of two builds have nothing in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MadeFrom {
    target: String,
    /// What the engine made it of: the image's id, the root directory.
    image: String,
    settings: BTreeMap<String, Value>,
    own: Option<String>,
    start: Start,
}

impl MadeFrom {
    pub(super) fn new(key: &FleetKey, image: &str) -> Self {
        Self {
            target: key.target.clone(),
            image: image.to_owned(),
            settings: key.settings.clone(),
            start: key.start,
            own: key.own.clone(),
        }
    }

    /// A file name that two of different makes do not share: the record says all of it, too.
    pub(super) fn file_name(&self) -> String {
        // Strings by name: it always can be written.
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{}-{}", self.target, digest(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_image_or_setting_is_another_fleet() {
        let key = |settings: &[(&str, &str)], own: Option<&str>| FleetKey {
            target: "t".to_owned(),
            settings: settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect(),
            own: own.map(str::to_owned),
            start: Start::Bare,
        };
        let names = [
            MadeFrom::new(&key(&[], None), "sha256:a"),
            MadeFrom::new(&key(&[], None), "sha256:b"),
            MadeFrom::new(&key(&[("x", "1 y=2")], None), "sha256:a"),
            MadeFrom::new(&key(&[("x", "1"), ("y", "2")], None), "sha256:a"),
            MadeFrom::new(&key(&[], Some("case")), "sha256:a"),
        ]
        .map(|made_from| made_from.file_name());
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }
}
