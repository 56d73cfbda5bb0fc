//! The end of a delivery attempt, and why the SMTP client gave a server up.

use std::fmt;

use super::LogEvent;
use super::queue::{is_decimal, split_queue_id};
use crate::summary::{PeerName, number};

/// The last word of Postfix on one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// Returned to the sender.
    Bounced,
    /// To be tried again.
    Deferred,
    /// `deliverable`, from an address probe.
    Deliverable,
    /// Too long in the queue.
    Expired,
    /// Delivered or handed on.
    Sent,
    /// `undeliverable`, from an address probe.
    Undeliverable,
}

impl DeliveryStatus {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "bounced" => Self::Bounced,
            "deferred" => Self::Deferred,
            "deliverable" => Self::Deliverable,
            "expired" => Self::Expired,
            "sent" => Self::Sent,
            "undeliverable" => Self::Undeliverable,
            _ => return None,
        })
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bounced => "bounced",
            Self::Deferred => "deferred",
            Self::Deliverable => "deliverable",
            Self::Expired => "expired",
            Self::Sent => "sent",
            Self::Undeliverable => "undeliverable",
        })
    }
}

/// `Q: to=<…>, relay=…, delay=…, delays=…, dsn=…, status=… (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub queue_id: String,
    /// The recipient.
    pub to: String,
    /// The recipient before rewriting, where that differs.
    pub original_to: Option<String>,
    /// The server; `None` for `relay=none` and for local agents.
    pub relay: Option<PeerName>,
    /// How many deliveries this SMTP connection has made, from the second on.
    pub connection_use: Option<u32>,
    /// `smtp_log_tls_feature_status` (3.11): `encrypt`, `may:none`, `!verify`, `encrypt?`.
    pub tls: Option<String>,
    /// Enhanced status code (RFC 3463).
    pub dsn: String,
    /// What became of it.
    pub status: DeliveryStatus,
    /// The text in parentheses.
    pub text: String,
    /// The text once more, where it is the SMTP client's own reason.
    pub problem: Option<ClientProblem>,
}

impl Delivery {
    fn parse(queue_id: &str, text: &str) -> Option<Self> {
        let (head, rest) = text.strip_prefix("to=<")?.split_once(", relay=")?;
        let (to, original_to) = match head.split_once(">, orig_to=<") {
            Some((to, original)) => (to, Some(original.strip_suffix('>')?)),
            None => (head.strip_suffix('>')?, None),
        };
        let (fields, outcome) = rest.split_once(", status=")?;
        let mut fields = fields.split(", ");
        let relay = fields.next()?;
        let (mut connection_use, mut tls, mut dsn) = (None, None, None);
        for field in fields {
            match field.split_once('=')? {
                ("conn_use", count) => connection_use = Some(number(count)?),
                ("delay" | "delays", time) if is_decimal(time) => {}
                ("tls", feature) => tls = Some(feature.to_owned()),
                ("dsn", code) => dsn = Some(code.to_owned()),
                _ => return None,
            }
        }
        let (status, text) = match outcome.split_once(" (") {
            Some((status, text)) => (status, text.strip_suffix(')').unwrap_or(text)),
            None => (outcome, ""),
        };
        Some(Self {
            queue_id: queue_id.to_owned(),
            to: to.to_owned(),
            original_to: original_to.map(str::to_owned),
            relay: PeerName::parse(relay),
            connection_use,
            tls,
            dsn: dsn?,
            status: DeliveryStatus::from_word(status)?,
            text: text.to_owned(),
            problem: ClientProblem::parse(text),
        })
    }
}

/// Why the SMTP client did not deliver (`smtp_proto.c`, `smtp_connect.c`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientProblem {
    /// `SASL authentication failed; …`: what a server offers often depends on TLS.
    Authentication {
        /// As printed.
        reason: String,
    },
    /// `temporary failure. Command output: WORDS` of pipe(8): the words of a program, another mailer perhaps.
    CommandFailed {
        /// As printed.
        output: String,
    },
    /// `Cannot start TLS: handshake failure`, `Cannot start TLS: client TLS configuration problem`.
    CannotStartTls {
        /// After the colon.
        reason: String,
    },
    /// `Server certificate not trusted`, `Server certificate not verified`: the handshake was good, the policy was not met.
    CertificateNotAccepted {
        /// As printed.
        reason: String,
    },
    /// `lost connection with PEER while …`, `conversation with PEER timed out while …`.
    ConnectionLost {
        /// The server.
        peer: PeerName,
        /// Whether it was silent instead of gone.
        timeout: bool,
        /// After `while `.
        during: String,
    },
    /// `host PEER refused to talk to me: REPLY`.
    RefusedToTalk {
        /// The server.
        peer: PeerName,
        /// Its words.
        reply: String,
    },
    /// `host PEER said: REPLY (in reply to COMMAND command)`.
    Replied {
        /// The server.
        peer: PeerName,
        /// Its words, and what they answered.
        reply: String,
    },
    /// The sender asked for REQUIRETLS (RFC 8689), and it could not be had (3.11).
    RequireTls {
        /// As printed.
        reason: String,
    },
    /// `TLS is required, but host PEER refused to start TLS: REPLY`.
    StartTlsRefused {
        /// The server.
        peer: PeerName,
        /// Its words.
        reply: String,
    },
    /// `TLS is required, but was not offered by host PEER`.
    TlsRequiredNotOffered {
        /// The server.
        peer: PeerName,
    },
    /// `client TLS configuration problem`: the reason stands in a warning before it.
    TlsConfiguration {
        /// As printed.
        reason: String,
    },
    /// `TLS is required, but unavailable`, `TLS is required, but our TLS engine is unavailable`.
    TlsUnavailable {
        /// As printed.
        reason: String,
    },
    /// `TLSA lookup error for HOST:PORT`, `no TLSA records found`, `TLSA records unusable`.
    Tlsa {
        /// As printed.
        reason: String,
    },
}

