//! Static RSA: the premaster secret encrypted to the key in the server's certificate.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey, RsaPublicKey};

use crate::error::Error;
use crate::names::Version;
use crate::wire::Side;

/// Bytes of a premaster secret.
pub(crate) const PREMASTER: usize = 48;

/// A fresh premaster secret of a client that offered `version`, plain and encrypted.
pub(crate) fn premaster(version: Version, key: &RsaPublicKey) -> Result<(Vec<u8>, Vec<u8>), Error> {
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

/// The premaster secret that a client which offered `version` encrypted.
///
/// Whatever is wrong with it, the answer is a random secret: the handshake then fails at the Finished message and tells
/// the client nothing (RFC 5246 section 7.4.7.1).
pub(crate) fn decrypt(
    version: Version,
    key: &RsaPrivateKey,
    encrypted: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut random = vec![0; PREMASTER];
    getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
    let found = open(key, encrypted).unwrap_or_default();
    let usable = found.len() == PREMASTER && found.starts_with(&version.0.to_be_bytes());
    Ok(if usable { found } else { random })
}

/// What `encrypted` holds; the `rsa` crate returns noise of some length where the padding is wrong.
pub(crate) fn open(key: &RsaPrivateKey, encrypted: &[u8]) -> Option<Vec<u8>> {
    key.decrypt(Pkcs1v15Encrypt, encrypted).ok()
}
