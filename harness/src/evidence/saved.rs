//! What is kept of the evidence in a line of JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::{Certificates, FailureFacts, ReceivedFacts, SessionFacts, TestimonyFacts};
use super::section::Section;
use super::statements::Evidence;

/// Everything that is known of a case that has run, for programs; empty of one that was not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseFacts {
    /// Whether the mail arrived; `null` of a case that was not run.
    pub delivered: Option<bool>,
    /// The session as all witnesses together know it.
    pub session: Option<SessionFacts>,
    /// The session as each witness knows it.
    pub testimonies: Vec<TestimonyFacts>,
    /// How it failed, by every witness that saw a failure.
    pub failures: Vec<FailureFacts>,
    /// The chains that were sent.
    pub certificates: Certificates,
    /// What the `Received:` header says of TLS.
    pub received: Option<ReceivedFacts>,
    /// What each witness said, redacted as in the snapshot: `client log`, `server log`, `received`, `peer`,
    /// `client hello`, `wire`, `command`, `mail`; and what a program of the user's printed, `command output`.
    pub witnesses: BTreeMap<String, String>,
    /// What was logged and written into the header, as it stood there: `client log`, `server log`, `received`. Log lines
    /// without date and host.
    pub raw: BTreeMap<String, String>,
}

impl CaseFacts {
    /// What each witness said, in the order of a snapshot.
    pub fn sections(&self) -> Vec<(Section, String)> {
        let said = |section: Section| Some((section, self.witnesses.get(section.name())?.clone()));
        Section::ALL.into_iter().filter_map(said).collect()
    }
}

impl From<&Evidence> for CaseFacts {
    fn from(evidence: &Evidence) -> Self {
        let named = |(section, said): (Section, String)| (section.name().to_owned(), said);
        Self {
            delivered: Some(evidence.delivered()),
            session: evidence.session_facts(),
            testimonies: evidence.testimony_facts(),
            failures: evidence.failure_facts(),
            certificates: evidence.certificates(),
            received: evidence.received_facts(),
            witnesses: evidence.sections().into_iter().map(named).collect(),
            raw: raw(evidence),
        }
    }
}

fn raw(evidence: &Evidence) -> BTreeMap<String, String> {
    let logs = evidence.logs().map(|(side, log)| {
        let lines: String = log.lines().iter().map(|line| format!("{line}\n")).collect();
        (format!("{side} log"), lines)
    });
    let header = evidence
        .received_text()
        .map(|text| ("received".to_owned(), text.to_owned()));
    logs.chain(header).collect()
}
