//! Stage 3: the fleets that a run needs, started, or joined where another process has started
//! them, with the run's lines in them.
//!
//! A session is a directory below the cache: the PKI, and for each fleet a record of where it
//! runs and which lines it has. Processes that share a session (a test runner with a process per
//! test; runs after `pfs up`) find each other's fleets there, one at a time under a lock.

mod alone;
mod build;
mod command;
mod error;
mod exim;
mod fleet;
mod hold;
mod lines;
mod names;
mod ports;
mod record;

pub use alone::{SINK_PORT, alone, server_port};
pub(crate) use command::{RUNNER, command_port, command_port_at, mode_of};
pub use error::SessionError;
pub(crate) use exim::MISSING as MISSING_EXIM;
pub use fleet::Running;
pub use lines::{Line, Ports, Role, SERVER_NAME, recipient};

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use pfs_certs::Pki;
use pfs_containers::removal::remove_tree;
use pfs_containers::{Cache, Engine, Holder, Target, TargetFacts};
use tokio::sync::{OnceCell, Semaphore};

use crate::plan::{Case, FleetKey};

/// Who else may use a session's fleets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody: they end with the run.
    Private,
    /// Every process with the same key; they end soon after the last one.
    Shared(String),
    /// Every run until `pfs down`, or until none has come for an hour.
    Warm,
}

/// Whether `pfs up` has left fleets for a run to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warm {
    /// It has not.
    None,
    /// It has, and was this very program.
    Ours,
    /// It has, and was another build of this program: what that made is not for this one.
    OfAnotherBuild,
}

/// Told what goes on: the target, and what is done.
pub type Tell = dyn Fn(&str, &str) + Send + Sync;

/// What came of starting a fleet; asked for once.
type Started = Result<Arc<Running>, Arc<SessionError>>;

