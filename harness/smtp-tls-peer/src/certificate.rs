//! What can be read from a certificate somebody sent.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::smtp::line::escaped;

/// A certificate seen on the wire. What could not be parsed is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCertificate {
    /// The certificate itself, or the SubjectPublicKeyInfo of a raw public key.
    pub der: Vec<u8>,
    /// It is a raw public key (RFC 7250).
    pub raw_public_key: bool,
    /// Common name of the subject, last one if there are several, as Postfix takes it.
    pub subject_cn: Option<String>,
    /// Common name of the issuer.
    pub issuer_cn: Option<String>,
    /// DNS names in the subject alternative name.
    pub dns_names: Vec<String>,
    /// The kind of key.
    pub key: Option<KeyKind>,
}

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// DSA with a prime of this many bits.
    Dsa(usize),
    /// RSA with a modulus of this many bits.
    Rsa(usize),
    /// ECDSA on secp256r1.
    EcdsaP256,
    /// ECDSA on secp384r1.
    EcdsaP384,
    /// ECDSA on secp521r1.
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
}

impl KeyKind {
    /// Size of the key in bits, as OpenSSL's `EVP_PKEY_get_bits` gives it.
    #[must_use]
    pub const fn bits(self) -> usize {
        match self {
            Self::Dsa(bits) | Self::Rsa(bits) => bits,
            Self::EcdsaP256 => 256,
            Self::EcdsaP384 => 384,
            Self::EcdsaP521 => 521,
            Self::Ed25519 => 253,
            Self::Ed448 => 456,
        }
    }

    /// The curve of an ECDSA key, in IANA's spelling.
    #[must_use]
    pub const fn curve(self) -> Option<&'static str> {
        match self {
            Self::EcdsaP256 => Some("secp256r1"),
            Self::EcdsaP384 => Some("secp384r1"),
            Self::EcdsaP521 => Some("secp521r1"),
            Self::Dsa(_) | Self::Rsa(_) | Self::Ed25519 | Self::Ed448 => None,
        }
    }
}

impl SeenCertificate {
    /// Reads what can be read.
    #[must_use]
    pub fn parse(der: &CertificateDer<'_>) -> Self {
        let mut seen = Self {
            der: der.to_vec(),
            raw_public_key: false,
            subject_cn: None,
            issuer_cn: None,
            dns_names: Vec::new(),
            key: None,
        };
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            if let Ok((_, key)) = SubjectPublicKeyInfo::from_der(der) {
                seen.raw_public_key = true;
                seen.key = key_kind(&key);
            }
            return seen;
        };
        seen.subject_cn = common_name(certificate.subject());
        seen.issuer_cn = common_name(certificate.issuer());
        seen.key = key_kind(certificate.public_key());
        if let Ok(Some(names)) = certificate.subject_alternative_name() {
            for name in &names.value.general_names {
                if let x509_parser::extensions::GeneralName::DNSName(name) = name {
                    seen.dns_names.push(escaped(name.as_bytes()));
                }
            }
        }
        seen
    }

    /// A name for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.subject_cn
            .clone()
            .unwrap_or_else(|| "(without common name)".to_owned())
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let value = name.iter_common_name().last()?.as_str().ok()?;
    Some(escaped(value.as_bytes()))
}

/// Object identifiers: RFC 8410 section 3, RFC 3279 section 2.3.2 and RFC 5480 section 2.1.1.1.
fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> Option<KeyKind> {
    const DSA: &str = "1.2.840.10040.4.1";
    match key.algorithm.algorithm.to_id_string().as_str() {
        "1.3.101.112" => return Some(KeyKind::Ed25519),
        "1.3.101.113" => return Some(KeyKind::Ed448),
        DSA => {
            // The parameters are a SEQUENCE that begins with the prime (RFC 3279 section 2.3.2).
            let parameters = key.algorithm.parameters.as_ref()?.data;
            let (_, prime) = x509_parser::der_parser::der::parse_der_integer(parameters).ok()?;
            return Some(KeyKind::Dsa(bit_length(prime.as_slice().ok()?)));
        }
        _ => {}
    }
    match key.parsed().ok()? {
        PublicKey::RSA(key) => Some(KeyKind::Rsa(bit_length(key.modulus))),
        PublicKey::EC(_) => {
            let curve = key
                .algorithm
                .parameters
                .as_ref()?
                .as_oid()
                .ok()?
                .to_id_string();
            match curve.as_str() {
                "1.2.840.10045.3.1.7" => Some(KeyKind::EcdsaP256),
                "1.3.132.0.34" => Some(KeyKind::EcdsaP384),
                "1.3.132.0.35" => Some(KeyKind::EcdsaP521),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Bits of a big-endian number.
fn bit_length(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros).map_or(0, |first| {
        (number.len() - zeros) * 8 - first.leading_zeros() as usize
    })
}
