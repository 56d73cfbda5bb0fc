use super::{Choice, Server};
use crate::config::{ClientCertificate, Misbehaviour, ServerConfig, is_implemented};
use crate::core::Core;
use crate::error::Error;
use crate::names::{
    Authentication, CipherSuite, KeyExchangeKind, NamedGroup, SignatureScheme, Version,
};
use crate::session::Session;
use crate::signing;
use crate::wire::ClientHello;

/// What a TLS 1.2 client accepts that sends no signature_algorithms (RFC 5246 section 7.4.1.4.1).
const DEFAULT_SCHEMES: [SignatureScheme; 2] =
    [SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1];

impl Server {
    /// The highest version both ends speak.
    pub(super) fn choose_version(&self, hello: &ClientHello) -> Result<Version, Error> {
        let range = &self.config.versions;
        let (lowest, highest) = (*range.start(), *range.end());
        let chosen = if hello.versions.is_empty() {
            Some(hello.legacy_version.min(highest)).filter(|version| *version >= lowest)
        } else {
            hello
                .versions
                .iter()
                .copied()
                .filter(|version| range.contains(version))
                .max()
        };
        let offered = hello.highest_version();
        let version = chosen.ok_or(Error::NoCommonVersion {
            offered,
            lowest,
            highest,
        })?;
        if hello.suites.contains(&CipherSuite::FALLBACK_SCSV) && offered < highest {
            return Err(Error::InappropriateFallback { offered, highest });
        }
        Ok(version)
    }

    /// The first suite that everything is there for.
    pub(super) fn choose(
        &self,
        core: &Core,
        hello: &ClientHello,
        version: Version,
    ) -> Result<Choice, Error> {
        let config = &self.config;
        if core.misbehaviour == Some(Misbehaviour::UnofferedSuite)
            && let Some(choice) = config
                .suites
                .iter()
                .filter(|suite| !hello.suites.contains(suite))
                .find_map(|suite| candidate(config, hello, version, *suite))
        {
            return Ok(choice);
        }
        let (order, other) = if config.server_preference {
            (&config.suites, &hello.suites)
        } else {
            (&hello.suites, &config.suites)
        };
        let mut choice = order
            .iter()
            .filter(|suite| other.contains(suite))
            .find_map(|suite| candidate(config, hello, version, *suite))
            .ok_or(Error::NoCommonSuite {
                offered: hello.suites.len(),
                configured: config.suites.len(),
            })?;
        if core.misbehaviour == Some(Misbehaviour::UnofferedGroup) && choice.group.is_some() {
            choice.group = crate::config::implemented_groups()
                .into_iter()
                .find(|group| !hello.groups.contains(group));
        }
        Ok(choice)
    }

    /// The session the client wants to take up, if this server still knows it and would choose its parameters.
    pub(super) fn choose_session(&self, hello: &ClientHello, version: Version) -> Option<Session> {
        let config = &self.config;
        let by_ticket =
            (config.session_tickets && hello.session_ticket && !hello.ticket.is_empty())
                .then(|| config.sessions.get(&hello.ticket))
                .flatten();
        let session = by_ticket.or_else(|| {
            let presented = config.session_ids && !hello.session_id.is_empty();
            presented
                .then(|| config.sessions.get(&hello.session_id))
                .flatten()
        })?;
        let same_terms = session.version == version
            && hello.suites.contains(&session.suite)
            && config.suites.contains(&session.suite)
            && session.extended_master_secret
                == (hello.extended_master_secret && config.extended_master_secret);
        same_terms.then_some(session)
    }
}

fn candidate(
    config: &ServerConfig,
    hello: &ClientHello,
    version: Version,
    suite: CipherSuite,
) -> Option<Choice> {
    if !is_implemented(suite) || (version < Version::TLS1_2 && suite.needs_tls1_2()) {
        return None;
    }
    let exchange = suite.key_exchange();
    let mut choice = Choice {
        version,
        suite,
        identity: None,
        scheme: None,
        group: None,
    };
    match exchange {
        KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon => {
            config.dh.as_ref()?;
        }
        KeyExchangeKind::Ecdhe | KeyExchangeKind::EcdhAnon => {
            choice.group = Some(common_group(config, hello)?)
        }
        _ => {}
    }
    if suite.authentication() == Authentication::Anonymous {
        // An anonymous server must not ask for a certificate (RFC 5246 section 7.4.4).
        return (config.client_certificate == ClientCertificate::None).then_some(choice);
    }
    let offered = match hello.signature_schemes.as_slice() {
        [] => &DEFAULT_SCHEMES[..],
        offered => offered,
    };
    let acceptable: Vec<SignatureScheme> = config
        .signature_schemes
        .iter()
        .copied()
        .filter(|scheme| offered.contains(scheme))
        .collect();
    for identity in config.identities_for(hello.sni.as_deref()) {
        // A client's groups speak for certificates, too (RFC 8422 section 5.1).
        let curve = identity.key.curve().filter(|_| !hello.groups.is_empty());
        let foreign = curve.is_some_and(|curve| !hello.groups.contains(&curve));
        if identity.key.authentication() != suite.authentication() || foreign {
            continue;
        }
        let scheme = signing::choose(&identity.key, &acceptable);
        let signs = exchange != KeyExchangeKind::Rsa && version >= Version::TLS1_2;
        if (signs && scheme.is_none()) || !identity.key.exists_in(version) {
            continue;
        }
        choice.identity = Some(identity.clone());
        choice.scheme = scheme.filter(|_| signs);
        return Some(choice);
    }
    None
}

/// The first common group; a client that lists none takes P-256 or whatever comes first (RFC 8422 section 4).
fn common_group(config: &ServerConfig, hello: &ClientHello) -> Option<NamedGroup> {
    let implemented = crate::config::implemented_groups();
    let mut usable = config
        .groups
        .iter()
        .copied()
        .filter(|group| implemented.contains(group));
    if !hello.groups.is_empty() {
        return usable.find(|group| hello.groups.contains(group));
    }
    let usable: Vec<NamedGroup> = usable.collect();
    match usable.contains(&NamedGroup::SECP256R1) {
        true => Some(NamedGroup::SECP256R1),
        false => usable.first().copied(),
    }
}
