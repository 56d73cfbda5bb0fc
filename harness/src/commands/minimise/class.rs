//! The verdict and the class of the messages: what must stay the same while a case is made smaller.

use std::collections::BTreeSet;
use std::fmt;

use crate::evidence::Section;
use crate::import::{Kind, kind_of};
use crate::outcome::Outcome;
use crate::runner::Examined;

/// What a case showed on a target, as far as it is to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// `pass`, `fail`.
    word: &'static str,
    /// What it fails for, values left out.
    reasons: BTreeSet<String>,
    /// Who gave up and why, as every witness tells it.
    failures: BTreeSet<String>,
    /// The kinds of lines in the logs.
    kinds: BTreeSet<Kind>,
}

impl Class {
    pub(super) fn of(examined: &Examined) -> Self {
        let evidence = examined.evidence.as_deref();
        let failures = evidence
            .map(|evidence| evidence.failures())
            .unwrap_or_default();
        let sections = evidence
            .map(|evidence| evidence.sections())
            .unwrap_or_default();
        let logs = sections
            .iter()
            .filter(|(section, _)| matches!(section, Section::ClientLog | Section::ServerLog));
        Self {
            word: examined.outcome.word(),
            reasons: match &examined.outcome {
                Outcome::Fail(reasons) => reasons.iter().map(|reason| head(reason)).collect(),
                _ => BTreeSet::new(),
            },
            failures: failures.iter().map(ToString::to_string).collect(),
            kinds: logs
                .flat_map(|(_, text)| text.lines())
                .filter_map(kind_of)
                .collect(),
        }
    }
}

/// What a reason is about: `client log`, `cipher`.
fn head(reason: &str) -> String {
    reason.split(':').next().unwrap_or(reason).to_owned()
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join("; ");
        if !self.reasons.is_empty() {
            write!(f, " for {}", list(&self.reasons))?;
        }
        if !self.failures.is_empty() {
            write!(f, " ({})", list(&self.failures))?;
        }
        Ok(())
    }
}
