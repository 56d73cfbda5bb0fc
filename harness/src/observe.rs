//! What the witnesses of a handshake saw, taken from raw text; pure, with no input or output of its own.
//!
//! A log line, a `Received:` header, a recording and a peer's own view all become a [`TlsSummary`]; log lines that are no
//! summary become a [`LogEvent`]. [`agreement`] then holds the summaries against each other, [`failure`] says who ended a
//! handshake and why, [`forward_secrecy`] gives the verdict the program is named for.

pub mod forward_secrecy;
pub mod log;
pub mod summary;

pub use forward_secrecy::ForwardSecrecy;
pub use log::{LogEvent, LogLine};
pub use summary::{Direction, KeyExchange, PeerName, Side, Signature, Status, TlsSummary};
