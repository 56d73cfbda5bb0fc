//! One fleet of a session: started with every line of the catalogue, joined, or changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pfs_containers::{Fleet, FleetFile, FleetSpec, Lifetime};

use super::lines::{self, Line, Ports};
use super::record::{MadeFrom, Record};
use super::{Kind, Session, SessionError, blocking, hold, open_lock, ports, sessions_of};
use crate::plan::{Case, FleetKey};
use crate::scenario::{Change, Start};

/// Longest start of a fleet whose image is there.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// First port of the smtpd lines inside a fleet.
const FIRST_FLEET_PORT: u16 = 10_000;

/// A running fleet and its lines.
pub struct Running {
    /// The fleet.
    pub fleet: Fleet,
    lines: BTreeMap<String, (Line, Ports)>,
}

impl Running {
    /// The ports of a line, if the fleet has it exactly so.
    pub fn ports(&self, line: &Line) -> Option<Ports> {
        self.lines
            .get(&line.name())
            .filter(|(known, _)| known == line)
            .map(|(_, ports)| *ports)
    }

    pub(super) fn has(&self, lines: &[Line]) -> bool {
        lines.iter().all(|line| self.ports(line).is_some())
    }
}

impl Session {
    /// The fleet with these lines in it, whatever state it is in now.
    pub(super) async fn ensure(
        &self,
        key: &FleetKey,
        wanted: &[Line],
    ) -> Result<Arc<Running>, SessionError> {
        let made_from = self.made_from(key)?;
        let name = made_from.file_name();
        let path = self.directory.join(format!("{name}.json"));
        // Held until the fleet is there: the next process finds it instead of starting another.
        let lock = open_lock(&self.directory.join(format!("{name}.lock")))?;
        let _held = blocking(move || lock.lock().map(|()| lock))
            .await?
            .map_err(SessionError::io(&path))?;
        let mut record = Record::read(&path).filter(|record| record.made_from == made_from);
        if let Some(Record {
            state: Some(state),
            lines,
            ..
        }) = &record
        {
            let has_all = wanted.iter().all(|line| {
                lines
                    .get(&line.name())
                    .is_some_and(|(known, _)| known == line)
            });
            match self.engine.attach(state).await {
                // What an earlier run did to it must not be seen by this one.
                Ok(fleet) if key.own.is_some() => {
                    // One that does not stop is in nobody's way: the new one has another name.
                    let _ = fleet.stop().await;
                }
                Ok(fleet) if has_all => {
                    return Ok(Arc::new(Running {
                        fleet,
                        lines: lines.clone(),
                    }));
                }
                // All that this run will want, so that it is done once, and before any of its cases runs.
                Ok(fleet) => {
                    let all: Vec<Line> = self.with_catalogue(key, wanted).into_values().collect();
                    return self.add(key, fleet, record.take(), &all, &path).await;
                }
                // Gone, or as good as gone, as after a crash of Docker's daemon: what is left of it ends unused.
                Err(_) => {}
            }
        }
        self.start(key, wanted, &path).await
    }

    /// The lines that the catalogue has in a fleet, and these.
    fn with_catalogue(&self, key: &FleetKey, wanted: &[Line]) -> BTreeMap<String, Line> {
        let catalogue = self.catalogue.iter().flat_map(|case| Line::of(case, key));
        catalogue
            .chain(wanted.iter().cloned())
            .map(|line| (line.name(), line))
            .collect()
    }

    /// Keeps a fleet's name servers as they are for as long as this is held: a change of the fleet, by whatever process,
    /// makes them silent for a moment.
    ///
    /// # Errors
    /// A file of the session cannot be locked.
    pub async fn hold_names(&self, key: &FleetKey) -> Result<File, SessionError> {
        self.names(key, File::lock_shared).await
    }

    async fn names(
        &self,
        key: &FleetKey,
        lock: fn(&File) -> std::io::Result<()>,
    ) -> Result<File, SessionError> {
        let name = self.made_from(key)?.file_name();
        let path = self.directory.join(format!("{name}.names"));
        let file = open_lock(&path)?;
        blocking(move || lock(&file).map(|()| file))
            .await?
            .map_err(SessionError::io(&path))
    }

    async fn start(
        &self,
        key: &FleetKey,
        wanted: &[Line],
        path: &std::path::Path,
    ) -> Result<Arc<Running>, SessionError> {
        let all = self.with_catalogue(key, wanted);
        let mut record = {
            let sessions = sessions_of(&self.directory);
            let lock = open_lock(&sessions.join("ports.lock"))?;
            lock.lock().map_err(SessionError::io(&sessions))?;
            // A case that has a fleet for itself adds no line to it.
            let claim = ports::claim(
                &sessions,
                path,
                all.len(),
                key.own.is_none(),
                self.engine.name(),
            );
            let (first_port, port_count) =
                claim
                    .map_err(SessionError::io(path))?
                    .ok_or_else(|| SessionError::NoPorts {
                        fleet: key.to_string(),
                        lines: all.len(),
                    })?;
            let record = Record {
                made_from: self.made_from(key)?,
                state: None,
                first_port,
                port_count,
                ports_used: 0,
                generation: 0,
                lines: BTreeMap::new(),
            };
            record.write(path).map_err(SessionError::io(path))?;
            record
        };
        for line in all.into_values() {
            record.add(line);
        }
        let id = fleet_id(key);
        let spec = self.spec(key, &id, &record).await?;
        let fleet = self.engine.start(&spec).await?;
        record.state = Some(fleet.state().clone());
        record.write(path).map_err(SessionError::io(path))?;
        Ok(Arc::new(Running {
            fleet,
            lines: record.lines,
        }))
    }

