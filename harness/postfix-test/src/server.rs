//! A server that runs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harness::fixture::{self, Fixtures, Session};

use crate::Error;
use crate::runtime::{block, run};

/// How long [`Server::next_session`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Postfix that waits for connections of the program under test. It is there until this value is dropped or the process
/// ends, however it does.
pub struct Server {
    inner: Arc<fixture::Server>,
    fixtures: Arc<Fixtures>,
}

impl Server {
    pub(crate) fn new(inner: fixture::Server, fixtures: Arc<Fixtures>) -> Self {
        Self {
            inner: Arc::new(inner),
            fixtures,
        }
    }

    /// Where to connect: 127.0.0.1 and a port that is free on this machine.
    pub fn address(&self) -> SocketAddr {
        self.inner.address()
    }

    /// The name to verify, and to send in SNI: `localhost`, which also leads to [`Self::address`], unless the certificate was
    /// chosen to be another.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// PEM file of the CA to trust.
    pub fn ca_pem_path(&self) -> &Path {
        self.inner.ca_pem_path()
    }

    /// The CA to trust, DER.
    ///
    /// # Errors
    /// The session's files are gone or damaged.
    pub fn ca_der(&self) -> Result<Vec<u8>, Error> {
        let ca = self.fixtures.pki().ca("root");
        let ca = ca.map_err(|error| Error::from(fixture::FixtureError::from(error)))?;
        Ok(ca.certificate_der().to_vec())
    }

    /// A store that trusts this CA alone.
    ///
    /// # Errors
    /// As [`Self::ca_der`].
    #[cfg(feature = "rustls")]
    pub fn root_store(&self) -> Result<rustls::RootCertStore, Error> {
        let mut roots = rustls::RootCertStore::empty();
        let added = roots.add(self.ca_der()?.into());
        added.map_err(|error| Error::broken(format!("the CA of the test PKI: {error}")))?;
        Ok(roots)
    }

    /// Such as `3.10.13`.
    pub fn postfix_version(&self) -> String {
        self.fixtures.target().postfix.to_string()
    }

    /// Such as `3.5.7`.
    pub fn openssl_version(&self) -> String {
        self.fixtures.target().openssl.to_string()
    }

    /// What came of the next connection, once it is over and its mails have come out behind Postfix: waits for 30 seconds.
    /// Blocks; may be called where a runtime is.
    ///
    /// # Errors
    /// No connection has ended by then: says which there were and what Postfix logged. The Postfix has been stopped.
    pub fn next_session(&self) -> Result<Session, Error> {
        self.next_session_within(PATIENCE)
    }

    /// As [`Self::next_session`], waiting for so long.
    ///
    /// # Errors
    /// As there.
    pub fn next_session_within(&self, patience: Duration) -> Result<Session, Error> {
        let server = Arc::clone(&self.inner);
        block(async move { Ok(server.next_session(patience).await?) })
    }

    /// As [`Self::next_session`], for tests that are `async`, on whatever runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn next_session_async(&self) -> Result<Session, Error> {
        let server = Arc::clone(&self.inner);
        run(async move { Ok(server.next_session(PATIENCE).await?) }).await
    }
}
