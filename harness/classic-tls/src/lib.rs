//! For testing peers only: TLS 1.0 to 1.2 with the key exchanges and ciphers that modern stacks leave out.
#![forbid(unsafe_code)]

pub mod names;
pub mod primes;
pub mod wire;
