//! Stage 3: the fleets that a run needs, started, or joined where another process has started
//! them, with the run's lines in them.
//!
//! A session is a directory below the cache: the PKI, and for each fleet a record of where it
//! runs and which lines it has. Processes that share a session (a test runner with a process per
//! test; runs after `pfs up`) find each other's fleets there, one at a time under a lock.

mod error;
mod exim;
mod fleet;
mod lines;
mod names;
mod ports;
mod record;

pub use error::SessionError;
pub(crate) use exim::MISSING as MISSING_EXIM;
pub use fleet::Running;
pub use lines::{Line, Ports, Role, SERVER_NAME, recipient};

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pfs_certs::Pki;
use pfs_containers::{Cache, Engine, Target, TargetFacts};
use tokio::sync::OnceCell;

use crate::plan::{Case, FleetKey};

/// Who else may use a session's fleets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody: they end with the run.
    Private,
    /// Every process with the same key; they end soon after the last one.
    Shared(String),
    /// Every run until `pfs down`.
    Warm,
}

/// Told what goes on: the target, and what is done.
pub type Tell = dyn Fn(&str, &str) + Send + Sync;

/// How long the keys and fleets of tests are kept for the next ones. The fleets end sooner than that.
const SHARED_KEPT: Duration = Duration::from_secs(10 * 60);

/// What came of starting a fleet; asked for once.
type Started = Result<Arc<Running>, Arc<SessionError>>;

/// The fleets of a run.
pub struct Session {
    kind: Kind,
    directory: PathBuf,
    engine: Box<dyn Engine>,
    pki: Arc<Pki>,
    targets: BTreeMap<String, (Target, TargetFacts)>,
    catalogue: Vec<Arc<Case>>,
    fleets: Mutex<HashMap<FleetKey, Arc<OnceCell<Started>>>>,
    /// Held shared while the session is used: a directory nobody holds is left over.
    _in_use: File,
}

/// Directory of all sessions.
fn sessions(cache: &Cache) -> Result<PathBuf, SessionError> {
    Ok(cache.subdirectory("sessions")?)
}

/// The directory of all sessions, from that of one.
fn sessions_of(directory: &Path) -> PathBuf {
    directory.parent().unwrap_or(directory).to_owned()
}

impl Session {
    /// Opens a session. `catalogue` are the cases whose lines a fleet gets when it is started.
    ///
    /// # Errors
    /// The directory cannot be made, or the PKI in it cannot be read.
    pub async fn open(
        engine: Box<dyn Engine>,
        cache: &Cache,
        kind: Kind,
        targets: BTreeMap<String, (Target, TargetFacts)>,
        catalogue: Vec<Arc<Case>>,
    ) -> Result<Self, SessionError> {
        let sessions = sessions(cache)?;
        remove_left_over(&sessions);
        let directory = sessions.join(directory_name(&kind, engine.name()));
        let in_use = hold(&directory)?;
        let pki_directory = directory.join("pki");
        let pki = blocking(move || Pki::open(&pki_directory, SystemTime::now())).await??;
        Ok(Self {
            kind,
            directory,
            engine,
            pki: Arc::new(pki),
            targets,
            catalogue,
            fleets: Mutex::default(),
            _in_use: in_use,
        })
    }

    /// Is there a warm session for this engine?
    pub fn is_warm(cache: &Cache, engine: pfs_containers::EngineName) -> bool {
        sessions(cache).is_ok_and(|dir| dir.join(directory_name(&Kind::Warm, engine)).is_dir())
    }

    /// Name of the engine.
    pub fn engine(&self) -> pfs_containers::EngineName {
        self.engine.name()
    }

    /// The test PKI of this session.
    pub fn pki(&self) -> &Arc<Pki> {
        &self.pki
    }

