//! Which Postfix, and what it is to be.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use harness::cli::{EngineName, Targets, Where};
use harness::fixture::{Delivery, DeliveryOptions, FixtureError, Fixtures, ServerOptions};
use harness::session::Kind;
use pfs_containers::{Cache, EngineChoice, ProgressEvent, Target};
use tokio::sync::{Mutex, OnceCell};

use crate::refusals::{Case, cases};
use crate::runtime::{block, run};
use crate::skip::or_skip;
use crate::{Error, Server};

/// The target of a test that names none.
const DEFAULT: &str = "debian-13";

/// The name of the session that tests share: the build of a test program is part of it, so that no program meets what
/// another one made.
const SESSION: &str = "test";

/// What is made of a target in this process, once.
type Made = Arc<OnceCell<Result<Arc<Fixtures>, Error>>>;

static MADE: LazyLock<Mutex<HashMap<String, Made>>> = LazyLock::new(Mutex::default);

/// A version of Postfix. Nothing runs before something is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postfix {
    target: String,
}

impl Postfix {
    /// The Postfix of a target: `debian-11`, `debian-12`, `debian-13`, `debian-testing`, or what `pfs run --target` takes
    /// (`mine=image:REF`, `mine=debs:DIR`, `installed`, …).
    pub fn target(name: impl Into<String>) -> Self {
        Self {
            target: name.into(),
        }
    }

    /// The targets that the environment names in `PFS_TARGETS`, separated by commas; else those of the three Debian releases.
    pub fn targets() -> impl Iterator<Item = Self> {
        let mut names = Targets { targets: vec![] }.names();
        if names.is_empty() {
            names = Target::defaults().map(|it| it.name().to_owned()).collect();
        }
        names.into_iter().map(Self::target)
    }

    /// A server for a client.
    pub fn server(&self) -> ServerBuilder {
        ServerBuilder {
            postfix: self.clone(),
            options: ServerOptions::default(),
        }
    }

    /// A client for a server.
    pub fn client(&self) -> DeliveryBuilder {
        DeliveryBuilder {
            postfix: self.clone(),
            options: DeliveryOptions::default(),
        }
    }

    /// Servers that every mail client must refuse, and a few that it must not: what it has to do with each.
    pub fn refusals(&self) -> impl Iterator<Item = Case> + use<> {
        cases(self).into_iter()
    }

    /// A certificate of the test PKI for a server of the user's, such as `localhost`; its files are there until the process
    /// ends. The CA is the one that [`Server::ca_pem_path`] has, and that [`Postfix::client`] trusts.
    ///
    /// # Errors
    /// A name that no certificate has; the environment's.
    pub fn certificate(&self, name: &str) -> Result<Certificate, Error> {
        let (postfix, name) = (self.clone(), name.to_owned());
        block(async move {
            let fixtures = postfix.fixtures().await?;
            let (chain_pem_path, key_pem_path) = fixtures.certificate(&name)?;
            Ok(Certificate {
                chain_pem_path,
                key_pem_path,
                ca_pem_path: fixtures.ca_pem_path().to_owned(),
            })
        })
    }

    async fn fixtures(&self) -> Result<Arc<Fixtures>, Error> {
        let made = Arc::clone(MADE.lock().await.entry(self.target.clone()).or_default());
        made.get_or_init(|| self.make()).await.clone()
    }

    async fn make(&self) -> Result<Arc<Fixtures>, Error> {
        let target = Target::parse(&self.target).map_err(FixtureError::from)?;
        let engine = Where { engine: None }.engine();
        let engine = engine.map_err(|error| FixtureError::Setting(error.to_string()))?;
        let engine = match engine {
            EngineName::Auto => EngineChoice::Auto,
            EngineName::Chroot => EngineChoice::Chroot,
            EngineName::Docker => EngineChoice::Docker,
        };
        // A first use makes the target, which takes a minute.
        let progress = |event: ProgressEvent| {
            if let ProgressEvent::Bootstrapping { target, line }
            | ProgressEvent::Making { target, line } = event
            {
                harness::tell!("{target}: {line}");
            }
        };
        let kind = Kind::Shared(SESSION.to_owned());
        let fixtures = Fixtures::open(target, engine, &Cache::of_user(), kind, &progress).await?;
        Ok(Arc::new(fixtures))
    }
}

impl Default for Postfix {
    /// The first target that `PFS_TARGETS` names, else that of Debian 13.
    fn default() -> Self {
        let named = Targets { targets: vec![] }.names().into_iter().next();
        Self::target(named.unwrap_or_else(|| DEFAULT.to_owned()))
    }
}