/// The fleets of a run.
pub struct Session {
    kind: Kind,
    directory: PathBuf,
    engine: Box<dyn Engine>,
    pki: Arc<Pki>,
    targets: BTreeMap<String, (Target, TargetFacts)>,
    /// By target, what its fleets are made of.
    made_of: BTreeMap<String, String>,
    catalogue: Vec<Arc<Case>>,
    fleets: Mutex<HashMap<FleetKey, Arc<OnceCell<Started>>>>,
    /// A turn to start a fleet that several cases have: with many of them at once, the cases of those that run would wait
    /// for processor time until their deadline.
    starting: Semaphore,
    /// Held shared while the session is used: a directory nobody holds is left over.
    in_use: File,
    /// The same, as what is left of its fleets is marked by.
    holder: Holder,
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
        hold::remove_left_over(&sessions);
        let directory = sessions.join(directory_name(&kind, engine.name()));
        let in_use = hold::hold(&directory)?;
        let holder = Holder::new(cache, &hold::in_use(&directory))?;
        let mut made_of = BTreeMap::new();
        for (name, (target, _)) in &targets {
            made_of.insert(name.clone(), engine.made_of(target).await?);
        }
        let pki_directory = directory.join("pki");
        let pki = blocking(move || Pki::open(&pki_directory, SystemTime::now())).await??;
        Ok(Self {
            kind,
            directory,
            engine,
            pki: Arc::new(pki),
            targets,
            made_of,
            catalogue,
            fleets: Mutex::default(),
            starting: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
            in_use,
            holder,
        })
    }

    /// The warm session for this engine that a run would join.
    pub fn warm(cache: &Cache, engine: pfs_containers::EngineName) -> Warm {
        let mut found = warm_sessions(cache, engine);
        found.retain(|directory| hold::was_used_within(directory, hold::WARM_KEPT));
        let own = directory_name(&Kind::Warm, engine);
        if found.iter().any(|path| path.ends_with(&own)) {
            Warm::Ours
        } else if found.is_empty() {
            Warm::None
        } else {
            Warm::OfAnotherBuild
        }
    }

    /// What is in a target of this session.
    pub(crate) fn facts(&self, target: &str) -> Option<&TargetFacts> {
        self.targets.get(target).map(|(_, facts)| facts)
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
        let started = async || {
            // A case that has a fleet for itself is among the few that run.
            let _turn = match key.own {
                None => self.starting.acquire().await.ok(),
                Some(_) => None,
            };
            self.ensure(key, &wanted).await.map_err(Arc::new)
        };
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

    /// Keeps everybody else from running the same case on the same target while this is held: another process would want
    /// its ports, and hear its log lines. Nothing where no other process has the fleets.
    ///
    /// # Errors
    /// A file of the session cannot be locked.
    pub async fn hold_case(&self, case: &Case) -> Result<Option<File>, SessionError> {
        if self.kind == Kind::Private {
            return Ok(None);
        }
        let name = format!("{}.{}.case", case.target, case.tag);
        let path = self.directory.join(name);
        let file = open_lock(&path)?;
        let held = blocking(move || file.lock().map(|()| file)).await?;
        held.map(Some).map_err(SessionError::io(&path))
    }

    /// As [`Session::hold_case`], whoever else has the fleets; nothing, at once, where the case is held already, by a thread
    /// of this process or by another process.
    ///
    /// # Errors
    /// A file of the session cannot be locked.
    pub fn try_hold_case(&self, case: &Case) -> Result<Option<File>, SessionError> {
        let path = self
            .directory
            .join(format!("{}.{}.case", case.target, case.tag));
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(SessionError::io(&path)(error)),
        }
    }

    /// Where the session's files are; nobody removes it while the session is open.
    pub fn directory(&self) -> &Path {
        &self.directory
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
            if let Ok(record) = self.record_of(key) {
                let _ = fs::remove_file(record);
            }
        }
    }

    /// What master(8) has said of processes that did not end well and served no case that was still listened for: the
    /// fleet, and the line.
    pub fn unheard_crashes(&self) -> Vec<(FleetKey, String)> {
        let fleets = self.fleets.lock().unwrap_or_else(PoisonError::into_inner);
        let running = fleets
            .iter()
            .filter_map(|(key, cell)| Some((key, cell.get()?.as_ref().ok()?)));
        let lines = running.flat_map(|(key, running)| {
            let unheard = running.fleet.log().unheard().into_iter();
            unheard.map(|line| (key.clone(), line.to_string()))
        });
        lines.collect()
    }

    /// Ends the session: its fleets too, unless others may still want them.
    ///
    /// # Errors
    /// The first fleet that could not be stopped; the others are stopped nevertheless.
    pub async fn close(&self) -> Result<(), SessionError> {
        if self.kind != Kind::Private {
            // Only tells others how long ago that was.
            let _ = hold::used_now(&self.in_use);
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
        if let Err(error) = self.engine.close(&self.holder).await {
            result = result.and(Err(error.into()));
        }
        let _ = remove_tree(&self.directory);
        result
    }

    /// Ends the fleets of the warm sessions of all builds, also those that no record tells of; returns how many there were.
    /// Waits for the runs that use them, and tells of it.
    ///
    /// # Errors
    /// A fleet could not be ended.
    pub async fn down(
        engine: &dyn Engine,
        cache: &Cache,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<usize, SessionError> {
        let mut stopped = 0;
        for directory in warm_sessions(cache, engine.name()) {
            let Some(_alone) = hold::hold_alone(&directory, tell).await? else {
                continue;
            };
            let holder = Holder::new(cache, &hold::in_use(&directory))?;
            stopped += engine.end(&holder).await?;
            remove_tree(&directory)?;
        }
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
        Kind::Shared(key) => format!("shared-{engine}-{key}-{}", build::build()),
        Kind::Warm => format!("{}-{}", warm(engine), build::build()),
    }
}

/// How the directory of a warm session of any build begins.
fn warm(engine: pfs_containers::EngineName) -> String {
    format!("warm-{engine}")
}

/// The warm sessions of this engine, of every build.
fn warm_sessions(cache: &Cache, engine: pfs_containers::EngineName) -> Vec<PathBuf> {
    let Ok(sessions) = sessions(cache) else {
        return Vec::new();
    };
    let name = |path: &PathBuf| path.file_name()?.to_str().map(str::to_owned);
    record::children(&sessions)
        .filter(|path| {
            path.is_dir() && name(path).is_some_and(|name| name.starts_with(&warm(engine)))
        })
        .collect()
}

fn open_lock(path: &Path) -> Result<File, SessionError> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(SessionError::io(path))
}

/// Runs work that waits for the disk or computes keys where it does not hold up the handshakes.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SessionError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SessionError::Interrupted)
}