    /// Adds or replaces lines of a running fleet.
    async fn add(
        &self,
        key: &FleetKey,
        fleet: Fleet,
        record: Option<Record>,
        wanted: &[Line],
        path: &std::path::Path,
    ) -> Result<Arc<Running>, SessionError> {
        let Some(mut record) = record else {
            return self.start(key, wanted, path).await;
        };
        let hosts = record.hosts();
        for line in wanted {
            record.add(line.clone());
        }
        record.generation += 1;
        let spec = self.spec(key, &fleet.state().id.clone(), &record).await?;
        if record.is_full() || record.hosts() != hosts || !fleet.can_reconfigure(&spec) {
            // Ports and host names are claimed when a fleet starts: a new one claims what is needed.
            fleet.stop().await?;
            return self.start(key, wanted, path).await;
        }
        let _silent = match &spec.dns {
            Some(_) => Some(self.names(key, File::lock).await?),
            None => None,
        };
        fleet.reconfigure(&spec).await?;
        record.state = Some(fleet.state().clone());
        record.write(path).map_err(SessionError::io(path))?;
        Ok(Arc::new(Running {
            fleet,
            lines: record.lines,
        }))
    }

    /// Puts other contents into files of a fleet that a case has for itself; returns them.
    /// `printed` is what the commands of the change have printed.
    ///
    /// # Errors
    /// The fleet is gone, or does not come back from the reload.
    pub async fn change(
        &self,
        key: &FleetKey,
        running: &Running,
        case: &Case,
        change: &Change,
        printed: BTreeMap<String, Vec<u8>>,
    ) -> Result<Vec<FleetFile>, SessionError> {
        let (pki, wanted, tag) = (Arc::clone(&self.pki), change.clone(), case.tag.clone());
        let own = case.scenario.file.files.iter();
        let own = own.map(|(name, text)| (name.get_ref().clone(), text.clone()));
        let own: BTreeMap<String, String> = own.collect();
        let files =
            blocking(move || lines::changed_files(&wanted, &printed, &own, &tag, &pki)).await??;
        if !change.reload {
            running.fleet.put(&files).await?;
            return Ok(files);
        }
        let path = self.record_of(key)?;
        let Some(mut record) = Record::read(&path) else {
            return Err(SessionError::UnknownTarget(key.to_string()));
        };
        record.generation += 1;
        let id = running.fleet.state().id.clone();
        let mut spec = self.spec(key, &id, &record).await?;
        spec.files
            .retain(|file| files.iter().all(|changed| changed.path != file.path));
        spec.files.extend(files.iter().cloned());
        running.fleet.reconfigure(&spec).await?;
        record.write(&path).map_err(SessionError::io(&path))?;
        Ok(files)
    }

    /// What a fleet of this key is made from at present.
    pub(super) fn made_from(&self, key: &FleetKey) -> Result<MadeFrom, SessionError> {
        let image = self.made_of.get(&key.target);
        let image = image.ok_or_else(|| SessionError::UnknownTarget(key.target.clone()))?;
        Ok(MadeFrom::new(key, image))
    }

    /// The file that says where the fleet runs.
    pub(super) fn record_of(&self, key: &FleetKey) -> Result<PathBuf, SessionError> {
        let name = self.made_from(key)?.file_name();
        Ok(self.directory.join(format!("{name}.json")))
    }

    async fn spec(
        &self,
        key: &FleetKey,
        id: &str,
        record: &Record,
    ) -> Result<FleetSpec, SessionError> {
        let (target, facts) = self
            .targets
            .get(&key.target)
            .ok_or_else(|| SessionError::UnknownTarget(key.target.clone()))?;
        let mut spec = FleetSpec::new(id, target.clone(), facts);
        if key.start == Start::AsPackaged {
            spec = spec.as_packaged(facts);
        }
        spec.deadline = START_DEADLINE;
        spec.generation = record.generation;
        spec.holder = Some(self.holder.clone());
        if self.kind == Kind::Warm {
            spec.lifetime = Lifetime::Leased {
                grace: hold::WARM_KEPT,
            };
        }
        let lines: Vec<(Line, Ports)> = record.lines.values().cloned().collect();
        let (pki, key) = (Arc::clone(&self.pki), key.clone());
        blocking(move || {
            pki.prepare(lines::certificates(&lines))?;
            lines::put(&mut spec, &key, &lines, &pki)?;
            Ok(spec)
        })
        .await?
    }
}

/// A name that no other fleet on this machine has: what runs, for whoever looks at containers and processes, by whom it was
/// started and when. At most 40 characters, all of which Docker takes.
fn fleet_id(key: &FleetKey) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let target: String = key.target.chars().take(14).collect();
    let id = format!(
        "{target}-{}-{:x}-{}",
        std::process::id(),
        nanos & 0xffff_ffff,
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    id.to_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

impl Record {
    /// Puts a line in. One that was different has other ports: nothing of the old one answers there.
    fn add(&mut self, line: Line) {
        let name = line.name();
        if self
            .lines
            .get(&name)
            .is_some_and(|(known, _)| *known == line)
        {
            return;
        }
        let ports = Ports {
            fleet: line
                .fixed_port()
                .unwrap_or(FIRST_FLEET_PORT.saturating_add(self.ports_used)),
            harness: line
                .server_port()
                .unwrap_or(self.first_port.saturating_add(self.ports_used)),
        };
        self.ports_used = self.ports_used.saturating_add(1);
        self.lines.insert(name, (line, ports));
    }

    fn is_full(&self) -> bool {
        self.ports_used > self.port_count
    }

    fn hosts(&self) -> BTreeSet<String> {
        lines::hosts(self.lines.values().map(|(line, _)| line))
    }
}
