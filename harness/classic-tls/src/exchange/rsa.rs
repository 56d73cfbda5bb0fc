//! Static RSA: the premaster secret encrypted to the key in the server's certificate.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Encrypt, PrivateKey as RsaPrivateKey, PublicKey as RsaPublicKey};

use crate::error::Error;
use crate::names::Version;
use crate::wire::{Irregularity, Side};

/// Bytes of a premaster secret.
pub(crate) const PREMASTER: usize = 48;

/// Most bits of a public exponent that the `rsa` crate encrypts with; it verifies with any.
const LARGEST_EXPONENT_BITS: u32 = 33;

/// A fresh premaster secret of a client that offered `version`, plain and encrypted.
pub(crate) fn premaster(version: Version, key: &RsaPublicKey) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let exponent_bits = key.e().bit_width_vartime();
    if exponent_bits > LARGEST_EXPONENT_BITS {
        return Err(Error::UnspokenKey {
            side: Side::Server,
            key: format!("RSA with a public exponent of {exponent_bits} bits, to encrypt to"),
        });
    }
    let mut premaster = vec![0; PREMASTER];
    getrandom::fill(&mut premaster).map_err(|_| Error::NoRandom)?;
    premaster[..2].copy_from_slice(&version.0.to_be_bytes());
    let encrypted = key
        .encrypt(&mut UnwrapErr(SysRng), Pkcs1v15Encrypt, &premaster)
        .map_err(|_| Error::BadCertificate {
            side: Side::Server,
            what: "its RSA key is too small for a premaster secret",
        })?;
    Ok((premaster, encrypted))
}

/// The premaster secret that a client which offered `version` encrypted, and what is wrong with it.
///
/// Whatever that is, the answer is a random secret then: the handshake fails at the Finished message and tells the
/// client nothing (RFC 5246 section 7.4.7.1).
pub(crate) fn decrypt(
    version: Version,
    key: &RsaPrivateKey,
    encrypted: &[u8],
) -> Result<(Vec<u8>, Option<Irregularity>), Error> {
    let mut random = vec![0; PREMASTER];
    getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
    let found = open(key, encrypted).unwrap_or_default();
    let irregularity = match found.as_slice() {
        [high, low, ..] if found.len() == PREMASTER => {
            let found = Version(u16::from_be_bytes([*high, *low]));
            (found != version).then_some(Irregularity::PremasterVersion {
                found,
                offered: version,
            })
        }
        _ => Some(Irregularity::PremasterUnreadable),
    };
    let premaster = if irregularity.is_none() {
        found
    } else {
        random
    };
    Ok((premaster, irregularity))
}

/// What `encrypted` holds; the `rsa` crate returns noise of some length where the padding is wrong.
pub(crate) fn open(key: &RsaPrivateKey, encrypted: &[u8]) -> Option<Vec<u8>> {
    key.decrypt(Pkcs1v15Encrypt, encrypted).ok()
}
