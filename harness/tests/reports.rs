//! Reports as people paste them, each with what must come out: `pfs import` without running anything.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::import::{Imported, import};
use harness::scenario;
use serde::Deserialize;

/// What a report is, and what a scenario of it takes; words of settings, pieces of lines.
#[derive(Deserialize)]
struct Sidecar {
    role: String,
    settings: Vec<String>,
    drop: Vec<String>,
    lines: Vec<String>,
}

fn reports() -> Vec<(PathBuf, Sidecar, Imported)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let sidecar = std::fs::read_to_string(path.with_extension("toml")).unwrap();
        let imported =
            import(&text, "report").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        found.push((path, toml::from_str(&sidecar).unwrap(), imported));
    }
    assert!(found.len() >= 15, "{} reports", found.len());
    found
}

/// Words that look like parameters.
fn parameters(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| {
            word.contains('_')
                && word.contains("tls")
                && !word.ends_with('_')
                && !word.starts_with('_')
        })
        .filter(|word| word.starts_with("smtp") || word.starts_with("tls_"))
}

/// The settings and keys of a scenario, without comments.
fn body(scenario: &str) -> String {
    let lines = scenario.lines().filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_report_becomes_a_scenario_that_loads() {
    for (path, sidecar, imported) in reports() {
        let cases = scenario::parse(Path::new("reports/imported.toml"), &imported.scenario);
        let cases = cases
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), imported.scenario));
        let file = &cases[0].file;
        let is_postfix = match sidecar.role.as_str() {
            "server" => file.server.postfix.is_some(),
            _ => file.client.postfix.is_some(),
        };
        assert!(
            is_postfix,
            "{}: the {} is no Postfix",
            path.display(),
            sidecar.role
        );
    }
}

#[test]
fn what_matters_is_kept_and_what_does_not_is_named() {
    for (path, sidecar, imported) in reports() {
        let (whole, body) = (&imported.scenario, body(&imported.scenario));
        let (header, _) = whole.split_once("\nwhy ").unwrap();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for setting in &sidecar.settings {
            let defaults = setting.contains("(default");
            for name in parameters(setting.split('→').next().unwrap()) {
                kept.insert(name);
                let there = body.contains(&format!("\n{name} ")) || body.contains("\ncert ");
                assert!(
                    there || defaults,
                    "{}: {name} is not kept\n{whole}",
                    path.display()
                );
            }
            if let Some((_, word)) = setting.split_once("→ ")
                && let Some(word) = word
                    .split([' ', ';', ','])
                    .next()
                    .filter(|word| word.contains(':'))
                && !word.contains('{')
            {
                assert!(
                    body.contains(word),
                    "{}: {word} is not in it\n{whole}",
                    path.display()
                );
            }
        }
        for dropped in &sidecar.drop {
            for name in parameters(dropped) {
                assert!(
                    !body.contains(&format!("\n{name} ")),
                    "{}: {name} is kept\n{whole}",
                    path.display()
                );
                assert!(
                    header.contains(name),
                    "{}: {name} is not named\n{whole}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn reported_lines_are_carried() {
    for (path, sidecar, imported) in reports() {
        for line in &sidecar.lines {
            let pieces: Vec<&str> = line.split(" | ").collect();
            let there = pieces.iter().any(|piece| imported.scenario.contains(piece));
            assert!(
                there,
                "{}: `{line}` is not carried\n{}",
                path.display(),
                imported.scenario
            );
        }
    }
}

#[test]
fn no_password_gets_into_a_scenario() {
    for (path, _, imported) in reports() {
        assert!(
            !imported.scenario.contains("FAKE-"),
            "{}\n{}",
            path.display(),
            imported.scenario
        );
        for secret in &imported.report.secrets {
            assert!(
                !imported.scenario.contains(secret.as_str()),
                "{}: {secret}",
                path.display()
            );
        }
    }
}

#[test]
fn no_mailbox_gets_into_a_scenario() {
    for (path, _, imported) in reports() {
        let mut words = imported
            .scenario
            .split(|c: char| c.is_whitespace() || "<>(),;=\"'`".contains(c));
        let found = words.find(|word| {
            word.split_once('@').is_some_and(|(user, domain)| {
                user.ends_with(|c: char| c.is_ascii_alphanumeric()) && domain.contains('.')
            })
        });
        assert_eq!(found, None, "{}", path.display());
    }
}
