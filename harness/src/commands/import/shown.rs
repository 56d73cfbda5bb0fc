//! Which targets show the reported line; where none does, the nearest line that was seen.

use std::path::Path;
use std::sync::Arc;

use postfix_tls_log::{Received, TlsSummary};

use super::super::Error;
use super::super::probe::{Probe, probe};
use crate::cli::Import;
use crate::evidence::Section;
use crate::import::{Imported, Kind, kind_of};
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, Outcome};
use crate::redact;
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
    // What differs on every machine is no difference.
    let line =
        reported(imported).map(|line| redact::log_text(&imported.report.without_secrets(&line)));
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
        for (whose, words) in [("report", only_reported), ("target", only_seen)] {
            match words.is_empty() {
                true => say!("  nothing is only in the line of the {}", whose),
                false => say!("  only in the line of the {}: {}", whose, words),
            }
        }
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
        let header = text.join("\n");
        let seen = Received::parse(&header).and_then(|header| header.tls);
        let told = imported.report.received.first();
        let told = told.and_then(|header| Received::parse(&header.text)?.tls);
        return match (told, seen) {
            (Some(told), Some(seen)) if same_session(&told, &seen) => Seen::Shown(header),
            _ => Seen::Not(Some((0.0, header))),
        };
    }
    let same = |seen: &&String| {
        kind_of(seen) == Some(imported.kind)
            && (imported.kind != Kind::Established || same_established(seen, line))
    };
    if let Some(seen) = text.iter().find(same) {
        return Seen::Shown(seen.clone());
    }
    let line = line.unwrap_or_default();
    let best = text.iter().map(|seen| (likeness(line, seen), seen.clone()));
    Seen::Not(best.max_by(|(a, _), (b, _)| a.total_cmp(b)))
}

/// The same status and the same session.
fn same_established(seen: &str, line: Option<&str>) -> bool {
    let summary = |text: &str| {
        let text = text
            .split_once(": ")
            .filter(|(daemon, _)| is_daemon(daemon));
        TlsSummary::from_log(text.map_or(seen, |(_, text)| text))
    };
    let (Some(line), Some(seen)) = (line, summary(seen)) else {
        return line.is_none();
    };
    TlsSummary::from_log(line)
        .is_some_and(|told| told.status == seen.status && same_session(&told, &seen))
}

fn is_daemon(word: &str) -> bool {
    ["smtp", "smtpd", "lmtp", "tlsproxy", "postscreen"].contains(&word)
}

/// What was negotiated, as far as both say it. Certificates and their signatures are not those of the report.
fn same_session(told: &TlsSummary, seen: &TlsSummary) -> bool {
    let group = match (&told.key_exchange, &seen.key_exchange) {
        (Some(told), Some(seen)) => told.same_as(seen),
        _ => true,
    };
    told.protocol == seen.protocol
        && told.cipher == seen.cipher
        && group
        && told.client_signature.is_some() == seen.client_signature.is_some()
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

/// The words that only one of both has, in order; `…` stands for what is the same between them.
fn difference(a: &str, b: &str) -> (String, String) {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (a, b) = (words(a), words(b));
    let mut only: (Vec<String>, Vec<String>) = Default::default();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, &a, &b) {
        let (tag, old, new) = op.as_tag_tuple();
        let sides = [(&mut only.0, a.get(old)), (&mut only.1, b.get(new))];
        for (words, piece) in sides {
            if tag == similar::DiffTag::Equal {
                if words.last().is_some_and(|last| last != "…") {
                    words.push("…".to_owned());
                }
            } else {
                words.extend(piece.unwrap_or_default().iter().cloned());
            }
        }
    }
    let joined = |mut words: Vec<String>| {
        if words.last().is_some_and(|last| last == "…") {
            words.pop();
        }
        words.join(" ")
    };
    (joined(only.0), joined(only.1))
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
    }

    #[test]
    fn a_difference_is_told_in_words() {
        for (a, b, only_a, only_b) in [
            ("a b c", "a c d", "b", "d"),
            ("a x c y e", "a c e", "x … y", ""),
            ("same", "same", "", ""),
        ] {
            let expected = (only_a.to_owned(), only_b.to_owned());
            assert_eq!(difference(a, b), expected, "{a} / {b}");
        }
    }

    #[test]
    fn a_session_is_the_same_whatever_its_certificates_and_its_dialect() {
        let line = |status: &str, rest: &str| {
            format!("{status} TLS connection established to a.example[192.0.2.1]:25: {rest}")
        };
        let told = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature \
                    RSA-PSS (2048 bits) server-digest SHA256";
        let told = line("Untrusted", told);
        for (status, rest, same) in [
            (
                "Untrusted",
                "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange x25519 server-signature ECDSA \
                 (prime256v1) server-digest SHA256",
                true,
            ),
            (
                "Trusted",
                "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS \
                 (2048 bits) server-digest SHA256",
                false,
            ),
            (
                "Untrusted",
                "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange ECDHE (P-256) server-signature \
                 RSA-PSS (2048 bits) server-digest SHA256",
                false,
            ),
            (
                "Untrusted",
                "TLSv1.2 with cipher AES128-SHA (128/128 bits)",
                false,
            ),
        ] {
            let seen = format!("smtp: {}", line(status, rest));
            assert_eq!(same_established(&seen, Some(&told)), same, "{seen}");
        }
        assert!(same_established("anything", None));
    }
}
