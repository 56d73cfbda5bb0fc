//! RSA keys of any exponent.

use p256::pkcs8::PrivateKeyInfoRef;
use rsa::pkcs1::der::Decode as _;
use rsa::{BoxedUint, PublicKey as RsaPublicKey, pkcs1};

use super::{KeyDescription, PublicKey};
use crate::primes::bit_length;

/// Bits of an RSA modulus that are accepted.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 512..=16384;
/// Most bits of a public exponent: what FIPS 186-4 allows; more only burns time.
const EXPONENT_BITS: usize = 256;

/// Whether a PKCS#8 private key is named as one for RSASSA-PSS.
pub(super) fn is_pss(pkcs8: &[u8]) -> bool {
    PrivateKeyInfoRef::from_der(pkcs8)
        .is_ok_and(|key| key.algorithm.oid.to_string() == "1.2.840.113549.1.1.10")
}

/// The key in a SubjectPublicKeyInfo; the inner error is a well-formed one that is not used here.
pub(super) fn public(der: &[u8]) -> Result<Result<RsaPublicKey, PublicKey>, &'static str> {
    let malformed = "its RSA key is malformed";
    let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| malformed)?;
    let (n, e) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
    let (bits, exponent_bits) = (bit_length(n), bit_length(e));
    let unspoken = |what: String| Ok(Err(PublicKey::Unspoken(KeyDescription::Rsa { bits }, what)));
    if !MODULUS_BITS.contains(&bits) {
        return unspoken(format!("RSA with a modulus of {bits} bits"));
    }
    if exponent_bits > EXPONENT_BITS {
        return unspoken(format!(
            "RSA with a public exponent of {exponent_bits} bits"
        ));
    }
    // Neither a modulus nor an exponent can be even, and an exponent of 1 would encrypt nothing.
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !odd(n) || !odd(e) || exponent_bits < 2 {
        return Err(malformed);
    }
    let number = |bytes: &[u8]| {
        u32::try_from(bytes.len() * 8)
            .ok()
            .and_then(|bits| BoxedUint::from_be_slice(bytes, bits).ok())
            .ok_or(malformed)
    };
    // The crate's own check refuses exponents of more than 33 bits.
    Ok(Ok(RsaPublicKey::new_unchecked(number(n)?, number(e)?)))
}