    /// The fleet with all the lines that `case` has in it; started or joined on first use.
    ///
    /// # Errors
    /// The fleet cannot be started, or a line cannot be put into it.
    pub async fn fleet(&self, key: &FleetKey, case: &Case) -> Result<Arc<Running>, SessionError> {
        let cell = {
            let mut fleets = self.fleets.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fleets.entry(key.clone()).or_default())
        };
        let wanted = Line::of(case, key);
        let started = async || self.ensure(key, &wanted).await.map_err(Arc::new);
        let running = match cell.get_or_init(started).await {
            Ok(running) => running,
            Err(error) => return Err(SessionError::Earlier(Arc::clone(error))),
        };
        if running.has(&wanted) {
            return Ok(Arc::clone(running));
        }
        // A case outside the catalogue: its lines are added to the running fleet.
        self.ensure(key, &wanted).await
    }

    /// Ends the fleets that a case had for itself, unless they are to be looked at.
    pub async fn release(&self, case: &Case) {
        if self.kind == Kind::Warm {
            return;
        }
        for key in case.fleets().filter(|key| key.own.is_some()) {
            let cell = {
                let mut fleets = self.fleets.lock().unwrap_or_else(PoisonError::into_inner);
                fleets.remove(key)
            };
            let Some(Ok(running)) = cell.as_ref().and_then(|cell| cell.get()) else {
                continue;
            };
            // One that cannot be stopped ends by itself soon after this process.
            let _ = running.fleet.stop().await;
            let record = format!("{}.json", record::fleet_name(key));
            let _ = fs::remove_file(self.directory.join(record));
        }
    }

    /// Ends the session: its fleets too, unless others may still want them.
    ///
    /// # Errors
    /// The first fleet that could not be stopped; the others are stopped nevertheless.
    pub async fn close(&self) -> Result<(), SessionError> {
        if self.kind != Kind::Private {
            return Ok(());
        }
        let fleets =
            std::mem::take(&mut *self.fleets.lock().unwrap_or_else(PoisonError::into_inner));
        let running: Vec<_> = fleets
            .into_values()
            .filter_map(|cell| cell.get()?.as_ref().ok().cloned())
            .collect();
        let mut stops = tokio::task::JoinSet::new();
        for fleet in running {
            stops.spawn(async move { fleet.fleet.stop().await });
        }
        let mut result = Ok(());
        while let Some(stopped) = stops.join_next().await {
            if let Ok(Err(error)) = stopped {
                result = Err(error.into());
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
        result
    }

    /// Stops the fleets of the warm session; returns how many there were.
    ///
    /// # Errors
    /// A fleet could not be stopped.
    pub async fn down(engine: &dyn Engine, cache: &Cache) -> Result<usize, SessionError> {
        let directory = sessions(cache)?.join(directory_name(&Kind::Warm, engine.name()));
        let mut stopped = 0;
        for path in record::children(&directory) {
            let Some(state) = record::Record::read(&path).and_then(|record| record.state) else {
                continue;
            };
            match engine.attach(&state).await {
                Ok(fleet) => {
                    fleet.stop().await?;
                    stopped += 1;
                }
                Err(pfs_containers::Error::Gone { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let _ = fs::remove_dir_all(&directory);
        Ok(stopped)
    }
}

fn directory_name(kind: &Kind, engine: pfs_containers::EngineName) -> String {
    match kind {
        Kind::Private => {
            let nanos = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |d| d.subsec_nanos());
            format!("run-{}-{nanos}", std::process::id())
        }
        Kind::Shared(key) => format!("shared-{engine}-{key}"),
        Kind::Warm => format!("warm-{engine}"),
    }
}

fn open_lock(path: &Path) -> Result<File, SessionError> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(SessionError::io(path))
}

/// Holds the directory of a session, made if it does not exist, against its removal.
fn hold(directory: &Path) -> Result<File, SessionError> {
    let path = directory.join("in-use");
    loop {
        fs::create_dir_all(directory).map_err(SessionError::io(directory))?;
        let file = match open_lock(&path) {
            Err(_) if !directory.exists() => continue,
            opened => opened?,
        };
        file.lock_shared().map_err(SessionError::io(&path))?;
        file.set_modified(SystemTime::now())
            .map_err(SessionError::io(&path))?;
        // Somebody may have been about to remove it, and have it done by now.
        let there = fs::metadata(&path).map(|found| (found.dev(), found.ino()));
        let held = file.metadata().map(|found| (found.dev(), found.ino()));
        if there.ok() == held.ok() {
            return Ok(file);
        }
    }
}

/// Removes the directories of runs that are no more, and those that tests shared some time ago. Their fleets end by
/// themselves.
fn remove_left_over(sessions: &Path) {
    for directory in record::children(sessions) {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let keep = match name.split('-').next() {
            Some("run") => Duration::ZERO,
            Some("shared") => SHARED_KEPT,
            _ => continue,
        };
        let Ok(lock) = File::open(directory.join("in-use")) else {
            continue;
        };
        let unused = lock
            .metadata()
            .and_then(|found| found.modified())
            .ok()
            .and_then(|used| used.elapsed().ok())
            .is_some_and(|since| since >= keep);
        if unused && lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(&directory);
        }
    }
}

/// Runs work that waits for the disk or computes keys where it does not hold up the handshakes.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SessionError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SessionError::Interrupted)
}
