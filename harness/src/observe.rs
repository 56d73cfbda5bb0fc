//! What the witnesses of a handshake saw, taken from raw text; pure, with no input or output of its own.
//!
//! ```text
//! log line ─────────→ LogEvent ──→ failure           who ended the handshake, and why
//!                        │
//!                        ↓
//! Received: header ─→ TlsSummary ─→ agreement        do all witnesses say the same?
//! peer, recording ──→    │
//!                        └────────→ forward_secrecy  the verdict the program is named for
//! ```

pub mod agreement;
pub mod failure;

pub use agreement::{Disagreement, Field, Statement, Testimony, Witness};
pub use failure::Failure;
pub use postfix_tls_log::{
    ClientCertificate, Direction, ForwardSecrecy, KeyExchange, LogEvent, LogLine, PeerName,
    Received, Side, Signature, Status, TlsSummary, event as log, forward_secrecy, received,
    summary,
};
