//! What can be wrong with a prime, a generator or a public value.

use std::fmt;

/// Why a Diffie-Hellman exchange over a prime is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DheError {
    /// A prime below the minimum.
    #[error("Diffie-Hellman prime of {bits} bits; expected at least {minimum}")]
    PrimeTooSmall {
        /// Its size.
        bits: u32,
        /// What is asked for.
        minimum: u32,
    },
    /// A prime that would take too long.
    #[error("Diffie-Hellman prime of {bits} bits; expected at most {maximum}")]
    PrimeTooLarge {
        /// Its size.
        bits: u32,
        /// What is taken.
        maximum: u32,
    },
    /// An even number.
    #[error("Diffie-Hellman prime of {bits} bits is even; expected a prime")]
    PrimeEven {
        /// Its size.
        bits: u32,
    },
    /// A generator of nothing or next to nothing.
    #[error("Diffie-Hellman generator is {found}; expected 2 to p-2")]
    Generator {
        /// Which one.
        found: PublicValue,
    },
    /// A public value in a group of at most two elements, or none at all (RFC 7919 section 5.1).
    #[error("Diffie-Hellman public value of the other side is {found}; expected 2 to p-2")]
    PublicValue {
        /// Which one.
        found: PublicValue,
    },
    /// A key share of TLS 1.3 that is not padded to the size of the prime (RFC 8446 section 4.2.8.1).
    #[error(
        "Diffie-Hellman key share of {found} bytes; expected {expected}, the size of the prime"
    )]
    ShareLength {
        /// Its length in bytes.
        found: usize,
        /// That of the prime.
        expected: usize,
    },
    /// A shared secret that anybody could guess (SP 800-56A revision 3 section 5.7.1.1).
    #[error("Diffie-Hellman shared secret is {found}; expected 2 to p-2")]
    SharedSecret {
        /// Which one.
        found: PublicValue,
    },
}

/// A number outside of 2 to p-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicValue {
    /// 0, or no bytes.
    Zero,
    /// 1.
    One,
    /// p-1.
    MinusOne,
    /// p or more.
    NotBelowPrime,
}

impl fmt::Display for PublicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "0",
            Self::One => "1",
            Self::MinusOne => "p-1",
            Self::NotBelowPrime => "p or more",
        })
    }
}
