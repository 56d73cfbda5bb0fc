//! What must hold of every session, whatever was set: each rule in a file of its own, with the place of the documentation
//! that says so. None is a copy of what Postfix does.

mod agreement;
mod authenticated;
mod client_status;
mod crash;
mod delivery_field;
mod encrypted;
mod forward_secrecy;
mod header_complete;
mod header_present;
mod logged_once;
mod same_session;
mod server_status;
mod server_verified;
mod version_bounds;
mod warning;

use super::intent::Intent;
use crate::evidence::Evidence;
use crate::observe::log::LogEvent;
use crate::observe::summary::{Side, TlsSummary};
use crate::scenario::{Scenario, TargetVersions};

/// What was seen of a combination.
pub struct Seen<'a> {
    /// The combination.
    pub scenario: &'a Scenario,
    /// What its settings ask for.
    pub intent: Intent<'a>,
    /// One of its values is wrong on purpose.
    pub invalid: bool,
    /// The target.
    pub versions: &'a TargetVersions,
    /// What the witnesses said.
    pub evidence: &'a Evidence,
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong, in words that are the same for every combination with the same cause.
    pub cause: String,
    /// What was seen.
    pub detail: String,
}

impl Broken {
    fn new(cause: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            detail: detail.into(),
        }
    }
}

/// What must hold.
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub claim: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// What breaks it.
    pub check: fn(&Seen<'_>) -> Vec<Broken>,
}

/// All of them.
pub const RULES: [&Rule; 15] = [
    &agreement::RULE,
    &authenticated::RULE,
    &client_status::RULE,
    &crash::RULE,
    &delivery_field::RULE,
    &encrypted::RULE,
    &forward_secrecy::RULE,
    &header_complete::RULE,
    &header_present::RULE,
    &logged_once::RULE,
    &same_session::RULE,
    &server_status::RULE,
    &server_verified::RULE,
    &version_bounds::RULE,
    &warning::RULE,
];

/// Every rule that does not hold, by its name.
pub fn check(seen: &Seen<'_>) -> Vec<(&'static str, Broken)> {
    let all = RULES.iter().flat_map(|rule| {
        let broken = (rule.check)(seen).into_iter();
        broken.map(|broken| (rule.name, broken))
    });
    all.collect()
}

impl Seen<'_> {
    /// The events of a side's log.
    fn events(&self, side: Side) -> impl Iterator<Item = &LogEvent> {
        self.evidence
            .log(side)
            .into_iter()
            .flat_map(|log| log.events())
    }

    /// Its summary lines, in order.
    fn summaries(&self, side: Side) -> impl Iterator<Item = &TlsSummary> {
        self.events(side).filter_map(|event| match event {
            LogEvent::Tls(summary) => Some(summary),
            _ => None,
        })
    }

    /// The last session was under TLS, by any witness of it.
    fn encrypted(&self) -> bool {
        !self.evidence.testimonies().is_empty()
    }
}
