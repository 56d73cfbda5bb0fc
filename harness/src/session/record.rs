//! What is written down about a fleet, so that other processes can join it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pfs_containers::FleetState;
use serde::{Deserialize, Serialize};

use super::lines::{Line, Ports};
use crate::plan::{FleetKey, digest};

/// The state of one fleet of a session, kept in `<session>/<fleet>.json` under a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
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

/// A file name for a fleet: its target and, where it has settings of its own, a hash of them.
pub(super) fn fleet_name(key: &FleetKey) -> String {
    if key.settings.is_empty() && key.own.is_none() {
        return key.target.clone();
    }
    format!("{}-{}", key.target, digest(&key.to_string()))
}
