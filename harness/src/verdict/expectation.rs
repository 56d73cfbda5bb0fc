//! `[expect]` against what was seen: each fact that is stated and does not hold is a difference.

mod credential;
mod failure;
mod offer;
mod session;
mod status;

pub(super) use failure::is_cause;

use pfs_certs::Pki;

use super::differences::Differences;
use crate::evidence::{Evidence, PostfixLog};
use crate::observe::summary::Side;
use crate::peer::Reply;
use crate::redact::own_names;
use crate::scenario::{Expect, LogExpectation, SideName};

/// Every difference between what is expected and what was seen.
pub(super) fn differences(expect: &Expect, seen: &Evidence, pki: &Pki) -> Vec<String> {
    let mut out = Differences::default();
    delivery(expect, seen, &mut out);
    session::session(expect, seen, &mut out);
    status::statuses(expect, seen, &mut out);
    credential::signatures(expect, seen, &mut out);
    credential::certificates(expect, seen, pki, &mut out);
    offer::offer(expect, seen, &mut out);
    ehlo(expect, seen, &mut out);
    command(expect, seen, &mut out);
    for (name, expected, side) in [
        ("server log", &expect.server_log, Side::Server),
        ("client log", &expect.client_log, Side::Client),
    ] {
        if let Some(expected) = expected {
            log(name, expected, seen.log(side), &mut out);
        }
    }
    out.0
}

fn delivery(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let word = |yes| if yes { "delivered" } else { "not delivered" };
    out.compare(
        "mail",
        word(expect.must_deliver()),
        Some(word(seen.delivered())),
    );
    if let Some(expected) = &expect.failure {
        let side = match expected.side {
            SideName::Client => Side::Client,
            SideName::Server => Side::Server,
        };
        let lines: Vec<String> = seen
            .log(side)
            .into_iter()
            .flat_map(|log| log.lines().iter().zip(log.events()))
            .filter(|(_, event)| !failure::is_of_any_session(event))
            .map(|(line, _)| own_names(&line.text))
            .collect();
        out.0
            .extend(failure::differences(expected, seen.failures(), &lines));
    }
    if !seen.delivered()
        && let Some(refused) = refused_by_us(seen)
    {
        out.0.push(format!(
            "the client was refused a connection by this program, where nothing listens at that port: it shows nothing of \
             Postfix or of the cause that is expected: {refused}"
        ));
    }
    for (side, log) in seen.logs() {
        out.check(log.is_complete(), || {
            format!("{side} log: the last line did not come before the deadline")
        });
    }
}

/// What the client says of a connection that was refused: all addresses it can reach are those of this program.
fn refused_by_us(seen: &Evidence) -> Option<&str> {
    let lines = seen.log(Side::Client)?.lines().iter();
    lines
        .filter(|line| line.text.contains(", status="))
        .map(|line| &*line.text)
        .find(|text| {
            text.contains("]:") && text.trim_end_matches(')').ends_with(": Connection refused")
        })
}

fn command(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let Some(report) = seen.command() else {
        if expect.output.is_some() || expect.command_status.is_some() {
            out.0
                .push("command: neither side is a program of the user's".to_owned());
        }
        return;
    };
    let (holds, expected) = match (expect.command_status, report.is_server, &expect.failure) {
        (Some(status), ..) => (report.status == Some(status), format!("status {status}")),
        (None, false, None) => (report.status == Some(0), "status 0".to_owned()),
        (None, false, Some(_)) => (
            report.status.is_some_and(|status| status != 0),
            "a status other than 0".to_owned(),
        ),
        // A server serves until its case is over.
        (None, true, None) => (
            report.status.unwrap_or_default() == 0,
            "status 0".to_owned(),
        ),
        (None, true, Some(_)) => (true, String::new()),
    };
    out.check(holds, || {
        format!("command: expected {expected}, but it {}", report.end())
    });
    if let Some(expected) = &expect.output {
        for piece in &expected.has {
            out.check(report.output.contains(piece), || {
                format!("command output: it lacks `{piece}`")
            });
        }
        for piece in &expected.lacks {
            out.check(!report.output.contains(piece), || {
                format!("command output: it has `{piece}`")
            });
        }
    }
}

fn ehlo(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    let replies: Vec<&Reply> = seen
        .peer()
        .into_iter()
        .flat_map(|peer| &peer.dialogue.replies)
        .collect();
    // A greeting or the reply to STARTTLS comes before each.
    let after_220 = replies
        .windows(2)
        .filter(|pair| matches!(pair, [ready, _] if ready.code == 220))
        .filter_map(|pair| pair.last());
    let after_220: Vec<&Reply> = after_220.filter(|r| r.code == 250).copied().collect();
    let before = after_220.first().filter(|_| after_220.len() > 1).copied();
    for (name, expected, found) in [
        ("EHLO", &expect.ehlo, after_220.last().copied()),
        ("EHLO before TLS", &expect.ehlo_before_tls, before),
    ] {
        let Some(expected) = expected else { continue };
        let Some(found) = found else {
            out.0
                .push(format!("{name}: no client of ours got a reply to it"));
            continue;
        };
        let has = |piece: &String| found.lines.iter().any(|line| line.contains(piece));
        for piece in expected.has.iter().filter(|piece| !has(piece)) {
            out.0.push(format!("{name}: the reply lacks `{piece}`"));
        }
        for piece in expected.lacks.iter().filter(|piece| has(piece)) {
            out.0.push(format!("{name}: the reply has `{piece}`"));
        }
    }
}

fn log(name: &str, expected: &LogExpectation, log: Option<&PostfixLog>, out: &mut Differences) {
    let Some(log) = log else {
        out.0.push(format!(
            "{name}: there is none, since that side is no Postfix"
        ));
        return;
    };
    // Names as the file writes them.
    let lines = log.lines().iter().map(|line| own_names(&line.text));
    let lines: Vec<String> = lines.collect();
    let has = |piece: &str| lines.iter().any(|line| line.contains(piece));
    for piece in &expected.has {
        out.check(has(piece), || format!("{name}: no line has `{piece}`"));
    }
    for piece in &expected.lacks {
        out.check(!has(piece), || format!("{name}: a line has `{piece}`"));
    }
}
