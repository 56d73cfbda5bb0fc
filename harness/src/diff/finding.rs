//! Differences of many cases, each told once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Class, Difference};

/// The same difference in one or many cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What an accepted difference is called by.
    pub key: String,
    /// How serious it is.
    pub class: Class,
    /// What differs.
    pub field: String,
    /// From what to what, most frequent first.
    pub ways: Vec<Way>,
    /// The cases in which it was seen, each once. Those of other findings may be the same.
    pub cases: Vec<String>,
}

/// One value in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// On the first target.
    pub old: String,
    /// On the second.
    pub new: String,
    /// The cases in which it was seen.
    pub cases: Vec<String>,
    /// Lines of the first of them.
    pub example: Vec<String>,
}

/// Folds what differs into findings, most serious first, of those as serious the most frequent first.
pub fn fold<'a>(all: impl IntoIterator<Item = (&'a str, &'a Difference)>) -> Vec<Finding> {
    type Words<'a> = (&'a str, &'a str);
    type Ways<'a> = BTreeMap<Words<'a>, (Vec<String>, &'a [String])>;
    type Field<'a> = (Class, &'a str, Option<Words<'a>>);
    let mut by_field: BTreeMap<Field<'a>, Ways<'a>> = BTreeMap::new();
    for (case, difference) in all {
        let words = (difference.old.as_str(), difference.new.as_str());
        // Of text every change of words is a finding; of a session, that its cipher is another.
        let own = (difference.class >= Class::LogText || difference.class == Class::Default)
            .then_some(words);
        let ways = by_field
            .entry((difference.class, difference.field.as_str(), own))
            .or_default();
        let (cases, _) = ways
            .entry(words)
            .or_insert_with(|| (Vec::new(), difference.example.as_slice()));
        if cases.last().map(String::as_str) != Some(case) {
            cases.push(case.to_owned());
        }
    }
    let mut findings: Vec<Finding> = by_field
        .into_iter()
        .map(|((class, field, own), ways)| {
            let cases: BTreeSet<&String> = ways.values().flat_map(|(cases, _)| cases).collect();
            let key = match own {
                Some((old, new)) => format!("{}: {field}: {old} -> {new}", class.words()),
                None => format!("{}: {field}", class.words()),
            };
            Finding {
                key,
                class,
                field: field.to_owned(),
                cases: cases.into_iter().cloned().collect(),
                ways: sorted(ways.into_iter().map(|((old, new), (cases, example))| Way {
                    old: old.to_owned(),
                    new: new.to_owned(),
                    cases,
                    example: example.to_vec(),
                })),
            }
        })
        .collect();
    findings.sort_by_key(|finding| (finding.class, std::cmp::Reverse(finding.cases.len())));
    findings
}

fn sorted(ways: impl Iterator<Item = Way>) -> Vec<Way> {
    let mut ways: Vec<Way> = ways.collect();
    ways.sort_by_key(|way| std::cmp::Reverse(way.cases.len()));
    ways
}
