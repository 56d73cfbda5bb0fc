//! The JSON object of one case on one target: what programs read. Its schema is `scenarios/result.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::CaseResult;
use crate::evidence::Evidence;
use crate::evidence::facts::{
    Certificates, FailureFacts, ReceivedFacts, SessionFacts, TestimonyFacts,
};
use crate::outcome::Outcome;

/// One line of `pfs run --format json`: a case on a target.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "Result of a case on a target")]
pub struct ResultLine {
    /// `TOPIC/CASE[VARIANT]`.
    pub id: String,
    /// The target.
    pub target: String,
    /// Target of the client; `null` for a peer of pfs itself.
    pub client: Option<String>,
    /// Target of the server; `null` for a peer of pfs itself.
    pub server: Option<String>,
    /// What came of it.
    pub outcome: OutcomeWord,
    /// The claim under test.
    pub why: String,
    /// Every difference found, or why it was not run.
    pub differences: Vec<String>,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// The shell line that runs the case alone.
    pub reproduce: String,
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
    /// `client hello`, `wire`, `mail`.
    pub witnesses: BTreeMap<String, String>,
    /// What was logged and written into the header, as it stood there: `client log`, `server log`, `received`. Log lines
    /// without date and host.
    pub raw: BTreeMap<String, String>,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeWord {
    /// All as expected, all witnesses agree, the snapshot is the same.
    Pass,
    /// Postfix or a peer did something else.
    Fail,
    /// As expected; there is no snapshot of it.
    New,
    /// As expected; the texts differ from those of another target.
    Differs,
    /// The target lacks what the case is about.
    NotApplicable,
    /// The environment: nothing was learned about Postfix.
    Broken,
}

impl From<&Outcome> for OutcomeWord {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Pass,
            Outcome::Fail(_) => Self::Fail,
            Outcome::New(_) => Self::New,
            Outcome::Differs(_) => Self::Differs,
            Outcome::NotApplicable(_) => Self::NotApplicable,
            Outcome::Broken(_) => Self::Broken,
        }
    }
}

impl From<&CaseResult> for ResultLine {
    fn from(result: &CaseResult) -> Self {
        let evidence = result.evidence.as_deref();
        Self {
            id: result.id.to_string(),
            target: result.target.clone(),
            client: result.sides.client.clone(),
            server: result.sides.server.clone(),
            outcome: (&result.outcome).into(),
            why: result.why.clone(),
            differences: result.outcome.reasons().to_vec(),
            ms: u64::try_from(result.elapsed.as_millis()).unwrap_or(u64::MAX),
            reproduce: result.reproduce.clone(),
            delivered: evidence.map(Evidence::delivered),
            session: evidence.and_then(Evidence::session_facts),
            testimonies: evidence.map_or_else(Vec::new, Evidence::testimony_facts),
            failures: evidence.map_or_else(Vec::new, Evidence::failure_facts),
            certificates: evidence.map_or_else(Certificates::default, Evidence::certificates),
            received: evidence.and_then(Evidence::received_facts),
            witnesses: evidence.map_or_else(BTreeMap::new, |evidence| {
                let named = |(section, said): (crate::evidence::Section, String)| {
                    (section.name().to_owned(), said)
                };
                evidence.sections().into_iter().map(named).collect()
            }),
            raw: evidence.map_or_else(BTreeMap::new, raw),
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

/// The JSON schema of [`ResultLine`].
pub fn schema() -> String {
    let schema = schemars::schema_for!(ResultLine);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
