//! Last stage: events in, terminal or JSON out. The runner knows no report type.

mod json;
mod terminal;

pub use json::Json;
pub use terminal::Terminal;

use crate::outcome::{CaseResult, Tally};

/// A target with what is known of it once it is there.
#[derive(Clone, Debug)]
pub struct TargetLine {
    /// Its name.
    pub name: String,
    /// `Postfix 3.7.11, OpenSSL 3.0.20`.
    pub versions: String,
}

/// What happens during a run, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Something slow goes on that is not a case: an image is built, a fleet starts.
    Doing {
        /// The target it is for.
        target: String,
        /// What, in words.
        what: String,
    },
    /// A case has ended.
    Case(Box<CaseResult>),
    /// All has ended.
    Finished(Tally),
    /// The run begins.
    Started {
        /// `docker` or `chroot`.
        engine: String,
        /// The targets in the order of the table.
        targets: Vec<TargetLine>,
        /// How many cases will be reported.
        cases: usize,
    },
}

/// Consumes events.
pub trait Report: Send {
    /// Takes notice of one event.
    fn event(&mut self, event: &Event);
}
