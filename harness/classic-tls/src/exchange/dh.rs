//! Finite-field Diffie-Hellman with any prime, in constant time.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use crypto_primes::{Flavor, is_prime};

use crate::config::PublicValue;
use crate::error::Error;
use crate::primes::{bit_length, identify, strip};
use crate::wire::Side;

/// Least and most bits of a prime; more would only burn time.
pub(crate) const PRIME_BITS: std::ops::RangeInclusive<usize> = 512..=8192;

/// Bits of a private exponent: more than twice the strength of any group here.
const EXPONENT_BITS: usize = 384;

/// A prime and generator that passed the checks.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    p: BoxedUint,
    g: BoxedUint,
    params: BoxedMontyParams,
    bits: u32,
    length: usize,
}

/// One end's private exponent and public value.
#[derive(Debug)]
pub(crate) struct KeyPair {
    group: Group,
    exponent: BoxedUint,
    exponent_bits: u32,
    /// The public value, as long as the prime.
    pub(crate) public: Vec<u8>,
    /// The secret, where another public value than `public` is sent that decides it.
    given_away: Option<Vec<u8>>,
}

impl Group {
    /// Checks prime and generator; `check_prime` runs a primality test unless the group is a well-known one.
    ///
    /// `minimum` is the least size of the prime in bits, 512 if it is less than that.
    pub(crate) fn new(
        p: &[u8],
        g: &[u8],
        minimum: usize,
        check_prime: bool,
    ) -> Result<Self, Error> {
        let bad = |what| Error::BadGroup { what };
        let bits = bit_length(p);
        if bits > *PRIME_BITS.end() {
            return Err(bad("the prime has more than 8192 bits"));
        }
        let (p_bytes, g_bytes) = (strip(p), strip(g));
        let Ok(precision) = u32::try_from(p_bytes.len() * 8) else {
            return Err(bad("the prime has more than 8192 bits"));
        };
        if p_bytes.is_empty() {
            return Err(bad("the prime is zero"));
        }
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, precision).ok();
        let minimum = minimum.max(*PRIME_BITS.start());
        if bits < minimum {
            return Err(Error::PrimeTooSmall { bits, minimum });
        }
        let p = number(p_bytes).ok_or(bad("the prime is zero"))?;
        let odd = Odd::new(p.clone())
            .into_option()
            .ok_or(bad("the prime is even"))?;
        if g_bytes.is_empty() || g_bytes == [1] {
            return Err(bad("the generator is 0 or 1"));
        }
        let g = number(g_bytes).ok_or(bad("the generator is larger than the prime"))?;
        if g >= p_minus_one(&p) {
            return Err(bad("the generator is not below p - 1"));
        }
        if check_prime && identify(p_bytes, g_bytes).is_none() && !is_prime(Flavor::Any, &p) {
            return Err(bad("the prime is composite"));
        }
        Ok(Self {
            g,
            params: BoxedMontyParams::new(odd),
            bits: u32::try_from(bits).unwrap_or(precision),
            length: p_bytes.len(),
            p,
        })
    }

    /// Checks the public value that `side` sent: 1 < y < p - 1.
    fn public(&self, side: Side, y: &[u8]) -> Result<BoxedUint, Error> {
        let bad = |what| Error::BadPublicValue { side, what };
        let y = strip(y);
        match y {
            [] => return Err(bad("it is 0")),
            [1] => return Err(bad("it is 1")),
            _ => {}
        }
        if y.len() > self.length {
            return Err(bad("it is larger than the prime"));
        }
        let y = BoxedUint::from_be_slice(y, self.p.bits_precision())
            .map_err(|_| bad("it is larger than the prime"))?;
        let last = p_minus_one(&self.p);
        if y == last {
            return Err(bad("it is p - 1"));
        }
        if y > last {
            return Err(bad("it is not below the prime"));
        }
        Ok(y)
    }

    fn power(&self, base: &BoxedUint, exponent: &BoxedUint, exponent_bits: u32) -> Vec<u8> {
        let bytes = BoxedMontyForm::new(base.clone(), &self.params)
            .pow_bounded_exp(exponent, exponent_bits)
            .retrieve()
            .to_be_bytes();
        bytes[bytes.len().saturating_sub(self.length)..].to_vec()
    }
}

