//! Which targets show the reported line; where none does, the nearest line that was seen.

use std::path::Path;
use std::sync::Arc;

use super::super::Error;
use super::super::probe::{Probe, probe};
use crate::cli::Import;
use crate::evidence::Section;
use crate::import::{Imported, Kind, kind_of};
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, Outcome};
use crate::say;
use crate::scenario::{self, SideName};

pub(super) async fn run(options: &Import, imported: &Imported) -> Result<u8, Error> {
    let path = options
        .output
        .as_deref()
        .unwrap_or_else(|| Path::new("reports/imported.toml"));
    let cases =
        scenario::parse(path, &imported.scenario).map_err(|error| Error::Scenarios(vec![error]))?;
    harmless(&cases, &options.input)?;
    let cases = cases.into_iter().map(Arc::new).collect();
    let probes = probe(cases, &options.targets.names(), options.place.engine()?).await?;
    let Some(mut probes) = probes else {
        return Ok(EXIT_INTERRUPTED);
    };
    probes
        .all
        .sort_by(|a, b| (&a.id, &a.target).cmp(&(&b.id, &b.target)));
    let line = reported(imported).map(|line| imported.report.without_secrets(&line));
    match &line {
        Some(line) => say!("reported: {}", line),
        None => say!("the report has no line of a log"),
    }
    let mut shown = 0_usize;
    let mut broken = 0_usize;
    let mut nearest: Option<(f64, String, String)> = None;
    for result in &probes.all {
        let name = format!("{} on {}", result.id, result.target);
        match verdict(result, imported, line.as_deref()) {
            Seen::Shown(seen) => {
                shown += 1;
                say!("SHOWN     {name}: {}", seen);
            }
            Seen::Not(Some((likeness, seen))) => {
                say!("NOT SHOWN {name}; nearest: {}", seen);
                if nearest.as_ref().is_none_or(|(best, ..)| likeness > *best) {
                    nearest = Some((likeness, name, seen));
                }
            }
            Seen::Not(None) => say!("NOT SHOWN {name}: its log is empty"),
            Seen::NotRun(why) => say!("NOT RUN   {name}: {}", why),
            Seen::Broken(why) => {
                broken += 1;
                say!("BROKEN    {name}: {}", why);
            }
        }
    }
    if shown == 0
        && let (Some((_, name, seen)), Some(line)) = (nearest, &line)
    {
        say!("no target shows the reported line; the nearest is that of {name}");
        let (only_reported, only_seen) = difference(line, &seen);
        say!("  only in the report: {}", only_reported);
        say!("  only on the target: {}", only_seen);
    }
    Ok(match (shown, broken) {
        (0, 1..) => EXIT_BROKEN,
        (0, 0) => EXIT_FAIL,
        _ => EXIT_PASS,
    })
}

/// A report comes from anywhere: what is made of it is run here only where `pfs run --untrusted` would run it.
fn harmless(cases: &[scenario::Scenario], input: &Path) -> Result<(), Error> {
    let Err(errors) = scenario::check_untrusted(cases) else {
        return Ok(());
    };
    let why: Vec<String> = errors.iter().map(|error| format!("  {error}")).collect();
    let input = input.display();
    Err(Error::Usage(format!(
        "{input}: not run: a report may come from anybody, and the scenario of this one could reach beyond its case:\n\
         {}\nTo run it all the same, look at it first: pfs import {input} -o FILE.toml, then pfs run FILE.toml",
        why.join("\n")
    )))
}

/// The line that the scenario is about.
fn reported(imported: &Imported) -> Option<String> {
    let own = imported
        .report
        .log
        .iter()
        .filter(|line| line.side == Some(imported.side));
    let same = own
        .clone()
        .find(|line| kind_of(&line.text) == Some(imported.kind));
    let header = || {
        imported
            .report
            .received
            .first()
            .map(|header| header.text.clone())
    };
    same.or_else(|| own.clone().next())
        .map(|line| line.text.clone())
        .or_else(header)
}

enum Seen {
    /// A line of the same kind.
    Shown(String),
    /// The line most like it, and how like it is.
    Not(Option<(f64, String)>),
    /// The target is not meant.
    NotRun(String),
    /// Nothing was learned.
    Broken(String),
}

fn verdict(result: &Probe, imported: &Imported, line: Option<&str>) -> Seen {
    match &result.examined.outcome {
        Outcome::NotApplicable(why) => return Seen::NotRun(why.clone()),
        Outcome::Broken(why) => return Seen::Broken(why.clone()),
        _ => {}
    }
    let from_header = imported.report.log.is_empty() && !imported.report.received.is_empty();
    let section = match imported.side {
        _ if from_header => Section::Received,
        SideName::Client => Section::ClientLog,
        SideName::Server => Section::ServerLog,
    };
    let text = result.log(section);
    if from_header {
        let header = text.join(" ");
        return match header.contains("(using TLS") {
            true => Seen::Shown(header),
            false => Seen::Not(Some((0.0, header))),
        };
    }
    let same = |seen: &&String| {
        kind_of(seen) == Some(imported.kind)
            && (imported.kind != Kind::Established || same_status(seen, line))
    };
    if let Some(seen) = text.iter().find(same) {
        return Seen::Shown(seen.clone());
    }
    let line = line.unwrap_or_default();
    let best = text.iter().map(|seen| (likeness(line, seen), seen.clone()));
    Seen::Not(best.max_by(|(a, _), (b, _)| a.total_cmp(b)))
}

/// The word before ` TLS connection ` is the same.
fn same_status(seen: &str, line: Option<&str>) -> bool {
    let word = |text: &str| {
        text.split(" TLS connection ")
            .next()
            .and_then(|before| before.rsplit(' ').next())
            .map(str::to_owned)
    };
    line.is_none_or(|line| word(line) == word(seen))
}

/// The words that both have, of all that either has: 0 to 1.
fn likeness(a: &str, b: &str) -> f64 {
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        split
            .filter(|word| word.len() > 2)
            .map(str::to_owned)
            .collect()
    };
    let (a, b) = (words(a), words(b));
    let both = a.intersection(&b).count();
    let all = a.union(&b).count().max(1);
    #[expect(clippy::cast_precision_loss, reason = "a few dozen words of a line")]
    let ratio = both as f64 / all as f64;
    ratio
}

/// The words that only one of both has, in order.
fn difference(a: &str, b: &str) -> (String, String) {
    let only = |one: &str, other: &str| {
        let known: Vec<&str> = other.split_whitespace().collect();
        let words: Vec<&str> = one
            .split_whitespace()
            .filter(|word| !known.contains(word))
            .collect();
        words.join(" ")
    };
    (only(a, b), only(b, a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_line_is_that_with_the_most_words_in_common() {
        let line = "SSL_accept error from x[192.0.2.1]: lost connection";
        assert!(
            likeness(line, "SSL_accept error from unknown[<address>]: -1")
                > likeness(line, "connect from unknown")
        );
        assert_eq!(
            difference("a b c", "a c d"),
            ("b".to_owned(), "d".to_owned())
        );
    }
}
