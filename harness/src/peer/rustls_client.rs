//! The rustls peer as a client: connects, sends one mail, reports.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use classic_tls::wire::Side;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::{DnsName, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::capture::Capture;
use super::closing::finish;
use super::dhe::{Learner, Lease};
use super::error::Failure;
use super::misbehave::{instead_of_tls, silence};
use super::options::{ClientOptions, Misbehaviour, OptionError, TlsMode};
use super::prompt::Prompt;
use super::provider;
use super::report::{PeerReport, Run};
use super::resolver::ClientChain;
use super::smtp::{Client, Dialogue, Lines, Mail, SmtpError, Stage};
use super::tap::Recorder;
use super::verifier::{ServerWatcher, root_store};

/// A name for rustls' books where no SNI is sent; it never leaves the process.
const NO_SNI: &str = "no-sni.invalid";

/// Sessions kept from one connection to the next. Connections that share it must have equal options, of which the
/// first one's count, and take their turns.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<Mutex<Option<Prepared>>>);

/// A configuration and what its callbacks write into.
#[derive(Debug, Clone)]
struct Prepared {
    config: Arc<ClientConfig>,
    capture: Capture,
    /// Keeps the group for the server's prime from the next client until the connection is over.
    _lease: Option<Arc<Lease>>,
}

/// Connects to `address`, sends `mail` and reports. Always comes back by `deadline`, or a little after it.
pub async fn send(
    address: SocketAddr,
    options: &ClientOptions,
    mail: &Mail,
    deadline: Instant,
) -> PeerReport {
    match timeout_at(deadline, connect(address, options.source)).await {
        Ok(Ok(stream)) => send_on(stream, options, mail, deadline).await,
        failed => {
            let mut run = Run::new(Side::Client, Capture::default());
            run.dialogue.stage = Stage::Connect;
            run.report(Err(match failed {
                Ok(Err(source)) => Failure::Connection {
                    what: format!("cannot connect to {address}"),
                    source,
                },
                _ => Failure::Deadline,
            }))
        }
    }
}

/// The same on a stream that is already connected.
pub async fn send_on<S>(
    stream: S,
    options: &ClientOptions,
    mail: &Mail,
    deadline: Instant,
) -> PeerReport
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut shared = match &options.sessions {
        Some(Sessions(sessions)) => match timeout_at(deadline, sessions.lock()).await {
            Ok(guard) => Some(guard),
            Err(_) => {
                return Run::new(Side::Client, Capture::default()).report(Err(Failure::Deadline));
            }
        },
        None => None,
    };
    let known = shared.as_ref().and_then(|sessions| (**sessions).clone());
    let prepared = match known.map_or_else(|| prepare(options), Ok) {
        Ok(prepared) => prepared,
        Err(error) => return Run::new(Side::Client, Capture::default()).report(Err(error.into())),
    };
    if let Some(sessions) = &mut shared {
        **sessions = Some(prepared.clone());
    }
    prepared.capture.take();
    let mut run = Run::new(Side::Client, prepared.capture.clone());
    let outcome = match timeout_at(
        deadline,
        talk(stream, options, mail, prepared.config, &mut run),
    )
    .await
    {
        Ok(outcome) => outcome,
        Err(_) => run.struck(),
    };
    run.report(outcome)
}

/// Connects to `address`, from `source` if there is one.
///
/// # Errors
/// When no socket can be had, `source` is no address of this machine, or nobody answers at `address`.
pub async fn connect(address: SocketAddr, source: Option<IpAddr>) -> std::io::Result<Prompt> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(address).await?;
    Ok(Prompt::new(stream))
}

