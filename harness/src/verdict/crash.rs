//! A Postfix that gives up or crashes: the worst a packager can find, and so a failure of any case that does not expect it.

use pfs_containers::HowEnded;

use super::expectation::is_cause;
use crate::evidence::Evidence;
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
    for crash in seen.logs().flat_map(|(_, log)| log.crashes()) {
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
        if !expected {
            let whose = match crash.own {
                true => "",
                false => ", while this case ran, if it was not that of another one",
            };
            say(format!("Postfix: {}{whose}: {}", crash.end, crash.line));
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
