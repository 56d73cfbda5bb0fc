use crate::client::{Client, Share};
use crate::config::{ClientConfig, Misbehaviour};
use crate::core::Core;
use crate::error::Error;
use crate::exchange::{dh, ecdh, rsa};
use crate::keys::{Identity, PublicKey};
use crate::names::{CipherSuite, KeyExchangeKind, Version};
use crate::schedule::Prf;
use crate::signing;
use crate::wire::{CertificateRequest, HandshakeType, ServerKeyExchange, Side, Writer};

/// Verifies the signature of a ServerKeyExchange, if the suite has one.
pub(super) fn verify(
    core: &mut Core,
    server_key: Option<&PublicKey>,
    exchange: &ServerKeyExchange,
    body: &[u8],
) -> Result<(), Error> {
    let (Some(signature), Some(key)) = (exchange.signature(), server_key) else {
        return Ok(());
    };
    let report = &mut core.report;
    let (Some(client), Some(server)) = (&report.client_hello, &report.server_hello) else {
        return Err(Error::NotOpen);
    };
    if let Some(scheme) = signature.scheme {
        report.server_signature_scheme = Some(scheme);
        // Without the extension the server is free to choose among the SHA-1 schemes (RFC 5246 section 7.4.1.4.1).
        if !client.signature_schemes.is_empty() && !client.signature_schemes.contains(&scheme) {
            return Err(Error::UnofferedScheme {
                side: Side::Server,
                scheme,
            });
        }
    }
    let parameters = body.get(..exchange.parameters_length()).unwrap_or(body);
    let signed = [&client.random, &server.random, parameters].concat();
    let scheme = signing::verify(server.version, Side::Server, key, signature, &signed)?;
    report.server_signature_scheme = Some(scheme);
    Ok(())
}

/// Checks the server's share and makes one to go with it.
pub(super) fn share(
    config: &ClientConfig,
    core: &Core,
    exchange: &ServerKeyExchange,
) -> Result<Share, Error> {
    if let Some(dh) = exchange.dh() {
        let group = dh::Group::new(&dh.p, &dh.g, config.minimum_dh_bits, config.check_primes)?;
        let pair = dh::KeyPair::generate(group)?;
        return Ok(Share {
            premaster: pair.premaster(Side::Server, &dh.ys)?,
            public: pair.public,
            elliptic: false,
        });
    }
    let Some(ecdh) = exchange.ecdh() else {
        return Err(Error::NotOpen);
    };
    let group = ecdh.group;
    let offered = core
        .report
        .client_hello
        .as_ref()
        .map_or(&[][..], |hello| &hello.groups);
    // A client that offers no groups accepts any (RFC 8422 section 4).
    if !offered.is_empty() && !offered.contains(&group) {
        return Err(Error::UnofferedGroup {
            side: Side::Server,
            group,
        });
    }
    let pair = ecdh::KeyPair::generate(group)?.ok_or(Error::UnspokenGroup { group })?;
    Ok(Share {
        premaster: pair.premaster(Side::Server, &ecdh.point)?,
        public: pair.public,
        elliptic: true,
    })
}

/// Sends the client's chain if it was asked for; `true` if a CertificateVerify must follow.
pub(super) fn send_certificate(config: &ClientConfig, core: &mut Core) -> Result<bool, Error> {
    let Some(request) = &core.report.certificate_request else {
        return Ok(false);
    };
    let identity = usable_identity(config, request, core.report.version);
    let chain = identity
        .map(|identity| identity.chain.clone())
        .unwrap_or_default();
    let mut list = Writer::new();
    for certificate in &chain {
        list.vec24(certificate);
    }
    let mut body = Writer::new();
    body.vec24(&list.into_bytes());
    let signs = !chain.is_empty();
    core.report.client_certificates = chain;
    core.send_handshake(HandshakeType::CERTIFICATE, &body.into_bytes())?;
    Ok(signs)
}

