//! The queue's bookkeeping around a delivery.

use crate::summary::{PeerName, number};

/// A line of cleanup, qmgr, pickup, bounce or smtpd about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEvent {
    /// The message.
    pub queue_id: String,
    /// What happened to it.
    pub action: QueueAction,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueAction {
    /// `from=<s>, size=1, nrcpt=1 (queue active)`.
    Active {
        /// The envelope sender.
        sender: String,
    },
    /// `sender non-delivery notification: Q` and its kin.
    Notification {
        /// The queue id of the notification.
        queue_id: String,
    },
    /// `client=PEER[, …]`.
    Client {
        /// Where the message came from.
        peer: PeerName,
    },
    /// `message-id=<…>`.
    MessageId(String),
    /// `uid=0 from=<s>`.
    Pickup,
    /// `removed`, `removed (canceled)`.
    Removed,
}

impl QueueEvent {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.split_once(": ")?;
        is_queue_id(id).then_some(())?;
        let action = if matches!(rest, "removed" | "removed (canceled)") {
            QueueAction::Removed
        } else if let Some(id) = rest
            .strip_prefix("message-id=")
            .or_else(|| rest.strip_prefix("resent-message-id="))
        {
            QueueAction::MessageId(id.to_owned())
        } else if let Some(client) = rest.strip_prefix("client=") {
            let peer = client.split(", ").next().and_then(PeerName::parse)?;
            QueueAction::Client { peer }
        } else if let Some(from) = rest.strip_prefix("from=<") {
            let (sender, _) = from
                .rsplit_once(">, size=")
                .or_else(|| from.rsplit_once(">, status="))?;
            QueueAction::Active {
                sender: sender.to_owned(),
            }
        } else if rest.starts_with("uid=") {
            QueueAction::Pickup
        } else {
            let (kind, id) = rest.split_once(" notification: ")?;
            if !kind.starts_with("sender ") && !kind.starts_with("postmaster ") {
                return None;
            }
            QueueAction::Notification {
                queue_id: id.to_owned(),
            }
        };
        Some(Self {
            queue_id: id.to_owned(),
            action,
        })
    }
}

/// Whether `text` is a queue id: five or more hexadecimal digits in upper case (the time's microseconds, then the inode),
/// or the long form (`enable_long_queue_ids`), six characters of time, four of microseconds, `z`, the inode, in base 51 or 52
/// without vowels.
pub fn is_queue_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    let short = (6..=20).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b))
        // A short one without a digit may be a word; the longer, the rarer.
        && (bytes.len() >= 9 || bytes.iter().any(u8::is_ascii_digit));
    let long = (12..=24).contains(&bytes.len())
        && bytes.get(10) == Some(&b'z')
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && !bytes.iter().any(|b| b"aeiouAEIOU".contains(b));
    short || long
}

/// Splits `Q: TEXT`.
pub(super) fn split_queue_id(text: &str) -> Option<(&str, &str)> {
    text.split_once(": ").filter(|(id, _)| is_queue_id(id))
}

/// A duration or count in decimal notation, such as `0.04` or `0.01/0.03/0/0`: digits, points and slashes.
pub(super) fn is_decimal(text: &str) -> bool {
    text.split(['/', '.'])
        .all(|part| number::<u64>(part).is_some())
}
