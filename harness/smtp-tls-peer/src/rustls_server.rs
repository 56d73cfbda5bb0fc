//! The rustls peer as a server: takes a connection, receives mail, reports.

use std::sync::Arc;

use classic_tls::names::Version;
use classic_tls::wire::Side;
use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::capture::Capture;
use super::closing::finish;
use super::error::Failure;
use super::no_delay::NoDelayStream;
use super::options::{Accept, ClientCertificate, OptionError, ServerOptions, TlsMode};
use super::provider;
use super::report::{PeerReport, Run};
use super::resolver::ServerChains;
use super::role::{MailServer, Reporting};
use super::server_session::{Handshake, serve};
use super::smtp::{Lines, Stage};
use super::tap::Recorder;
use super::verifier::ClientWatcher;

/// A configuration and what its callbacks write into.
#[derive(Debug, Clone)]
pub struct PreparedServer {
    config: Option<Arc<ServerConfig>>,
    capture: Capture,
}

/// Takes as many connections from `listener` as the options say and reports on the last, which holds the reports of
/// those before it. Always comes back by `deadline`, or a little after it.
pub async fn receive(
    listener: &TcpListener,
    options: &ServerOptions,
    deadline: Instant,
) -> PeerReport {
    let failed = |failure: Failure, stage: Stage| {
        let mut run = Run::new(Side::Server, Capture::default());
        run.dialogue.stage = stage;
        run.report(Err(failure))
    };
    let prepared = match PreparedServer::new(options) {
        Ok(prepared) => prepared,
        Err(error) => return failed(error.into(), Stage::Options),
    };
    let mut earlier: Vec<PeerReport> = Vec::new();
    loop {
        let mut report = match timeout_at(deadline, listener.accept()).await {
            Ok(Ok((stream, _))) => {
                prepared
                    .receive_on(NoDelayStream::new(stream), options, deadline)
                    .await
            }
            Ok(Err(source)) => failed(
                Failure::Connection {
                    what: "cannot accept a connection".to_owned(),
                    source,
                },
                Stage::Connect,
            ),
            Err(_) => failed(Failure::Deadline, Stage::Connect),
        };
        let stop = match options.accept {
            Accept::Exactly(_) => false,
            Accept::UntilMessage(_) => !report.messages.is_empty(),
        };
        let in_vain = report.stage() == Stage::Connect;
        if stop || in_vain || earlier.len() + 1 >= options.accept.limit() {
            report.earlier = earlier;
            return report;
        }
        earlier.push(report);
    }
}

/// A server with its options, ready to serve one connection after the other.
#[derive(Debug, Clone)]
pub struct RustlsServer {
    options: ServerOptions,
    prepared: PreparedServer,
}

impl RustlsServer {
    /// Turns options into a server.
    ///
    /// # Errors
    /// When the options cannot be carried out.
    pub fn new(options: ServerOptions) -> Result<Self, OptionError> {
        let prepared = PreparedServer::new(&options)?;
        Ok(Self { options, prepared })
    }
}

impl MailServer for RustlsServer {
    fn receive(&self, stream: TcpStream, deadline: Instant) -> Reporting<'_> {
        let stream = NoDelayStream::new(stream);
        Box::pin(self.prepared.receive_on(stream, &self.options, deadline))
    }
}

impl PreparedServer {
    /// Turns options into a configuration.
    ///
    /// # Errors
    /// When the options cannot be carried out.
    pub fn new(options: &ServerOptions) -> Result<Self, OptionError> {
        let capture = Capture::default();
        let config = match options.mode {
            TlsMode::Off => None,
            _ => Some(Arc::new(config(options, &capture)?)),
        };
        Ok(Self { config, capture })
    }

    /// Serves one client on a stream that is already connected.
    pub async fn receive_on<S>(
        &self,
        stream: S,
        options: &ServerOptions,
        deadline: Instant,
    ) -> PeerReport
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.capture.take();
        let mut run = Run::new(Side::Server, self.capture.clone());
        let tls = RustlsHandshake {
            options,
            config: self.config.as_ref(),
        };
        let outcome =
            match timeout_at(deadline, serve(stream, tls, &options.smtp(), &mut run)).await {
                Ok(outcome) => outcome,
                Err(_) => run.struck(),
            };
        run.report(outcome)
    }
}

fn config(options: &ServerOptions, capture: &Capture) -> Result<ServerConfig, OptionError> {
    let provider = Arc::new(provider::server(&options.tls, options.dh.as_ref())?);
    let versions = provider::protocol_versions(&options.tls)?;
    let schemes = provider::schemes(&options.tls)?;
    let allowed = if options.tls.signature_schemes.is_empty() {
        &[][..]
    } else {
        &schemes
    };
    let certified = |credential: &super::Credential| credential.certified(allowed, capture);
    let chains = ServerChains {
        keys: options
            .credentials
            .iter()
            .map(certified)
            .collect::<Result<_, _>>()?,
        by_name: options
            .sni_credentials
            .iter()
            .map(|(name, credential)| Ok((name.to_ascii_lowercase(), certified(credential)?)))
            .collect::<Result<_, OptionError>>()?,
        tls13: options.tls.versions.is_empty() || options.tls.versions.contains(&Version::TLS1_3),
        raw: options.tls.raw_server_key,
        capture: capture.clone(),
    };
    if chains.keys.is_empty() {
        return Err(OptionError::NoCredential);
    }
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| OptionError::Refused(error.to_string()))?;
    let builder = match options.client_certificate {
        ClientCertificate::None => builder.with_no_client_auth(),
        asked => builder.with_client_cert_verifier(Arc::new(ClientWatcher::new(
            capture.clone(),
            schemes.clone(),
            &provider,
            &options.client_roots,
            asked == ClientCertificate::Require,
            options.reject_untrusted,
            options.tls.raw_client_key,
        )?)),
    };
    let mut config = builder.with_cert_resolver(Arc::new(chains));
    config.ignore_client_order = options.prefer_own_ciphers;
    if options.resumption {
        config.session_storage = ServerSessionMemoryCache::new(32);
        config.ticketer = rustls_graviola::Ticketer::new()
            .map_err(|error| OptionError::Refused(error.to_string()))?;
    } else {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// rustls as the TLS of a session.
struct RustlsHandshake<'a> {
    options: &'a ServerOptions,
    config: Option<&'a Arc<ServerConfig>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Handshake<S> for RustlsHandshake<'_> {
    type Stream = TlsStream<Recorder<S>>;

    async fn handshake(self, wire: Recorder<S>, run: &mut Run) -> Result<Self::Stream, Failure> {
        run.certificate_requested = self.options.client_certificate != ClientCertificate::None;
        let config = self.config.ok_or(OptionError::NoCredential)?;
        match TlsAcceptor::from(Arc::clone(config))
            .accept(wire)
            .into_fallible()
            .await
        {
            Ok(tls) => {
                run.established(tls.get_ref().1);
                Ok(tls)
            }
            Err((error, stream)) => {
                let mut lines = Lines::new(stream);
                Err(run.end(Failure::Stream(error), finish(&mut lines)).await)
            }
        }
    }
}
