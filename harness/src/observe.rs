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
pub mod forward_secrecy;
pub mod log;
pub mod received;
pub mod summary;

pub use agreement::{Disagreement, Field, Statement, Testimony, Witness};
pub use failure::Failure;
pub use forward_secrecy::ForwardSecrecy;
pub use log::{LogEvent, LogLine};
pub use received::{ClientCertificate, Received};
pub use summary::{Direction, KeyExchange, PeerName, Side, Signature, Status, TlsSummary};
