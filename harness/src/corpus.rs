//! The parser corpus: of everything that Postfix said about TLS in a run, one example for each
//! shape of line, and one for each value of a field that no other example has.
//!
//! Examples come from redacted text, and what was redacted is filled with fixed values again, so
//! that they look like real lines and are the same from run to run and on every engine.

mod example;
mod fill;
mod shape;

pub use example::{Example, Kind};

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;

use crate::evidence::Section;
use crate::observe::log::{LogEvent, speaks_of_tls};
use crate::observe::received::Received;
use crate::plan::Sides;
use crate::scenario::TargetVersions;

/// What a case left behind on its target, redacted.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Name of the case.
    pub id: String,
    /// The column it ran in.
    pub target: String,
    /// Where its sides ran.
    pub sides: Sides,
    /// What each witness said.
    pub sections: Vec<(Section, String)>,
}

/// The corpus of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    target: String,
    postfix: String,
    openssl: String,
    examples: Vec<Example>,
}

impl Corpus {
    /// Chooses the examples, in the order of the cases' names: the first of each kind stays.
    pub fn of(target: &TargetVersions, seen: &[Seen]) -> Self {
        let mut cases: Vec<&Seen> = seen
            .iter()
            .filter(|one| one.target == target.name)
            .collect();
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        let mut known = BTreeSet::new();
        let mut examples = Vec::new();
        for case in cases {
            for candidate in candidates(case) {
                let mut traits = shape::values(&candidate);
                traits.push(format!("shape {}", shape::shape(&candidate)));
                let fresh = traits.iter().any(|one| !known.contains(one));
                known.extend(traits);
                if fresh {
                    examples.push(candidate);
                }
            }
        }
        Self {
            target: target.name.clone(),
            postfix: target.postfix.series(),
            openssl: target.openssl.series(),
            examples,
        }
    }

    /// Names and contents of its files.
    pub fn files(&self) -> Vec<(String, String)> {
        let text = |kind: Kind| -> String {
            let of_kind = self.examples.iter().filter(|one| one.kind == kind);
            of_kind.map(|one| format!("{}\n", one.text)).collect()
        };
        let mut objects = String::from("[\n");
        for (at, example) in self.examples.iter().enumerate() {
            let object = json!({
                "kind": example.kind.word(),
                "event": example.event(),
                "fields": example.fields(),
                "line": example.text,
                "postfix": self.postfix,
                "openssl": self.openssl,
                "scenario": example.scenario,
            });
            let comma = if at + 1 < self.examples.len() {
                ","
            } else {
                ""
            };
            let _ = writeln!(objects, "{object}{comma}");
        }
        objects.push_str("]\n");
        vec![
            (format!("{}.log", self.target), text(Kind::Log)),
            (format!("{}.received", self.target), text(Kind::Received)),
            (format!("{}.json", self.target), objects),
        ]
    }

    /// How many examples it has.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Nothing spoke of TLS.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }
}

/// Every line about TLS that the case's own target said.
fn candidates(case: &Seen) -> Vec<Example> {
    let own = |side: &Option<String>| side.as_deref() == Some(case.target.as_str());
    let mut all = Vec::new();
    for (section, text) in &case.sections {
        match section {
            Section::ClientLog if own(&case.sides.client) => all.extend(lines(case, text)),
            Section::ServerLog if own(&case.sides.server) => all.extend(lines(case, text)),
            Section::Received if own(&case.sides.server) => {
                let text = format!("Received: {}", fill::fill(text.trim_end()));
                if let Some(header) = Received::topmost(&text).filter(|one| one.tls.is_some()) {
                    all.push(Example::received(&case.id, text, header));
                }
            }
            _ => {}
        }
    }
    all
}

fn lines<'a>(case: &'a Seen, log: &'a str) -> impl Iterator<Item = Example> + 'a {
    log.lines().filter_map(|line| {
        let (daemon, text) = line.split_once(": ")?;
        let text = fill::fill(text);
        let event = LogEvent::parse(daemon, &text);
        let said_of_tls = match &event {
            LogEvent::Connect { .. } | LogEvent::Disconnect { .. } => false,
            LogEvent::Error(text) | LogEvent::Fatal(text) => speaks_of_tls(text),
            _ => event.concerns_tls(),
        };
        said_of_tls.then(|| Example::log(&case.id, daemon, &text, event))
    })
}

#[cfg(test)]
mod tests;
