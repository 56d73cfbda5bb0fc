//! What Postfix's log lines and `Received:` headers say about TLS, as typed facts.
//!
//! ```text
//! line of a file ───→ LogLine ──→ LogEvent ──→ Sessions          the lines of one connection together
//!                                    │    └────→ failure           who ended the handshake, and why
//!                                    ↓
//! Received: header ─────────────→ TlsSummary ─→ forward_secrecy  whether a recording can be read later
//! ```
//!
//! ```
//! use postfix_tls_log::{LogEvent, LogLine};
//!
//! let line = LogLine::parse(
//!     "Nov 22 08:00:01 mail postfix/smtp[77]: Trusted TLS connection established to mail.example.test[192.0.2.1]:25: \
//!      TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
//! )
//! .expect("a line of Postfix");
//! let LogEvent::Tls(session) = LogEvent::parse(&line.daemon, &line.text) else {
//!     panic!("not a summary");
//! };
//! assert_eq!(session.cipher, "ECDHE-RSA-AES256-GCM-SHA384");
//! assert!(session.forward_secrecy().holds());
//! ```
//!
//! Pure: no input or output of its own, no cryptography. All text is untrusted, and nothing panics on it.
#![forbid(unsafe_code)]

pub mod cause;
pub mod event;
pub mod failure;
pub mod forward_secrecy;
mod line;
pub mod received;
pub mod sessions;
pub mod summary;

pub use event::LogEvent;
pub use failure::Failure;
pub use forward_secrecy::ForwardSecrecy;
pub use line::LogLine;
pub use received::{ClientCertificate, Received};
pub use sessions::{Gap, Session, Sessions};
pub use summary::{Direction, KeyExchange, PeerName, Side, Signature, Status, TlsSummary};
/// The names of versions, suites, groups, signatures and alerts, as used in the fields here.
pub use tls_names as names;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
