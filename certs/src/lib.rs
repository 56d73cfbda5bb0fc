//! Test PKI for TLS interop tests of mail servers.
//!
//! ```text
//! "cert:rsa2048"  → generated   what a name in a main.cf value stands for
//!                 → name        the registry: every certificate a test may ask for, by name
//!                 → request     what such a certificate says: key, names, issuer, validity, purpose
//!                 → pki         finds it in its directory, or makes it once, under a lock
//!                   → key         generates and loads private keys
//!                   → issue       signs
//!                   → store       files: atomic, 0600, shared by processes
//!                 → leaf, ca    the result: DER, PEM, fingerprints, TLSA data
//! "dh:2048"       → dh          fixed Diffie-Hellman parameter files
//! ```
//!
//! Nothing here is a secret and nothing may become one: keys are made for tests, some are too short or
//! certified by nobody on purpose.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use pfs_certs::{Digest, Of, Pki};
//!
//! let pki = Pki::generate(SystemTime::now())?;
//! let leaf = pki.leaf("ecdsa-p256")?;
//! println!("smtpd_tls_chain_files:\n{}", leaf.chain_pem());
//! println!("match={}", leaf.fingerprint(Digest::Sha256, Of::PublicKey));
//! println!("_25._tcp.mail.example.test. IN TLSA {}", leaf.tlsa(3, 1, 1)?);
//! # Ok::<(), pfs_certs::Error>(())
//! ```

mod ca;
pub mod dh;
mod dsa;
mod error;
mod fingerprint;
mod generated;
mod issue;
mod key;
mod leaf;
mod name;
mod pem_text;
mod pki;
mod request;
mod store;
mod tlsa;

pub use ca::{Ca, CaName};
pub use error::{Error, Kind};
pub use fingerprint::{Digest, Of};
pub use generated::{Generated, GeneratedName, Item};
pub use key::KeyKind;
pub use leaf::Leaf;
pub use name::CertName;
pub use pki::Pki;
pub use request::{CertRequest, Purpose, Signer, Validity};
pub use tlsa::Tlsa;
