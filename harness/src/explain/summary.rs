//! A whole log in counts: what one wants to know before a level is raised.

use std::collections::BTreeMap;

use serde::Serialize;

use super::reader::Item;
use crate::observe::received::Transport;
use crate::observe::summary::{Side, TlsSummary};

/// Peers and causes that are told apart; the rest is counted together.
const MOST: usize = 1_000;
/// Stands for those.
const OTHERS: &str = "(others)";

/// Counts by a name, at most a thousand names.
type Counts = BTreeMap<String, u64>;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Lines read.
    pub lines: u64,
    /// Those that Postfix wrote.
    pub postfix_lines: u64,
    /// Connections with a completed handshake.
    pub tls_sessions: u64,
    /// Connections of whose handshake the log says nothing: plain text, `*_tls_loglevel = 0`, or lines that are missing.
    pub sessions_without_a_tls_line: u64,
    /// `Received:` headers that say something of TLS.
    pub headers: u64,
    /// Sessions and headers by protocol.
    pub protocols: Counts,
    /// By key exchange: what TLS 1.3 prints, else the first word of the cipher's name.
    pub key_exchanges: Counts,
    /// By role and status word.
    pub statuses: Counts,
    /// Sessions that are forward secret.
    pub forward_secret: u64,
    /// Sessions that are not, by the peer's name.
    pub peers_without_forward_secrecy: Counts,
    /// Sessions that failed, by side and cause.
    pub failures: Counts,
}

impl Summary {
    /// Counts one thing found.
    pub fn count(&mut self, item: &Item) {
        match item {
            Item::Session(session) => {
                match &session.tls {
                    Some(tls) => {
                        self.tls_sessions += 1;
                        let role = tls.direction.map(|way| way.own_side()).or(session.role);
                        if let (Some(role), Some(status)) = (role, tls.status) {
                            add(&mut self.statuses, format!("{role}: {status}"));
                        }
                        self.session(tls);
                    }
                    None => {
                        let quiet = session.peer.is_some() && !session.speaks_of_tls();
                        self.sessions_without_a_tls_line += u64::from(quiet);
                    }
                }
                if let Some(failure) = session.failure() {
                    let who = match session.role == Some(failure.side) {
                        true => "this Postfix",
                        false => "the other side",
                    };
                    add(
                        &mut self.failures,
                        format!("{who} ({}): {}", failure.side, failure.cause),
                    );
                }
            }
            Item::Header(header) => match header.transport() {
                Transport::Session(tls) => {
                    self.headers += 1;
                    self.session(tls);
                }
                Transport::TlsNotUnderstood(_) | Transport::TlsWithoutDetails => self.headers += 1,
                Transport::NotSaid => {}
            },
            Item::Line { .. } => {}
        }
    }

    fn session(&mut self, tls: &TlsSummary) {
        add(&mut self.protocols, tls.protocol.to_string());
        let exchange = match (&tls.key_exchange, tls.protocol.to_string().as_str()) {
            (Some(exchange), _) => exchange.text.clone(),
            (None, "TLSv1.3") => "TLS 1.3, not printed".to_owned(),
            (None, _) if tls.forward_secrecy().holds() => {
                tls.cipher.split('-').next().unwrap_or_default().to_owned()
            }
            (None, _) => "RSA or other without forward secrecy".to_owned(),
        };
        add(&mut self.key_exchanges, exchange);
        let verdict = tls.forward_secrecy();
        if verdict.holds() || verdict.agrees_with_suite(&tls.cipher) == Some(false) {
            self.forward_secret += 1;
        } else {
            let peer = tls.peer.as_ref().map(|peer| match &peer.host {
                Some(host) if host != "unknown" => host.clone(),
                _ => peer.address.clone(),
            });
            let way = tls.direction.map_or(String::new(), |way| format!("{way} "));
            add(
                &mut self.peers_without_forward_secrecy,
                format!("{way}{}", peer.unwrap_or_else(|| "(not named)".to_owned())),
            );
        }
    }

    /// The part of those that are known to be the server's or the client's, for a table.
    pub(super) fn tables(&self) -> [(&'static str, &Counts); 5] {
        [
            ("By protocol", &self.protocols),
            ("By key exchange", &self.key_exchanges),
            ("By role of this Postfix and status", &self.statuses),
            (
                "Without forward secrecy, by peer",
                &self.peers_without_forward_secrecy,
            ),
            ("Failures, by who gave up and why", &self.failures),
        ]
    }
}

fn add(counts: &mut Counts, name: String) {
    if let Some(count) = counts.get_mut(&name) {
        *count += 1;
    } else if counts.len() < MOST {
        counts.insert(name, 1);
    } else {
        *counts.entry(OTHERS.to_owned()).or_default() += 1;
    }
}

/// The name of a role, in plain words.
pub(super) fn role(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Server) => "this Postfix is the server",
        Some(Side::Client) => "this Postfix is the client",
        None => "a log line without a program's name",
    }
}
