//! Keys and certificates, given and received in DER.

mod curve;
pub(crate) mod dss;
mod rsa_key;

use ed448_goldilocks as ed448;
use p256::pkcs8::DecodePrivateKey as _;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{PrivateKey as RsaPrivateKey, PublicKey as RsaPublicKey};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

pub(crate) use curve::{CurveKey, SecretCurveKey};

use crate::names::{Authentication, NamedGroup, SignatureScheme, Version};

/// A private key or certificate that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a PKCS#8 private key of a kind this crate knows.
    #[error(
        "not a PKCS#8 private key in DER: RSA, RSASSA-PSS, DSA, Ed25519, Ed448 or ECDSA expected \
         (secp224r1, secp256r1, secp384r1, secp521r1, secp256k1, brainpoolP256r1, brainpoolP384r1)"
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
pub struct PrivateKey(pub(crate) Secret);

/// What a [`PrivateKey`] is.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    Dsa(Box<dsa::SigningKey>),
    Ecdsa(SecretCurveKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Ed448(Box<ed448::SigningKey>),
    Rsa(Box<RsaPrivateKey>),
    /// One whose certificate is for RSASSA-PSS alone.
    RsaPss(Box<RsaPrivateKey>),
}

impl PrivateKey {
    /// Reads a PKCS#8 private key in DER.
    ///
    /// # Errors
    /// Anything but RSA, RSASSA-PSS, DSA, Ed25519, Ed448, or ECDSA on a curve this crate implements.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = RsaPrivateKey::from_pkcs8_der(der) {
            return Ok(match rsa_key::is_pss(der) {
                true => Self(Secret::RsaPss(Box::new(key))),
                false => Self(Secret::Rsa(Box::new(key))),
            });
        }
        if let Some(key) = SecretCurveKey::from_pkcs8_der(der) {
            return Ok(Self(Secret::Ecdsa(key)));
        }
        if let Some(key) = dss::private(der) {
            return Ok(Self(Secret::Dsa(Box::new(key))));
        }
        if let Ok(key) = ed448::SigningKey::from_pkcs8_der(der) {
            return Ok(Self(Secret::Ed448(Box::new(key))));
        }
        ed25519_dalek::SigningKey::from_pkcs8_der(der)
            .map(|key| Self(Secret::Ed25519(Box::new(key))))
            .map_err(|_| KeyError::PrivateKey)
    }

    /// Reads an RSA private key in PKCS#1 DER (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// Anything else.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        RsaPrivateKey::from_pkcs1_der(der)
            .map(|key| Self(Secret::Rsa(Box::new(key))))
            .map_err(|_| KeyError::PrivateKey)
    }

    /// The curve of an ECDSA key.
    pub fn curve(&self) -> Option<NamedGroup> {
        match &self.0 {
            Secret::Ecdsa(key) => Some(key.group()),
            _ => None,
        }
    }

    /// The RSA key, if it is one that may decrypt.
    pub(crate) fn rsa(&self) -> Option<&RsaPrivateKey> {
        match &self.0 {
            Secret::Rsa(key) => Some(key),
            _ => None,
        }
    }

    /// Whether `version` knows signatures of this kind: EdDSA (RFC 8422 section 5.1.3) and RSASSA-PSS (RFC 8446
    /// section 4.2.3) came with TLS 1.2.
    pub(crate) fn exists_in(&self, version: Version) -> bool {
        version >= Version::TLS1_2
            || !matches!(
                self.0,
                Secret::Ed25519(_) | Secret::Ed448(_) | Secret::RsaPss(_)
            )
    }

    /// Which suites the key can vouch for.
    pub fn authentication(&self) -> Authentication {
        match self.0 {
            Secret::Rsa(_) | Secret::RsaPss(_) => Authentication::Rsa,
            Secret::Dsa(_) => Authentication::Dss,
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
    /// something one may want to show a peer. But an RSA key whose certificate is for RSASSA-PSS signs with nothing
    /// else, wherever it was read from.
    pub fn from_der(chain: Vec<Vec<u8>>, pkcs8: &[u8]) -> Result<Self, KeyError> {
        if chain.is_empty() {
            return Err(KeyError::EmptyChain);
        }
        let mut key = PrivateKey::from_pkcs8_der(pkcs8)?;
        for (index, certificate) in chain.iter().enumerate() {
            let public = PublicKey::of_certificate(certificate)
                .map_err(|_| KeyError::Certificate { index })?;
            key = match (key.0, public) {
                (Secret::Rsa(secret), PublicKey::RsaPss(_)) if index == 0 => {
                    PrivateKey(Secret::RsaPss(secret))
                }
                (secret, _) => PrivateKey(secret),
            };
        }
        Ok(Self { chain, key })
    }
}

/// A public key from a certificate.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Dsa(Box<dsa::VerifyingKey>),
    Ecdsa(CurveKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Ed448(Box<ed448::VerifyingKey>),
    Rsa(Box<RsaPublicKey>),
    /// One that may only sign, and only with RSASSA-PSS.
    RsaPss(Box<RsaPublicKey>),
    /// A well-formed key of a kind this crate cannot use, and what it is.
    Unspoken(KeyDescription, String),
}

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
        let oid = spki.algorithm.algorithm.to_id_string();
        let other = |name: String| Self::Unspoken(KeyDescription::Other, name);
        Ok(match oid.as_str() {
            "1.2.840.113549.1.1.1" => match rsa_key::public(bytes)? {
                Ok(key) => Self::Rsa(Box::new(key)),
                Err(unspoken) => unspoken,
            },
            "1.2.840.113549.1.1.10" => match rsa_key::public(bytes)? {
                Ok(key) => Self::RsaPss(Box::new(key)),
                Err(unspoken) => unspoken,
            },
            "1.3.101.112" => {
                let bytes: &[u8; 32] = bytes.as_ref().try_into().map_err(|_| point)?;
                Self::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| point)?)
            }
            "1.3.101.113" => {
                let bytes: &[u8; 57] = bytes.as_ref().try_into().map_err(|_| point)?;
                Self::Ed448(Box::new(
                    ed448::VerifyingKey::from_bytes(bytes).map_err(|_| point)?,
                ))
            }
            "1.2.840.10040.4.1" => {
                dsa_key(spki).ok_or("its DSA key is malformed or out of range")?
            }
            "1.2.840.10045.2.1" => {
                let curve = spki
                    .algorithm
                    .parameters
                    .as_ref()
                    .and_then(|any| any.as_oid().ok());
                let Some(curve) = curve.map(|oid| oid.to_id_string()) else {
                    return Ok(other("ECDSA with a curve that has no name".to_owned()));
                };
                match (
                    CurveKey::from_point(&curve, bytes),
                    curve::group_of_oid(&curve),
                ) {
                    (Some(key), _) => Self::Ecdsa(key.map_err(|_| point)?),
                    (None, Some(group)) => {
                        Self::Unspoken(KeyDescription::Ecdsa(group), format!("ECDSA on {group}"))
                    }
                    (None, None) => other(format!("ECDSA on the curve {curve}")),
                }
            }
            "1.3.101.110" => other("X25519".to_owned()),
            "1.3.101.111" => other("X448".to_owned()),
            "1.2.840.10046.2.1" => other("Diffie-Hellman".to_owned()),
            _ => other(format!("algorithm {oid}")),
        })
    }

    /// The RSA key, if it is one that may encrypt.
    pub(crate) fn rsa(&self) -> Option<&RsaPublicKey> {
        match self {
            Self::Rsa(key) => Some(key),
            _ => None,
        }
    }

    /// Which suites the key can vouch for.
    pub(crate) fn authentication(&self) -> Authentication {
        match self {
            Self::Rsa(_) | Self::RsaPss(_) => Authentication::Rsa,
            Self::Dsa(_) => Authentication::Dss,
            Self::Unspoken(..) => Authentication::Other,
            _ => Authentication::Ecdsa,
        }
    }

    /// How the key signs up to TLS 1.1, named by its nearest relative in TLS 1.2.
    pub(crate) fn legacy_scheme(&self) -> SignatureScheme {
        match self.authentication() {
            Authentication::Rsa => SignatureScheme::RSA_PKCS1_SHA1,
            Authentication::Dss => SignatureScheme::DSA_SHA1,
            _ => SignatureScheme::ECDSA_SHA1,
        }
    }

    /// Kind and size.
    pub(crate) fn description(&self) -> KeyDescription {
        match self {
            Self::Dsa(key) => KeyDescription::Dsa {
                bits: dss::bits(key),
            },
            Self::Ecdsa(key) => KeyDescription::Ecdsa(key.group()),
            Self::Ed25519(_) => KeyDescription::Ed25519,
            Self::Ed448(_) => KeyDescription::Ed448,
            Self::Rsa(key) => KeyDescription::Rsa {
                bits: key.n().bit_width_vartime() as usize,
            },
            Self::RsaPss(key) => KeyDescription::RsaPss {
                bits: key.n().bit_width_vartime() as usize,
            },
            Self::Unspoken(description, _) => *description,
        }
    }
}

fn dsa_key(spki: &SubjectPublicKeyInfo<'_>) -> Option<PublicKey> {
    let parameters = spki.algorithm.parameters.as_ref()?;
    let public = dss::public(parameters.data, &spki.subject_public_key.data)?;
    Some(PublicKey::Dsa(Box::new(public)))
}

/// What kind of public key a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDescription {
    /// DSA.
    Dsa {
        /// Bits of the prime.
        bits: usize,
    },
    /// ECDSA on a named curve.
    Ecdsa(NamedGroup),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// One this crate cannot use.
    Other,
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// RSA, by its certificate for RSASSA-PSS alone.
    RsaPss {
        /// Bits of the modulus.
        bits: usize,
    },
}
