//! Each session has one line with a status at loglevel 1 and above, and none at 0.

use std::collections::BTreeMap;

use super::{Broken, Rule, Seen};
use crate::observe::log::LogEvent;
use crate::observe::summary::Side;
use crate::scenario::SideName;

pub(super) const RULE: Rule = Rule {
    name: "logged-once",
    claim: "Each session has one line with a status at loglevel 1 and above, and none at 0.",
    source: "postconf(5), smtp_tls_loglevel and smtpd_tls_loglevel",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let sides = [
        (
            Side::Client,
            SideName::Client,
            "smtp_tls_loglevel",
            seen.intent.postfix_client(),
        ),
        (
            Side::Server,
            SideName::Server,
            "smtpd_tls_loglevel",
            seen.intent.postfix_server(),
        ),
    ];
    let finished = seen.evidence.delivered() && seen.encrypted();
    for (side, name, parameter, is_postfix) in sides {
        if !is_postfix {
            continue;
        }
        // With a kept connection smtp(8) and tlsproxy(8) each have a line.
        let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
        let log = seen.evidence.log(side).into_iter();
        for (line, event) in log.flat_map(|log| log.lines().iter().zip(log.events())) {
            if matches!(event, LogEvent::Tls(summary) if !summary.reused_connection) {
                *lines.entry(&line.daemon).or_default() += 1;
            }
        }
        let silent = seen.intent.setting(name, parameter) == Some("0");
        if silent && !lines.is_empty() {
            broken.push(Broken::new(
                format!(
                    "the {side} logs a session at loglevel 0{}",
                    if seen
                        .intent
                        .setting(SideName::Client, "smtp_tls_connection_reuse")
                        == Some("yes")
                        && side == Side::Client
                    {
                        ", with smtp_tls_connection_reuse"
                    } else {
                        ""
                    }
                ),
                "",
            ));
        }
        if !silent && finished && lines.is_empty() {
            broken.push(Broken::new(
                format!("the {side} does not log the session"),
                "",
            ));
        }
        let most = usize::from(seen.scenario.mails());
        if let Some((daemon, count)) = lines.iter().find(|(_, count)| **count > most) {
            broken.push(Broken::new(
                format!("the {side}'s {daemon} logs more sessions than there were"),
                format!("{count} lines for {most} mails"),
            ));
        }
    }
    broken
}
