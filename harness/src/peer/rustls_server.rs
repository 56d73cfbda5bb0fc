//! The rustls peer as a server: takes a connection, receives mail, reports.

use std::sync::Arc;

use classic_tls::names::Version;
use classic_tls::wire::Side;
use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::capture::Capture;
use super::closing::finish;
use super::error::Failure;
use super::misbehave::{instead_of_tls, silence};
use super::options::{
    Accept, ClientCertificate, Misbehaviour, OptionError, ServerOptions, TlsMode,
};
use super::prompt::Prompt;
use super::provider;
use super::report::{PeerReport, Run};
use super::resolver::ServerChains;
use super::smtp::{Event, Lines, Offer, Server, SmtpError, Stage};
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
                    .receive_on(Prompt::new(stream), options, deadline)
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
        let outcome = match timeout_at(
            deadline,
            serve(stream, options, self.config.as_ref(), &mut run),
        )
        .await
        {
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

async fn serve<S>(
    stream: S,
    options: &ServerOptions,
    config: Option<&Arc<ServerConfig>>,
    run: &mut Run,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    run.dialogue.stage = Stage::Banner;
    if options.mode == TlsMode::Implicit {
        let tls = handshake((stream, Vec::new()), options, config, run).await?;
        let mut smtp = Server::inside_tls(tls, &options.hostname);
        smtp.banner(&mut run.dialogue).await?;
        converse(&mut smtp, run).await?;
        return close(smtp, options).await;
    }
    let offer = match options.misbehaviour {
        _ if options.mode == TlsMode::Off => Offer::No,
        Misbehaviour::RefuseStarttls => Offer::Refused,
        _ => Offer::Yes,
    };
    let mut smtp = Server::new(stream, &options.hostname, offer);
    if options.misbehaviour == Misbehaviour::SilentAtBanner {
        return Err(silence(run, smtp.lines().stream()).await);
    }
    smtp.banner(&mut run.dialogue).await?;
    if !converse(&mut smtp, run).await? {
        return close(smtp, options).await;
    }
    let tls = handshake(smtp.into_parts(), options, config, run).await?;
    let mut smtp = Server::inside_tls(tls, &options.hostname);
    converse(&mut smtp, run).await?;
    close(smtp, options).await
}

async fn handshake<S>(
    (stream, early): (S, Vec<u8>),
    options: &ServerOptions,
    config: Option<&Arc<ServerConfig>>,
    run: &mut Run,
) -> Result<TlsStream<Recorder<S>>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    run.dialogue.stage = Stage::Handshake;
    run.certificate_requested = options.client_certificate != ClientCertificate::None;
    let config = config.ok_or(OptionError::NoCredential)?;
    let mut recorder = Recorder::after(early, stream, Side::Server, run.recording.clone());
    if let Some(failure) = instead_of_tls(options.misbehaviour, run, &mut recorder).await {
        return Err(failure);
    }
    let tls = match TlsAcceptor::from(Arc::clone(config))
        .accept(recorder)
        .into_fallible()
        .await
    {
        Ok(tls) => tls,
        Err((error, stream)) => {
            let mut lines = Lines::new(stream);
            return Err(run.end(Failure::Stream(error), finish(&mut lines)).await);
        }
    };
    run.established(tls.get_ref().1);
    if options.misbehaviour == Misbehaviour::CloseAfterHandshake {
        return Err(Failure::Deliberate(
            "the server closed the connection after the handshake",
        ));
    }
    Ok(tls)
}

/// Serves until the end of the dialogue, or true: until TLS shall begin.
async fn converse<S>(smtp: &mut Server<S>, run: &mut Run) -> Result<bool, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match smtp.next(&mut run.dialogue).await {
            Ok(Event::StartTls) => return Ok(true),
            Ok(Event::Message(message)) => run.messages.push(message),
            Ok(Event::Quit) => return Ok(false),
            // A client that has delivered may go without a word.
            Ok(Event::Closed) | Err(SmtpError::Io(_)) if !run.messages.is_empty() => {
                return Ok(false);
            }
            Ok(Event::Closed) => {
                return Err(SmtpError::Closed {
                    expected: "a command",
                }
                .into());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn close<S>(mut smtp: Server<S>, options: &ServerOptions) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if options.misbehaviour != Misbehaviour::NoCloseNotify {
        finish(smtp.lines()).await;
    }
    Ok(())
}
