//! What can go wrong with a connection, and the alert that tells the peer.

use std::time::Duration;

use crate::names::{AlertDescription, CipherSuite, NamedGroup, SignatureScheme, Version};
use crate::wire::{AlertLevel, HandshakeType, Side, WireError};

/// Why a connection failed. Who is at fault follows from the variant's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer sent a fatal alert.
    #[error("the {side} sent the {level} alert {description}")]
    AlertReceived {
        /// Who sent it: the other end.
        side: Side,
        /// Its level.
        level: AlertLevel,
        /// Its meaning.
        description: AlertDescription,
    },
    /// A Finished message does not match the handshake.
    #[error(
        "the {side}'s Finished does not match the handshake: keys differ or a message was changed"
    )]
    BadFinished {
        /// Who sent it.
        side: Side,
    },
    /// The server's Diffie-Hellman prime or generator is unusable.
    #[error("the server's Diffie-Hellman group is unusable: {what}")]
    BadGroup {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A certificate or the key in it cannot be used.
    #[error("the {side}'s certificate: {what}")]
    BadCertificate {
        /// Whose certificate.
        side: Side,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A public value that gives the shared secret away.
    #[error("the {side}'s public value is unusable: {what}")]
    BadPublicValue {
        /// Who sent it.
        side: Side,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A protected record does not open.
    #[error("a record from the {side} does not open: wrong keys, or changed on the way")]
    BadRecord {
        /// Who sent it.
        side: Side,
    },
    /// A signature does not verify.
    #[error("the {side}'s signature ({scheme}) does not verify with the key in its certificate")]
    BadSignature {
        /// Who signed.
        side: Side,
        /// How; up to TLS 1.1 the nearest scheme of TLS 1.2.
        scheme: SignatureScheme,
    },
    /// The client requires a larger prime.
    #[error("the server's prime has {bits} bits, at least {minimum} are required")]
    PrimeTooSmall {
        /// Bits of the prime.
        bits: usize,
        /// The least that is accepted.
        minimum: usize,
    },
    /// The client presented no certificate although the server requires one.
    #[error("the client presented no certificate, and the server requires one")]
    CertificateRequired,
    /// The configuration contradicts itself.
    #[error("the configuration cannot work: {what}")]
    Configuration {
        /// What to change.
        what: &'static str,
    },
    /// The connection was closed in the middle of a handshake.
    #[error("the {side} closed the connection during the handshake, while {awaited} was awaited")]
    Closed {
        /// Who closed it: the other end.
        side: Side,
        /// What was awaited.
        awaited: &'static str,
    },
    /// The handshake took too long.
    #[error("the handshake was not complete after {after:?}, while {awaited} was awaited")]
    Deadline {
        /// The time allowed.
        after: Duration,
        /// What was awaited.
        awaited: &'static str,
    },
    /// The client retried with a lower version than the server speaks (RFC 7507).
    #[error("the client signals a fallback to {offered}, but the server speaks {highest}")]
    InappropriateFallback {
        /// What the client offers.
        offered: Version,
        /// What the server has.
        highest: Version,
    },
    /// Reading or writing failed, kept as text.
    #[error("the connection failed: {reason}")]
    Io {
        /// The operating system's reason.
        reason: String,
    },
    /// Bytes that are no record or message.
    #[error("malformed bytes from the {side}: {error}")]
    Malformed {
        /// Who sent them.
        side: Side,
        /// What is wrong.
        error: WireError,
    },
    /// Client and server have no cipher suite in common that the server's keys and parameters allow.
    #[error("no common cipher suite: the client offers {offered}, the server has {configured}")]
    NoCommonSuite {
        /// Suites the client offers.
        offered: usize,
        /// Suites the server is configured for.
        configured: usize,
    },
    /// Client and server have no protocol version in common.
    #[error(
        "no common version: the client offers up to {offered}, the server speaks {lowest} to {highest}"
    )]
    NoCommonVersion {
        /// The highest the client offers.
        offered: Version,
        /// The server's lowest.
        lowest: Version,
        /// The server's highest.
        highest: Version,
    },
    /// The operating system yields no random bytes.
    #[error("the operating system yields no random bytes")]
    NoRandom,
    /// The connection is closed or has failed before.
    #[error("the connection is not open")]
    NotOpen,
    /// A message the state of the handshake does not allow.
    #[error("unexpected {found} from the {side}, {awaited} was awaited")]
    Unexpected {
        /// Who sent it.
        side: Side,
        /// What came.
        found: String,
        /// What was awaited.
        awaited: &'static str,
    },
    /// The server chose an extension the client did not offer.
    #[error("the server answers extension {code}, which the client did not offer")]
    UnofferedExtension {
        /// Its code point.
        code: u16,
    },
    /// The peer chose a group that was not offered or that this crate does not implement.
    #[error("the {side} chose group {group}, which was not offered")]
    UnofferedGroup {
        /// Who chose.
        side: Side,
        /// The group.
        group: NamedGroup,
    },
    /// The peer signed with a scheme that was not offered, or that does not go with its key.
    #[error("the {side} signed with {scheme}, which was not offered or does not go with its key")]
    UnofferedScheme {
        /// Who signed.
        side: Side,
        /// The scheme.
        scheme: SignatureScheme,
    },
    /// The server chose a suite the client did not offer, or one that does not exist in the version chosen.
    #[error("the server chose suite {suite}, which was not offered for {version}")]
    UnofferedSuite {
        /// The suite.
        suite: CipherSuite,
        /// The version chosen.
        version: Version,
    },
    /// The server chose a version outside the client's range.
    #[error("the server chose {version}, the client offered {lowest} to {highest}")]
    UnofferedVersion {
        /// The version.
        version: Version,
        /// The client's lowest.
        lowest: Version,
        /// The client's highest.
        highest: Version,
    },
    /// The server chose a suite that was offered but that this crate only knows by its code point.
    #[error("the server chose suite {suite}, which was offered but is not implemented")]
    UnspokenSuite {
        /// The suite.
        suite: CipherSuite,
    },
    /// The server's answer to renegotiation_info or to a resumption contradicts the client's.
    #[error("the {side} contradicts itself: {what}")]
    Contradiction {
        /// Who.
        side: Side,
        /// How.
        what: &'static str,
    },
}

