//! The other end of a handshake: rustls as an SMTP client or server, a tap between two Postfix, a sink and an injection
//! in clear.
//!
//! ```text
//! send     rustls client → Postfix server              PeerReport
//! receive  Postfix client → rustls server              PeerReport
//! forward  Postfix client → tap → Postfix server       ForwardReport
//! classic  the same two with TLS 1.0 to 1.2           PeerReport
//! inject   a message for a Postfix client to deliver   Injected
//! sink     what a Postfix server has taken             Message
//! ```
//!
//! Every entry point has an absolute deadline, reads only bounded amounts, and returns a report of what was seen until
//! the end, whatever the end was.

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
mod options;
mod prompt;
pub mod provider;
mod report;
mod resolver;
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
pub use options::{
    Accept, ClientCertificate, ClientOptions, Manners, Misbehaviour, OptionError, ServerOptions,
    TlsMode, TlsOptions,
};
pub use prompt::Prompt;
pub use report::{PeerReport, PeerSummary, SignatureFacts, TlsFacts};
pub use rustls_client::{Sessions, connect, send, send_on};
pub use rustls_server::{PreparedServer, receive};
pub use sink::{Injected, inject, sink, sink_all};
pub use smtp::{Dialogue, Mail, Message, Reply, Stage};

#[cfg(test)]
mod tests;
