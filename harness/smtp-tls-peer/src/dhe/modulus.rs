//! A prime, its generator, and the arithmetic.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use classic_tls::primes::bit_length;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use rustls::ffdhe_groups::FfdheGroup;

use super::error::{DheError, PublicValue};
use super::{LARGEST_PRIME_BITS, SMALLEST_PRIME_BITS};

/// All that were ever made.
static KEPT: Mutex<Vec<&'static Modulus>> = Mutex::new(Vec::new());

/// An odd number of acceptable size and a generator between 2 and p-2.
pub(super) struct Modulus {
    /// Big-endian, without leading zeros.
    p: Box<[u8]>,
    /// Likewise.
    g: Box<[u8]>,
    bits: u32,
    field: BoxedMontyParams,
    generator: BoxedMontyForm,
}

impl fmt::Debug for Modulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Modulus({} bits)", self.bits)
    }
}

/// A secret exponent.
pub(super) struct Secret {
    exponent: BoxedUint,
    bits: u32,
}

impl Modulus {
    /// The modulus with prime `p` and generator `g`, both big-endian; leading zeros do not matter. It is kept for good,
    /// so that asking for the same one again costs nothing.
    pub(super) fn of(p: &[u8], g: &[u8]) -> Result<&'static Self, DheError> {
        let (p, g) = (without_leading_zeros(p), without_leading_zeros(g));
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter().find(|known| *known.p == *p && *known.g == *g) {
            return Ok(known);
        }
        let new: &'static Self = Box::leak(Box::new(Self::new(p, g)?));
        kept.push(new);
        Ok(new)
    }

    fn new(p: &[u8], g: &[u8]) -> Result<Self, DheError> {
        let bits = prime_bits(p, SMALLEST_PRIME_BITS)?;
        if let Some(found) = outside(p, g) {
            return Err(DheError::Generator { found });
        }
        let even = DheError::PrimeEven { bits };
        let modulus = Option::from(Odd::new(BoxedUint::from_be_slice_vartime(p))).ok_or(even)?;
        let field = BoxedMontyParams::new_vartime(modulus);
        let generator = BoxedMontyForm::new(number(g, &field), &field);
        Ok(Self {
            p: p.into(),
            g: g.into(),
            bits,
            field,
            generator,
        })
    }

    /// The prime and the generator in rustls' terms.
    pub(super) fn group(&'static self) -> FfdheGroup<'static> {
        FfdheGroup {
            p: &self.p,
            g: &self.g,
        }
    }

    /// Size of the prime in bytes.
    pub(super) fn len(&self) -> usize {
        self.p.len()
    }

    /// How long a secret exponent is, in bits.
    ///
    /// RFC 7919 appendix A asks for at least 225, 275, 325, 375 and 400 bits for its five groups (section 5.2), and
    /// SP 800-56A revision 3 (section 5.6.1.1.1 with appendix D) for twice the strength, no more than 400 bits either.
    /// For a prime that is none of theirs nothing is known of the order of the generator, and the same sizes do.
    pub(super) const fn exponent_bits(&self) -> u32 {
        if self.bits <= 3072 { 320 } else { 400 }
    }

    /// A secret of `bytes`, of which there must be `exponent_bits() / 8`.
    pub(super) fn secret(&self, bytes: &[u8]) -> Secret {
        Secret {
            exponent: BoxedUint::from_be_slice_truncated(bytes, self.exponent_bits()),
            bits: self.exponent_bits(),
        }
    }

    /// The public value of a secret, as long as the prime.
    pub(super) fn public(&self, secret: &Secret) -> Vec<u8> {
        self.bytes(&self.generator, secret)
    }

    /// What two sides share, as long as the prime.
    pub(super) fn shared(&self, secret: &Secret, public: &[u8]) -> Result<Vec<u8>, DheError> {
        self.check_public(public)?;
        let public = number(without_leading_zeros(public), &self.field);
        let shared = self.bytes(&BoxedMontyForm::new(public, &self.field), secret);
        match outside(&self.p, &shared) {
            Some(found) => Err(DheError::SharedSecret { found }),
            None => Ok(shared),
        }
    }

    /// Whether the other side's public value is one.
    pub(super) fn check_public(&self, public: &[u8]) -> Result<(), DheError> {
        check_public(&self.p, public)
    }

    fn bytes(&self, base: &BoxedMontyForm, secret: &Secret) -> Vec<u8> {
        let power = base
            .pow_bounded_exp(&secret.exponent, secret.bits)
            .retrieve()
            .to_be_bytes();
        // Whole machine words, of which the first may be longer than the prime.
        let surplus = power.len().saturating_sub(self.p.len());
        power.get(surplus..).unwrap_or_default().to_vec()
    }
}

/// Checks that 1 < `public` < `p` - 1 (RFC 7919 section 5.1); `p` is odd and has no leading zeros.
pub(super) fn check_public(p: &[u8], public: &[u8]) -> Result<(), DheError> {
    match outside(p, public) {
        Some(found) => Err(DheError::PublicValue { found }),
        None => Ok(()),
    }
}

