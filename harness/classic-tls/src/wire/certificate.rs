use super::{Reader, WireError};
use crate::names::{SignatureScheme, Version};

/// Most certificates accepted in one message.
const MAX_CHAIN: usize = 64;

/// Parses the body of a Certificate message up to TLS 1.2: the chain, leaf first, each certificate in DER.
///
/// # Errors
/// Anything truncated or left over, or more than 64 certificates.
pub fn parse_certificates(body: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    let mut reader = Reader::new(body);
    let mut list = Reader::new(reader.vec24("the certificate list")?);
    reader.finish("the Certificate message")?;
    let mut chain = Vec::new();
    while !list.is_empty() {
        if chain.len() == MAX_CHAIN {
            return Err(WireError::TooLarge {
                what: "the certificate list, counted in certificates,",
                found: chain.len() + 1,
                limit: MAX_CHAIN,
            });
        }
        chain.push(list.vec24("a certificate")?.to_vec());
    }
    Ok(chain)
}

/// Parses the body of a Certificate message that carries a raw public key (RFC 7250): a SubjectPublicKeyInfo in DER.
///
/// # Errors
/// Anything truncated or left over.
pub fn parse_raw_public_key(body: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut reader = Reader::new(body);
    let key = reader.vec24("the raw public key")?.to_vec();
    reader.finish("the Certificate message")?;
    Ok(key)
}

/// A CertificateRequest up to TLS 1.2 (RFC 5246 section 7.4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// Kinds of certificate: 1 is RSA, 2 DSA, 64 ECDSA.
    pub certificate_types: Vec<u8>,
    /// Schemes for the CertificateVerify; TLS 1.2 only.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Names of acceptable authorities in DER.
    pub authorities: Vec<Vec<u8>>,
}

impl CertificateRequest {
    /// Parses the body of a CertificateRequest message.
    ///
    /// # Errors
    /// Anything truncated or left over.
    pub fn parse(body: &[u8], version: Version) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let certificate_types = reader.vec8("the certificate types")?.to_vec();
        let signature_schemes = if version >= Version::TLS1_2 {
            reader
                .list16("the signature algorithms")?
                .into_iter()
                .map(SignatureScheme)
                .collect()
        } else {
            Vec::new()
        };
        let mut list = Reader::new(reader.vec16("the authorities")?);
        let mut authorities = Vec::new();
        while !list.is_empty() {
            authorities.push(list.vec16("an authority's name")?.to_vec());
        }
        reader.finish("the CertificateRequest")?;
        Ok(Self {
            certificate_types,
            signature_schemes,
            authorities,
        })
    }
}
