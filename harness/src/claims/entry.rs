//! A scenario file, and what came of its cases on each target.

use std::io;
use std::sync::Arc;

use super::coverage::carries;
use super::facts::Facts;
use crate::plan::{self, Decision};
use crate::scenario::{Claim, Scenario, TargetVersions};
use crate::snapshot::Snapshot;

/// Below the pages of the headings: the pages of the topics.
pub(super) const FOLDER: &str = "topics";

/// What came of a case on a target.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cell {
    kind: Kind,
    departs: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Facts {
        facts: Facts,
        bug: bool,
    },
    /// It has one column, and this is another.
    Elsewhere,
    NotApplicable,
    NoSnapshot,
}

impl Cell {
    pub(super) fn of(
        scenario: &Arc<Scenario>,
        target: &TargetVersions,
        targets: &[TargetVersions],
    ) -> io::Result<Self> {
        let file = &scenario.file;
        let decisions = plan::plan_all(std::slice::from_ref(scenario), targets, targets);
        let decision = decisions
            .into_iter()
            .find(|decision| decision.target() == target.name);
        let kind = match decision {
            None => Kind::Elsewhere,
            Some(decision) => Self::kind(scenario, target, decision)?,
        };
        let versions = plan::versions_of(scenario, target, targets);
        let departs = matches!(kind, Kind::Facts { .. } | Kind::NoSnapshot)
            && file.departure.iter().any(|one| {
                one.targets
                    .iter()
                    .all(|condition| condition.holds(versions))
            });
        Ok(Self { kind, departs })
    }

    fn kind(scenario: &Scenario, target: &TargetVersions, decision: Decision) -> io::Result<Kind> {
        Ok(match decision {
            Decision::NotApplicable { .. } | Decision::Broken { .. } => Kind::NotApplicable,
            Decision::Run(case) => {
                let snapshot = Snapshot::of(&scenario.path, &scenario.id, &target.name);
                match snapshot.read()? {
                    None => Kind::NoSnapshot,
                    Some(text) => Kind::Facts {
                        facts: Facts::of(&text, &case.expect),
                        bug: case.known_bug.is_some(),
                    },
                }
            }
        })
    }

    pub(super) fn words(&self) -> String {
        let mark = if self.departs { "† " } else { "" };
        match &self.kind {
            Kind::Elsewhere => "-".to_owned(),
            Kind::NotApplicable => "n/a".to_owned(),
            Kind::NoSnapshot => format!("{mark}no snapshot"),
            Kind::Facts { facts, bug } => {
                let bug = if *bug { "**bug** " } else { "" };
                let words = facts.words().replace('|', "\\|");
                format!("{mark}{bug}{words}").trim_end().to_owned()
            }
        }
    }
}

/// A scenario file with its cases.
pub(super) struct Entry<'a> {
    pub(super) topic: String,
    pub(super) name: String,
    pub(super) cases: Vec<(&'a Arc<Scenario>, Vec<Cell>)>,
}

impl Entry<'_> {
    pub(super) fn first(&self) -> Option<&Scenario> {
        self.cases.first().map(|(scenario, _)| &***scenario)
    }

    /// Leads from the page of a heading to the entry on that of its topic, by the anchor that a Markdown renderer gives
    /// its heading.
    pub(super) fn link(&self) -> String {
        let anchor: String = self
            .name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        format!("[{}]({FOLDER}/{}.md#{anchor})", self.name, self.topic)
    }

    /// One target's cells in one: what they have in common.
    pub(super) fn together(&self, column: usize, claim: &Claim) -> Cell {
        let cells: Vec<&Cell> = self
            .cases
            .iter()
            .filter(|(scenario, _)| carries(scenario, claim))
            .filter_map(|(_, cells)| cells.get(column))
            .collect();
        let facts = cells.iter().filter_map(|cell| match &cell.kind {
            Kind::Facts { facts, .. } => Some(facts),
            _ => None,
        });
        let bug = cells
            .iter()
            .any(|cell| matches!(cell.kind, Kind::Facts { bug: true, .. }));
        let kind = if facts.clone().next().is_some() {
            let facts = Facts::common(facts);
            Kind::Facts { facts, bug }
        } else if cells.iter().all(|cell| cell.kind == Kind::NotApplicable) {
            Kind::NotApplicable
        } else if cells.iter().all(|cell| cell.kind == Kind::Elsewhere) {
            Kind::Elsewhere
        } else {
            Kind::NoSnapshot
        };
        Cell {
            kind,
            departs: cells.iter().any(|cell| cell.departs),
        }
    }
}
