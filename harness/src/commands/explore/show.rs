//! What was found, for people, and as scenario files.

use std::path::Path;
use std::time::Duration;

use super::Array;
use super::work::Ran;
use crate::commands::Error;
use crate::explore::{Coverage, Group, KnownFindings, RULES, Row, TWINS, coverage, group};
use crate::say;

/// Most that is said of rows that could not be run.
const MOST_BROKEN: usize = 5;

/// What is told of a target.
pub(super) struct Told {
    target: String,
    rows: usize,
    of: usize,
    axes: usize,
    values: usize,
    twins: usize,
    coverage: Coverage,
    strength: u8,
    /// Each with the reason why it is known.
    groups: Vec<(Group, Option<String>)>,
    stale: Vec<String>,
    /// How many could not be run.
    pub(super) broken: usize,
    reasons: Vec<String>,
    documents: std::collections::BTreeMap<String, toml::Table>,
}

impl Told {
    pub(super) fn of(array: &Array, ran: Ran, known: &KnownFindings, strength: u8) -> Self {
        let rows: Vec<Row> = ran
            .rows
            .iter()
            .filter_map(|number| array.rows.get(*number).cloned())
            .collect();
        let model = array.space.model();
        let coverage = coverage(&model, &array.axes, usize::from(strength), &rows);
        let groups = group(&ran.findings);
        // Of a part of the pairs nobody can say that something does not happen any more.
        let complete = strength == 2 && coverage.covered == coverage.possible;
        let stale = known
            .stale(&groups, &array.target)
            .into_iter()
            .filter(|_| complete)
            .map(|one| format!("{}: {} ({})", one.rule, one.cause, one.reference))
            .collect();
        let why = |group: &Group| {
            let known = known.of(group, &array.target)?;
            Some(format!("{} ({})", known.why, known.reference))
        };
        Self {
            target: format!(
                "{} (Postfix {}, OpenSSL {})",
                array.target.name, array.target.postfix, array.target.openssl
            ),
            rows: rows.len(),
            of: array.of,
            axes: array.axes.len(),
            values: array.axes.iter().map(|axis| model.sizes()[*axis]).sum(),
            twins: ran.twins,
            coverage,
            strength,
            groups: groups
                .into_iter()
                .map(|group| {
                    let why = why(&group);
                    (group, why)
                })
                .collect(),
            stale,
            broken: ran.broken.len(),
            reasons: ran.broken,
            documents: ran.documents,
        }
    }

    /// Nothing was found but what is known, and all of that.
    pub(super) fn is_explained(&self) -> bool {
        self.stale.is_empty() && self.groups.iter().all(|(_, known)| known.is_some())
    }

    pub(super) fn say(&self, elapsed: Duration) {
        let tuples = if self.strength == 2 {
            "pairs"
        } else {
            "triples"
        };
        say!("{}", self.target);
        say!(
            "  {} of {} combinations of {} values on {} axes, and {} changed ones, in {:.0} s",
            self.rows,
            self.of,
            self.values,
            self.axes,
            self.twins,
            elapsed.as_secs_f64()
        );
        say!(
            "  {} of {} {tuples} that can be, {} %; {} are ruled out",
            self.coverage.covered,
            self.coverage.possible,
            self.coverage.percent(),
            self.coverage.all - self.coverage.possible
        );
        for (group, known) in &self.groups {
            let first = &group.findings[0];
            let mark = if known.is_some() { "known" } else { "FINDING" };
            say!(
                "  {mark} {}: {} ({} combinations, first {})",
                group.rule,
                group.cause,
                group.findings.len(),
                first.combination
            );
            match known {
                Some(why) => say!("    {why}"),
                None => {
                    for line in first.detail.lines().take(6) {
                        say!("    {line}");
                    }
                    if let Some(source) = source(&group.rule) {
                        say!("    {source}");
                    }
                }
            }
        }
        for line in &self.stale {
            say!("  STALE it is known and does not happen: {line}");
        }
        for line in self.reasons.iter().take(MOST_BROKEN) {
            say!("  BROKEN {line}");
        }
        let unknown = self.groups.iter().filter(|(_, known)| known.is_none());
        say!(
            "  {} findings, {} known; {} broken",
            unknown.count(),
            self.groups
                .iter()
                .filter(|(_, known)| known.is_some())
                .count(),
            self.broken
        );
    }

    /// Writes a scenario of each finding that is not known.
    pub(super) fn write(&self, dir: &Path, array: &Array) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::Report(format!("{}: {error}", dir.display()));
        std::fs::create_dir_all(dir).map_err(failed)?;
        let unknown = self.groups.iter().filter(|(_, known)| known.is_none());
        for (number, (group, _)) in unknown.enumerate() {
            let first = &group.findings[0];
            let Some(document) = self.documents.get(&first.combination) else {
                continue;
            };
            let mut text = format!(
                "# {}: {}\n# Seen on {}.\n",
                group.rule, group.cause, self.target
            );
            let says = source(&group.rule).unwrap_or_default();
            text.push_str(&format!("# {says}\n"));
            for line in first.detail.lines() {
                text.push_str(&format!("# {line}\n"));
            }
            text.push_str(&document.to_string());
            let name = format!("{}-{}-{}.toml", group.rule, number + 1, array.target.name);
            let path = dir.join(name);
            std::fs::write(&path, text).map_err(failed)?;
            say!("  {}", path.display());
        }
        Ok(())
    }
}

/// What a rule says and who says so.
fn source(rule: &str) -> Option<String> {
    let rules = RULES.iter().map(|one| (one.name, one.claim, one.source));
    let twins = TWINS.iter().map(|one| (one.name, one.claim, one.source));
    let (_, claim, source) = rules.chain(twins).find(|(name, ..)| *name == rule)?;
    Some(format!("{claim} [{source}]"))
}
