//! Reports of results that real runs have left: every format, several files put together, and what is refused. Starts
//! nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a test that finds something wrong has no other way to say so"
)]

mod command;
mod formats;
mod joining;

use std::sync::Arc;

use harness::event::Event;
use harness::outcome::Tally;
use harness::report::saved::{Joined, SavedError, SavedFile, join};
use harness::report::{Json, Junit, Markdown, Report};
use quick_junit::TestCase;
use serde_json::Value;

/// One case that passes, one that fails and one that needs a later Postfix, on Debian 12 and on an own build that is held
/// against it.
const OUTCOMES: &str = include_str!("../data/results/outcomes.jsonl");

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn joined(files: &[(&str, &str)]) -> Result<Joined, SavedError> {
    let files = files
        .iter()
        .map(|(name, text)| SavedFile::parse(name, text));
    join(files.collect::<Result<_, _>>()?)
}

fn tally(joined: &Joined) -> Tally {
    let mut tally = Tally::default();
    for result in &joined.results {
        tally.add(&result.outcome);
    }
    tally
}

/// Feeds a report with all of it.
fn told(joined: &Joined, report: &mut dyn Report) {
    let tally = tally(joined);
    report
        .event(&Event::Started(Arc::new(joined.run.clone())))
        .unwrap();
    for result in &joined.results {
        report
            .event(&Event::Case(Arc::new(result.clone())))
            .unwrap();
    }
    report.event(&Event::Finished(tally)).unwrap();
}

fn junit(joined: &Joined) -> (String, quick_junit::Report) {
    let mut out = Vec::new();
    told(joined, &mut Junit::new(&mut out));
    let text = String::from_utf8(out).unwrap();
    let parsed = quick_junit::Report::deserialize_from_str(&text).unwrap();
    (text, parsed)
}

fn markdown(joined: &Joined) -> String {
    let mut out = Vec::new();
    told(joined, &mut Markdown::new(&mut out));
    String::from_utf8(out).unwrap()
}

fn find<'a>(report: &'a quick_junit::Report, class: &str, name: &str) -> &'a TestCase {
    let mut cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    cases
        .find(|case| case.classname.as_deref() == Some(class) && &*case.name == name)
        .unwrap()
}

fn json(joined: &Joined) -> String {
    let mut out = Vec::new();
    told(joined, &mut Json::new(&mut out));
    String::from_utf8(out).unwrap()
}
