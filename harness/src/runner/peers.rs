//! From the words of a scenario to what a peer is made of.

use std::sync::Arc;

use pfs_certs::{Leaf, Pki};
use pfs_containers::fleet::Names;

use crate::peer::{
    ClientCertificate, ClientOptions, Credential, DhParameters, ServerOptions, Sessions,
    SmtpOptions, TlsMode, TlsOptions, classic,
};
use crate::plan::{Case, ClientPlan};
use crate::scenario::{
    ClassicClient, ClassicProfile, ClassicResumption, ClassicServer, DhName, KeyExchangeName,
    Protocol, RustlsClient, RustlsServer, SideName,
};
use crate::session::{Running, Session, SessionError};

/// The fleets of a case's two sides.
#[derive(Clone, Default)]
pub(super) struct Fleets {
    pub(super) server: Option<Arc<Running>>,
    pub(super) client: Option<Arc<Running>>,
}

impl Fleets {
    /// Why this case cannot look up what it must, if it cannot.
    pub(super) fn without_names(&self, case: &Case) -> Option<String> {
        let ClientPlan::Postfix {
            zones: Some(_),
            side,
            ..
        } = &case.client
        else {
            return None;
        };
        let Names::Missing(tools) = &self.client.as_ref()?.fleet.state().names else {
            return None;
        };
        let tools = tools.join(", ");
        Some(format!(
            "needs name servers of its own; {} has no {tools}: install nsd, unbound and ldnsutils \
             (as Debian calls them) in its image",
            side.fleet.target
        ))
    }
}

/// Starts or joins what the case needs.
pub(super) async fn fleets(session: &Session, case: &Case) -> Result<Fleets, SessionError> {
    let mut fleets = Fleets::default();
    if let Some(side) = case.server.side() {
        fleets.server = Some(session.fleet(&side.fleet, case).await?);
    }
    if let Some(side) = case.client.side() {
        fleets.client = Some(session.fleet(&side.fleet, case).await?);
    }
    Ok(fleets)
}

fn credential(leaf: &Leaf, raw: bool) -> Credential {
    let chain = if raw {
        vec![leaf.public_key_der().to_vec()]
    } else {
        leaf.chain_der().to_vec()
    };
    Credential {
        chain: chain.into_iter().map(Into::into).collect(),
        key: rustls::pki_types::PrivatePkcs8KeyDer::from(leaf.key_pkcs8_der().to_vec()).into(),
    }
}

fn groups(groups: &[crate::scenario::Group]) -> Vec<classic_tls::names::NamedGroup> {
    groups
        .iter()
        .filter_map(|group| match group.0 {
            KeyExchangeName::Group(group) => Some(group),
            KeyExchangeName::Dhe | KeyExchangeName::StaticRsa => None,
        })
        .collect()
}

/// The options of a rustls client.
///
/// # Errors
/// A certificate that cannot be made.
pub fn client_options(
    options: &RustlsClient,
    certificate: Option<&str>,
    pki: &Pki,
) -> Result<ClientOptions, pfs_certs::Error> {
    let raw = |side| options.raw_public_keys.contains(&side);
    let credential = match certificate {
        Some(name) => Some(credential(&*pki.leaf(name)?, raw(SideName::Client))),
        None => None,
    };
    Ok(ClientOptions {
        tls: TlsOptions {
            versions: options.versions.iter().map(|version| version.0).collect(),
            groups: groups(&options.groups),
            ciphers: options.ciphers.iter().map(|cipher| cipher.0).collect(),
            signature_schemes: options.signatures.iter().map(|scheme| scheme.0).collect(),
            raw_server_key: raw(SideName::Server),
            raw_client_key: raw(SideName::Client),
        },
        sni: options.sni.clone(),
        minimum_prime_bits: options.minimum_prime_bits,
        credential,
        misbehaviour: super::fault::split(options.fault).0,
        sessions: options.resume.then(Sessions::default),
        ..ClientOptions::default()
    })
}

/// How TLS begins on a server that offers STARTTLS or not.
fn mode(starttls: Option<bool>) -> TlsMode {
    match starttls {
        Some(false) => TlsMode::Off,
        Some(true) | None => TlsMode::Starttls,
    }
}

/// The options of a rustls server.
///
/// # Errors
/// A certificate that cannot be made.
pub fn server_options(
    options: &RustlsServer,
    certificates: &[String],
    sni: &std::collections::BTreeMap<String, Vec<String>>,
    pki: &Pki,
) -> Result<ServerOptions, PeerSetupError> {
    let raw = |side| options.raw_public_keys.contains(&side);
    let mut credentials = Vec::new();
    for name in certificates {
        credentials.push(credential(&*pki.leaf(name)?, raw(SideName::Server)));
    }
    let mut sni_credentials = Vec::new();
    for (name, chain) in sni {
        for certificate in chain {
            sni_credentials.push((
                name.clone(),
                credential(&*pki.leaf(certificate)?, raw(SideName::Server)),
            ));
        }
    }
    let dh = match &options.dh {
        Some(name) => {
            let group = dh_group(name)?;
            Some(DhParameters::new(&group.p, &group.g).map_err(crate::peer::OptionError::from)?)
        }
        None => None,
    };
    Ok(ServerOptions {
        dh,
        tls: TlsOptions {
            versions: options.versions.iter().map(|version| version.0).collect(),
            groups: groups(&options.groups),
            ciphers: options.ciphers.iter().map(|cipher| cipher.0).collect(),
            signature_schemes: options.signatures.iter().map(|scheme| scheme.0).collect(),
            raw_server_key: raw(SideName::Server),
            raw_client_key: raw(SideName::Client),
        },
        mode: mode(options.starttls),
        credentials,
        sni_credentials,
        client_certificate: if options.ask_client_certificate {
            ClientCertificate::Request
        } else {
            ClientCertificate::None
        },
        misbehaviour: super::fault::split(options.fault).0,
        resumption: options.resume,
        ..ServerOptions::default()
    })
}