/// Size of the prime `p` in bits, if that is acceptable.
pub(super) fn prime_bits(p: &[u8], minimum: u32) -> Result<u32, DheError> {
    let bits = u32::try_from(bit_length(p)).unwrap_or(u32::MAX);
    if bits < minimum {
        return Err(DheError::PrimeTooSmall { bits, minimum });
    }
    if bits > LARGEST_PRIME_BITS {
        return Err(DheError::PrimeTooLarge {
            bits,
            maximum: LARGEST_PRIME_BITS,
        });
    }
    match p.last() {
        Some(last) if last % 2 == 1 => Ok(bits),
        _ => Err(DheError::PrimeEven { bits }),
    }
}

/// A big-endian number without its leading zeros.
pub(super) fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// What `number` is, if it is not one of 2 to p-2. The prime is odd and has no leading zeros.
fn outside(p: &[u8], number: &[u8]) -> Option<PublicValue> {
    let number = without_leading_zeros(number);
    let by_size = |a: &[u8], b: &[u8]| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    match number {
        [] => return Some(PublicValue::Zero),
        [1] => return Some(PublicValue::One),
        _ => {}
    }
    if by_size(number, p).is_ge() {
        return Some(PublicValue::NotBelowPrime);
    }
    let (last, rest) = number.split_last()?;
    let (last_of_prime, rest_of_prime) = p.split_last()?;
    let minus_one = rest == rest_of_prime && Some(*last) == last_of_prime.checked_sub(1);
    minus_one.then_some(PublicValue::MinusOne)
}

/// `number`, which is less than the modulus and has no leading zeros, with the precision of the modulus.
fn number(number: &[u8], field: &BoxedMontyParams) -> BoxedUint {
    BoxedUint::from_be_slice_truncated(number, field.bits_precision())
}

#[cfg(test)]
mod tests {
    use rustls::ffdhe_groups::FFDHE2048;
    use sha2::{Digest, Sha256};

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Computed with Python's `pow`, for x = SHA-256("x") with the first eight bytes of SHA-256("x2") after it, and
    /// y = 2^SHA-256("y60"), whose shared secret begins with a zero byte.
    #[test]
    fn known_answers() {
        let modulus = Modulus::of(FFDHE2048.p, FFDHE2048.g).unwrap();
        assert_eq!(modulus.exponent_bits(), 320);
        let x = [&Sha256::digest(b"x")[..], &Sha256::digest(b"x2")[..8]].concat();
        let secret = modulus.secret(&x);
        assert_eq!(
            hex(&Sha256::digest(modulus.public(&secret))),
            "51ebd82f8cd722ffb713951aa0761fe9a5a201f30be8906d584c962fb4a19ae1"
        );
        let y = [&[0; 8][..], &Sha256::digest(b"y60")].concat();
        let y = modulus.public(&modulus.secret(&y));
        let shared = modulus.shared(&secret, &y).unwrap();
        assert_eq!((shared.len(), shared[0]), (256, 0));
        assert_eq!(
            hex(&Sha256::digest(&shared)),
            "ba40389caf4bade34ebdfb546331e9f38f69540a4d26e97391b0b5aaf188f55f"
        );
        assert_eq!(
            hex(&Sha256::digest(without_leading_zeros(&shared))),
            "27c1f701c03d7a9447a03815c4698471cec9ad919818d9e00f49204487f2f564"
        );
    }

    #[test]
    fn both_sides_share_the_same_whatever_the_size() {
        for bits in (512..700).chain([1023, 1024, 1025, 2047, 3073, 4096]) {
            // Odd is enough: the arithmetic does not care.
            let mut p = vec![0xff; usize::div_ceil(bits, 8)];
            p[0] >>= (8 - bits % 8) % 8;
            p[1] = 0x5a;
            let modulus = Modulus::of(&p, &[2]).unwrap();
            let secrets = [3, 7]
                .map(|byte| modulus.secret(&vec![byte; modulus.exponent_bits() as usize / 8]));
            let publics = [0, 1].map(|side| modulus.public(&secrets[side]));
            let shared = modulus.shared(&secrets[0], &publics[1]).unwrap();
            assert_eq!(
                Ok(&shared),
                modulus.shared(&secrets[1], &publics[0]).as_ref()
            );
            assert_eq!(shared.len(), p.len(), "{bits}");
        }
    }

    #[test]
    fn a_modulus_is_kept_once() {
        let padded = [&[0, 0][..], FFDHE2048.p].concat();
        let one = Modulus::of(FFDHE2048.p, &[2]).unwrap();
        assert!(std::ptr::eq(one, Modulus::of(&padded, &[0, 2]).unwrap()));
        assert!(!std::ptr::eq(one, Modulus::of(&padded, &[3]).unwrap()));
    }
}
