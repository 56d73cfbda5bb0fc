//! DSA keys: read from certificates and PKCS#8, used with SHA-1 up to TLS 1.1 and any hash in TLS 1.2.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use dsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use dsa::{BoxedUint, Components, Signature, SigningKey, VerifyingKey};
use p256::pkcs8::PrivateKeyInfoRef;
use rsa::pkcs1::der::{Decode as _, Encode as _, Reader as _, SliceReader, asn1::UintRef};

/// The kind of key.
pub(super) const OID: &str = "1.2.840.10040.4.1";

/// Bits of the prime, and of the order of the subgroup, that are accepted.
const PRIME_BITS: std::ops::RangeInclusive<usize> = 512..=4096;
const ORDER_BITS: std::ops::RangeInclusive<usize> = 160..=512;

/// Reads a PKCS#8 private key in DER; `None` for one of another kind or out of range.
pub(super) fn private(der: &[u8]) -> Option<SigningKey> {
    let info = PrivateKeyInfoRef::from_der(der).ok()?;
    if info.algorithm.oid.to_string() != OID {
        return None;
    }
    let parameters = info.algorithm.parameters?;
    let components = components(parameters_of(parameters.value())?)?;
    let p = components.p().clone();
    let x = UintRef::from_der(info.private_key.as_bytes()).ok()?;
    let x = BoxedUint::from_be_slice(x.as_bytes(), p.bits_precision()).ok()?;
    let y = BoxedMontyForm::new((**components.g()).clone(), &BoxedMontyParams::new(p))
        .pow(&x)
        .retrieve();
    let public = VerifyingKey::from_components(components, y).ok()?;
    SigningKey::from_components(public, x).ok()
}

/// The public value `key` (an INTEGER in DER) with the content of its parameters.
pub(super) fn public(parameters: &[u8], key: &[u8]) -> Option<VerifyingKey> {
    let components = components(parameters_of(parameters)?)?;
    let y = UintRef::from_der(key).ok()?;
    let y = BoxedUint::from_be_slice(y.as_bytes(), components.p().bits_precision()).ok()?;
    // What is not below the prime is no member of the group.
    if y >= **components.p() {
        return None;
    }
    VerifyingKey::from_components(components, y).ok()
}

/// Prime, order and generator, if they are in range. OpenSSL pairs 1024 bits with 224, so no pair is refused.
fn components([p, q, g]: [UintRef<'_>; 3]) -> Option<Components> {
    let bits = |number: &UintRef<'_>| crate::primes::bit_length(number.as_bytes());
    let odd = |number: &UintRef<'_>| number.as_bytes().last().is_some_and(|last| last & 1 == 1);
    if !PRIME_BITS.contains(&bits(&p)) || !ORDER_BITS.contains(&bits(&q)) || !odd(&p) || !odd(&q) {
        return None;
    }
    let number = |number: UintRef<'_>, like: UintRef<'_>| {
        let precision = u32::try_from(like.as_bytes().len() * 8).ok()?;
        BoxedUint::from_be_slice(number.as_bytes(), precision).ok()
    };
    // An order as long as the prime would have no subgroup.
    if bits(&q) >= bits(&p) {
        return None;
    }
    Components::from_components_unchecked(number(p, p)?, number(q, q)?, number(g, p)?).ok()
}

/// Prime, order and generator from the content of the parameters of a key (RFC 3279 section 2.3.2).
fn parameters_of(content: &[u8]) -> Option<[UintRef<'_>; 3]> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut number = || UintRef::decode(&mut reader).ok();
    let numbers = [number()?, number()?, number()?];
    reader.finish().ok()?;
    Some(numbers)
}

/// Bits of the prime.
pub(super) fn bits(key: &VerifyingKey) -> usize {
    crate::primes::bit_length(&key.components().p().to_be_bytes())
}

/// Signs a hash; the signature is in DER.
pub(crate) fn sign(key: &SigningKey, hash: &[u8]) -> Option<Vec<u8>> {
    let signature: Signature = key.sign_prehash(hash).ok()?;
    signature.to_der().ok()
}

/// Whether `signature`, in DER, is one of `hash`.
pub(crate) fn verify(key: &VerifyingKey, hash: &[u8], signature: &[u8]) -> bool {
    Signature::from_der(signature)
        .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok())
}
