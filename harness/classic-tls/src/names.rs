//! Names for TLS code points, in the spellings that IANA, OpenSSL, Postfix and the RFCs use.

mod alert;
mod extension;
mod group;
mod signature;
mod suite;
mod suite_table;
mod version;

pub use alert::AlertDescription;
pub use extension::extension_name;
pub use group::NamedGroup;
pub use signature::SignatureScheme;
pub use suite::{Authentication, CipherKind, CipherSuite, KeyExchangeKind, MacKind, PrfHash};
pub use version::Version;
