//! A real Postfix for a test of somebody else's program: a server for its client, a client for its server.
//!
//! ```text
//! request      what is asked for → a case of the pipe, so that a value is read as in a scenario file
//! server       user's client → tap → smtpd(8) → sink          Session for each connection
//!   gathering  log lines, taps and mails → whose they are     (pure)
//!   fault      what the tap does wrong on request             (pure but for the stream)
//! delivery     smtp(8) → tap → user's server                  Delivery
//! error        why there is none
//! ```
//!
//! The Postfix is that of a shared session (see [`crate::session`]): processes of the same build join it, and it ends soon after
//! the last of them, however that ended. Two servers of the same kind at one time have a line of master.cf each; whoever comes
//! later takes over a line that nobody holds.

mod delivery;
mod error;
mod fault;
mod gathering;
mod request;
mod server;

pub use delivery::{Delivery, DeliveryOptions};
pub use error::FixtureError;
pub use fault::Fault;
pub use gathering::Session;
pub use request::ServerOptions;
pub use server::Server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pfs_certs::Pki;
use pfs_containers::{Cache, EngineChoice, EngineName, Progress, Settings, Target};

use crate::plan::{self, Case, Decision, Lacking, PostfixSide};
use crate::scenario::{self, TargetVersions};
use crate::session::{Kind, Line, Ports, Running, Session as Fleets};

/// Most servers or deliveries of one kind at a time, on one target, in all processes that share a session. More would not fit
/// into what a fleet claims.
const SLOTS: usize = 48;

/// A target's Postfix, ready to be lent.
pub struct Fixtures {
    fleets: Fleets,
    target: TargetVersions,
    parameters: BTreeSet<String>,
    ca: PathBuf,
}

/// A line of a running fleet that nobody else uses as long as this lives.
struct Slot {
    running: Arc<Running>,
    ports: Ports,
    case: Case,
    /// Given to whoever listens at the line's port, too: until that is over, nobody else may.
    held: Arc<File>,
}

impl Fixtures {
    /// Makes the target, which takes a minute the first time. Nothing of it runs yet.
    ///
    /// # Errors
    /// [`FixtureError::Unavailable`] where neither Docker nor root is there; else the environment's.
    pub async fn open(
        target: Target,
        engine: EngineChoice,
        cache: &Cache,
        kind: Kind,
        progress: &dyn Progress,
    ) -> Result<Self, FixtureError> {
        let engine = match engine {
            EngineChoice::Auto if target.needs_chroot() => EngineChoice::Chroot,
            asked => asked,
        };
        let engine = engine.open(Settings::new(cache.clone())).await?;
        let facts = engine.prepare(&target, progress).await?;
        let versions = plan::versions(&facts).ok_or_else(|| FixtureError::Versions {
            target: facts.target.clone(),
            postfix: facts.mail_version.clone(),
            openssl: facts.openssl_text.clone(),
        })?;
        let parameters = facts.parameters().map(str::to_owned).collect();
        let targets = BTreeMap::from([(versions.name.clone(), (target, facts))]);
        let fleets = Fleets::open(engine, cache, kind, targets, Vec::new()).await?;
        let ca = written(fleets.directory(), "ca.pem", &fleets.pki().ca_pem("root")?)?;
        Ok(Self {
            fleets,
            target: versions,
            parameters,
            ca,
        })
    }

    /// The target, and what it has.
    pub fn target(&self) -> &TargetVersions {
        &self.target
    }

    /// What runs it.
    pub fn engine(&self) -> EngineName {
        self.fleets.engine()
    }

    /// The test PKI: the same for all processes that share the session.
    pub fn pki(&self) -> &Arc<Pki> {
        self.fleets.pki()
    }

    /// PEM file of the root that a client is to trust; there as long as this value.
    pub fn ca_pem_path(&self) -> &Path {
        &self.ca
    }

    /// PEM files of a certificate of the test PKI, with its chain, and of its key, for a server of the user's; there as long
    /// as this value.
    ///
    /// # Errors
    /// A name that no certificate has, which says the nearest; a file that cannot be written.
    pub fn certificate(&self, name: &str) -> Result<(PathBuf, PathBuf), FixtureError> {
        let leaf = self.pki().leaf(name)?;
        let directory = self.fleets.directory();
        Ok((
            written(directory, &format!("{name}.chain.pem"), &leaf.cert_pem())?,
            written(directory, &format!("{name}.key.pem"), &leaf.key_pem())?,
        ))
    }

