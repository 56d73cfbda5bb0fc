use std::fmt;

use super::Side;
use crate::names::{Version, extension_name};

/// Something a peer did that a handshake survives but that is not as it should be, or not as one would expect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Irregularity {
    /// An alert was cut across two records (allowed up to TLS 1.2, but hardly ever done).
    AlertInPieces,
    /// A record held more than one alert.
    AlertsInOneRecord,
    /// A value stands more than once in the list of an extension.
    DoubledEntry {
        /// Code point of the extension.
        extension: u16,
        /// The value.
        value: u16,
    },
    /// The extension block is there and has no extension in it.
    EmptyExtensionBlock,
    /// The list of an extension has no entry, although the RFC asks for one.
    EmptyList {
        /// Code point of the extension.
        extension: u16,
    },
    /// A record without content.
    EmptyRecord,
    /// The server asked to renegotiate, in or after the handshake.
    HelloRequest,
    /// The premaster secret names another version than the ClientHello (RFC 5246 section 7.4.7.1).
    PremasterVersion {
        /// What it names.
        found: Version,
        /// What the ClientHello offers.
        offered: Version,
    },
    /// The premaster secret does not decrypt to 48 bytes.
    PremasterUnreadable,
    /// A record's header names another version than it should: the one negotiated, or before that, that of the first
    /// record.
    RecordVersion {
        /// What it names.
        found: Version,
        /// What was expected.
        expected: Version,
    },
    /// A session whose master secret was bound to its handshake was presented without `extended_master_secret`
    /// (RFC 7627 section 5.3).
    ResumptionWithoutExtendedMasterSecret,
    /// A session was presented with another server name than that of its handshake (RFC 6066 section 3).
    ResumptionWithOtherName {
        /// The name of the handshake in which the session began.
        first: Option<String>,
        /// The name now.
        now: Option<String>,
    },
    /// The ClientHello came in the format of SSL 2.0 (RFC 5246 appendix E.2).
    Sslv2Hello,
}

/// As in the sentence "the client sent …".
impl fmt::Display for Irregularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |code: u16| match extension_name(code) {
            Some(name) => name.to_owned(),
            None => format!("extension {code}"),
        };
        let host = |name: &Option<String>| match name {
            Some(name) => format!("{name:?}"),
            None => "no name".to_owned(),
        };
        match self {
            Self::AlertInPieces => f.write_str("an alert cut across two records"),
            Self::AlertsInOneRecord => f.write_str("more than one alert in a record"),
            Self::DoubledEntry { extension, value } => {
                write!(f, "{} with 0x{value:04x} more than once", name(*extension))
            }
            Self::EmptyExtensionBlock => f.write_str("an extension block without extensions"),
            Self::EmptyList { extension } => write!(f, "{} with an empty list", name(*extension)),
            Self::EmptyRecord => f.write_str("a record without content"),
            Self::HelloRequest => f.write_str("a HelloRequest"),
            Self::PremasterVersion { found, offered } => write!(
                f,
                "a premaster secret for {found}, having offered {offered}"
            ),
            Self::PremasterUnreadable => {
                f.write_str("a premaster secret that does not decrypt to 48 bytes")
            }
            Self::RecordVersion { found, expected } => {
                write!(f, "a record that says {found} where {expected} is due")
            }
            Self::ResumptionWithoutExtendedMasterSecret => f.write_str(
                "a session with an extended master secret, but no extended_master_secret",
            ),
            Self::ResumptionWithOtherName { first, now } => write!(
                f,
                "a session that began with {}, now with {}",
                host(first),
                host(now)
            ),
            Self::Sslv2Hello => f.write_str("a ClientHello in the format of SSL 2.0"),
        }
    }
}

/// Most irregularities kept; a peer that never stops must not fill the memory.
const LIMIT: usize = 64;

/// Notes `irregularity` of `side` unless it was noted before.
pub(crate) fn note(list: &mut Vec<(Side, Irregularity)>, side: Side, irregularity: Irregularity) {
    let entry = (side, irregularity);
    if list.len() < LIMIT && !list.contains(&entry) {
        list.push(entry);
    }
}

/// What is odd about the list of the extension `extension`.
pub(super) fn of_list<T>(
    extension: u16,
    values: &[T],
    code: impl Fn(&T) -> u16,
) -> Vec<Irregularity> {
    if values.is_empty() {
        return vec![Irregularity::EmptyList { extension }];
    }
    let mut seen = std::collections::HashSet::new();
    values
        .iter()
        .map(code)
        .find(|value| !seen.insert(*value))
        .map(|value| Irregularity::DoubledEntry { extension, value })
        .into_iter()
        .collect()
}
