use super::{Choice, Share};
use crate::config::{Misbehaviour, ServerConfig};
use crate::core::Core;
use crate::error::Error;
use crate::exchange::{dh, ecdh, rsa};
use crate::keys::{Identity, PublicKey};
use crate::signing;
use crate::wire::{Reader, ServerKeyExchange, Side, Signature, Writer};

/// A share for the suite chosen, and the parameters to send.
pub(super) fn share(core: &Core, choice: &Choice) -> Result<(Share, Vec<u8>), Error> {
    let mut writer = Writer::new();
    if let Some(group) = choice.group {
        let pair = ecdh::KeyPair::generate(group)?.ok_or(Error::Configuration {
            what: "a group is listed that is not implemented",
        })?;
        let point = match core.misbehaviour {
            Some(Misbehaviour::PointNotOnCurve) => ecdh::off_curve(&pair.public),
            _ => pair.public.clone(),
        };
        const NAMED_CURVE: u8 = 3;
        writer.u8(NAMED_CURVE).u16(group.0).vec8(&point);
        return Ok((Share::Ecdh(pair), writer.into_bytes()));
    }
    let mut chosen = choice.dh.clone().ok_or(Error::NotOpen)?;
    if core.misbehaviour == Some(Misbehaviour::CompositePrime) {
        // The arithmetic runs over the composite, too, so that a client that does not look completes the handshake.
        composite(&mut chosen.p);
    }
    // A server may use whatever prime its owner likes; only what breaks the arithmetic is refused.
    let group = dh::Group::new(&chosen.p, &chosen.g, 0, false).map_err(|_| Error::Configuration {
        what: "the Diffie-Hellman group needs an odd prime of 512 to 8192 bits and a generator between 1 and p - 1",
    })?;
    let mut pair = dh::KeyPair::generate(group)?;
    let (mut p, mut g, mut public) = (chosen.p.clone(), chosen.g.clone(), pair.public.clone());
    match core.misbehaviour {
        Some(Misbehaviour::GeneratorOne) => g = vec![1],
        Some(Misbehaviour::PublicValue(value)) => {
            public = value.bytes(&p);
            pair.give_away(value);
        }
        Some(Misbehaviour::ZeroPrime) => p.fill(0),
        _ => {}
    }
    writer.vec16(&p).vec16(&g).vec16(&public);
    Ok((Share::Dh(pair), writer.into_bytes()))
}

/// Makes a prime the nearest multiple of 15 below it, made odd: certainly composite, and of the same size.
fn composite(p: &mut [u8]) {
    let remainder = p.iter().fold(0_u32, |remainder, byte| {
        (remainder * 256 + u32::from(*byte)) % 15
    });
    let mut borrow = remainder;
    for byte in p.iter_mut().rev() {
        let value = i32::from(*byte) - borrow as i32;
        *byte = value.rem_euclid(256) as u8;
        borrow = u32::from(value < 0);
        if borrow == 0 {
            break;
        }
    }
    // A multiple of 15 that is even becomes an odd one by adding 15.
    if p.last().is_some_and(|last| last & 1 == 0) {
        let mut carry = 15_u32;
        for byte in p.iter_mut().rev() {
            carry += u32::from(*byte);
            *byte = carry as u8;
            carry >>= 8;
            if carry == 0 {
                break;
            }
        }
    }
}

/// The body of a ServerKeyExchange: parameters, and a signature unless the suite is anonymous.
pub(super) fn signed(
    core: &mut Core,
    choice: &Choice,
    identity: Option<&Identity>,
    parameters: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let mut body = parameters;
    if let Some(identity) = identity {
        let (Some(client), Some(server)) = (&core.report.client_hello, &core.report.server_hello)
        else {
            return Err(Error::NotOpen);
        };
        let message = [&client.random, &server.random, body.as_slice()].concat();
        let mut signature = signing::sign(choice.version, &identity.key, choice.scheme, &message)?;
        if core.misbehaviour == Some(Misbehaviour::BadSignature)
            && let Some(last) = signature.bytes.last_mut()
        {
            *last ^= 1;
        }
        core.report.server_signature_scheme =
            Some(signing::scheme_of(&identity.key, signature.scheme));
        body.extend(signature.to_bytes());
    }
    core.report.server_key_exchange =
        ServerKeyExchange::parse(&body, choice.suite.key_exchange(), choice.version).ok();
    Ok(body)
}

/// The premaster secret from the client's half.
pub(super) fn premaster(
    core: &mut Core,
    share: Option<&Share>,
    identity: Option<&Identity>,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    let malformed = Error::malformed(Side::Client);
    let mut reader = Reader::new(body);
    let secret = match share {
        Some(Share::Dh(pair)) => {
            let public = reader
                .vec16("the client's public value")
                .map_err(malformed)?;
            reader.finish("the ClientKeyExchange").map_err(malformed)?;
            pair.premaster(Side::Client, public)?
        }
        Some(Share::Ecdh(pair)) => {
            let point = reader
                .vec8("the client's public point")
                .map_err(malformed)?;
            reader.finish("the ClientKeyExchange").map_err(malformed)?;
            pair.premaster(Side::Client, point)?
        }
        None => {
            let encrypted = reader
                .vec16("the encrypted premaster secret")
                .map_err(malformed)?;
            reader.finish("the ClientKeyExchange").map_err(malformed)?;
            let key = identity.and_then(|identity| identity.key.rsa());
            let key = key.ok_or(Error::NotOpen)?;
            let offered = core
                .report
                .client_hello
                .as_ref()
                .ok_or(Error::NotOpen)?
                .legacy_version;
            let (premaster, irregularity) = rsa::decrypt(offered, key, encrypted)?;
            if let Some(irregularity) = irregularity {
                core.report.note(irregularity);
            }
            premaster
        }
    };
    Ok(secret)
}

/// Checks the client's proof that it has the key of its certificate.
pub(super) fn check_certificate_verify(
    config: &ServerConfig,
    core: &mut Core,
    key: Option<&PublicKey>,
    signature: &Signature,
) -> Result<(), Error> {
    let (Some(key), Some(version)) = (key, core.report.version) else {
        return Err(Error::NotOpen);
    };
    if let Some(scheme) = signature.scheme {
        core.report.client_signature_scheme = Some(scheme);
        if !config.signature_schemes.contains(&scheme) {
            return Err(Error::UnofferedScheme {
                side: Side::Client,
                scheme,
            });
        }
    }
    let scheme = signing::verify(version, Side::Client, key, signature, &core.messages)?;
    core.report.client_signature_scheme = Some(scheme);
    Ok(())
}
