//! Explanations as text and as JSON.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Explanation;
use super::reader::Item;
use super::summary::{self, Summary};
use crate::observe::summary::TlsSummary;
use crate::printable::line;

/// Kinds of explanations that are told apart; what comes after them is only counted.
const MOST_KINDS: usize = 200;
/// Rows of a table.
const MOST_ROWS: usize = 30;

/// Explanations, those that say the same together: a log has the same thing to say of thousands of sessions.
#[derive(Debug, Default)]
pub struct Shown {
    kinds: HashMap<(Explanation, &'static str), usize>,
    groups: Vec<Group>,
    beyond: u64,
}

#[derive(Debug)]
struct Group {
    explanation: Explanation,
    role: &'static str,
    first: String,
    count: u64,
}

impl Shown {
    /// Takes one.
    pub fn add(&mut self, item: &Item, explanation: Explanation) {
        if explanation.statements.is_empty() {
            return;
        }
        let role = match item {
            Item::Session(session) => summary::role(session.role),
            Item::Header(_) => "a Received: header",
            Item::Line { .. } => "a line of its own",
        };
        let key = (explanation, role);
        if let Some(at) = self.kinds.get(&key) {
            if let Some(group) = self.groups.get_mut(*at) {
                group.count += 1;
            }
        } else if self.groups.len() < MOST_KINDS {
            self.groups.push(Group {
                explanation: key.0.clone(),
                role,
                first: title(item),
                count: 1,
            });
            self.kinds.insert(key, self.groups.len() - 1);
        } else {
            self.beyond += 1;
        }
    }

    /// All of them, in the order found.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for group in &self.groups {
            let more = match group.count {
                1 => String::new(),
                count => format!(", and {} more of which the same is to say", count - 1),
            };
            let _ = writeln!(out, "{} ({}{more})", line(&group.first), group.role);
            for statement in &group.explanation.statements {
                let _ = writeln!(out, "  {}", line(&statement.text));
            }
            for advice in &group.explanation.next {
                let name = advice
                    .parameter
                    .as_ref()
                    .map(|name| format!("{name}: "))
                    .unwrap_or_default();
                let _ = writeln!(out, "  → {name}{} <{}>", advice.text, advice.documentation);
            }
            out.push('\n');
        }
        if self.beyond > 0 {
            let _ = writeln!(
                out,
                "{} more of other kinds; --format json shows each.\n",
                self.beyond
            );
        }
        out
    }
}

impl Summary {
    /// As tables.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{} lines, {} of Postfix; {} TLS sessions, {} of them and of {} headers' forward secret; {} connections without a line about a handshake (which proves nothing)\n",
            self.lines,
            self.postfix_lines,
            self.tls_sessions,
            self.forward_secret,
            self.headers,
            self.sessions_without_a_tls_line
        );
        for (title, counts) in self.tables() {
            if counts.is_empty() {
                continue;
            }
            let mut rows: Vec<(&String, &u64)> = counts.iter().collect();
            rows.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            let _ = writeln!(out, "\n{title}");
            for (name, count) in rows.iter().take(MOST_ROWS) {
                let _ = writeln!(out, "{count:>10}  {}", line(name));
            }
            if let Some(more) = rows.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
                let _ = writeln!(out, "            {more} more; --format json has them");
            }
        }
        out
    }
}

/// Where it stands: time, program, peer, messages.
fn title(item: &Item) -> String {
    match item {
        Item::Session(session) => {
            let mut parts = Vec::new();
            if !session.first.is_empty() {
                parts.push(session.first.clone());
            }
            match (session.name.as_str(), session.pid) {
                ("", _) => {}
                (name, Some(pid)) => parts.push(format!("{name}[{pid}]")),
                (name, None) => parts.push(name.to_owned()),
            }
            if let Some(peer) = &session.peer {
                parts.push(peer.to_string());
            }
            parts.extend(session.queue_ids.iter().take(3).cloned());
            match parts.is_empty() {
                true => "A message of Postfix".to_owned(),
                false => parts.join("  "),
            }
        }
        Item::Header(header) => {
            let from = header.helo.as_deref().filter(|helo| *helo != "-");
            let by = header.by.as_deref().filter(|by| *by != "-");
            match (from, by) {
                (Some(from), Some(by)) => format!("Received from {from} by {by}"),
                (None, Some(by)) => format!("Received by {by}"),
                _ => "A comment of a Received: header".to_owned(),
            }
        }
        Item::Line { name, time, .. } => format!("{time}  {name}").trim_start().to_owned(),
    }
}

/// One object for one thing found: facts beside the explanation.
pub fn json(item: &Item, explanation: &Explanation) -> Value {
    let mut object = match item {
        Item::Session(session) => json!({
            "kind": "session",
            "role": session.role.map(|side| side.to_string()),
            "host": session.host,
            "name": session.name,
            "pid": session.pid,
            "first": session.first,
            "last": session.last,
            "peer": session.peer.as_ref().map(ToString::to_string),
            "queue-ids": session.queue_ids,
            "tls": session.tls.as_ref().map(facts),
            "failure": session.failure().map(|failure| json!({
                "side": failure.side.to_string(),
                "by-this-postfix": session.role == Some(failure.side),
                "alert": failure.alert.map(|alert| alert.to_string()),
                "cause": failure.cause,
            })),
            "gaps": session.gaps.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        Item::Header(header) => json!({
            "kind": "header",
            "from": header.helo,
            "client": header.client.as_ref().map(ToString::to_string),
            "by": header.by,
            "with": header.with,
            "id": header.id,
            "tls": header.tls.as_ref().map(facts),
            "other-tls": header.other_tls,
            "client-certificate": header.client_certificate.as_ref().map(ToString::to_string),
        }),
        Item::Line { name, time, .. } => json!({ "kind": "line", "name": name, "first": time }),
    };
    if let Value::Object(fields) = &mut object {
        fields.insert("explanation".to_owned(), json!(explanation));
    }
    object
}

fn facts(tls: &TlsSummary) -> Value {
    let verdict = tls.forward_secrecy();
    let forward_secret = match verdict.agrees_with_suite(&tls.cipher) {
        _ if verdict.holds() => Some(true),
        Some(agrees) => Some(!agrees),
        None => None,
    };
    json!({
        "status": tls.status.map(|status| status.to_string()),
        "protocol": tls.protocol.to_string(),
        "cipher": tls.cipher,
        "used-bits": tls.used_bits,
        "algorithm-bits": tls.algorithm_bits,
        "key-exchange": tls.key_exchange.as_ref().map(|it| it.text.as_str()),
        "server-signature": tls.server_signature.as_ref().map(|it| it.text.as_str()),
        "server-digest": tls.server_digest,
        "client-signature": tls.client_signature.as_ref().map(|it| it.text.as_str()),
        "client-digest": tls.client_digest,
        "sni": tls.sni,
        "reused-connection": tls.reused_connection,
        "forward-secret": forward_secret,
        "forward-secrecy": verdict.to_string(),
    })
}