/// A peer that cannot be made of what the scenario says.
#[derive(Debug, thiserror::Error)]
pub enum PeerSetupError {
    /// A certificate of the test PKI.
    #[error(transparent)]
    Generated(#[from] pfs_certs::Error),
    /// A key that the peer cannot use.
    #[error(transparent)]
    Key(#[from] classic_tls::KeyError),
    /// Options that contradict each other.
    #[error(transparent)]
    Option(#[from] crate::peer::OptionError),
    /// A parameter file without a prime, such as `dh:garbage`.
    #[error("the Diffie-Hellman parameters {0} hold no prime")]
    NoPrime(String),
}

fn dh_group(name: &DhName) -> Result<pfs_certs::dh::Group, PeerSetupError> {
    let parameters = pfs_certs::dh::Parameters::named(&name.0)?;
    parameters
        .group()
        .cloned()
        .ok_or_else(|| PeerSetupError::NoPrime(name.0.clone()))
}

fn identity(name: &str, pki: &Pki) -> Result<classic_tls::Identity, PeerSetupError> {
    let leaf = pki.leaf(name)?;
    Ok(classic_tls::Identity::from_der(
        leaf.chain_der().to_vec(),
        leaf.key_pkcs8_der(),
    )?)
}

/// From the lowest to the highest version named.
fn range(versions: &[Protocol]) -> Option<std::ops::RangeInclusive<classic_tls::names::Version>> {
    let lowest = versions.iter().map(|version| version.0).min()?;
    let highest = versions.iter().map(|version| version.0).max()?;
    Some(lowest..=highest)
}

/// A classic client.
///
/// # Errors
/// A certificate that cannot be made.
pub fn classic_client(
    options: &ClassicClient,
    certificate: Option<&str>,
    pki: &Pki,
) -> Result<classic::Client, PeerSetupError> {
    let mut config = match options.profile {
        None => classic_tls::ClientConfig::default(),
        Some(ClassicProfile::Anonymous) => classic_tls::ClientConfig::anonymous(),
        Some(ClassicProfile::Exchange2003) => classic_tls::ClientConfig::exchange_2003(),
        Some(ClassicProfile::WindowsXp) => classic_tls::ClientConfig::windows_xp(),
    };
    if let Some(range) = range(&options.versions) {
        config.versions = range;
    }
    if !options.ciphers.is_empty() {
        config.suites = options.ciphers.iter().map(|cipher| cipher.0).collect();
    }
    if let Some(named) = &options.groups {
        config.groups = groups(named);
    }
    if let Some(schemes) = &options.signatures {
        config.signature_schemes = schemes.iter().map(|scheme| scheme.0).collect();
    }
    if let Some(bits) = options.minimum_prime_bits {
        config.minimum_dh_bits = bits as usize;
    }
    config.server_name = options.sni.clone();
    config.identity = certificate.map(|name| identity(name, pki)).transpose()?;
    if options.resume == Some(ClassicResumption::SessionId) {
        config.session_tickets = false;
    }
    let (misbehaviour, inside) = super::fault::split(options.fault);
    config.misbehaviour = inside;
    Ok(classic::Client {
        config: Arc::new(config),
        smtp: SmtpOptions {
            misbehaviour,
            ..SmtpOptions::client()
        },
        memory: match options.resume {
            Some(_) => classic::Memory::new(),
            None => classic::Memory::none(),
        },
    })
}

/// A classic server.
///
/// # Errors
/// A certificate that cannot be made, or parameters without a prime.
pub fn classic_server(
    options: &ClassicServer,
    certificates: &[String],
    sni: &std::collections::BTreeMap<String, Vec<String>>,
    pki: &Pki,
) -> Result<classic::Server, PeerSetupError> {
    let identities = |names: &[String]| {
        names
            .iter()
            .map(|name| identity(name, pki))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut config = classic_tls::ServerConfig {
        server_preference: options.prefer_own_ciphers,
        identities: identities(certificates)?,
        named_identities: sni
            .iter()
            .map(|(name, chain)| Ok((name.clone(), identities(chain)?)))
            .collect::<Result<_, PeerSetupError>>()?,
        ..classic_tls::ServerConfig::default()
    };
    if let Some(range) = range(&options.versions) {
        config.versions = range;
    }
    if !options.ciphers.is_empty() {
        config.suites = options.ciphers.iter().map(|cipher| cipher.0).collect();
    }
    if let Some(named) = &options.groups {
        config.groups = groups(named);
    }
    if !options.signatures.is_empty() {
        config.signature_schemes = options.signatures.iter().map(|scheme| scheme.0).collect();
    }
    if let Some(name) = &options.dh {
        let group = dh_group(name)?;
        config.dh = Some(classic_tls::DhGroup {
            p: group.p,
            g: group.g,
        });
    }
    if options.ask_client_certificate {
        config.client_certificate = classic_tls::ClientCertificate::Request;
    }
    match options.resume {
        Some(ClassicResumption::SessionId) => config.session_tickets = false,
        Some(ClassicResumption::Ticket) => config.session_ids = false,
        None => {}
    }
    let (misbehaviour, inside) = super::fault::split(options.fault);
    config.misbehaviour = inside;
    Ok(classic::Server {
        config: Arc::new(config),
        smtp: SmtpOptions {
            mode: mode(options.starttls),
            misbehaviour,
            ..SmtpOptions::server()
        },
    })
}
