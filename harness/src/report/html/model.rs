//! Results by case and target, as the page has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::event::{Announced, CaseResult};
use crate::evidence::CaseFacts;
use crate::evidence::facts::SessionFacts;
use crate::printable::printable;

/// Everything on the page.
pub(super) struct Model<'a> {
    /// The targets, in the order of the run.
    pub(super) targets: Vec<&'a str>,
    /// By name.
    pub(super) cases: BTreeMap<String, CaseRow<'a>>,
}

/// A case on all its targets.
pub(super) struct CaseRow<'a> {
    /// Its name.
    pub(super) id: String,
    /// The part before the `/`.
    pub(super) topic: &'a str,
    /// Where its details are.
    pub(super) anchor: String,
    /// By target.
    pub(super) results: BTreeMap<&'a str, Outcomes<'a>>,
}

/// A case on one target.
pub(super) struct Outcomes<'a> {
    /// As it was reported.
    pub(super) result: &'a CaseResult,
    /// What is known of the session.
    pub(super) facts: CaseFacts,
}

impl Outcomes<'_> {
    pub(super) fn session(&self) -> Option<&SessionFacts> {
        self.facts.session.as_ref()
    }

    /// The status words that its witnesses have.
    pub(super) fn statuses(&self) -> BTreeSet<&str> {
        let all = self.facts.testimonies.iter();
        all.filter_map(|one| one.session.status.as_deref())
            .collect()
    }
}

impl<'a> Model<'a> {
    pub(super) fn of(run: &'a Announced, results: &'a [Arc<CaseResult>]) -> Self {
        let mut targets: Vec<&str> = run.targets.iter().map(|one| one.name.as_str()).collect();
        let mut cases: BTreeMap<String, CaseRow<'a>> = BTreeMap::new();
        for result in results {
            if !targets.contains(&result.target.as_str()) {
                targets.push(&result.target);
            }
            let id = result.id.to_string();
            let case = cases.entry(id.clone()).or_insert_with(|| CaseRow {
                id,
                topic: &result.id.topic,
                anchor: anchor(result),
                results: BTreeMap::new(),
            });
            let outcomes = Outcomes {
                result,
                facts: result.facts(),
            };
            case.results.insert(&result.target, outcomes);
        }
        Self { targets, cases }
    }
}

/// The anchor of a case: its name, in characters that an address takes as they are.
pub(super) fn anchor(result: &CaseResult) -> String {
    let id = result.id.to_string();
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "-_./".contains(c) => c.to_string(),
        c => format!(":{:x}", u32::from(c)),
    };
    id.chars().map(plain).collect()
}

/// What to call the key exchange: the group, the prime's size, or `RSA`.
pub(super) fn key_exchange(session: &SessionFacts) -> String {
    let exchange = &session.key_exchange;
    match (&exchange.group, &exchange.prime, &exchange.kind) {
        (Some(group), _, _) => group.clone(),
        (None, Some(prime), _) => format!("DHE {}", prime.bits),
        (None, None, Some(kind)) => {
            let word = serde_json::to_value(kind).unwrap_or_default();
            word.as_str().unwrap_or_default().to_owned()
        }
        (None, None, None) => "unknown".to_owned(),
    }
}

/// Text without what moves, hides or rearranges it; the template escapes the rest.
pub(super) fn safe(text: &str) -> String {
    printable(text)
}
