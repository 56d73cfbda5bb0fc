//! Ephemeral Diffie-Hellman over a prime (EDH, DHE, FFDHE), which rustls has the protocol for but no arithmetic.
//!
//! ```text
//! suites     DHE_RSA of TLS 1.2, made of graviola's ECDHE_RSA
//! modulus    a checked prime and generator, kept for good; the arithmetic
//! group      a prime under a name that rustls knows: RFC 7919, or a server's own prime
//! learned    a client's group, whose prime is the one that the server sends
//! parameters what callers give and get
//! ```
//!
//! rustls wants groups that live as long as the program. So every distinct prime is kept for good, once, and so is
//! every group over it; a client's group is lent to one connection after the other. What a process keeps is bounded
//! by the number of different primes it has met and of connections it has had at the same time.
//!
//! That a prime is one is not checked, as in OpenSSL, whose clients do not either.

mod error;
mod group;
mod learned;
mod modulus;
mod parameters;
mod suites;

pub use error::{DheError, PublicValue};
pub use parameters::{DhParameters, PrimeFacts};

pub(super) use group::{code_point, named, named_tls12_only, named_tls13_only, of_server};
pub(super) use learned::{Learner, Lease};
pub(super) use suites::suites;

/// Smallest prime that can be used at all, in bits; the same as in OpenSSL (`DH_MIN_MODULUS_BITS`).
pub const SMALLEST_PRIME_BITS: u32 = 512;

/// Largest prime that can be used, in bits: that of the largest group of RFC 7919.
pub const LARGEST_PRIME_BITS: u32 = 8192;

/// What a client takes where [`minimum_prime_bits`](super::ClientOptions::minimum_prime_bits) is not given: the least
/// that OpenSSL 1.1.1 and 3 take at their default security levels before 3.2 (level 1, 80 bits of security). Postfix
/// itself goes down to level 0 unless it checks a certificate.
pub const DEFAULT_MINIMUM_PRIME_BITS: u32 = 1024;
