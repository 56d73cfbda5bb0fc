//! What is committed and made by a command is what the command makes today. Nothing is started.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use harness::commands::{Error, claims_pages, corpus_of_snapshots, unexplained_conditions};
use harness::report::result;
use harness::scenario::schema;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .canonicalize()
        .expect("the scenarios")
}

/// Where the built-in targets cannot tell whether Postfix or OpenSSL is the reason, the scenario says it.
#[test]
fn conditions_name_the_software_that_is_the_reason() {
    let found = unexplained_conditions(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The committed pages of claims are those of the scenarios and their snapshots, and no others.
#[test]
fn claims_pages_are_current() {
    let folder = directory().join("claims");
    let (pages, _) = claims_pages(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    let mut wrong: Vec<String> = Vec::new();
    for (name, text) in &pages {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            wrong.push(format!("{name} is out of date"));
        }
    }
    for place in ["", "topics/"] {
        for entry in std::fs::read_dir(folder.join(place)).expect("the pages") {
            let name = entry.expect("an entry").file_name();
            let name = format!("{place}{}", name.to_string_lossy());
            if name != "topics" && !pages.contains_key(&name) {
                wrong.push(format!("{name} belongs to no heading and no topic"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nrun `cargo pfs claims`",
        wrong.join("\n")
    );
}

/// The committed corpus has what the snapshots have, and nothing else.
#[test]
fn corpus_is_current() {
    let folder = directory().join("corpus");
    let files = corpus_of_snapshots(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    let mut wrong: Vec<String> = Vec::new();
    for (name, text) in &files {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            wrong.push(format!("{name} is out of date"));
        }
    }
    for entry in std::fs::read_dir(&folder).expect("the corpus") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        if name != "README.md" && !files.iter().any(|(known, _)| *known == name) {
            wrong.push(format!("{name} belongs to no target"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nsee scenarios/corpus/README.md for the command that makes it",
        wrong.join("\n")
    );
}

/// Nothing that the documentation promises is without a scenario, on each side it names.
#[test]
fn every_claim_is_shown() {
    let (_, gaps) = claims_pages(&directory()).unwrap_or_else(|e| panic!("{}", lines(&e)));
    let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

fn lines(error: &Error) -> String {
    error.lines().join("\n")
}

/// The committed schema is that of the code.
#[test]
fn schema_is_current() {
    let path = directory().join("schema.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema(),
        "run `cargo pfs schema >{}`",
        path.display()
    );
}

/// So is that of a result.
#[test]
fn result_schema_is_current() {
    let path = directory().join("result.schema.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == result::schema(),
        "run `cargo pfs schema result >{}`",
        path.display()
    );
}
