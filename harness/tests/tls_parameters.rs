//! The list in `scenarios/README.md` of the TLS parameters that no scenario is about is true. Nothing is started.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use harness::scenario::{Postfix, ScenarioFile, load};
use pfs_containers::config::readers;

/// The heading above the list.
const HEADING: &str = "## TLS parameters without a scenario";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .canonicalize()
        .expect("the scenarios")
}

/// What a scenario says makes no difference in any of its cases, on any target.
fn equivalent(file: &ScenarioFile) -> BTreeSet<&str> {
    let everywhere = file
        .equivalent
        .iter()
        .filter(|e| e.cases.is_empty() && e.targets.is_empty());
    everywhere
        .flat_map(|e| e.key.iter())
        .filter_map(|key| key.rsplit_once(".postfix."))
        .map(|(_, name)| name)
        .collect()
}

/// Every parameter that a case sets and that makes a difference to it.
fn set() -> BTreeSet<String> {
    let selected = load(&directory()).expect("scenarios that can be read");
    let mut names = BTreeSet::new();
    for scenario in &selected {
        let file = &scenario.file;
        let without = equivalent(file);
        let sides: [&Option<Postfix>; 2] = [&file.server.postfix, &file.client.postfix];
        let settings = sides.into_iter().flatten().flatten();
        names.extend(
            settings
                .map(|(name, _)| name.get_ref().clone())
                .filter(|name| !without.contains(name.as_str())),
        );
    }
    names
}

/// The names in the first column of the list; a trailing `*` stands for any end.
fn listed() -> Vec<String> {
    let page = std::fs::read_to_string(directory().join("README.md")).expect("scenarios/README.md");
    let section = page.split(HEADING).nth(1).expect(HEADING);
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('|'));
    rows.flat_map(|(names, _)| names.split('`'))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn stands_for(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// Each TLS parameter is in a scenario or in the list, and none in both.
#[test]
fn each_is_in_a_scenario_or_in_the_list() {
    let set = set();
    let patterns = listed();
    let mut wrong = Vec::new();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for name in readers::parameters().filter(|name| name.contains("tls")) {
        let pattern = patterns.iter().find(|pattern| stands_for(pattern, name));
        if let Some(pattern) = pattern {
            *used.entry(pattern).or_default() += 1;
        }
        match (set.contains(name), pattern) {
            (true, Some(pattern)) => {
                wrong.push(format!(
                    "{name} has a scenario, and is listed as `{pattern}`"
                ));
            }
            (false, None) => wrong.push(format!("{name} has no scenario, and is not listed")),
            (true, None) | (false, Some(_)) => {}
        }
    }
    for pattern in &patterns {
        if !used.contains_key(pattern.as_str()) {
            wrong.push(format!("no TLS parameter is called `{pattern}`"));
        }
    }
    assert!(
        wrong.is_empty(),
        "scenarios/README.md, {HEADING}:\n{}",
        wrong.join("\n")
    );
}