impl KeyPair {
    /// A fresh key pair.
    pub(crate) fn generate(group: Group) -> Result<Self, Error> {
        let exponent_bytes = EXPONENT_BITS.min(group.bits as usize - 8) / 8;
        let mut bytes = vec![0; exponent_bytes];
        getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
        // The top bit is set so that no exponent is trivially small.
        if let Some(first) = bytes.first_mut() {
            *first |= 0x80;
        }
        let exponent_bits = exponent_bytes as u32 * 8;
        let exponent =
            BoxedUint::from_be_slice(&bytes, exponent_bits).map_err(|_| Error::NoRandom)?;
        let public = group.power(&group.g, &exponent, exponent_bits);
        Ok(Self {
            group,
            exponent,
            exponent_bits,
            public,
            given_away: None,
        })
    }

    /// Takes note that `value` is sent instead of the public value.
    pub(crate) fn give_away(&mut self, value: PublicValue) {
        self.given_away = value.secret();
    }

    /// The premaster secret with the public value that `side` sent: leading zeros are stripped (RFC 5246 section 8.1.2).
    pub(crate) fn premaster(&self, side: Side, peer: &[u8]) -> Result<Vec<u8>, Error> {
        let peer = self.group.public(side, peer)?;
        if let Some(secret) = &self.given_away {
            return Ok(secret.clone());
        }
        let secret = self.group.power(&peer, &self.exponent, self.exponent_bits);
        Ok(strip(&secret).to_vec())
    }
}

fn p_minus_one(p: &BoxedUint) -> BoxedUint {
    p.wrapping_sub(BoxedUint::one_with_precision(p.bits_precision()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primes::by_name;

    fn what(result: Result<Group, Error>) -> &'static str {
        match result {
            Err(Error::BadGroup { what }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_ends_agree() {
        for name in ["modp768", "ffdhe2048", "dh_1024_160", "modp8192"] {
            let known = by_name(name).unwrap();
            let group = Group::new(&known.p, &known.g, 0, true).unwrap();
            let (a, b) = (
                KeyPair::generate(group.clone()).unwrap(),
                KeyPair::generate(group).unwrap(),
            );
            assert_eq!(
                a.premaster(Side::Server, &b.public).unwrap(),
                b.premaster(Side::Client, &a.public).unwrap()
            );
        }
    }

    #[test]
    fn unusable_groups_are_refused() {
        let p = &by_name("ffdhe2048").unwrap().p;
        let mut p_minus_one = p.clone();
        *p_minus_one.last_mut().unwrap() -= 1;
        let mut composite = p.clone();
        *composite.last_mut().unwrap() = 0xf1;
        assert_eq!(what(Group::new(&[], &[2], 0, true)), "the prime is zero");
        assert_eq!(
            what(Group::new(&[0; 256], &[2], 0, true)),
            "the prime is zero"
        );
        assert_eq!(
            what(Group::new(&[0xfe; 64], &[2], 0, true)),
            "the prime is even"
        );
        assert!(matches!(
            Group::new(&[7], &[2], 0, true),
            Err(Error::PrimeTooSmall {
                bits: 3,
                minimum: 512
            })
        ));
        assert!(matches!(
            Group::new(p, &[2], 2049, true),
            Err(Error::PrimeTooSmall {
                bits: 2048,
                minimum: 2049
            })
        ));
        assert_eq!(
            what(Group::new(&composite, &[2], 0, true)),
            "the prime is composite"
        );
        assert_eq!(what(Group::new(p, &[], 0, true)), "the generator is 0 or 1");
        assert_eq!(
            what(Group::new(p, &[1], 0, true)),
            "the generator is 0 or 1"
        );
        assert_eq!(
            what(Group::new(p, &p_minus_one, 0, true)),
            "the generator is not below p - 1"
        );
        assert_eq!(
            what(Group::new(p, &[0xff; 257], 0, true)),
            "the generator is larger than the prime"
        );
        assert_eq!(
            what(Group::new(&[0xff; 1025], &[2], 0, true)),
            "the prime has more than 8192 bits"
        );
    }

    #[test]
    fn tell_tale_public_values_are_refused() {
        let known = by_name("ffdhe2048").unwrap();
        let pair = KeyPair::generate(Group::new(&known.p, &known.g, 0, true).unwrap()).unwrap();
        let mut p_minus_one = known.p.clone();
        *p_minus_one.last_mut().unwrap() -= 1;
        let cases: [(&[u8], &str); 6] = [
            (&[], "it is 0"),
            (&[0, 0], "it is 0"),
            (&[0, 1], "it is 1"),
            (&p_minus_one, "it is p - 1"),
            (&known.p, "it is not below the prime"),
            (&[1; 257], "it is larger than the prime"),
        ];
        for (value, what) in cases {
            assert_eq!(
                pair.premaster(Side::Client, value),
                Err(Error::BadPublicValue {
                    side: Side::Client,
                    what
                })
            );
        }
    }
}
