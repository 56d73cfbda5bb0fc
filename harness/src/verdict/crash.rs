//! A Postfix that gives up or crashes: the worst a packager can find, and so a failure of any case that does not expect it.

use pfs_containers::HowEnded;

use super::expectation::is_cause;
use crate::evidence::{Crash, Evidence};
use crate::observe::log::LogEvent;
use crate::scenario::Expect;

/// What Postfix said of its own end and the case does not expect.
pub(super) fn differences(expect: &Expect, seen: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |text: String| {
        // What serves all of a fleet concerns both sides.
        if !found.contains(&text) {
            found.push(text);
        }
    };
    let (mut fatal, mut panicked) = (false, false);
    for (side, log) in seen.logs() {
        for (line, event) in log.lines().iter().zip(log.events()) {
            let LogEvent::Fatal(words) = event else {
                continue;
            };
            let panic = line.text.starts_with("panic:");
            let expected = match panic {
                true => expect.panic.as_ref(),
                false => expect.fatal.as_ref(),
            };
            let named = expected.is_some_and(|piece| words.contains(piece));
            (fatal, panicked) = (fatal || named && !panic, panicked || named && panic);
            let cause = expect.failure.as_ref().map(|failure| &failure.cause);
            let is_cause = !panic && cause.is_some_and(|cause| is_cause(words, cause));
            if !named && !is_cause {
                say(format!(
                    "the {side}'s Postfix gave up: {}: {}",
                    line.daemon, line.text
                ));
            }
        }
    }
    if let (Some(piece), false) = (&expect.fatal, fatal) {
        say(format!("fatal: expected `{piece}`, but no line says so"));
    }
    if let (Some(piece), false) = (&expect.panic, panicked) {
        say(format!("panic: expected `{piece}`, but no line says so"));
    }
    let (mut signal, mut status) = (false, false);
    let crashes: Vec<_> = seen.logs().flat_map(|(_, log)| log.crashes()).collect();
    for crash in &crashes {
        let expected = match crash.end.how {
            HowEnded::Signal(number) => {
                signal |= expect.signal == Some(number);
                expect.signal == Some(number)
            }
            HowEnded::Status(number) => {
                status |= expect.exit_status == Some(number);
                expect.exit_status == Some(number)
            }
        };
        if !expected && crash.own {
            say(format!("Postfix: {}: {}", crash.end, crash.line));
        } else if !expected {
            // Of many cases that ran at once each hears of the others' crashes: one of a kind tells it.
            let same = |other: &&Crash| {
                (&other.end.program, other.end.how) == (&crash.end.program, crash.end.how)
            };
            let first = crashes.iter().find(same).unwrap_or(crash);
            say(format!(
                "Postfix: {} while this case ran, if it was not that of another one: {}",
                first.end, first.line
            ));
        }
    }
    if let (Some(number), false) = (expect.signal, signal) {
        say(format!(
            "signal: expected a process killed by signal {number}, but master tells of none"
        ));
    }
    if let (Some(number), false) = (expect.exit_status, status) {
        say(format!(
            "exit status: expected a process that ends with {number} and does not say why, but master tells of none"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use postfix_tls_log::LogLine;

    use super::*;
    use crate::evidence::{PostfixLog, Statements};

    const SESSION: &str = "\
Nov 22 08:00:00 mail postfix/t/smtpd[7]: connect from unknown[127.0.0.1]
Nov 22 08:00:00 mail postfix/t/smtpd[7]: disconnect from unknown[127.0.0.1] commands=1";

    fn found(lines: &str, ends: &str, expect: &str) -> Vec<String> {
        let parsed = |text: &str| {
            let lines = text.lines();
            let lines = lines.map(|line| Arc::new(LogLine::parse_or_text(line).into_owned()));
            lines.collect::<Vec<_>>()
        };
        let log = PostfixLog::new(parsed(lines), true).with_ends(parsed(ends));
        let evidence = Evidence::from(Statements {
            server_log: Some(log),
            ..Statements::default()
        });
        differences(&toml::from_str(expect).unwrap(), &evidence)
    }

    fn master(words: &str) -> String {
        format!(
            "Nov 22 08:00:00 mail postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd {words}"
        )
    }

    #[test]
    fn a_crash_is_a_difference_unless_it_is_expected() {
        let killed = master("pid 7 killed by signal 11");
        assert!(found(SESSION, "", "").is_empty());
        let told = found(SESSION, &killed, "");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("smtpd was killed by signal 11"),
            "{told:?}"
        );
        assert!(found(SESSION, &killed, "signal = 11").is_empty());
        assert_eq!(found(SESSION, &killed, "signal = 6").len(), 2);
        assert_eq!(found(SESSION, "", "signal = 11").len(), 1);
        let other = found(SESSION, &master("pid 8 killed by signal 11"), "");
        assert!(
            other[0].contains("if it was not that of another one"),
            "{other:?}"
        );
    }

    #[test]
    fn a_status_that_a_line_explains_is_told_once() {
        let fatal =
            "Nov 22 08:00:00 mail postfix/t/smtpd[7]: fatal: no SASL authentication mechanisms";
        let ended = master("pid 7 exit status 1");
        let told = found(fatal, &ended, "");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("gave up: smtpd: fatal: no SASL"),
            "{told:?}"
        );
        assert!(found(fatal, &ended, "fatal = \"no SASL\"").is_empty());
        let cause =
            "failure = { side = \"server\", cause = \"no SASL authentication mechanisms\" }";
        assert!(found(fatal, &ended, cause).is_empty());
        assert_eq!(found(SESSION, &ended, "").len(), 1);
        assert!(found(SESSION, &ended, "exit-status = 1").is_empty());
        assert_eq!(found(SESSION, "", "fatal = \"no SASL\"").len(), 1);
    }

    #[test]
    fn a_panic_is_never_a_mere_cause() {
        let panic = "Nov 22 08:00:00 mail postfix/t/smtpd[7]: panic: mymalloc: requested length 0";
        let ended = master("pid 7 killed by signal 6");
        let cause = "failure = { side = \"server\", cause = \"mymalloc: requested length 0\" }";
        assert_eq!(found(panic, &ended, cause).len(), 1);
        assert!(found(panic, &ended, &format!("{cause}\npanic = \"mymalloc\"")).is_empty());
    }
}
