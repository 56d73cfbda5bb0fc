//! Names for TLS code points, in the spellings that IANA, OpenSSL, Postfix and the RFCs use.
#![forbid(unsafe_code)]

mod alert;
mod extension;
mod group;
mod side;
mod signature;
mod suite;
mod suite_table;
mod version;

pub use alert::AlertDescription;
pub use extension::extension_name;
pub use group::NamedGroup;
pub use side::Side;
pub use signature::SignatureScheme;
pub use suite::{Authentication, CipherKind, CipherSuite, KeyExchangeKind, MacKind, PrfHash};
pub use version::Version;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