impl Error {
    /// The alert this end sends for the error; `None` where there is nobody to tell or nothing to say.
    pub fn alert(&self) -> Option<AlertDescription> {
        Some(match self {
            Self::AlertReceived { .. } | Self::Closed { .. } | Self::Io { .. } | Self::NotOpen => {
                return None;
            }
            Self::BadCertificate { .. } => AlertDescription::BAD_CERTIFICATE,
            Self::BadFinished { .. } | Self::BadSignature { .. } => AlertDescription::DECRYPT_ERROR,
            Self::BadGroup { .. }
            | Self::BadPublicValue { .. }
            | Self::UnofferedGroup { .. }
            | Self::UnofferedScheme { .. }
            | Self::UnofferedSuite { .. } => AlertDescription::ILLEGAL_PARAMETER,
            Self::BadRecord { .. } => AlertDescription::BAD_RECORD_MAC,
            Self::PrimeTooSmall { .. } => AlertDescription::INSUFFICIENT_SECURITY,
            Self::CertificateRequired
            | Self::Contradiction { .. }
            | Self::NoCommonSuite { .. }
            | Self::UnspokenSuite { .. } => AlertDescription::HANDSHAKE_FAILURE,
            Self::Deadline { .. } => AlertDescription::USER_CANCELED,
            Self::InappropriateFallback { .. } => AlertDescription::INAPPROPRIATE_FALLBACK,
            Self::Malformed { error, .. } => match error {
                WireError::TooLarge {
                    what: "the record", ..
                } => AlertDescription::RECORD_OVERFLOW,
                _ => AlertDescription::DECODE_ERROR,
            },
            Self::NoCommonVersion { .. } | Self::UnofferedVersion { .. } => {
                AlertDescription::PROTOCOL_VERSION
            }
            Self::Configuration { .. } | Self::NoRandom => AlertDescription::INTERNAL_ERROR,
            Self::Unexpected { .. } => AlertDescription::UNEXPECTED_MESSAGE,
            Self::UnofferedExtension { .. } => AlertDescription::UNSUPPORTED_EXTENSION,
        })
    }

    /// Makes an error of `side` out of one of its message.
    pub(crate) fn malformed(side: Side) -> impl Fn(WireError) -> Self + Copy {
        move |error| Self::Malformed { side, error }
    }

    pub(crate) fn unexpected(side: Side, found: HandshakeType, awaited: &'static str) -> Self {
        Self::Unexpected {
            side,
            found: found.name().to_owned(),
            awaited,
        }
    }
}
