//! Keys and certificates, given and received in DER.

use p256::pkcs8::DecodePrivateKey as _;
use rsa::pkcs1::{self, DecodeRsaPrivateKey as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, RsaPrivateKey, RsaPublicKey};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::names::{Authentication, NamedGroup, Version};

/// A private key or certificate that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a PKCS#8 private key of a kind this crate knows.
    #[error(
        "not a PKCS#8 private key in DER: RSA, ECDSA (P-256, P-384, P-521) or Ed25519 expected"
    )]
    PrivateKey,
    /// Not a certificate.
    #[error("certificate {index} of the chain is not a certificate in DER")]
    Certificate {
        /// Its place in the chain, the leaf being 0.
        index: usize,
    },
    /// The chain has no certificate.
    #[error("the certificate chain is empty")]
    EmptyChain,
}

/// A private key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PrivateKey {
    /// Ed25519.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// ECDSA on P-256.
    P256(Box<p256::ecdsa::SigningKey>),
    /// ECDSA on P-384.
    P384(Box<p384::ecdsa::SigningKey>),
    /// ECDSA on P-521.
    P521(Box<p521::ecdsa::SigningKey>),
    /// RSA.
    Rsa(Box<RsaPrivateKey>),
}

impl PrivateKey {
    /// Reads a PKCS#8 private key in DER.
    ///
    /// # Errors
    /// Anything but RSA, ECDSA on a NIST curve, or Ed25519.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = RsaPrivateKey::from_pkcs8_der(der) {
            return Ok(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::P256(Box::new(key.into())));
        }
        if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::P384(Box::new(key.into())));
        }
        if let Ok(key) = p521::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::P521(Box::new(key.into())));
        }
        ed25519_dalek::SigningKey::from_pkcs8_der(der)
            .map(|key| Self::Ed25519(Box::new(key)))
            .map_err(|_| KeyError::PrivateKey)
    }

    /// Reads an RSA private key in PKCS#1 DER (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// Anything else.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        RsaPrivateKey::from_pkcs1_der(der)
            .map(|key| Self::Rsa(Box::new(key)))
            .map_err(|_| KeyError::PrivateKey)
    }

    /// The curve of an ECDSA key.
    pub fn curve(&self) -> Option<NamedGroup> {
        match self {
            Self::P256(_) => Some(NamedGroup::SECP256R1),
            Self::P384(_) => Some(NamedGroup::SECP384R1),
            Self::P521(_) => Some(NamedGroup::SECP521R1),
            Self::Ed25519(_) | Self::Rsa(_) => None,
        }
    }

    /// Whether `version` knows signatures of this kind: Ed25519 came with TLS 1.2 (RFC 8422 section 5.1.3).
    pub(crate) fn exists_in(&self, version: Version) -> bool {
        version >= Version::TLS1_2 || !matches!(self, Self::Ed25519(_))
    }

    /// Which suites the key can vouch for.
    pub fn authentication(&self) -> Authentication {
        match self {
            Self::Rsa(_) => Authentication::Rsa,
            _ => Authentication::Ecdsa,
        }
    }
}

/// A certificate chain and the private key of its leaf.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The chain in DER, leaf first, as it is sent.
    pub chain: Vec<Vec<u8>>,
    /// The leaf's private key.
    pub key: PrivateKey,
}

impl Identity {
    /// Takes a chain (leaf first) and a PKCS#8 private key, all in DER.
    ///
    /// # Errors
    /// What is no certificate or no usable key. Whether the key belongs to the leaf is not checked: a mismatch is
    /// something one may want to show a peer.
    pub fn from_der(chain: Vec<Vec<u8>>, pkcs8: &[u8]) -> Result<Self, KeyError> {
        if chain.is_empty() {
            return Err(KeyError::EmptyChain);
        }
        for (index, certificate) in chain.iter().enumerate() {
            PublicKey::of_certificate(certificate).map_err(|_| KeyError::Certificate { index })?;
        }
        Ok(Self {
            chain,
            key: PrivateKey::from_pkcs8_der(pkcs8)?,
        })
    }
}

