use std::fmt;

use graviola::hashing::{Sha256, Sha384};
use graviola::signing::ecdsa::{P256, P384, SigningKey as EcdsaKey};
use graviola::signing::eddsa::Ed25519SigningKey;
use graviola::signing::rsa::{KeySize, SigningKey as RsaKey};
use p521::elliptic_curve::Generate;
use p521::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};
use rsa::rand_core::UnwrapErr;

use crate::error::Error;

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// DSA with a prime of 2048 bits and an order of 224 (FIPS 186-4).
    Dsa2048,
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-521.
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
    /// RSA with a modulus of 1024 bits.
    Rsa1024,
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
}

impl KeyKind {
    /// The name, as in `ecdsa-p256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dsa2048 => "dsa2048",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaP521 => "ecdsa-p521",
            Self::Ed25519 => "ed25519",
            Self::Ed448 => "ed448",
            Self::Rsa1024 => "rsa1024",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }

    /// Whether the rustls-graviola provider loads such a key, so that a rustls peer can present it.
    /// Every Postfix can.
    pub fn loads_in_graviola(self) -> bool {
        !matches!(
            self,
            Self::Rsa1024 | Self::EcdsaP521 | Self::Ed448 | Self::Dsa2048
        )
    }

    pub(crate) fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::Rsa1024 | Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096
        )
    }

    /// A new key, as PKCS #8 version 1 (RFC 5208): OpenSSL before 3.0 reads no later version.
    pub(crate) fn generate(self) -> Result<Vec<u8>, Error> {
        let failed = |detail: String| Error::Key {
            kind: self,
            action: "generated",
            detail,
        };
        // Room for RSA-4096, about 2400 bytes.
        let mut buffer = [0; 4096];
        let encoded: Result<&[u8], String> = match self {
            Self::Dsa2048 => return crate::dsa::generate().map_err(failed),
            Self::EcdsaP256 => EcdsaKey::<P256>::generate()
                .and_then(|key| key.to_pkcs8_der(&mut buffer))
                .map_err(|error| format!("{error:?}")),
            Self::EcdsaP384 => EcdsaKey::<P384>::generate()
                .and_then(|key| key.to_pkcs8_der(&mut buffer))
                .map_err(|error| format!("{error:?}")),
            Self::EcdsaP521 => {
                let key =
                    p521::SecretKey::try_generate().map_err(|error| failed(error.to_string()))?;
                return key
                    .to_pkcs8_der()
                    .map(|der| der.as_bytes().to_vec())
                    .map_err(|error| failed(error.to_string()));
            }
            Self::Ed25519 => return edwards_pkcs8::<32>(112).map_err(failed),
            Self::Ed448 => return edwards_pkcs8::<57>(113).map_err(failed),
            Self::Rsa1024 => {
                let mut random = UnwrapErr(getrandom::SysRng);
                return rsa::PrivateKey::new(&mut random, 1024)
                    .map_err(|error| failed(error.to_string()))?
                    .to_pkcs8_der()
                    .map(|der| der.as_bytes().to_vec())
                    .map_err(|error| failed(error.to_string()));
            }
            Self::Rsa2048 => rsa_pkcs8(KeySize::Rsa2048, &mut buffer),
            Self::Rsa3072 => rsa_pkcs8(KeySize::Rsa3072, &mut buffer),
            Self::Rsa4096 => rsa_pkcs8(KeySize::Rsa4096, &mut buffer),
        };
        encoded.map(<[u8]>::to_vec).map_err(failed)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn rsa_pkcs8(size: KeySize, buffer: &mut [u8]) -> Result<&[u8], String> {
    RsaKey::generate(size)
        .and_then(|key| key.to_pkcs8_der(buffer))
        .map_err(|error| format!("{error:?}"))
}

/// graviola writes PKCS #8 version 2 for Ed25519, and does not know Ed448, so version 1 is put
/// together here (RFC 8410 section 7). The algorithm is id-edwards-curve-algs and `arc`.
fn edwards_pkcs8<const LENGTH: usize>(arc: u64) -> Result<Vec<u8>, String> {
    let mut seed = [0; LENGTH];
    graviola::random::fill(&mut seed).map_err(|error| format!("{error:?}"))?;
    Ok(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(0);
            writer.next().write_sequence(|writer| {
                writer
                    .next()
                    .write_oid(&yasna::models::ObjectIdentifier::from_slice(&[
                        1, 3, 101, arc,
                    ]));
            });
            let inner = yasna::construct_der(|writer| writer.write_bytes(&seed));
            writer.next().write_bytes(&inner);
        });
    }))
}

/// A private key that is loaded.
pub(crate) struct Key {
    kind: KeyKind,
    pkcs8: Vec<u8>,
    spki: Vec<u8>,
    /// The contents of the BIT STRING in `spki`.
    public: Vec<u8>,
    signs: Signs,
}

