//! For testing peers only: TLS 1.0 to 1.2 with the key exchanges and ciphers that modern stacks leave out.
#![forbid(unsafe_code)]

pub mod primes;
pub mod wire;

/// Names for TLS code points, in the spellings that IANA, OpenSSL, Postfix and the RFCs use.
pub use tls_names as names;

mod channel;
mod client;
mod config;
mod connection;
mod core;
mod disclose;
mod error;
mod exchange;
mod keys;
mod protection;
mod report;
mod schedule;
mod server;
mod session;
mod signing;
#[cfg(feature = "tokio")]
mod stream;

pub use config::{
    ClientCertificate, ClientConfig, DhGroup, Misbehaviour, PublicValue, ServerConfig,
    anonymous_suites, dss_suites, implemented_groups, implemented_signature_schemes,
    implemented_suites, is_implemented,
};
pub use connection::Connection;
pub use disclose::{Plaintext, Sealed, disclose};
pub use error::{Error, Obstacle};
pub use keys::{Identity, KeyDescription, KeyError, PrivateKey};
pub use report::Report;
pub use session::{Session, SessionStore};
#[cfg(feature = "tokio")]
pub use stream::{HandshakeFailure, Stream, accept, connect};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