fn prepare(options: &ClientOptions) -> Result<Prepared, OptionError> {
    let capture = Capture::default();
    let (provider, lease) = provider::client(&options.tls)?;
    let schemes = provider::schemes(&options.tls)?;
    let allowed = if options.tls.signature_schemes.is_empty() {
        &[][..]
    } else {
        &schemes
    };
    let key = options
        .credential
        .as_ref()
        .map(|credential| credential.certified(allowed, &capture))
        .transpose()?;
    let verifier = ServerWatcher {
        capture: capture.clone(),
        schemes: schemes.clone(),
        roots: if options.roots.is_empty() {
            None
        } else {
            Some(root_store(&options.roots)?)
        },
        name: options
            .verify_name
            .as_deref()
            .map(server_name)
            .transpose()?,
        learner: lease
            .clone()
            .map(|lease| Learner::new(lease, options.minimum_prime_bits)),
    };
    let refused = |error: rustls::Error| OptionError::Refused(error.to_string());
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&provider::protocol_versions(&options.tls)?)
        .map_err(refused)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(ClientChain {
            key,
            capture: capture.clone(),
        }));
    config.enable_sni = options.sni.is_some();
    config.resumption = match options.sessions {
        Some(_) => Resumption::in_memory_sessions(16),
        None => Resumption::disabled(),
    };
    if let Some(sni) = &options.sni {
        server_name(sni)?;
    }
    Ok(Prepared {
        config: Arc::new(config),
        capture,
        _lease: lease,
    })
}

fn server_name(name: &str) -> Result<ServerName<'static>, OptionError> {
    DnsName::try_from(name.to_owned())
        .map(ServerName::DnsName)
        .map_err(|_| OptionError::Name {
            found: name.to_owned(),
        })
}

async fn talk<S>(
    stream: S,
    options: &ClientOptions,
    mail: &Mail,
    config: Arc<ClientConfig>,
    run: &mut Run,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if options.mode == TlsMode::Implicit {
        let tls = handshake((stream, Vec::new()), options, config, run).await?;
        let mut smtp = Client::new(tls);
        smtp.banner(&mut run.dialogue).await?;
        return mail_over(smtp, options, mail, Stage::EhloTls, run).await;
    }
    let mut smtp = Client::new(stream);
    smtp.banner(&mut run.dialogue).await?;
    if options.misbehaviour == Misbehaviour::SilentAtBanner {
        return Err(silence(run, smtp.lines().stream()).await);
    }
    if options.mode == TlsMode::Off {
        return mail_over(smtp, options, mail, Stage::Ehlo, run).await;
    }
    let ehlo = smtp
        .ehlo(&options.helo, Stage::Ehlo, &mut run.dialogue)
        .await?;
    smtp.starttls(&ehlo, &mut run.dialogue).await?;
    let tls = handshake(smtp.into_parts(), options, config, run).await?;
    mail_over(Client::new(tls), options, mail, Stage::EhloTls, run).await
}

async fn handshake<S>(
    (stream, early): (S, Vec<u8>),
    options: &ClientOptions,
    config: Arc<ClientConfig>,
    run: &mut Run,
) -> Result<TlsStream<Recorder<S>>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    run.dialogue.stage = Stage::Handshake;
    let name = server_name(options.sni.as_deref().unwrap_or(NO_SNI))?;
    let mut recorder = Recorder::after(early, stream, Side::Client, run.recording.clone());
    if let Some(failure) = instead_of_tls(options.misbehaviour, run, &mut recorder).await {
        return Err(failure);
    }
    let tls = match TlsConnector::from(config)
        .connect(name, recorder)
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
            "the client closed the connection after the handshake",
        ));
    }
    Ok(tls)
}

async fn mail_over<S>(
    mut smtp: Client<S>,
    options: &ClientOptions,
    mail: &Mail,
    stage: Stage,
    run: &mut Run,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    smtp.ehlo(&options.helo, stage, &mut run.dialogue).await?;
    if let Err(error) = smtp.deliver(mail, &mut run.dialogue).await {
        // What is said from here on is manners, not part of the dialogue that failed.
        let goodbye = async {
            let _ = smtp.quit(&mut Dialogue::default()).await;
            finish(smtp.lines()).await;
        };
        return Err(match error {
            SmtpError::Refused { .. } => run.end(error.into(), goodbye).await,
            _ => error.into(),
        });
    }
    smtp.quit(&mut run.dialogue).await?;
    if options.misbehaviour != Misbehaviour::NoCloseNotify {
        finish(smtp.lines()).await;
    }
    Ok(())
}
