//! The other end of a mail server's TLS: clients and servers that speak SMTP, misbehave on request and report what they
//! saw. Nothing here knows of scenarios, Postfix or its logs.
//!
//! ```text
//! send     rustls client → mail server                    PeerReport
//! receive  mail client → rustls server                    PeerReport
//! forward  mail client → tap → mail server                ForwardReport
//! classic  the first two with TLS 1.0 to 1.2              PeerReport
//! inject   a message for a mail client to deliver         Injected
//! sink     what a mail server has taken                   Message
//! ```
//!
//! Every entry point has an absolute deadline, reads only bounded amounts, and returns a report of what was seen until
//! the end, whatever the end was. A further implementation of TLS is a file that implements [`MailClient`] and
//! [`MailServer`], as `rustls_client.rs`, `rustls_server.rs` and `classic.rs` do.

mod capture;
mod certificate;
pub mod classic;
mod client_session;
mod closing;
mod credential;
mod dhe;
mod error;
mod forward;
mod groups;
mod hello;
mod misbehave;
mod no_delay;
mod options;
pub mod provider;
mod report;
mod resolver;
mod role;
mod rustls_client;
mod rustls_server;
mod server_session;
mod sink;
pub mod smtp;
pub mod tap;
mod verifier;

pub use certificate::{KeyKind, SeenCertificate};
pub use classic_tls::wire::Side;
pub use credential::Credential;
pub use dhe::{
    DEFAULT_MINIMUM_PRIME_BITS, DhParameters, DheError, LARGEST_PRIME_BITS, PrimeFacts,
    PublicValue, SMALLEST_PRIME_BITS,
};
pub use error::{Alert, Direction, ErrorKind, PeerError};
pub use forward::{ForwardOptions, ForwardReport, forward, forward_between};
pub use no_delay::NoDelayStream;
pub use options::{
    Accept, Beginning, ClientCertificate, ClientOptions, Misbehaviour, OptionError, ServerOptions,
    SmtpOptions, TlsMode, TlsOptions,
};
pub use report::{PeerReport, PeerSummary, SignatureFacts, TlsFacts};
pub use role::{MailClient, MailServer, Reporting};
pub use rustls_client::{Sessions, connect, send, send_on};
pub use rustls_server::{PreparedServer, RustlsServer, receive};
pub use sink::{Injected, inject, inject_aged, sink, sink_all};
pub use smtp::{Dialogue, Mail, Message, Reply, Stage};

#[cfg(test)]
mod tests;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
