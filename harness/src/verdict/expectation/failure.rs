//! Who gave up, with which alert and for which cause.

use super::Differences;
use crate::observe::summary::Side;
use crate::scenario::{FailureExpectation, SideName};
use crate::verdict::observation::Observation;

pub(super) fn failure(expected: &FailureExpectation, seen: &Observation, out: &mut Differences) {
    let side = match expected.side {
        SideName::Client => Side::Client,
        SideName::Server => Side::Server,
    };
    let failures = seen.failures();
    if failures.is_empty() {
        out.0.push(format!(
            "failure: expected one of the {side}, but no witness saw any"
        ));
        return;
    }
    // Who sent an alert is who gave up; the other side's complaint is only its echo.
    let alerts: Vec<_> = failures
        .iter()
        .filter(|failure| failure.alert.is_some())
        .collect();
    if alerts.is_empty() {
        // Silence and closed connections look different from either end: one witness is enough.
        out.check(failures.iter().any(|failure| failure.side == side), || {
            let told: Vec<_> = failures
                .iter()
                .map(|f| format!("{} tells of the {}: {}", f.seen_by, f.side, f.cause))
                .collect();
            format!(
                "failure: expected the {side} to give up, but {}",
                told.join("; ")
            )
        });
    }
    for teller in &alerts {
        out.check(teller.side == side, || {
            format!(
                "failure: expected the {side} to give up, but {} tells of the {}: {}",
                teller.seen_by, teller.side, teller.cause
            )
        });
        if let (Some(expected), Some(alert)) = (&expected.alert, teller.alert) {
            out.compare("alert", expected, Some(alert));
        }
    }
    match expected.alert.as_deref() {
        Some("none") | None => {}
        Some(alert) => out.check(!alerts.is_empty(), || {
            format!("alert: expected {alert}, but no witness saw one")
        }),
    }
    let texts = || {
        let lines = [&seen.server, &seen.client]
            .into_iter()
            .flatten()
            .flat_map(|side| &side.lines);
        lines
            .map(|line| line.text.as_str())
            .chain(failures.iter().map(|failure| failure.cause.as_str()))
    };
    out.check(texts().any(|text| text.contains(&expected.cause)), || {
        let causes: Vec<_> = failures
            .iter()
            .map(|failure| failure.cause.as_str())
            .collect();
        format!(
            "failure: expected the cause `{}`, found {}",
            expected.cause,
            causes.join("; ")
        )
    });
}
