//! Signatures of handshake messages: made and verified by scheme, in TLS 1.2 and before.

use ed25519_dalek::{Signer as _, Verifier as _};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, PrivateKey as RsaPrivateKey, Pss, PublicKey as RsaPublicKey};
use sha1::Sha1;
use sha2::digest::Digest as _;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::error::Error;
use crate::keys::{PrivateKey, PublicKey, Secret, dss};
use crate::names::{SignatureScheme, Version};
use crate::schedule::md5_sha1;
use crate::wire::{Side, Signature};

/// Schemes that are offered unless others are named, most preferred first.
pub(crate) const DEFAULT: [SignatureScheme; 16] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PSS_PSS_SHA256,
    SignatureScheme::RSA_PSS_PSS_SHA384,
    SignatureScheme::RSA_PSS_PSS_SHA512,
    SignatureScheme(0x0301),
    SignatureScheme::ECDSA_SHA1,
    SignatureScheme::RSA_PKCS1_SHA1,
];

/// Schemes this crate can make and verify and that are not in [`DEFAULT`], most preferred first.
pub(crate) const RARE: [SignatureScheme; 7] = [
    SignatureScheme::ED448,
    SignatureScheme(0x0303),
    SignatureScheme::DSA_SHA256,
    SignatureScheme::DSA_SHA384,
    SignatureScheme::DSA_SHA512,
    SignatureScheme::DSA_SHA224,
    SignatureScheme::DSA_SHA1,
];

/// The first of `offered` that `key` can sign with; in TLS 1.2 the curve does not bind the hash.
pub(crate) fn choose(key: &PrivateKey, offered: &[SignatureScheme]) -> Option<SignatureScheme> {
    offered
        .iter()
        .copied()
        .find(|scheme| can_sign(key, *scheme))
}

fn can_sign(key: &PrivateKey, scheme: SignatureScheme) -> bool {
    match &key.0 {
        Secret::Dsa(_) => is_dsa(scheme),
        Secret::Ecdsa(_) => is_ecdsa(scheme),
        Secret::Ed25519(_) => scheme == SignatureScheme::ED25519,
        Secret::Ed448(_) => scheme == SignatureScheme::ED448,
        Secret::Rsa(key) => is_rsa(scheme) && !is_pss_key(scheme) && fits(key, scheme),
        Secret::RsaPss(key) => is_pss_key(scheme) && fits(key, scheme),
    }
}

/// Whether a signature of `scheme` has room in the modulus (RFC 8017 sections 9.1.1 and 9.2).
fn fits(key: &RsaPrivateKey, scheme: SignatureScheme) -> bool {
    /// Bytes of the DigestInfo of SHA-2 before the hash itself, and what is around it.
    const AROUND_PKCS1: usize = 19 + 11;
    let bits = key.n().bit_width_vartime() as usize;
    let hash = digest(scheme, &[]).len();
    match padding(Version::TLS1_2, scheme) {
        Padding::Pkcs1(_) | Padding::Unprefixed => bits.div_ceil(8) >= hash + AROUND_PKCS1,
        // Salt and hash are of the same length.
        _ => (bits - 1).div_ceil(8) >= 2 * hash + 2,
    }
}

/// How `key` signs up to TLS 1.1, named by its nearest relative in TLS 1.2.
fn legacy_scheme(key: &PrivateKey) -> SignatureScheme {
    match key.0 {
        Secret::Rsa(_) | Secret::RsaPss(_) => SignatureScheme::RSA_PKCS1_SHA1,
        Secret::Dsa(_) => SignatureScheme::DSA_SHA1,
        _ => SignatureScheme::ECDSA_SHA1,
    }
}

/// Signs `message` with `scheme`, or in the one way there is before TLS 1.2.
pub(crate) fn sign(
    version: Version,
    key: &PrivateKey,
    scheme: Option<SignatureScheme>,
    message: &[u8],
) -> Result<Signature, Error> {
    if !key.exists_in(version) {
        return Err(Error::Configuration {
            what: "Ed25519, Ed448 and RSASSA-PSS keys need TLS 1.2",
        });
    }
    let used = match (version >= Version::TLS1_2, scheme) {
        (true, Some(scheme)) => scheme,
        (true, None) => {
            return Err(Error::Configuration {
                what: "no signature scheme goes with the key and what the peer offers",
            });
        }
        (false, _) => legacy_scheme(key),
    };
    let hash = digest(used, message);
    let bytes = match &key.0 {
        Secret::Dsa(key) => dss::sign(key, &hash),
        Secret::Ecdsa(key) => key.sign(&hash),
        Secret::Ed25519(key) => Some(key.sign(message).to_bytes().to_vec()),
        Secret::Ed448(key) => Some(key.sign_raw(message).to_bytes().to_vec()),
        Secret::Rsa(key) | Secret::RsaPss(key) => sign_rsa(version, key, used, &hash, message),
    };
    Ok(Signature {
        scheme: (version >= Version::TLS1_2).then_some(used),
        bytes: bytes.ok_or(Error::Configuration {
            what: "the private key cannot sign with the scheme chosen",
        })?,
    })
}

fn sign_rsa(
    version: Version,
    key: &RsaPrivateKey,
    scheme: SignatureScheme,
    hash: &[u8],
    message: &[u8],
) -> Option<Vec<u8>> {
    let rng = &mut UnwrapErr(SysRng);
    match padding(version, scheme) {
        Padding::Unprefixed => {
            key.sign_with_rng(rng, Pkcs1v15Sign::new_unprefixed(), &md5_sha1(message))
        }
        Padding::Pkcs1(padding) => key.sign_with_rng(rng, padding, hash),
        Padding::Pss256 => key.sign_with_rng(rng, Pss::<Sha256>::new(), hash),
        Padding::Pss384 => key.sign_with_rng(rng, Pss::<Sha384>::new(), hash),
        Padding::Pss512 => key.sign_with_rng(rng, Pss::<Sha512>::new(), hash),
    }
    .ok()
}

