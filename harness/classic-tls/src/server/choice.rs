use super::{Choice, Server};
use crate::config::{ClientCertificate, DhGroup, Misbehaviour, ServerConfig, is_implemented};
use crate::core::Core;
use crate::error::{Error, Obstacle};
use crate::keys::Identity;
use crate::names::{
    Authentication, CipherSuite, KeyExchangeKind, NamedGroup, SignatureScheme, Version,
};
use crate::session::Session;
use crate::signing;
use crate::wire::{ClientHello, Irregularity};

/// What a TLS 1.2 client accepts that sends no signature_algorithms (RFC 5246 section 7.4.1.4.1).
const DEFAULT_SCHEMES: [SignatureScheme; 3] = [
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1,
    SignatureScheme::DSA_SHA1,
];

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
                .find_map(|suite| candidate(config, hello, version, *suite).ok())
        {
            return Ok(choice);
        }
        let (order, other) = if config.server_preference {
            (&config.suites, &hello.suites)
        } else {
            (&hello.suites, &config.suites)
        };
        let mut last = None;
        let chosen = order
            .iter()
            .filter(|suite| other.contains(suite))
            .find_map(|suite| {
                candidate(config, hello, version, *suite)
                    .map_err(|obstacle| last = Some((*suite, obstacle)))
                    .ok()
            });
        let mut choice = chosen.ok_or(Error::NoCommonSuite {
            offered: hello.suites.len(),
            configured: config.suites.len(),
            last,
        })?;
        if core.misbehaviour == Some(Misbehaviour::UnofferedGroup) && choice.group.is_some() {
            choice.group = crate::config::implemented_groups()
                .into_iter()
                .find(|group| !hello.groups.contains(group));
        }
        Ok(choice)
    }

    /// The session the client wants to take up, if this server still knows it and would choose its parameters.
    pub(super) fn choose_session(
        &self,
        core: &mut Core,
        hello: &ClientHello,
        version: Version,
    ) -> Option<Session> {
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
        if session.extended_master_secret && !hello.extended_master_secret {
            core.report
                .note(Irregularity::ResumptionWithoutExtendedMasterSecret);
        }
        if session.server_name != hello.sni {
            core.report.note(Irregularity::ResumptionWithOtherName {
                first: session.server_name.clone(),
                now: hello.sni.clone(),
            });
        }
        let same_terms = session.version == version
            && hello.suites.contains(&session.suite)
            && config.suites.contains(&session.suite)
            && session.server_name == hello.sni
            && session.extended_master_secret
                == (hello.extended_master_secret && config.extended_master_secret);
        same_terms.then_some(session)
    }
}

/// What is there for `suite`, or what is not.
fn candidate(
    config: &ServerConfig,
    hello: &ClientHello,
    version: Version,
    suite: CipherSuite,
) -> Result<Choice, Obstacle> {
    if !is_implemented(suite) {
        return Err(Obstacle::NotImplemented);
    }
    if version < Version::TLS1_2 && suite.needs_tls1_2() {
        return Err(Obstacle::NeedsTls12);
    }
    let mut choice = Choice {
        version,
        suite,
        identity: None,
        scheme: None,
        group: None,
        dh: None,
    };
    match suite.key_exchange() {
        KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon => {
            choice.dh = Some(dh_group(config, hello)?);
        }
        KeyExchangeKind::Ecdhe | KeyExchangeKind::EcdhAnon => {
            choice.group = Some(common_group(config, hello).ok_or(Obstacle::NoCommonGroup)?);
        }
        _ => {}
    }
    if suite.authentication() == Authentication::Anonymous {
        return match config.client_certificate {
            ClientCertificate::None => Ok(choice),
            _ => Err(Obstacle::ClientCertificateAsked),
        };
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
    let mut obstacle = Obstacle::NoCertificate;
    for identity in config.identities_for(hello.sni.as_deref()) {
        match vouching(identity, hello, version, suite, &acceptable) {
            Ok(scheme) => {
                choice.identity = Some(identity.clone());
                choice.scheme = scheme;
                return Ok(choice);
            }
            // That one certificate is of another kind says nothing where another is of the right one.
            Err(Obstacle::NoCertificate) => {}
            Err(other) => obstacle = other,
        }
    }
    Err(obstacle)
}

/// The scheme with which `identity` signs for `suite`, if it must, or why it cannot vouch for it.
fn vouching(
    identity: &Identity,
    hello: &ClientHello,
    version: Version,
    suite: CipherSuite,
    acceptable: &[SignatureScheme],
) -> Result<Option<SignatureScheme>, Obstacle> {
    let key = &identity.key;
    let encrypts = suite.key_exchange() == KeyExchangeKind::Rsa;
    // A key for RSASSA-PSS alone decrypts nothing (RFC 4055 section 1.2).
    if key.authentication() != suite.authentication() || (encrypts && key.rsa().is_none()) {
        return Err(Obstacle::NoCertificate);
    }
    // A client's groups speak for certificates, too (RFC 8422 section 5.1).
    let curve = key.curve().filter(|_| !hello.groups.is_empty());
    if let Some(curve) = curve.filter(|curve| !hello.groups.contains(curve)) {
        return Err(Obstacle::CurveNotOffered(curve));
    }
    if !key.exists_in(version) {
        return Err(Obstacle::KeyNeedsTls12);
    }
    if encrypts || version < Version::TLS1_2 {
        return Ok(None);
    }
    signing::choose(key, acceptable)
        .map(Some)
        .ok_or(Obstacle::NoCommonScheme)
}

/// The prime: that of RFC 7919 which both ends have, or the one that is configured.
///
/// A server that knows groups of RFC 7919 uses no other with a client that offers some (RFC 7919 section 4).
fn dh_group(config: &ServerConfig, hello: &ClientHello) -> Result<DhGroup, Obstacle> {
    let ffdhe = |groups: &[NamedGroup]| groups.iter().any(|group| group.is_ffdhe());
    if ffdhe(&config.groups) && ffdhe(&hello.groups) {
        return config
            .groups
            .iter()
            .filter(|group| group.is_ffdhe() && hello.groups.contains(group))
            .find_map(|group| DhGroup::well_known(group.name()?))
            .ok_or(Obstacle::NoFfdheGroup);
    }
    config.dh.clone().ok_or(Obstacle::NoDhParameters)
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
