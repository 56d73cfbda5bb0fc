//! What happens during a run: what the runner tells, and every report hears.

mod reproduce;

pub use reproduce::Reproduce;

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::evidence::{CaseFacts, Evidence, Section};
use crate::outcome::{Outcome, Tally};
use crate::plan::Sides;
use crate::scenario::{CaseId, Shard};

/// A target with what is known of it once it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetLine {
    /// Its name.
    pub name: String,
    /// `Postfix 3.7.11, OpenSSL 3.0.20`.
    pub versions: String,
}

/// What a run is about to report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Announced {
    /// `docker` or `chroot`.
    pub engine: String,
    /// The part of all cases that the run has, such as `1/2`; `null` for all.
    pub shard: Option<Shard>,
    /// How many results the run has.
    pub cases: usize,
    /// How many all shards have together.
    pub of: usize,
    /// The targets in the order of the table.
    pub targets: Vec<TargetLine>,
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
    Started(Arc<Announced>),
    /// The connections of a case begin.
    Begun {
        /// Its name.
        id: CaseId,
        /// The target.
        target: String,
    },
    /// A case has ended.
    Case(Arc<CaseResult>),
    /// All has ended.
    Finished(Tally),
}

/// What the witnesses of a case said.
#[derive(Clone, Debug)]
pub enum Said {
    /// In this run.
    Heard(Arc<Evidence>),
    /// In an earlier one, of which this was kept.
    Saved(Arc<CaseFacts>),
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
    pub said: Option<Said>,
    /// The lines of main.cf and master.cf that the case is made of.
    pub configuration: String,
    /// The shell line that runs the case alone.
    pub reproduce: String,
    /// The snapshot was written or rewritten.
    pub accepted: bool,
}

/// The topic and the names of what is told of a run as a whole.
const OF_RUN: &str = "run";
const CRASH: &str = "no-late-crash";
const COMPLETE: &str = "complete";

/// Whether what has this name tells of a run as a whole, and is none of its cases.
pub fn is_of_run(id: &CaseId) -> bool {
    id.topic == OF_RUN && [CRASH, COMPLETE].contains(&id.case.as_str())
}

impl CaseResult {
    /// The evidence, if the case was run in this process.
    pub fn evidence(&self) -> Option<&Evidence> {
        match &self.said {
            Some(Said::Heard(evidence)) => Some(evidence),
            Some(Said::Saved(_)) | None => None,
        }
    }

    /// What each witness said, redacted, in the order of a snapshot.
    pub fn sections(&self) -> Vec<(Section, String)> {
        match &self.said {
            Some(Said::Heard(evidence)) => evidence.sections(),
            Some(Said::Saved(facts)) => facts.sections(),
            None => Vec::new(),
        }
    }

    /// What is known of the session, as fields.
    pub fn facts(&self) -> CaseFacts {
        match &self.said {
            Some(Said::Heard(evidence)) => CaseFacts::from(&**evidence),
            Some(Said::Saved(facts)) => (**facts).clone(),
            None => CaseFacts::default(),
        }
    }

    /// A process of `target` that crashed when the case it served was over, with the line that tells it: no case has it, so
    /// the run does, and every report shows it as it shows a case.
    pub fn late_crash(target: &str, line: &str) -> Self {
        let digest = Sha256::digest(line.as_bytes());
        let number = digest.iter().take(4).map(|octet| format!("{octet:02x}"));
        let why = "No process crashes, the ones included whose case is over.";
        let outcome = Outcome::Fail(vec![format!("a process crashed: {line}")]);
        Self::of_run(CRASH, Some(number.collect()), target, why, outcome)
    }

    /// Cases that were announced and are not there.
    pub fn incomplete(target: &str, what: String) -> Self {
        let why = "Every case that was announced has a result.";
        Self::of_run(COMPLETE, None, target, why, Outcome::Broken(what))
    }

    /// Whether it tells of the run, not of a case.
    pub fn is_of_run(&self) -> bool {
        is_of_run(&self.id)
    }

    fn of_run(
        what: &str,
        variant: Option<String>,
        target: &str,
        why: &str,
        outcome: Outcome,
    ) -> Self {
        Self {
            id: CaseId {
                topic: OF_RUN.to_owned(),
                case: what.to_owned(),
                variant,
            },
            target: target.to_owned(),
            sides: Sides::default(),
            why: why.to_owned(),
            outcome,
            elapsed: Duration::ZERO,
            said: None,
            configuration: String::new(),
            reproduce: String::new(),
            accepted: false,
        }
    }
}