/// How `key` signed: the scheme sent, or the nearest relative of the one way there is before TLS 1.2.
pub(crate) fn scheme_of(key: &PrivateKey, sent: Option<SignatureScheme>) -> SignatureScheme {
    sent.unwrap_or(legacy_scheme(key))
}

/// Verifies what `side` signed.
pub(crate) fn verify(
    version: Version,
    side: Side,
    key: &PublicKey,
    signature: &Signature,
    message: &[u8],
) -> Result<SignatureScheme, Error> {
    let scheme = signature.scheme.unwrap_or(key.legacy_scheme());
    let goes_with_key = match key {
        PublicKey::Dsa(_) => is_dsa(scheme),
        PublicKey::Ecdsa(_) => is_ecdsa(scheme),
        PublicKey::Ed25519(_) => scheme == SignatureScheme::ED25519,
        PublicKey::Ed448(_) => scheme == SignatureScheme::ED448,
        PublicKey::Rsa(_) => is_rsa(scheme) && !is_pss_key(scheme),
        PublicKey::RsaPss(_) => is_pss_key(scheme),
        PublicKey::Unspoken(_, name) => {
            return Err(Error::UnspokenKey {
                side,
                key: name.clone(),
            });
        }
    };
    if !goes_with_key {
        return Err(Error::UnofferedScheme { side, scheme });
    }
    let bytes = signature.bytes.as_slice();
    let hash = digest(scheme, message);
    let good = match key {
        PublicKey::Dsa(key) => dss::verify(key, &hash, bytes),
        PublicKey::Ecdsa(key) => key.verify(&hash, bytes),
        PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(bytes)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        PublicKey::Ed448(key) => ed448_goldilocks::Signature::try_from(bytes)
            .is_ok_and(|signature| key.verify_raw(&signature, message).is_ok()),
        PublicKey::Rsa(key) | PublicKey::RsaPss(key) => {
            verify_rsa(version, key, scheme, &hash, message, bytes)
        }
        PublicKey::Unspoken(..) => false,
    };
    good.then_some(scheme)
        .ok_or(Error::BadSignature { side, scheme })
}

fn verify_rsa(
    version: Version,
    key: &RsaPublicKey,
    scheme: SignatureScheme,
    hash: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    match padding(version, scheme) {
        Padding::Unprefixed => key.verify(
            Pkcs1v15Sign::new_unprefixed(),
            &md5_sha1(message),
            signature,
        ),
        Padding::Pkcs1(padding) => key.verify(padding, hash, signature),
        Padding::Pss256 => key.verify(Pss::<Sha256>::new(), hash, signature),
        Padding::Pss384 => key.verify(Pss::<Sha384>::new(), hash, signature),
        Padding::Pss512 => key.verify(Pss::<Sha512>::new(), hash, signature),
    }
    .is_ok()
}

enum Padding {
    Pkcs1(Pkcs1v15Sign),
    Pss256,
    Pss384,
    Pss512,
    /// MD5 and SHA-1 without an algorithm identifier: up to TLS 1.1.
    Unprefixed,
}

fn padding(version: Version, scheme: SignatureScheme) -> Padding {
    match scheme.0 {
        _ if version < Version::TLS1_2 => Padding::Unprefixed,
        0x0804 | 0x0809 => Padding::Pss256,
        0x0805 | 0x080a => Padding::Pss384,
        0x0806 | 0x080b => Padding::Pss512,
        0x0301 => Padding::Pkcs1(Pkcs1v15Sign::new::<Sha224>()),
        0x0401 => Padding::Pkcs1(Pkcs1v15Sign::new::<Sha256>()),
        0x0501 => Padding::Pkcs1(Pkcs1v15Sign::new::<Sha384>()),
        0x0601 => Padding::Pkcs1(Pkcs1v15Sign::new::<Sha512>()),
        _ => Padding::Pkcs1(Pkcs1v15Sign::new::<Sha1>()),
    }
}

fn is_dsa(scheme: SignatureScheme) -> bool {
    matches!(scheme.0, 0x0202 | 0x0302 | 0x0402 | 0x0502 | 0x0602)
}

fn is_ecdsa(scheme: SignatureScheme) -> bool {
    matches!(scheme.0, 0x0203 | 0x0303 | 0x0403 | 0x0503 | 0x0603)
}

fn is_rsa(scheme: SignatureScheme) -> bool {
    matches!(scheme.0, 0x0201 | 0x0301 | 0x0401 | 0x0501 | 0x0601 | 0x0804..=0x0806 | 0x0809..=0x080b)
}

/// Whether the scheme is for keys whose certificate names RSASSA-PSS itself.
fn is_pss_key(scheme: SignatureScheme) -> bool {
    matches!(scheme.0, 0x0809..=0x080b)
}

/// The hash of `message` that goes with `scheme`.
fn digest(scheme: SignatureScheme, message: &[u8]) -> Vec<u8> {
    match scheme.0 {
        0x0301..=0x0303 => Sha224::digest(message).to_vec(),
        0x0401..=0x0403 | 0x0804 | 0x0809 => Sha256::digest(message).to_vec(),
        0x0501..=0x0503 | 0x0805 | 0x080a => Sha384::digest(message).to_vec(),
        0x0601..=0x0603 | 0x0806 | 0x080b => Sha512::digest(message).to_vec(),
        _ => Sha1::digest(message).to_vec(),
    }
}