/// The configured identity, unless the server could not verify it.
fn usable_identity<'a>(
    config: &'a ClientConfig,
    request: &CertificateRequest,
    version: Option<Version>,
) -> Option<&'a Identity> {
    let identity = config.identity.as_ref()?;
    let usable = match version? {
        version if version < Version::TLS1_2 => identity.key.exists_in(version),
        _ => signing::choose(&identity.key, &request.signature_schemes).is_some(),
    };
    usable.then_some(identity)
}

/// Sends the ClientKeyExchange and returns the premaster secret.
pub(super) fn send_key_exchange(
    core: &mut Core,
    share: Option<&Share>,
    server_key: Option<&PublicKey>,
) -> Result<Vec<u8>, Error> {
    let mut body = Writer::new();
    let premaster = match share {
        Some(share) if share.elliptic => {
            match core.misbehaviour {
                Some(Misbehaviour::PointNotOnCurve) => body.vec8(&ecdh::off_curve(&share.public)),
                _ => body.vec8(&share.public),
            };
            share.premaster.clone()
        }
        Some(share) => {
            match core.misbehaviour {
                Some(Misbehaviour::PublicValue(value)) => {
                    body.vec16(&value.bytes(&prime(core)));
                    // A server that does not look arrives at the same secret.
                    let given_away = value.secret();
                    core.send_handshake(HandshakeType::CLIENT_KEY_EXCHANGE, &body.into_bytes())?;
                    return Ok(given_away.unwrap_or_else(|| share.premaster.clone()));
                }
                _ => body.vec16(&share.public),
            };
            share.premaster.clone()
        }
        None => {
            let key = server_key.and_then(PublicKey::rsa).ok_or(Error::NotOpen)?;
            let offered = core
                .report
                .client_hello
                .as_ref()
                .ok_or(Error::NotOpen)?
                .legacy_version;
            let version = match core.misbehaviour {
                Some(Misbehaviour::PremasterVersion(version)) => version,
                _ => offered,
            };
            let (premaster, encrypted) = rsa::premaster(version, key)?;
            body.vec16(&encrypted);
            premaster
        }
    };
    core.send_handshake(HandshakeType::CLIENT_KEY_EXCHANGE, &body.into_bytes())?;
    Ok(premaster)
}

fn prime(core: &Core) -> Vec<u8> {
    let exchange = core.report.server_key_exchange.as_ref();
    exchange
        .and_then(|exchange| exchange.dh())
        .map(|dh| dh.p.clone())
        .unwrap_or_default()
}

/// The master secret; the messages up to the ClientKeyExchange must have been noted.
pub(crate) fn master_secret(core: &Core, premaster: &[u8]) -> Result<Vec<u8>, Error> {
    let report = &core.report;
    let (Some(client), Some(server)) = (&report.client_hello, &report.server_hello) else {
        return Err(Error::NotOpen);
    };
    let prf = Prf::of(server.version, server.suite);
    Ok(if report.extended_master_secret {
        prf.extended_master_secret(premaster, &core.messages)
    } else {
        prf.master_secret(premaster, &client.random, &server.random)
    })
}

/// Proves possession of the client's key.
pub(super) fn send_certificate_verify(config: &ClientConfig, core: &mut Core) -> Result<(), Error> {
    let (Some(identity), Some(request), Some(version)) = (
        &config.identity,
        &core.report.certificate_request,
        core.report.version,
    ) else {
        return Ok(());
    };
    let scheme = signing::choose(&identity.key, &request.signature_schemes);
    let mut signature = signing::sign(version, &identity.key, scheme, &core.messages)?;
    if Client::spoils_signature(core)
        && let Some(last) = signature.bytes.last_mut()
    {
        *last ^= 1;
    }
    core.report.client_signature_scheme = Some(signing::scheme_of(&identity.key, signature.scheme));
    let body = signature.to_bytes();
    core.send_handshake(HandshakeType::CERTIFICATE_VERIFY, &body)
}

/// Whether `suite` runs over elliptic curves.
pub(crate) fn is_elliptic(suite: CipherSuite) -> bool {
    matches!(
        suite.key_exchange(),
        KeyExchangeKind::Ecdhe | KeyExchangeKind::EcdhAnon
    )
}
