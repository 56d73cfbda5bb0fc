//! `scenarios/CLAIMS.md`: claim → scenarios → what each target does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use super::coverage::{carries, word};
use super::facts::Facts;
use crate::plan::{self, Decision};
use crate::scenario::{Catalogue, Claim, Scenario, TargetVersions};
use crate::snapshot::Snapshot;

const HEAD: &str = "\
# What the FORWARD_SECRECY_README promises, and what happens

Made by `pfs claims >scenarios/CLAIMS.md` from `claims.toml`, the scenarios and their snapshots, which every run holds
against real Postfix servers; `cargo test` says when it is out of date. The first part goes through the promises, the
second through the scenarios that show them.

| mark | meaning |
|---|---|
| = | the same as one column to the left |
| † | this target does something else than the scenario expects of all; why stands below the scenario |
| **bug** | known to be wrong here |
| n/a | not applicable: the target lacks what the case is about |
| **not delivered** | the mail did not arrive, and should not |
";

/// What came of a case on a target.
#[derive(Clone, PartialEq, Eq)]
struct Cell {
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
    fn of(
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

    fn words(&self) -> String {
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
struct Entry<'a> {
    name: String,
    cases: Vec<(&'a Arc<Scenario>, Vec<Cell>)>,
}

impl Entry<'_> {
    fn first(&self) -> Option<&Scenario> {
        self.cases.first().map(|(scenario, _)| &***scenario)
    }

    /// The anchor that a Markdown renderer gives the entry's heading.
    fn link(&self) -> String {
        let anchor: String = self
            .name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        format!("[{}](#{anchor})", self.name)
    }

    /// One target's cells in one: what they have in common.
    fn together(&self, column: usize, claim: &Claim) -> Cell {
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

/// The page. `targets` are its columns.
///
/// # Errors
/// A snapshot cannot be read.
pub fn page(
    catalogue: &Catalogue,
    scenarios: &[Arc<Scenario>],
    targets: &[TargetVersions],
) -> io::Result<String> {
    let mut entries: BTreeMap<String, Entry<'_>> = BTreeMap::new();
    for scenario in scenarios {
        if scenario.file.claims.is_empty() {
            continue;
        }
        let name = format!("{}/{}", scenario.id.topic, scenario.id.case);
        let cells: Vec<Cell> = targets
            .iter()
            .map(|target| Cell::of(scenario, target, targets))
            .collect::<io::Result<_>>()?;
        entries
            .entry(name.clone())
            .or_insert_with(|| Entry {
                name,
                cases: Vec::new(),
            })
            .cases
            .push((scenario, cells));
    }
    let mut out = format!("{HEAD}\n## Promises\n");
    let mut section = "";
    for claim in &catalogue.claims {
        if section != claim.section {
            section = &claim.section;
            let _ = writeln!(out, "\n### {section}");
        }
        promise(&mut out, claim, entries.values(), targets);
    }
    out.push_str("\n## Scenarios\n");
    for entry in entries.values() {
        detail(&mut out, entry, targets);
    }
    Ok(out)
}

fn promise<'a>(
    out: &mut String,
    claim: &Claim,
    entries: impl Iterator<Item = &'a Entry<'a>>,
    targets: &[TargetVersions],
) {
    let roles: Vec<&str> = claim.roles.iter().map(|role| word(*role)).collect();
    let _ = writeln!(out, "\n#### {}: {}\n", claim.id, claim.text);
    let _ = writeln!(out, "Postfix {}.\n", roles.join(" and "));
    let mut carriers = entries
        .filter(|entry| entry.cases.iter().any(|(one, _)| carries(one, claim)))
        .peekable();
    if carriers.peek().is_none() {
        out.push_str("No scenario.\n");
        return;
    }
    head(out, "scenario", targets);
    for entry in carriers {
        let count = entry
            .cases
            .iter()
            .filter(|(one, _)| carries(one, claim))
            .count();
        let name = match count {
            1 => entry.link(),
            count => format!("{}, {count} cases", entry.link()),
        };
        let cells: Vec<Cell> = (0..targets.len())
            .map(|column| entry.together(column, claim))
            .collect();
        row(
            out,
            &name,
            &cells,
            if count == 1 { "" } else { "see there" },
        );
    }
}

fn detail(out: &mut String, entry: &Entry<'_>, targets: &[TargetVersions]) {
    let Some(first) = entry.first() else { return };
    let _ = writeln!(out, "\n### {}\n\n{}", entry.name, first.file.why.trim());
    let claims: Vec<&str> = first
        .file
        .claims
        .iter()
        .map(|id| id.get_ref().as_str())
        .collect();
    let _ = writeln!(
        out,
        "[{0}.toml]({0}.toml), {1}.\n",
        entry.name,
        claims.join(", ")
    );
    head(out, "case", targets);
    for (scenario, cells) in &entry.cases {
        let name = match &scenario.id.variant {
            Some(variant) => format!("[{}]", variant.replace('|', "\\|")),
            None => scenario.id.case.clone(),
        };
        row(out, &name, cells, "");
    }
    let mut notes: Vec<String> = Vec::new();
    for (scenario, _) in &entry.cases {
        for departure in &scenario.file.departure {
            let conditions: Vec<String> =
                departure.targets.iter().map(ToString::to_string).collect();
            notes.push(format!(
                "† {}: {}",
                conditions.join(", "),
                departure.why.trim()
            ));
        }
        for bug in &scenario.file.known_bug {
            let conditions: Vec<String> = bug.targets.iter().map(ToString::to_string).collect();
            let of = match conditions.as_slice() {
                [] => String::new(),
                some => format!(" ({})", some.join(", ")),
            };
            notes.push(format!("**bug**{of}: {}", bug.why));
        }
        let conditions: Vec<String> = scenario
            .file
            .targets
            .iter()
            .map(ToString::to_string)
            .collect();
        if !conditions.is_empty() {
            notes.push(format!("For {} only.", conditions.join(", ")));
        }
    }
    let mut told: Vec<String> = Vec::new();
    for note in notes {
        if !told.contains(&note) {
            let _ = writeln!(out, "\n{note}");
            told.push(note);
        }
    }
}

fn head(out: &mut String, first: &str, targets: &[TargetVersions]) {
    let _ = write!(out, "| {first} |");
    for target in targets {
        let _ = write!(
            out,
            " Postfix {}, OpenSSL {} |",
            target.postfix, target.openssl
        );
    }
    let _ = writeln!(out, "\n|---|{}", "---|".repeat(targets.len()));
}

/// `nothing` stands for a cell without any words.
fn row(out: &mut String, name: &str, cells: &[Cell], nothing: &str) {
    let _ = write!(out, "| {name} |");
    let mut before = None;
    for cell in cells {
        let words = cell.words();
        let shown = match words.as_str() {
            _ if before.as_ref() == Some(&words) && words != "n/a" => "=",
            "" => nothing,
            "†" => "† see there",
            words => words,
        };
        let _ = write!(out, " {shown} |");
        before = Some(words);
    }
    out.push('\n');
}