enum Signs {
    EcdsaP256(EcdsaKey<P256>),
    EcdsaP384(EcdsaKey<P384>),
    Ed25519(Ed25519SigningKey),
    Nothing,
    Rsa(Box<RsaKey>),
}

impl Key {
    /// Loads a key from PKCS #8; the error says what is wrong with it.
    pub(crate) fn load(kind: KeyKind, pkcs8: Vec<u8>) -> Result<Self, String> {
        // Room for RSA-4096, about 550 bytes.
        let mut buffer = [0; 1024];
        let (signs, spki) = match kind {
            KeyKind::Dsa2048 => (Signs::Nothing, crate::dsa::public(&pkcs8)?),
            KeyKind::EcdsaP256 => {
                let key = EcdsaKey::from_pkcs8_der(&pkcs8).map_err(debug)?;
                let spki = key.to_spki_der(&mut buffer).map_err(debug)?.to_vec();
                (Signs::EcdsaP256(key), spki)
            }
            KeyKind::EcdsaP384 => {
                let key = EcdsaKey::from_pkcs8_der(&pkcs8).map_err(debug)?;
                let spki = key.to_spki_der(&mut buffer).map_err(debug)?.to_vec();
                (Signs::EcdsaP384(key), spki)
            }
            KeyKind::EcdsaP521 => {
                let key = p521::SecretKey::from_pkcs8_der(&pkcs8).map_err(|e| e.to_string())?;
                let spki = key
                    .public_key()
                    .to_public_key_der()
                    .map_err(|e| e.to_string())?;
                (Signs::Nothing, spki.into_vec())
            }
            KeyKind::Ed25519 => {
                let key = Ed25519SigningKey::from_pkcs8_der(&pkcs8).map_err(debug)?;
                let spki = key
                    .public_key()
                    .to_spki_der(&mut buffer)
                    .map_err(debug)?
                    .to_vec();
                (Signs::Ed25519(key), spki)
            }
            KeyKind::Ed448 => {
                let key = ed448_goldilocks::SigningKey::from_pkcs8_der(&pkcs8)
                    .map_err(|e| e.to_string())?;
                let spki = key
                    .verifying_key()
                    .to_public_key_der()
                    .map_err(|e| e.to_string())?;
                (Signs::Nothing, spki.into_vec())
            }
            KeyKind::Rsa1024 => {
                let key = rsa::PrivateKey::from_pkcs8_der(&pkcs8).map_err(|e| e.to_string())?;
                let spki = key
                    .to_public_key()
                    .to_public_key_der()
                    .map_err(|e| e.to_string())?;
                (Signs::Nothing, spki.into_vec())
            }
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => {
                let key = RsaKey::from_pkcs8_der(&pkcs8).map_err(debug)?;
                let spki = key
                    .public_key()
                    .to_spki_der(&mut buffer)
                    .map_err(debug)?
                    .to_vec();
                (Signs::Rsa(Box::new(key)), spki)
            }
        };
        let public = public_bits(&spki).map_err(|error| error.to_string())?;
        Ok(Self {
            kind,
            pkcs8,
            spki,
            public,
            signs,
        })
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(crate) fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn spki_der(&self) -> &[u8] {
        &self.spki
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.kind {
            KeyKind::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            // rcgen knows P-521 only with a C backend: `issue` puts the right key info in afterwards.
            KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => &rcgen::PKCS_ECDSA_P384_SHA384,
            // Nor Ed448 and DSA at all.
            KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::Dsa2048 => &rcgen::PKCS_ED25519,
            KeyKind::Rsa1024 | KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => {
                &rcgen::PKCS_RSA_SHA256
            }
        }
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        // An RSA-4096 signature is 512 bytes.
        let mut buffer = [0; 512];
        let signature = match &self.signs {
            Signs::EcdsaP256(key) => key.sign_asn1::<Sha256>(&[message], &mut buffer),
            Signs::EcdsaP384(key) => key.sign_asn1::<Sha384>(&[message], &mut buffer),
            Signs::Ed25519(key) => return Ok(key.sign(message).to_vec()),
            Signs::Nothing => return Err(rcgen::Error::UnsupportedSignatureAlgorithm),
            Signs::Rsa(key) => buffer
                .get_mut(..key.modulus_len_bytes())
                .ok_or(graviola::Error::WrongLength)
                .and_then(|buffer| key.sign_pkcs1_sha256(buffer, message)),
        };
        signature
            .map(<[u8]>::to_vec)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn debug(error: graviola::Error) -> String {
    format!("{error:?}")
}

/// The contents of subjectPublicKey (RFC 5280 section 4.1).
fn public_bits(spki: &[u8]) -> Result<Vec<u8>, yasna::ASN1Error> {
    yasna::parse_der(spki, |reader| {
        reader.read_sequence(|reader| {
            reader.next().read_der()?;
            Ok(reader.next().read_bitvec_bytes()?.0)
        })
    })
}
