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
use tokio::time::{Instant, timeout_at};

use super::capture::Capture;
use super::closing::finish;
use super::dhe::PrimeFacts;
use super::error::Failure;
use super::options::{ClientOptions, TlsMode};
use super::report::{PeerReport, Run, TlsFacts};
use super::rustls_client::{connect, mail_over};
use super::rustls_server::converse;
use super::smtp::{Client, Mail, Offer, Server, Stage};
use super::tap::Recorder;

/// Name in the greeting and the reply to EHLO.
const HOSTNAME: &str = "mail.example.test";

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

/// Connects to `address`, sends `mail` after STARTTLS and reports. Offers the session in `memory`, if there is one, and
/// keeps the new one there. Always comes back by `deadline`.
pub async fn send(
    address: SocketAddr,
    mode: TlsMode,
    config: &Arc<ClientConfig>,
    memory: &Memory,
    mail: &Mail,
    deadline: Instant,
) -> PeerReport {
    let mut run = Run::new(Side::Client, Capture::default());
    run.dialogue.stage = Stage::Connect;
    let config = match memory.get() {
        Some(session) => Arc::new(ClientConfig {
            resume: Some(session),
            ..ClientConfig::clone(config)
        }),
        None => Arc::clone(config),
    };
    let outcome = timeout_at(deadline, async {
        let stream = connect(address, None)
            .await
            .map_err(|source| Failure::Connection {
                what: format!("cannot connect to {address}"),
                source,
            })?;
        let options = ClientOptions::default();
        let (stream, early) = if mode == TlsMode::Implicit {
            (stream, Vec::new())
        } else {
            let mut smtp = Client::new(stream);
            smtp.banner(&mut run.dialogue).await?;
            let ehlo = smtp
                .ehlo(&options.helo, Stage::Ehlo, &mut run.dialogue)
                .await?;
            smtp.starttls(&ehlo, &mut run.dialogue).await?;
            smtp.into_parts()
        };
        run.dialogue.stage = Stage::Handshake;
        let recorder = Recorder::after(early, stream, Side::Client, run.recording.clone());
        let tls = established(&mut run, classic_tls::connect(recorder, config).await)?;
        memory.put(tls.report().session.as_ref());
        let mut smtp = Client::new(tls);
        if mode == TlsMode::Implicit {
            smtp.banner(&mut run.dialogue).await?;
        }
        mail_over(smtp, &options, mail, Stage::EhloTls, &mut run).await
    })
    .await;
    let outcome = outcome.unwrap_or_else(|_| run.struck());
    run.report(outcome)
}

/// Serves one client on a stream that is already connected. Always comes back by `deadline`.
pub async fn receive_on<S>(
    stream: S,
    mode: TlsMode,
    config: Arc<ServerConfig>,
    deadline: Instant,
) -> PeerReport
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut run = Run::new(Side::Server, Capture::default());
    let outcome = timeout_at(deadline, async {
        run.dialogue.stage = Stage::Banner;
        let (stream, early) = if mode == TlsMode::Implicit {
            (stream, Vec::new())
        } else {
            let mut smtp = Server::new(stream, HOSTNAME, Offer::Yes);
            smtp.banner(&mut run.dialogue).await?;
            if !converse(&mut smtp, &mut run).await? {
                finish(smtp.lines()).await;
                return Ok(());
            }
            smtp.into_parts()
        };
        run.dialogue.stage = Stage::Handshake;
        run.certificate_requested = config.client_certificate != ClientCertificate::None;
        let recorder = Recorder::after(early, stream, Side::Server, run.recording.clone());
        let tls = established(&mut run, classic_tls::accept(recorder, config).await)?;
        let mut smtp = Server::inside_tls(tls, HOSTNAME);
        if mode == TlsMode::Implicit {
            smtp.banner(&mut run.dialogue).await?;
        }
        converse(&mut smtp, &mut run).await?;
        finish(smtp.lines()).await;
        Ok(())
    })
    .await;
    let outcome = outcome.unwrap_or_else(|_| run.struck());
    run.report(outcome)
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
