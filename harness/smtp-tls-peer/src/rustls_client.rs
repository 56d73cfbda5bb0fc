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
use super::client_session::{Handshake, Wire, talk};
use super::closing::finish;
use super::dhe::{Learner, Lease};
use super::error::Failure;
use super::no_delay::NoDelayStream;
use super::options::{ClientOptions, OptionError};
use super::provider;
use super::report::{PeerReport, Run};
use super::resolver::ClientChain;
use super::role::{MailClient, Reporting};
use super::smtp::{Lines, Mail, Stage};
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

impl MailClient for ClientOptions {
    fn send<'a>(&'a self, address: SocketAddr, mail: &'a Mail, deadline: Instant) -> Reporting<'a> {
        Box::pin(send(address, self, mail, deadline))
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
    let tls = RustlsHandshake {
        options,
        config: prepared.config,
    };
    let outcome =
        match timeout_at(deadline, talk(stream, tls, &options.smtp(), mail, &mut run)).await {
            Ok(outcome) => outcome,
            Err(_) => run.struck(),
        };
    run.report(outcome)
}

/// Connects to `address`, from `source` if there is one.
///
/// # Errors
/// When no socket can be had, `source` is no address of this machine, or nobody answers at `address`.
pub async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
) -> std::io::Result<NoDelayStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(address).await?;
    Ok(NoDelayStream::new(stream))
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
        raw: options.tls.raw_server_key,
    };
    let refused = |error: rustls::Error| OptionError::Refused(error.to_string());
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&provider::protocol_versions(&options.tls)?)
        .map_err(refused)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(ClientChain {
            key,
            raw: options.tls.raw_client_key,
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

/// rustls as the TLS of a session.
struct RustlsHandshake<'a> {
    options: &'a ClientOptions,
    config: Arc<ClientConfig>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Handshake<S> for RustlsHandshake<'_> {
    type Stream = TlsStream<Wire<S>>;

    async fn handshake(self, wire: Wire<S>, run: &mut Run) -> Result<Self::Stream, Failure> {
        let name = server_name(self.options.sni.as_deref().unwrap_or(NO_SNI))?;
        match TlsConnector::from(self.config)
            .connect(name, wire)
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