/// Files of a certificate of the test PKI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The leaf, then the intermediate, PEM.
    pub chain_pem_path: PathBuf,
    /// The private key, PKCS #8, PEM.
    pub key_pem_path: PathBuf,
    /// The CA that a client is to trust, PEM.
    pub ca_pem_path: PathBuf,
}

/// What a server is to be like: smtpd(8) with STARTTLS, every default of Postfix, and a certificate for `localhost`.
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    postfix: Postfix,
    options: ServerOptions,
}

impl ServerBuilder {
    pub(crate) fn with(postfix: Postfix, options: ServerOptions) -> Self {
        Self { postfix, options }
    }

    /// A main.cf parameter. A value may have the names of generated things: `chain:rsa2048`, `ca:root`, `dh:2048`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.parameters.insert(name.into(), value.into());
        self
    }

    /// A certificate of the test PKI instead of `localhost`: `rsa2048` and others for mail.example.test; `pfs` has a list.
    #[must_use]
    pub fn certificate(mut self, name: impl Into<String>) -> Self {
        self.options.certificates = vec![name.into()];
        self
    }

    /// TLS from the first byte, as on port 465 (RFC 8314).
    #[must_use]
    pub fn implicit_tls(mut self) -> Self {
        self.options.implicit_tls = true;
        self
    }

    /// Starts it, or joins the Postfix that another test has started: ready for connections when this returns. Blocks; may
    /// be called where a runtime is.
    ///
    /// # Errors
    /// [`Error::is_unavailable`] where neither Docker nor root is there; parameters that this Postfix does not have or take;
    /// what is broken on this machine.
    pub fn start(self) -> Result<Server, Error> {
        block(self.started())
    }

    /// As [`Self::start`], for tests that are `async`, on whatever runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn start_async(self) -> Result<Server, Error> {
        run(self.started()).await
    }

    /// As [`Self::start`]; nothing where neither Docker nor root is there, which standard error then tells.
    ///
    /// # Panics
    /// With every other error; with this one too where `PFS_REQUIRE=1` is set, as it should be in CI.
    #[track_caller]
    pub fn start_or_skip(self) -> Option<Server> {
        or_skip(self.start())
    }

    async fn started(self) -> Result<Server, Error> {
        let fixtures = self.postfix.fixtures().await?;
        let server = fixtures.server(&self.options).await?;
        Ok(Server::new(server, fixtures))
    }
}

/// How smtp(8) is to deliver a mail: opportunistic TLS and every other default of Postfix, trusting the test CA.
#[derive(Clone, Debug)]
pub struct DeliveryBuilder {
    postfix: Postfix,
    options: DeliveryOptions,
}

impl DeliveryBuilder {
    /// A main.cf parameter, such as `smtp_tls_security_level = secure`. A value may have the names of generated things.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.parameters.insert(name.into(), value.into());
        self
    }

    /// The server's name instead of `localhost`: what Postfix sends in SNI, and verifies at the levels `verify` and `secure`.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.options.name = name.into();
        self
    }

    /// TLS from the first byte, as on port 465 (RFC 8314).
    #[must_use]
    pub fn implicit_tls(mut self) -> Self {
        self.options.implicit_tls = true;
        self
    }

    /// Header and text of the mail, with LF or CR LF line ends.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.options.message = text.into();
        self
    }

    /// Most time that it may take, instead of a minute.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// Delivers one mail to the server at this loopback address, and returns what has become of it. Blocks; may be called
    /// where a runtime is.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`]; nobody listens at the address, or it is none of loopback; Postfix has not come to an end
    /// in time. A mail that is not delivered is none.
    pub fn deliver_to(self, address: SocketAddr) -> Result<Delivery, Error> {
        block(self.delivered(address))
    }

    /// As [`Self::deliver_to`], for tests that are `async`, on whatever runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn deliver_to_async(self, address: SocketAddr) -> Result<Delivery, Error> {
        run(self.delivered(address)).await
    }

    /// As [`Self::deliver_to`]; nothing where neither Docker nor root is there, which standard error then tells.
    ///
    /// # Panics
    /// As [`ServerBuilder::start_or_skip`].
    #[track_caller]
    pub fn deliver_to_or_skip(self, address: SocketAddr) -> Option<Delivery> {
        or_skip(self.deliver_to(address))
    }

    async fn delivered(self, address: SocketAddr) -> Result<Delivery, Error> {
        let fixtures = self.postfix.fixtures().await?;
        Ok(fixtures.deliver(&self.options, address).await?)
    }
}
