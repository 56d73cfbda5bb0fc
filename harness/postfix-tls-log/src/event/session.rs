//! The SMTP server's account of a connection: who came, what they asked for, how they left.

use super::LogEvent;
use crate::summary::{PeerName, number};

/// How often one SMTP command was given, from a `disconnect` line: `starttls=0/1` is one that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommandCount {
    /// In lower case: `starttls`; `unknown` for what is no command, `commands` for the sum.
    pub name: String,
    /// How many succeeded.
    pub succeeded: u32,
    /// How many there were.
    pub total: u32,
}

impl CommandCount {
    fn parse(word: &str) -> Option<Self> {
        let (name, counts) = word.split_once('=')?;
        let (succeeded, total) = counts.split_once('/').unwrap_or((counts, counts));
        Some(Self {
            name: name.to_owned(),
            succeeded: number(succeeded)?,
            total: number(total)?,
        })
    }
}

/// What the server did about a command: `NOQUEUE: reject: RCPT from PEER: 554 5.7.1 …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The message, if it already had a queue file.
    pub queue_id: Option<String>,
    /// `reject`, `reject_warning`, `redirect`, `warn`, `discard`, `hold`, `filter`, `milter-reject`, …
    pub action: String,
    /// The command or state: `RCPT`, `CONNECT`, `END-OF-MESSAGE`.
    pub command: String,
    /// The client.
    pub peer: PeerName,
    /// The rest: reply, reason, envelope.
    pub text: String,
}

pub(super) fn parse(text: &str) -> Option<LogEvent> {
    if let Some(peer) = text.strip_prefix("connect from ") {
        let peer = PeerName::parse(peer)?;
        return Some(LogEvent::Connect { peer });
    }
    if let Some(rest) = text.strip_prefix("disconnect from ") {
        let mut words = rest.split(' ');
        let peer = PeerName::parse(words.next()?)?;
        let commands = words.map(CommandCount::parse).collect::<Option<_>>()?;
        return Some(LogEvent::Disconnect { peer, commands });
    }
    pipelining(text)
        .or_else(|| lost_connection(text))
        .or_else(|| acted(text))
}

/// `non-SMTP command from PEER: TEXT`, and complaints about authentication.
pub(super) fn warning(text: &str) -> Option<LogEvent> {
    if let Some(rest) = text.strip_prefix("non-SMTP command from ") {
        let (peer, text) = rest.split_once(": ")?;
        return Some(LogEvent::NonSmtpCommand {
            peer: PeerName::parse(peer)?,
            text: text.to_owned(),
        });
    }
    let sasl = text.starts_with("SASL ")
        || text.contains(": SASL ") && text.contains(" authentication ")
        || text == "no SASL authentication mechanisms";
    sasl.then(|| LogEvent::Sasl(text.to_owned()))
}

/// `improper command pipelining after COMMAND from PEER[: TEXT]`; the text holds whatever the client sent.
fn pipelining(text: &str) -> Option<LogEvent> {
    let rest = text.strip_prefix("improper command pipelining after ")?;
    let (after, rest) = rest.split_once(" from ")?;
    let (peer, text) = rest.split_once(": ").unwrap_or((rest, ""));
    Some(LogEvent::Pipelining {
        after: after.to_owned(),
        peer: PeerName::parse(peer)?,
        text: text.to_owned(),
    })
}

/// `[NOQUEUE: |Q: ]lost connection after DATA (5 bytes) from PEER`.
fn lost_connection(text: &str) -> Option<LogEvent> {
    let (id, rest) = match text.split_once(": ") {
        Some((id, rest)) if !id.contains(' ') => (Some(id), rest),
        _ => (None, text),
    };
    let (timeout, rest) = if let Some(rest) = rest.strip_prefix("lost connection after ") {
        (false, rest)
    } else {
        (true, rest.strip_prefix("timeout after ")?)
    };
    let (after, peer) = rest.rsplit_once(" from ")?;
    Some(LogEvent::LostConnection {
        after: after.to_owned(),
        noqueue: id == Some("NOQUEUE"),
        timeout,
        peer: PeerName::parse(peer)?,
    })
}

fn acted(text: &str) -> Option<LogEvent> {
    let (id, rest) = text.split_once(": ")?;
    let (action, rest) = rest.split_once(": ")?;
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !word(id) || !word(action) {
        return None;
    }
    let (command, rest) = rest.split_once(" from ")?;
    let (peer, text) = rest.split_once(": ")?;
    let peer = PeerName::parse(peer)?;
    if action == "abort" && command == "TLS" {
        return Some(LogEvent::Abort {
            peer,
            reason: text.to_owned(),
        });
    }
    word(command).then(|| {
        LogEvent::Restriction(Restriction {
            queue_id: (id != "NOQUEUE").then(|| id.to_owned()),
            action: action.to_owned(),
            command: command.to_owned(),
            peer,
            text: text.to_owned(),
        })
    })
}
