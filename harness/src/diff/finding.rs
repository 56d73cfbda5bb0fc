//! Differences of many cases, each told once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Class, Difference};

/// The same difference in one or many cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What an accepted difference is called by.
    pub key: String,
    /// How serious it is: as the most serious of its ways.
    pub class: Class,
    /// What differs.
    pub field: String,
    /// From what to what, most serious and then most frequent first.
    pub ways: Vec<Way>,
    /// The cases in which it was seen, each once. Those of other findings may be the same.
    pub cases: Vec<String>,
}

/// One value in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// How serious it is.
    pub class: Class,
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
    type Ways<'a> = BTreeMap<(Class, Words<'a>), (Vec<String>, &'a [String])>;
    type Field<'a> = (Option<Class>, &'a str, Option<Words<'a>>);
    let mut by_field: BTreeMap<Field<'a>, Ways<'a>> = BTreeMap::new();
    for (case, difference) in all {
        let class = difference.class;
        let words = (difference.old.as_str(), difference.new.as_str());
        // Of text every change of words is a finding; of a session, that its cipher is another.
        let own = (class >= Class::LogText || class == Class::Default).then_some(words);
        // Another preference of the server costs one client its forward secrecy and another one nothing: one finding.
        let of = (!class.is_choice()).then_some(class);
        let ways = by_field
            .entry((of, difference.field.as_str(), own))
            .or_default();
        let (cases, _) = ways
            .entry((class, words))
            .or_insert_with(|| (Vec::new(), difference.example.as_slice()));
        if cases.last().map(String::as_str) != Some(case) {
            cases.push(case.to_owned());
        }
    }
    let findings: Vec<Finding> = by_field
        .into_iter()
        .filter_map(|((_, field, own), ways)| {
            let cases: BTreeSet<&String> = ways.values().flat_map(|(cases, _)| cases).collect();
            let class = ways.keys().map(|(class, _)| *class).min()?;
            let key = match own {
                Some((old, new)) => format!("{}: {field}: {old} -> {new}", class.words()),
                None => format!("{}: {field}", class.words()),
            };
            let cases = cases.into_iter().cloned().collect();
            let ways = ways.into_iter();
            let ways = ways.map(|((class, (old, new)), (cases, example))| Way {
                class,
                old: old.to_owned(),
                new: new.to_owned(),
                cases,
                example: example.to_vec(),
            });
            Some(Finding {
                key,
                class,
                field: field.to_owned(),
                cases,
                ways: sorted(ways),
            })
        })
        .collect();
    let places: Vec<_> = findings
        .iter()
        .map(|one| (place(one, &findings), std::cmp::Reverse(one.cases.len())))
        .collect();
    let mut placed: Vec<_> = places.into_iter().zip(findings).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, finding)| finding).collect()
}

/// What is chosen in a handshake, first to last: what comes first is the cause of what follows.
const CHOICES: [&str; 5] = [
    "protocol",
    "cipher",
    "key exchange",
    "server signature",
    "client signature",
];

/// Where a finding stands: by how serious it is, and before what may have followed from it, which is seen in the same cases.
fn place(finding: &Finding, all: &[Finding]) -> (Class, usize) {
    let choice = |of: &Finding| {
        let at = CHOICES.iter().position(|field| *field == of.field);
        at.filter(|_| of.class.is_choice())
    };
    let Some(at) = choice(finding) else {
        return (finding.class, CHOICES.len());
    };
    let followed = all.iter().filter(|other| {
        choice(other).is_some_and(|later| later > at)
            && other.cases.iter().any(|case| finding.cases.contains(case))
    });
    let class = followed.map(|other| other.class).min();
    let class = class.map_or(finding.class, |class| class.min(finding.class));
    (class, at)
}

fn sorted(ways: impl Iterator<Item = Way>) -> Vec<Way> {
    let mut ways: Vec<Way> = ways.collect();
    ways.sort_by_key(|way| (way.class, std::cmp::Reverse(way.cases.len())));
    ways
}
