//! A fleet: one running Postfix with many services, and what it is made from.

pub(crate) mod files;
pub(crate) mod lease;
pub(crate) mod ready;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, EngineName, Error, Holder, Log, MainCf, NameService, Packaged, Result, Service,
    Target, TargetFacts,
    config::base::{self, INJECT_PORT, LEASE_PORT},
    log::follow::Follower,
};
use lease::Lease;

/// How long a fleet runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    /// Until nobody has held its lease for about this long (counted in steps of a quarter of it).
    Leased {
        /// Time without any holder.
        grace: Duration,
    },
    /// Until it is stopped.
    Forever,
}

impl Default for Lifetime {
    fn default() -> Lifetime {
        Lifetime::Leased {
            grace: Duration::from_secs(20),
        }
    }
}

/// A file to put into a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetFile {
    /// Absolute path inside the fleet, under `/etc/postfix/pfs/`.
    pub path: String,
    /// Permission bits, such as `0o644`; the owner is root.
    pub mode: u32,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl FleetFile {
    /// A file everybody may read.
    pub fn public(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> FleetFile {
        FleetFile {
            path: path.into(),
            mode: 0o644,
            bytes: bytes.into(),
        }
    }

    /// A file for root alone, such as a private key: Postfix's daemons read theirs before they drop root.
    pub fn secret(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> FleetFile {
        FleetFile {
            path: path.into(),
            mode: 0o600,
            bytes: bytes.into(),
        }
    }
}

/// What a fleet is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetSpec {
    /// Its name: 1 to 40 of `a-z`, `0-9`, `-`; unique on the machine while it runs.
    pub id: String,
    /// The Postfix in it.
    pub target: Target,
    /// Where main.cf and master.cf are in it.
    pub config_directory: String,
    /// main.cf: the base, and what this fleet needs of its own.
    pub main_cf: MainCf,
    /// What its package ships, if it is to be started with that: see [`FleetSpec::as_packaged`].
    pub packaged: Option<Packaged>,
    /// The services under test, behind those every fleet has.
    pub services: Vec<Service>,
    /// Certificates, tables and the like. A file at [`base::TRANSPORT_FILE`] adds routes.
    pub files: Vec<FleetFile>,
    /// Host names that resolve to the harness's address inside the fleet.
    pub hosts: Vec<String>,
    /// Zones its Postfix can look names up in; without any, no name server runs.
    pub dns: Option<NameService>,
    /// How long it runs.
    pub lifetime: Lifetime,
    /// Who it is for, if that is more than this process: what is left of it can be found, and told from what is wanted.
    pub holder: Option<Holder>,
    /// Most time its start may take, readiness included.
    pub deadline: Duration,
    /// TCP port that takes mail without TLS.
    pub inject_port: u16,
    /// TCP port of the lease.
    pub lease_port: u16,
    /// Counts the changes of a running fleet (see [`Fleet::reconfigure`]); the inject service's greeting tells it.
    pub generation: u32,
    /// TCP ports at which programs listen that are no services of its Postfix.
    pub listened: Vec<u16>,
}

impl FleetSpec {
    /// A fleet with nothing but what every fleet has.
    pub fn new(id: impl Into<String>, target: Target, facts: &TargetFacts) -> FleetSpec {
        FleetSpec {
            id: id.into(),
            target,
            config_directory: facts.config_directory.clone(),
            main_cf: base::main_cf(facts),
            packaged: None,
            services: Vec::new(),
            files: Vec::new(),
            hosts: vec!["mail.example.test".to_owned()],
            dns: None,
            lifetime: Lifetime::default(),
            holder: None,
            deadline: Duration::from_secs(30),
            inject_port: INJECT_PORT,
            lease_port: LEASE_PORT,
            generation: 0,
            listened: Vec::new(),
        }
    }

    /// Has it started as its package would: with the main.cf and the chroots of the package, made ready by the package's
    /// own means. A certificate at [`base::TRUSTED_FILE`] is among the authorities that the system trusts.
    #[must_use]
    pub fn as_packaged(mut self, facts: &TargetFacts) -> FleetSpec {
        self.main_cf = base::packaged_main_cf(facts);
        self.packaged = Some(facts.packaged.clone());
        self
    }
}

/// How the harness reaches a fleet's ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Every port at this address.
    Direct(Ipv4Addr),
    /// Each port published as another one on 127.0.0.1.
    Published(BTreeMap<u16, u16>),
}

/// Where a fleet lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Home {
    /// A container's id.
    Container(String),
    /// A directory that holds its root, and the process that supervises it.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The supervisor's process id.
        supervisor: i32,
    },
}

/// What another process needs to join a running fleet; plain data, to be kept in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetState {
    /// Its name.
    pub id: String,
    /// The engine that runs it.
    pub engine: EngineName,
    /// The Postfix in it.
    pub target: Target,
    /// Where it lives.
    pub home: Home,
    /// How its ports are reached.
    pub reach: Reach,
    /// Where the harness listens for this fleet's Postfix.
    pub harness: IpAddr,
    /// Hash of everything it was made from (see [`FleetSpec::hash`]).
    pub spec_hash: String,
    /// TCP port that takes mail without TLS.
    pub inject_port: u16,
    /// TCP port of the lease.
    pub lease_port: u16,
    /// Whether names can be looked up.
    #[serde(default)]
    pub names: Names,
}