/// A public key from a certificate.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Rsa(Box<RsaPublicKey>),
    /// A well-formed certificate with a key this crate cannot use.
    Other,
}

/// Bits of an RSA modulus that are accepted.
const RSA_BITS: std::ops::RangeInclusive<usize> = 512..=16384;

impl PublicKey {
    /// The key in a certificate in DER.
    pub(crate) fn of_certificate(der: &[u8]) -> Result<Self, &'static str> {
        let (rest, certificate) = x509_parser::certificate::X509Certificate::from_der(der)
            .map_err(|_| "it is not a certificate in DER")?;
        if !rest.is_empty() {
            return Err("bytes follow it");
        }
        Self::of_spki(certificate.public_key())
    }

    fn of_spki(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self, &'static str> {
        let bytes = &spki.subject_public_key.data;
        let point = "its public key is not a point of its curve";
        Ok(match spki.algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
                Self::Rsa(Box::new(rsa_key(bytes)?))
            }
            "1.3.101.112" => {
                let bytes: &[u8; 32] = bytes.as_ref().try_into().map_err(|_| point)?;
                Self::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| point)?)
            }
            "1.2.840.10045.2.1" => {
                let curve = spki
                    .algorithm
                    .parameters
                    .as_ref()
                    .and_then(|any| any.as_oid().ok());
                match curve.map(|oid| oid.to_id_string()).as_deref() {
                    Some("1.2.840.10045.3.1.7") => Self::P256(
                        p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| point)?,
                    ),
                    Some("1.3.132.0.34") => Self::P384(
                        p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| point)?,
                    ),
                    Some("1.3.132.0.35") => Self::P521(
                        p521::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| point)?,
                    ),
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        })
    }

    /// The RSA key, if it is one.
    pub(crate) fn rsa(&self) -> Option<&RsaPublicKey> {
        match self {
            Self::Rsa(key) => Some(key),
            _ => None,
        }
    }

    /// Which suites the key can vouch for.
    pub(crate) fn authentication(&self) -> Authentication {
        match self {
            Self::Rsa(_) => Authentication::Rsa,
            Self::Other => Authentication::Other,
            _ => Authentication::Ecdsa,
        }
    }

    /// Size of an RSA modulus in bits, or the group of an ECDSA key.
    pub(crate) fn description(&self) -> KeyDescription {
        match self {
            Self::Ed25519(_) => KeyDescription::Ed25519,
            Self::P256(_) => KeyDescription::Ecdsa(NamedGroup::SECP256R1),
            Self::P384(_) => KeyDescription::Ecdsa(NamedGroup::SECP384R1),
            Self::P521(_) => KeyDescription::Ecdsa(NamedGroup::SECP521R1),
            Self::Rsa(key) => KeyDescription::Rsa {
                bits: key.n().bits_vartime() as usize,
            },
            Self::Other => KeyDescription::Other,
        }
    }
}

/// What kind of public key a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDescription {
    /// ECDSA on a named curve.
    Ecdsa(NamedGroup),
    /// Ed25519.
    Ed25519,
    /// One this crate cannot use.
    Other,
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
}

fn rsa_key(der: &[u8]) -> Result<RsaPublicKey, &'static str> {
    use pkcs1::der::Decode as _;
    let bad = "its RSA key is malformed or out of range (512 to 16384 bits)";
    let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| bad)?;
    let number = |bytes: &[u8]| {
        u32::try_from(bytes.len() * 8)
            .ok()
            .and_then(|bits| BoxedUint::from_be_slice(bytes, bits).ok())
            .ok_or(bad)
    };
    let (n, e) = (
        number(key.modulus.as_bytes())?,
        number(key.public_exponent.as_bytes())?,
    );
    RsaPublicKey::new_with_size_limits(n, e, RSA_BITS).map_err(|_| bad)
}
