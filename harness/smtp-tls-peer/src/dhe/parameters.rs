//! Primes as callers give and get them.

use std::fmt;

use classic_tls::primes;
use rustls::ffdhe_groups::FfdheGroup;

use super::error::DheError;
use super::modulus::Modulus;

/// A prime and a generator that a server uses in TLS 1.2.
#[derive(Clone, PartialEq, Eq)]
pub struct DhParameters {
    p: Vec<u8>,
    g: Vec<u8>,
}

impl DhParameters {
    /// Prime `p` and generator `g`, both big-endian; leading zeros do not matter.
    ///
    /// # Errors
    /// When the prime has fewer than 512 or more than 8192 bits or is even, or the generator is not 2 to p-2. That the
    /// prime is one is not checked.
    pub fn new(p: &[u8], g: &[u8]) -> Result<Self, DheError> {
        let group = Modulus::of(p, g)?.group();
        Ok(Self {
            p: group.p.to_vec(),
            g: group.g.to_vec(),
        })
    }

    /// The prime, big-endian, without leading zeros.
    #[must_use]
    pub fn p(&self) -> &[u8] {
        &self.p
    }

    /// The generator, big-endian, without leading zeros.
    #[must_use]
    pub fn g(&self) -> &[u8] {
        &self.g
    }

    /// Size and name of the prime.
    #[must_use]
    pub fn facts(&self) -> PrimeFacts {
        PrimeFacts::of(&self.p, &self.g)
    }
}

impl fmt::Debug for DhParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DhParameters({})", self.facts())
    }
}

/// What a Diffie-Hellman prime is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PrimeFacts {
    /// Its size in bits.
    pub bits: u32,
    /// Its name with its usual generator, such as `modp2048 (RFC 3526)`; nothing for one that nobody has published.
    pub name: Option<&'static str>,
}

impl PrimeFacts {
    /// Of the prime `p` with generator `g`, both big-endian; leading zeros do not matter.
    #[must_use]
    pub fn of(p: &[u8], g: &[u8]) -> Self {
        Self {
            bits: u32::try_from(primes::bit_length(p)).unwrap_or(u32::MAX),
            name: primes::identify(p, g),
        }
    }
}

impl From<&FfdheGroup<'_>> for PrimeFacts {
    fn from(group: &FfdheGroup<'_>) -> Self {
        Self::of(group.p, group.g)
    }
}

/// As in "2048 bits, ffdhe2048 (RFC 7919)" or "1024 bits".
impl fmt::Display for PrimeFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bits", self.bits)?;
        match self.name {
            Some(name) => write!(f, ", {name}"),
            None => Ok(()),
        }
    }
}
