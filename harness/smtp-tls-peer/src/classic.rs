//! The classic peer: TLS 1.0 to 1.2 by `classic-tls`, as an SMTP client and as a server. Its reports are those of the
//! rustls peer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use classic_tls::names::NamedGroup;
use classic_tls::wire::Side;
use classic_tls::{
    ClientCertificate, ClientConfig, HandshakeFailure, Report, ServerConfig, Session, Stream,
};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::capture::Capture;
use super::client_session::{self, Wire};
use super::dhe::PrimeFacts;
use super::error::Failure;
use super::no_delay::NoDelayStream;
use super::options::SmtpOptions;
use super::report::{PeerReport, Run, TlsFacts};
use super::role::{MailClient, MailServer, Reporting};
use super::rustls_client::connect;
use super::server_session;
use super::smtp::{Mail, Stage};
use super::tap::Recorder;

/// A client: what it offers, how it behaves, what it remembers.
#[derive(Debug)]
pub struct Client {
    /// Its TLS.
    pub config: Arc<ClientConfig>,
    /// What is not TLS.
    pub smtp: SmtpOptions,
    /// The session that its next connection may take up.
    pub memory: Memory,
}

/// A server: what it accepts and how it behaves.
#[derive(Debug)]
pub struct Server {
    /// Its TLS.
    pub config: Arc<ServerConfig>,
    /// What is not TLS.
    pub smtp: SmtpOptions,
}

/// The session that a client may take up again in its next connection.
#[derive(Debug)]
pub struct Memory(Option<Mutex<Option<Session>>>);

impl Memory {
    /// One that has kept nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Some(Mutex::new(None)))
    }

    /// One that keeps nothing: no session is ever resumed.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    fn get(&self) -> Option<Session> {
        let kept = self.0.as_ref()?.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, session: Option<&Session>) {
        if let (Some(kept), Some(session)) = (&self.0, session) {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Connects to `address`, sends `mail` and reports. Offers the session that the client remembers, if there is one, and
/// lets it remember the new one. Always comes back by `deadline`.
pub async fn send(
    address: SocketAddr,
    client: &Client,
    mail: &Mail,
    deadline: Instant,
) -> PeerReport {
    let mut run = Run::new(Side::Client, Capture::default());
    run.dialogue.stage = Stage::Connect;
    let config = match client.memory.get() {
        Some(session) => Arc::new(ClientConfig {
            resume: Some(session),
            ..ClientConfig::clone(&client.config)
        }),
        None => Arc::clone(&client.config),
    };
    let outcome = timeout_at(deadline, async {
        let stream = connect(address, None)
            .await
            .map_err(|source| Failure::Connection {
                what: format!("cannot connect to {address}"),
                source,
            })?;
        let tls = ClassicClient {
            config,
            memory: &client.memory,
        };
        client_session::talk(stream, tls, &client.smtp, mail, &mut run).await
    })
    .await;
    let outcome = outcome.unwrap_or_else(|_| run.struck());
    run.report(outcome)
}

/// Serves one client on a stream that is already connected. Always comes back by `deadline`.
pub async fn receive_on<S>(stream: S, server: &Server, deadline: Instant) -> PeerReport
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut run = Run::new(Side::Server, Capture::default());
    let tls = ClassicServer(Arc::clone(&server.config));
    let serving = server_session::serve(stream, tls, &server.smtp, &mut run);
    let outcome = timeout_at(deadline, serving).await;
    let outcome = outcome.unwrap_or_else(|_| run.struck());
    run.report(outcome)
}

impl MailClient for Client {
    fn send<'a>(&'a self, address: SocketAddr, mail: &'a Mail, deadline: Instant) -> Reporting<'a> {
        Box::pin(send(address, self, mail, deadline))
    }
}

impl MailServer for Server {
    fn receive(&self, stream: TcpStream, deadline: Instant) -> Reporting<'_> {
        Box::pin(receive_on(NoDelayStream::new(stream), self, deadline))
    }
}

/// `classic-tls` as the TLS of a client's session.
struct ClassicClient<'a> {
    config: Arc<ClientConfig>,
    memory: &'a Memory,
}

impl<S: AsyncRead + AsyncWrite + Unpin> client_session::Handshake<S> for ClassicClient<'_> {
    type Stream = Stream<Wire<S>>;

    async fn handshake(self, wire: Wire<S>, run: &mut Run) -> Result<Self::Stream, Failure> {
        let tls = established(run, classic_tls::connect(wire, self.config).await)?;
        self.memory.put(tls.report().session.as_ref());
        Ok(tls)
    }
}

/// `classic-tls` as the TLS of a server's session.
struct ClassicServer(Arc<ServerConfig>);

impl<S: AsyncRead + AsyncWrite + Unpin> server_session::Handshake<S> for ClassicServer {
    type Stream = Stream<Recorder<S>>;

    async fn handshake(self, wire: Recorder<S>, run: &mut Run) -> Result<Self::Stream, Failure> {
        run.certificate_requested = self.0.client_certificate != ClientCertificate::None;
        established(run, classic_tls::accept(wire, self.0).await)
    }
}

/// Notes what the handshake has shown, also one that failed.
fn established<S>(
    run: &mut Run,
    outcome: Result<Stream<S>, HandshakeFailure>,
) -> Result<Stream<S>, Failure> {
    match outcome {
        Ok(tls) => {
            run.tls = facts(tls.report());
            note(run, tls.report());
            Ok(tls)
        }
        Err(HandshakeFailure { error, report }) => {
            note(run, &report);
            Err(Failure::Classic(error))
        }
    }
}

/// Certificates and schemes; [`Run::report`] puts them in their places.
fn note(run: &mut Run, report: &Report) {
    let chain = |chain: &[Vec<u8>]| {
        chain
            .iter()
            .cloned()
            .map(CertificateDer::from)
            .collect::<Vec<_>>()
    };
    let scheme = |scheme: Option<classic_tls::names::SignatureScheme>| {
        scheme.map(|scheme| rustls::SignatureScheme::from(scheme.0))
    };
    let server = (
        chain(&report.server_certificates),
        scheme(report.server_signature_scheme),
    );
    let client = (
        chain(&report.client_certificates),
        scheme(report.client_signature_scheme),
    );
    let (own, other) = match run.side {
        Side::Client => (client, server),
        Side::Server => (server, client),
    };
    run.certificate_requested |= report.certificate_request.is_some();
    run.irregularities.clone_from(&report.irregularities);
    run.capture.update(|seen| {
        (seen.own_chain, seen.own_scheme) = own;
        (seen.certificates, seen.peer_scheme) = other;
    });
}

fn facts(report: &Report) -> Option<TlsFacts> {
    let dh = report
        .server_key_exchange
        .as_ref()
        .and_then(|exchange| exchange.dh());
    let prime = dh.map(|dh| PrimeFacts::of(&dh.p, &dh.g));
    // A prime of RFC 7919 goes by the name of its group, as with rustls.
    let named = || {
        let name = prime?.name?.split(' ').next()?;
        NamedGroup::from_name(name).filter(|group| group.is_ffdhe())
    };
    Some(TlsFacts {
        version: report.version?,
        suite: report.suite?,
        group: report.group().or_else(named),
        prime,
        server_scheme: None,
        client_scheme: None,
        resumed: report.resumed,
    })
}