/// Whether a fleet's Postfix can look names up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// Nobody has asked for it.
    #[default]
    NotWanted,
    /// Zones are signed, served and validated.
    Served,
    /// It was asked for, and the target lacks these programs.
    Missing(Vec<String>),
}

/// What an engine does for one of its running fleets.
pub(crate) trait Backend: Send + Sync {
    /// Puts files into the running fleet.
    fn put(&self, files: files::RootFiles) -> BoxFuture<'_, Result<()>>;

    /// Has its master read its files again.
    fn reload(&self) -> BoxFuture<'_, Result<()>>;

    /// Ends the fleet and removes everything it left, at once.
    fn stop(&self) -> BoxFuture<'_, Result<()>>;
}

/// A running fleet, held by this process's lease on it.
///
/// Dropping it gives the lease up: the fleet then ends by itself (see [`Lifetime`]) unless another process
/// holds one. [`Fleet::stop`] ends it for everybody at once.
pub struct Fleet {
    state: FleetState,
    log: Log,
    lease: Lease,
    backend: Arc<dyn Backend>,
    _follower: Follower,
}

impl Fleet {
    pub(crate) fn new(
        state: FleetState,
        log: Log,
        lease: Lease,
        backend: Arc<dyn Backend>,
        follower: Follower,
    ) -> Fleet {
        Fleet {
            state,
            log,
            lease,
            backend,
            _follower: follower,
        }
    }

    /// Where the harness connects to reach a port of this fleet.
    ///
    /// In published mode a port that is no service's has no address: 127.0.0.1 with port 0, which nothing answers.
    #[must_use]
    pub fn address_of(&self, port: u16) -> SocketAddr {
        self.state.address_of(port)
    }

    /// Where the harness must listen to be reached by this fleet's Postfix.
    #[must_use]
    pub fn harness_address(&self) -> IpAddr {
        self.state.harness
    }

    /// Its log, from this process's start or attachment on.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What another process needs to join it.
    #[must_use]
    pub fn state(&self) -> &FleetState {
        &self.state
    }

    /// Whether it still runs, as far as our lease's connection tells; costs nothing.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.lease.is_held()
    }

    /// Waits until the fleet ends, for whatever reason, or can no longer be watched: a Docker that is killed takes
    /// the log away and leaves the container.
    pub async fn ended(&self) {
        tokio::select! {
            () = self.lease.lost() => {}
            () = self.log.ended() => {}
        }
    }

    /// Proves that master, smtpd, the logger and our reading of its log all work: sends a token to the
    /// inject service and waits for it in the log. [`Engine::start`](crate::Engine::start) and
    /// [`attach`](crate::Engine::attach) have done that already.
    ///
    /// # Errors
    /// [`Error::Refused`] with Postfix's own words, [`Error::Gone`], [`Error::Deadline`].
    pub async fn ready(&self, deadline: Duration) -> Result<()> {
        ready::ready(&self.state, &self.log, deadline).await
    }

    /// Whether [`Fleet::reconfigure`] can do it: a container's published ports are fixed when it is made, and whether
    /// there are name servers is found out when a fleet starts.
    #[must_use]
    pub fn can_reconfigure(&self, spec: &FleetSpec) -> bool {
        let names = spec.dns.is_none() || self.state.names != Names::NotWanted;
        names
            && match &self.state.reach {
                Reach::Direct(_) => true,
                Reach::Published(ports) => spec.ports().all(|port| ports.contains_key(&port)),
            }
    }

    /// Changes services, settings, zones and files of the running fleet; host names stay as they are. `spec` must have a
    /// generation of its own: that it is in force is known when the inject service greets with it. A service that
    /// changes should change its port too, since a process of the old one may still wait for a client.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Deadline`], and those of the engine.
    pub async fn reconfigure(&self, spec: &FleetSpec) -> Result<()> {
        let bind = match (&self.state.home, &self.state.reach) {
            (Home::Directory { .. }, Reach::Direct(address)) => address.to_string(),
            _ => "0.0.0.0".to_owned(),
        };
        let mut files = spec.render(&bind)?;
        // Whoever holds the lease holds a lock on this very file.
        files.remove(base::LEASE_FILE);
        let mut lines = self.log.subscribe_all();
        self.backend.put(files).await?;
        self.backend.reload().await?;
        ready::reloaded(&self.state, &self.log, &mut lines, spec).await
    }

    /// Replaces the contents of generated files, and tells Postfix nothing of it.
    ///
    /// # Errors
    /// [`Error::Config`] for a path that is none of a fleet's own, and those of the engine.
    pub async fn put(&self, files: &[FleetFile]) -> Result<()> {
        let files = files::own_files(files)?;
        self.backend.put(files).await
    }

    /// Ends the fleet at once, for every process that uses it, and removes what it left.
    ///
    /// # Errors
    /// Those of the engine; a fleet that is gone already is none.
    pub async fn stop(&self) -> Result<()> {
        self.backend.stop().await
    }
}

impl FleetState {
    /// See [`Fleet::address_of`].
    #[must_use]
    pub fn address_of(&self, port: u16) -> SocketAddr {
        match &self.reach {
            Reach::Direct(address) => SocketAddr::from((*address, port)),
            Reach::Published(ports) => SocketAddr::from((
                Ipv4Addr::LOCALHOST,
                ports.get(&port).copied().unwrap_or_default(),
            )),
        }
    }

    pub(crate) fn gone(&self, why: impl Into<String>) -> Error {
        Error::Gone {
            fleet: self.id.clone(),
            why: why.into(),
        }
    }
}
