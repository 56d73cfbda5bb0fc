//! The JSON object of one case on one target: what programs read. Its schema is `scenarios/result.schema.json`.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Announced, CaseResult, Said};
use crate::evidence::CaseFacts;
use crate::outcome::Outcome;
use crate::plan::Sides;
use crate::scenario::CaseId;

/// One line of `pfs run --format json`: a case on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Of one that is `new`: it counts as a failure until its snapshot is accepted, since the target keeps its own.
    #[serde(default)]
    pub must_be_accepted: bool,
    /// The claim under test.
    pub why: String,
    /// Every difference found, or why it was not run.
    pub differences: Vec<String>,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// The shell line that runs the case alone.
    pub reproduce: String,
    /// The lines of main.cf and master.cf that the case is made of; empty of one that was not run.
    pub configuration: String,
    /// The scenario names the target of at least one side.
    pub fixed: bool,
    /// The snapshot was written or rewritten.
    pub accepted: bool,
    /// What is known of the session, and what each witness said.
    #[serde(flatten)]
    pub facts: CaseFacts,
    /// The run that the result is of.
    pub run: Announced,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
            Outcome::New { .. } => Self::New,
            Outcome::Differs(_) => Self::Differs,
            Outcome::NotApplicable(_) => Self::NotApplicable,
            Outcome::Broken(_) => Self::Broken,
        }
    }
}

impl ResultLine {
    /// A result of `run`.
    pub fn of(result: &CaseResult, run: &Announced) -> Self {
        Self {
            id: result.id.to_string(),
            target: result.target.clone(),
            client: result.sides.client.clone(),
            server: result.sides.server.clone(),
            outcome: (&result.outcome).into(),
            must_be_accepted: matches!(result.outcome, Outcome::New { fails: true, .. }),
            why: result.why.clone(),
            differences: result.outcome.reasons().to_vec(),
            ms: u64::try_from(result.elapsed.as_millis()).unwrap_or(u64::MAX),
            reproduce: result.reproduce.clone(),
            configuration: result.configuration.clone(),
            fixed: result.sides.fixed,
            accepted: result.accepted,
            facts: result.facts(),
            run: run.clone(),
        }
    }

    /// The result as a report hears it; `None` where the id is none.
    pub fn result(self) -> Option<CaseResult> {
        let reasons = self.differences;
        let reason = || reasons.join("\n");
        let outcome = match self.outcome {
            OutcomeWord::Pass => Outcome::Pass,
            OutcomeWord::New => Outcome::New {
                why: reason(),
                fails: self.must_be_accepted,
            },
            OutcomeWord::NotApplicable => Outcome::NotApplicable(reason()),
            OutcomeWord::Broken => Outcome::Broken(reason()),
            OutcomeWord::Fail => Outcome::Fail(reasons),
            OutcomeWord::Differs => Outcome::Differs(reasons),
        };
        let ran = self.facts.delivered.is_some();
        Some(CaseResult {
            id: CaseId::of(&self.id)?,
            target: self.target,
            sides: Sides {
                client: self.client,
                server: self.server,
                fixed: self.fixed,
            },
            why: self.why,
            outcome,
            elapsed: Duration::from_millis(self.ms),
            said: ran.then(|| Said::Saved(Arc::new(self.facts))),
            configuration: self.configuration,
            reproduce: self.reproduce,
            accepted: self.accepted,
        })
    }
}

/// The JSON schema of [`ResultLine`].
pub fn schema() -> String {
    let schema = schemars::schema_for!(ResultLine);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