impl ClientProblem {
    /// Parses the text in parentheses of a delivery line, or the rest of a line after its queue id.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(reason) = text.strip_prefix("Cannot start TLS: ") {
            return Some(Self::CannotStartTls {
                reason: reason.to_owned(),
            });
        }
        if let Some(output) = text.strip_prefix("temporary failure. Command output: ") {
            return Some(Self::CommandFailed {
                output: output.trim().to_owned(),
            });
        }
        if let Some(rest) = text.strip_prefix("TLS is required, but ") {
            return tls_required(text, rest);
        }
        if let Some(rest) = text.strip_prefix("host ") {
            return spoken(rest);
        }
        if text.starts_with("SASL authentication failed; ")
            || text.starts_with("SASL authentication failed: ")
            || text.starts_with("SASL [CACHED] authentication failed; ")
        {
            return Some(Self::Authentication {
                reason: text.to_owned(),
            });
        }
        if text.starts_with("Sender requested REQUIRETLS, but ")
            || text.starts_with("Sender requires verified TLS, ")
            || text.starts_with("REQUIRETLS policy configuration error.")
        {
            return Some(Self::RequireTls {
                reason: text.to_owned(),
            });
        }
        if text == "client TLS configuration problem" {
            return Some(Self::TlsConfiguration {
                reason: text.to_owned(),
            });
        }
        if text.starts_with("Server certificate not ")
            || text.starts_with("TLS failure: Cannot verify server ")
        {
            return Some(Self::CertificateNotAccepted {
                reason: text.to_owned(),
            });
        }
        if let Some((peer, during)) = text
            .strip_prefix("lost connection with ")
            .and_then(|rest| rest.split_once(" while "))
        {
            return lost(peer, during, false);
        }
        if let Some((peer, during)) = text
            .strip_prefix("conversation with ")
            .and_then(|rest| rest.split_once(" timed out while "))
        {
            return lost(peer, during, true);
        }
        let tlsa = text.starts_with("TLSA lookup error for ")
            || matches!(
                text,
                "no TLSA records found" | "TLSA records unusable" | "non DNSSEC destination"
            );
        tlsa.then(|| Self::Tlsa {
            reason: text.to_owned(),
        })
    }
}

fn tls_required(text: &str, rest: &str) -> Option<ClientProblem> {
    if let Some(peer) = rest.strip_prefix("was not offered by host ") {
        let peer = PeerName::parse(peer)?;
        return Some(ClientProblem::TlsRequiredNotOffered { peer });
    }
    if let Some((peer, reply)) = rest
        .strip_prefix("host ")
        .and_then(|rest| rest.split_once(" refused to start TLS: "))
    {
        return Some(ClientProblem::StartTlsRefused {
            peer: PeerName::parse(peer)?,
            reply: reply.to_owned(),
        });
    }
    (rest.ends_with("unavailable") || rest == "not available").then(|| {
        ClientProblem::TlsUnavailable {
            reason: text.to_owned(),
        }
    })
}

fn spoken(rest: &str) -> Option<ClientProblem> {
    let (peer, rest) = rest.split_once(' ')?;
    let peer = PeerName::parse(peer)?;
    if let Some(reply) = rest.strip_prefix("refused to talk to me: ") {
        let reply = reply.to_owned();
        return Some(ClientProblem::RefusedToTalk { peer, reply });
    }
    let reply = rest.strip_prefix("said: ")?.to_owned();
    Some(ClientProblem::Replied { peer, reply })
}

fn lost(peer: &str, during: &str, timeout: bool) -> Option<ClientProblem> {
    Some(ClientProblem::ConnectionLost {
        peer: PeerName::parse(peer)?,
        timeout,
        during: during.to_owned(),
    })
}

/// A line of the SMTP client (or another delivery agent) about one message.
pub(super) fn parse(text: &str) -> Option<LogEvent> {
    // `to=<` is proof enough for an id that might be a word.
    let (queue_id, rest) = split_queue_id(text).or_else(|| {
        let plain = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        text.split_once(": ")
            .filter(|(id, rest)| plain(id) && rest.starts_with("to=<"))
    })?;
    if let Some(delivery) = Delivery::parse(queue_id, rest) {
        return Some(LogEvent::Delivery(delivery));
    }
    Some(LogEvent::ClientProblem {
        queue_id: queue_id.to_owned(),
        problem: ClientProblem::parse(rest)?,
    })
}
