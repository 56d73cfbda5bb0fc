//! What a connection is told to do: offers, limits, keys, and how to misbehave.

mod client;
mod misbehaviour;
mod server;
mod suites;

pub use client::ClientConfig;
pub use misbehaviour::{Misbehaviour, PublicValue};
pub use server::{ClientCertificate, DhGroup, ServerConfig};
pub use suites::{anonymous_suites, dss_suites, implemented_suites, is_implemented};

/// The groups a connection can run, most preferred first.
pub fn implemented_groups() -> Vec<crate::names::NamedGroup> {
    use crate::exchange::ecdh::{DEFAULT, RARE};
    [DEFAULT.as_slice(), &RARE].concat()
}

/// The signature schemes a connection can make and verify, most preferred first.
pub fn implemented_signature_schemes() -> Vec<crate::names::SignatureScheme> {
    use crate::signing::{DEFAULT, RARE};
    [DEFAULT.as_slice(), &RARE].concat()
}
