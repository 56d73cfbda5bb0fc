//! What the witnesses of one case said: raw, and parsed once. The runner makes it; the verdict, the snapshot and every
//! report read it. Pure data.
//!
//! ```text
//! Statements  log lines, mail, peer, recording   as the runner took them
//!   → Evidence      the same, with each log line, the Received: header, each testimony and each failure parsed
//!       → Section   what a witness said as redacted text, for snapshots and for people
//!       → facts     what is known of the session as fields, for programs
//! ```

mod account;
mod command;
pub mod facts;
mod log;
mod saved;
mod section;
mod statements;

pub use command::CommandReport;
pub use log::{Crash, PostfixLog};
pub use saved::CaseFacts;
pub use section::Section;
pub use statements::{Evidence, Statements};
