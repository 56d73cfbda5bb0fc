//! The pages of `scenarios/claims`: one for each heading of the README, promise → scenarios → what each target does; one
//! for each topic of scenarios, with their cases; and the way to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use super::coverage::{carries, word};
use super::entry::{Cell, Entry, FOLDER};
use crate::scenario::{Catalogue, Claim, Heading, Scenario, TargetVersions};

const README: &str = "https://www.postfix.org/FORWARD_SECRECY_README.html";

const INDEX: &str = "\
# What the FORWARD_SECRECY_README promises, and what happens

Made by `pfs claims` from `claims.toml`, the scenarios and their snapshots, which every run holds against real Postfix
servers; `cargo test` says when it is out of date. A page for each heading of the README goes through its promises; the
pages of the topics have the cases that show them.

";

const MARKS: &str = "
| mark | meaning |
|---|---|
| = | the same as one column to the left |
| † | this target does something else than the scenario expects of all; why stands below the scenario |
| **bug** | known to be wrong here |
| n/a | not applicable: the target lacks what the case is about |
| **not delivered** | the mail did not arrive, and should not |
";

/// The pages, by their names below the folder. `targets` are the columns of their tables.
///
/// # Errors
/// A snapshot cannot be read.
pub fn pages(
    catalogue: &Catalogue,
    scenarios: &[Arc<Scenario>],
    targets: &[TargetVersions],
) -> io::Result<BTreeMap<String, String>> {
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
                topic: scenario.id.topic.clone(),
                name,
                cases: Vec::new(),
            })
            .cases
            .push((scenario, cells));
    }
    let mut pages = BTreeMap::new();
    let mut index = format!("{INDEX}| heading | promises |\n|---|---|\n");
    for heading in &catalogue.headings {
        let claims: Vec<&Claim> = catalogue
            .claims
            .iter()
            .filter(|claim| heading.sections.contains(&claim.section))
            .collect();
        let name = format!("{}.md", slug(&heading.title));
        let ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
        let _ = writeln!(index, "| [{}]({name}) | {} |", heading.title, ids.join(" "));
        pages.insert(name, of_heading(heading, &claims, &entries, targets));
    }
    index.push_str("\n| topic | scenarios with promises |\n|---|---|\n");
    let mut topics: BTreeMap<&str, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in entries.values() {
        topics.entry(&entry.topic).or_default().push(entry);
    }
    for (topic, entries) in topics {
        let name = format!("{FOLDER}/{topic}.md");
        let _ = writeln!(index, "| [{topic}]({name}) | {} |", entries.len());
        let mut page = format!(
            "# {topic}: what each target does\n\nThe promises by heading, and the marks: [the index](../README.md).\n"
        );
        for entry in entries {
            detail(&mut page, entry, targets);
        }
        pages.insert(name, page);
    }
    index.push_str(MARKS);
    pages.insert("README.md".to_owned(), index);
    Ok(pages)
}

fn of_heading(
    heading: &Heading,
    claims: &[&Claim],
    entries: &BTreeMap<String, Entry<'_>>,
    targets: &[TargetVersions],
) -> String {
    let anchor = heading.anchor.as_ref().map(|anchor| format!("#{anchor}"));
    let mut out = format!(
        "# {}\n\nThis section in the README of Postfix: <{README}{}>. The marks: [the index](README.md).\n",
        heading.title,
        anchor.unwrap_or_default()
    );
    let mut section = "";
    for claim in claims {
        if section != claim.section {
            section = &claim.section;
            if section != heading.title {
                let _ = writeln!(out, "\n## {section}");
            }
        }
        promise(&mut out, claim, entries.values(), targets);
    }
    out
}

/// A heading as the name of a file: its words in lower case, joined by hyphens.
fn slug(title: &str) -> String {
    let words = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

fn promise<'a>(
    out: &mut String,
    claim: &Claim,
    entries: impl Iterator<Item = &'a Entry<'a>>,
    targets: &[TargetVersions],
) {
    let roles: Vec<&str> = claim.roles.iter().map(|role| word(*role)).collect();
    let _ = writeln!(out, "\n### {}: {}\n", claim.id, claim.text);
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
    let _ = writeln!(out, "\n## {}\n\n{}", entry.name, first.file.why.trim());
    let claims: Vec<&str> = first
        .file
        .claims
        .iter()
        .map(|id| id.get_ref().as_str())
        .collect();
    let _ = writeln!(
        out,
        "[{0}.toml](../../{0}.toml), {1}.\n",
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