    /// A server, ready for connections when this returns.
    ///
    /// # Errors
    /// What Postfix or this program cannot make of `options`; the environment's.
    pub async fn server(&self, options: &ServerOptions) -> Result<Server, FixtureError> {
        let name = match (&options.name, options.certificates.first()) {
            (Some(name), _) => name.clone(),
            (None, Some(certificate)) => {
                let leaf = self.pki().leaf(certificate)?;
                leaf.dns_names().first().cloned().unwrap_or_default()
            }
            (None, None) => "localhost".to_owned(),
        };
        let text = options.scenario();
        let slot = self.slot(&text, |case| case.server.side(), true).await?;
        Server::start(slot, name, self.ca.clone(), options).await
    }

    /// Has smtp(8) deliver a mail to the server at `address`.
    ///
    /// # Errors
    /// An address that is not this machine's loopback; what Postfix or this program cannot make of `options`; the
    /// environment's. What comes of the delivery is none.
    pub async fn deliver(
        &self,
        options: &DeliveryOptions,
        address: SocketAddr,
    ) -> Result<Delivery, FixtureError> {
        let loopback = match address.ip() {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => address.is_loopback(),
        };
        if !loopback {
            return Err(FixtureError::NotLoopback { address });
        }
        let text = options.scenario(&self.parameters);
        let slot = self.slot(&text, |case| case.client.side(), false).await?;
        delivery::deliver(slot, options, address).await
    }

    /// Ends the session (see [`Fleets::close`]).
    ///
    /// # Errors
    /// A fleet that could not be stopped.
    pub async fn close(&self) -> Result<(), FixtureError> {
        Ok(self.fleets.close().await?)
    }

    /// The first line of this kind that nobody holds, in its fleet.
    async fn slot(
        &self,
        text: &str,
        side: impl Fn(&Case) -> Option<&PostfixSide>,
        server: bool,
    ) -> Result<Slot, FixtureError> {
        for number in 1..=SLOTS {
            let case = self.case(text, number)?;
            let Some(held) = self.fleets.try_hold_case(&case)? else {
                continue;
            };
            let lacking = || FixtureError::Broken("the fleet has no line for this".to_owned());
            let key = side(&case).map(|side| side.fleet.clone());
            let key = key.ok_or_else(lacking)?;
            let running = self.fleets.fleet(&key, &case).await?;
            let line = Line::of(&case, &key)
                .into_iter()
                .find(|line| line.role.is_server() == server)
                .ok_or_else(lacking)?;
            let ports = running.ports(&line).ok_or_else(lacking)?;
            return Ok(Slot {
                running,
                ports,
                case,
                held: Arc::new(held),
            });
        }
        Err(FixtureError::Busy { most: SLOTS })
    }

    /// What is asked for, as the pipe reads it.
    fn case(&self, text: &str, number: usize) -> Result<Case, FixtureError> {
        let path = format!("fixture/{}.{number}.toml", plan::digest(text));
        let read = scenario::parse(Path::new(&path), text);
        let scenario = read.map_err(|error| FixtureError::Setting(error.to_string()))?;
        let scenario = scenario.into_iter().next().map(Arc::new);
        let scenario =
            scenario.ok_or_else(|| FixtureError::Broken("nothing was asked for".to_owned()))?;
        let decision = plan::plan(&scenario, &self.target, std::slice::from_ref(&self.target));
        let case = match decision {
            Decision::Run(case) => *case,
            Decision::NotApplicable { why, .. } | Decision::Broken { why, .. } => {
                return Err(FixtureError::Setting(why));
            }
        };
        let known = BTreeMap::from([(self.target.name.as_str(), self.parameters.clone())]);
        match plan::check_parameters(&case, &known) {
            Ok(()) => Ok(case),
            Err(Lacking::Here { target, name }) => Err(FixtureError::Lacking { target, name }),
            Err(Lacking::Everywhere(unknown)) => Err(FixtureError::Unknown {
                name: unknown.name,
                nearest: unknown.nearest,
            }),
        }
    }
}

impl Slot {
    /// The tag of its log lines, without `postfix/`.
    fn tag(&self) -> &str {
        &self.case.tag
    }

    /// Where this program listens for the line.
    fn harness(&self) -> SocketAddr {
        SocketAddr::new(self.running.fleet.harness_address(), self.ports.harness)
    }
}

/// A file of the session, whole whenever somebody reads it; several processes may write the same.
fn written(directory: &Path, name: &str, text: &str) -> Result<PathBuf, FixtureError> {
    let path = directory.join(name);
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| FixtureError::Io {
        doing: format!("writing {}", path.display()),
        source,
    })?;
    Ok(path)
}
