//! Signatures of handshake messages: made and verified by scheme, in TLS 1.2 and before.

use ed25519_dalek::{Signer as _, Verifier as _};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use rsa::{Pkcs1v15Sign, Pss};
use sha1::Sha1;
use sha2::digest::Digest as _;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::error::Error;
use crate::keys::{PrivateKey, PublicKey};
use crate::names::{SignatureScheme, Version};
use crate::schedule::md5_sha1;
use crate::wire::{Side, Signature};

/// Schemes this crate can make and verify, most preferred first.
pub(crate) const IMPLEMENTED: [SignatureScheme; 16] = [
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

/// The scheme with which a key signs up to TLS 1.1, named by its nearest relative in TLS 1.2.
fn legacy_scheme(rsa: bool) -> SignatureScheme {
    if rsa {
        SignatureScheme::RSA_PKCS1_SHA1
    } else {
        SignatureScheme::ECDSA_SHA1
    }
}

/// The first of `offered` that `key` can sign with; in TLS 1.2 the curve does not bind the hash.
pub(crate) fn choose(key: &PrivateKey, offered: &[SignatureScheme]) -> Option<SignatureScheme> {
    offered.iter().copied().find(|scheme| {
        IMPLEMENTED.contains(scheme)
            && match key {
                PrivateKey::Ed25519(_) => *scheme == SignatureScheme::ED25519,
                PrivateKey::Rsa(_) => is_rsa(*scheme) && !is_pss_key(*scheme),
                _ => is_ecdsa(*scheme),
            }
    })
}

/// Signs `message` with `scheme`, or in the one way there is before TLS 1.2.
pub(crate) fn sign(
    version: Version,
    key: &PrivateKey,
    scheme: Option<SignatureScheme>,
    message: &[u8],
) -> Result<Signature, Error> {
    let legacy = legacy_scheme(matches!(key, PrivateKey::Rsa(_)));
    let used = match (version >= Version::TLS1_2, scheme) {
        (true, Some(scheme)) => scheme,
        (true, None) => {
            return Err(Error::Configuration {
                what: "no signature scheme goes with the key and what the peer offers",
            });
        }
        (false, _) => legacy,
    };
    let failed = |_| Error::Configuration {
        what: "the private key cannot sign with the scheme chosen",
    };
    let bytes = match key {
        PrivateKey::Ed25519(key) if version >= Version::TLS1_2 => {
            key.sign(message).to_bytes().to_vec()
        }
        PrivateKey::Ed25519(_) => {
            return Err(Error::Configuration {
                what: "Ed25519 keys need TLS 1.2",
            });
        }
        PrivateKey::P256(key) => {
            let signature: p256::ecdsa::DerSignature =
                key.sign_prehash(&digest(used, message)).map_err(failed)?;
            signature.as_bytes().to_vec()
        }
        PrivateKey::P384(key) => {
            let signature: p384::ecdsa::DerSignature =
                key.sign_prehash(&digest(used, message)).map_err(failed)?;
            signature.as_bytes().to_vec()
        }
        PrivateKey::P521(key) => {
            let signature: p521::ecdsa::Signature =
                key.sign_prehash(&digest(used, message)).map_err(failed)?;
            signature.to_der().as_bytes().to_vec()
        }
        PrivateKey::Rsa(key) => {
            let rng = &mut UnwrapErr(SysRng);
            let hash = digest(used, message);
            let signed = match padding(version, used) {
                Padding::Unprefixed => {
                    key.sign_with_rng(rng, Pkcs1v15Sign::new_unprefixed(), &md5_sha1(message))
                }
                Padding::Pkcs1(padding) => key.sign_with_rng(rng, padding, &hash),
                Padding::Pss256 => key.sign_with_rng(rng, Pss::<Sha256>::new(), &hash),
                Padding::Pss384 => key.sign_with_rng(rng, Pss::<Sha384>::new(), &hash),
                Padding::Pss512 => key.sign_with_rng(rng, Pss::<Sha512>::new(), &hash),
            };
            signed.map_err(|_| Error::Configuration {
                what: "the RSA key is too small for the signature scheme chosen",
            })?
        }
    };
    Ok(Signature {
        scheme: (version >= Version::TLS1_2).then_some(used),
        bytes,
    })
}

/// How `key` signed: the scheme sent, or the nearest relative of the one way there is before TLS 1.2.
pub(crate) fn scheme_of(key: &PrivateKey, sent: Option<SignatureScheme>) -> SignatureScheme {
    sent.unwrap_or(legacy_scheme(matches!(key, PrivateKey::Rsa(_))))
}

/// Verifies what `side` signed.
pub(crate) fn verify(
    version: Version,
    side: Side,
    key: &PublicKey,
    signature: &Signature,
    message: &[u8],
) -> Result<SignatureScheme, Error> {
    let scheme = signature
        .scheme
        .unwrap_or(legacy_scheme(key.rsa().is_some()));
    let mismatch = Error::UnofferedScheme { side, scheme };
    let bytes = signature.bytes.as_slice();
    let hash = digest(scheme, message);
    let good = match key {
        PublicKey::Ed25519(key) => {
            if scheme != SignatureScheme::ED25519 {
                return Err(mismatch);
            }
            ed25519_dalek::Signature::from_slice(bytes)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok())
        }
        PublicKey::Rsa(key) => {
            if !is_rsa(scheme) {
                return Err(mismatch);
            }
            match padding(version, scheme) {
                Padding::Unprefixed => {
                    key.verify(Pkcs1v15Sign::new_unprefixed(), &md5_sha1(message), bytes)
                }
                Padding::Pkcs1(padding) => key.verify(padding, &hash, bytes),
                Padding::Pss256 => key.verify(Pss::<Sha256>::new(), &hash, bytes),
                Padding::Pss384 => key.verify(Pss::<Sha384>::new(), &hash, bytes),
                Padding::Pss512 => key.verify(Pss::<Sha512>::new(), &hash, bytes),
            }
            .is_ok()
        }
        _ if !is_ecdsa(scheme) => return Err(mismatch),
        PublicKey::P256(key) => p256::ecdsa::Signature::from_der(bytes)
            .is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok()),
        PublicKey::P384(key) => p384::ecdsa::Signature::from_der(bytes)
            .is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok()),
        PublicKey::P521(key) => p521::ecdsa::Signature::from_der(bytes)
            .is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok()),
        PublicKey::Other => {
            return Err(Error::BadCertificate {
                side,
                what: "its key is of a kind this crate cannot verify with",
            });
        }
    };
    good.then_some(scheme)
        .ok_or(Error::BadSignature { side, scheme })
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
        0x0301 | 0x0303 => Sha224::digest(message).to_vec(),
        0x0401 | 0x0403 | 0x0804 | 0x0809 => Sha256::digest(message).to_vec(),
        0x0501 | 0x0503 | 0x0805 | 0x080a => Sha384::digest(message).to_vec(),
        0x0601 | 0x0603 | 0x0806 | 0x080b => Sha512::digest(message).to_vec(),
        _ => Sha1::digest(message).to_vec(),
    }
}
