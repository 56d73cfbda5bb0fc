//! What happens during a run: what the runner tells, and every report hears.

mod reproduce;

pub use reproduce::Reproduce;

use std::sync::Arc;
use std::time::Duration;

use crate::evidence::Evidence;
use crate::outcome::{Outcome, Tally};
use crate::plan::Sides;
use crate::scenario::CaseId;

/// A target with what is known of it once it is there.
#[derive(Clone, Debug)]
pub struct TargetLine {
    /// Its name.
    pub name: String,
    /// `Postfix 3.7.11, OpenSSL 3.0.20`.
    pub versions: String,
}

/// One thing that happened. Cheap to clone: every report gets all of them.
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
    /// The run begins.
    Started {
        /// `docker` or `chroot`.
        engine: String,
        /// The targets in the order of the table.
        targets: Vec<TargetLine>,
        /// How many cases will be reported.
        cases: usize,
    },
    /// A case has ended.
    Case(Arc<CaseResult>),
    /// All has ended.
    Finished(Tally),
}

/// A case that has been run, or has not been for a reason.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its name.
    pub id: CaseId,
    /// The target.
    pub target: String,
    /// Where its two sides run.
    pub sides: Sides,
    /// The claim under test.
    pub why: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Wall time from the first connection to the last witness.
    pub elapsed: Duration,
    /// What the witnesses said; nothing of a case that was not run.
    pub evidence: Option<Arc<Evidence>>,
    /// The lines of main.cf and master.cf that the case is made of.
    pub configuration: String,
    /// The shell line that runs the case alone.
    pub reproduce: String,
    /// The snapshot was written or rewritten.
    pub accepted: bool,
}
