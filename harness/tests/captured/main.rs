//! Every line and header that real Postfix servers printed for `tests/data/captured`, through the parsers.
//!
//! The captures come from Debian's packages: 3.5.25 with OpenSSL 1.1.1w, 3.7.11 with 3.0, 3.10.13 with 3.5, 3.11.7 with 3.6,
//! each talking to itself, to Python's `ssl` module and to peers that misbehave on purpose.

#![expect(clippy::panic, reason = "this is how a test fails")]

mod agreement;
mod dialects;
mod failures;
mod mutations;
mod redaction;

use std::fs;

use harness::observe::{LogEvent, LogLine, Received};

const TARGETS: [&str; 4] = ["debian-11", "debian-12", "debian-13", "debian-testing"];

fn capture(target: &str, file: &str) -> String {
    let path = format!(
        "{}/tests/data/captured/{target}/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn lines(log: &str) -> impl Iterator<Item = (LogLine<'_>, LogEvent)> {
    log.lines().map(|line| {
        let parsed = LogLine::parse(line).unwrap_or_else(|| panic!("no log line: {line}"));
        let event = LogEvent::parse(&parsed.daemon, &parsed.text);
        (parsed, event)
    })
}

fn headers(target: &str) -> Vec<String> {
    capture(target, "received.txt")
        .split("\n\n")
        .map(|text| text.trim_end_matches('\n').to_owned())
        .collect()
}

/// What the grammar leaves to `Other` and `Warning`: lines that say nothing about TLS.
const UNKNOWN: [&str; 9] = [
    "/var/lib/postfix/smtp_scache: hash/btree support is deprecated",
    "Postfix is using backwards-compatible default settings",
    "See /usr/share/doc/postfix/NON_BERKELEYDB_README",
    "See https://www.postfix.org/COMPATIBILITY_README.html",
    "To disable backwards compatibility use",
    "/usr/lib/postfix/sbin/smtp",
    "improper command pipelining after ",
    "non-SMTP command from ",
    "process /usr/lib/postfix/sbin/",
];

#[test]
fn every_line_is_understood() {
    for target in TARGETS {
        let log = capture(target, "maillog.txt");
        let mut unknown: Vec<String> = Vec::new();
        for (line, event) in lines(&log) {
            if let LogEvent::Other(text) | LogEvent::Warning(text) = event
                && !UNKNOWN.iter().any(|start| text.starts_with(start))
            {
                unknown.push(format!("{}: {}", line.daemon, line.text));
            }
        }
        assert!(unknown.is_empty(), "{target}: {unknown:#?}");
    }
}

#[test]
fn every_summary_is_printed_as_it_was() {
    for target in TARGETS {
        let log = capture(target, "maillog.txt");
        let mut summaries = 0;
        for (line, event) in lines(&log) {
            if let LogEvent::Tls(summary) = event {
                assert_eq!(summary.to_string(), line.text, "{target}");
                assert_eq!(
                    summary.forward_secrecy().agrees_with_suite(&summary.cipher),
                    Some(true),
                    "{}",
                    line.text
                );
                summaries += 1;
            }
        }
        assert!(summaries > 100, "{target}: {summaries}");
    }
}

#[test]
fn every_header_is_printed_as_it_was() {
    for target in TARGETS {
        for text in headers(target) {
            let received = Received::parse(&text).unwrap_or_else(|| panic!("{target}: {text}"));
            assert_eq!(received.to_string(), text, "{target}");
            let secure = received.with.as_deref() == Some("ESMTPS");
            assert!(secure || received.tls.is_none(), "{text}");
        }
    }
}
