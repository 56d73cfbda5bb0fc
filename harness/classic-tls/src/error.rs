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
    #[error(
        "no common cipher suite: the client offers {offered}, the server has {configured}{}",
        fallen_out(.last.as_ref())
    )]
    NoCommonSuite {
        /// Suites the client offers.
        offered: usize,
        /// Suites the server is configured for.
        configured: usize,
        /// The last suite that both have, and why it was not chosen; `None` if there is none.
        last: Option<(CipherSuite, Obstacle)>,
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
    /// The peer chose a group that was not offered.
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
    /// The server chose a group that was offered but that this crate only knows by its code point.
    #[error("the server chose group {group}, which was offered but is not implemented here")]
    UnspokenGroup {
        /// The group.
        group: NamedGroup,
    },
    /// A certificate holds a well-formed key of a kind this crate cannot use.
    #[error("the {side}'s certificate has a key that is not implemented here: {key}")]
    UnspokenKey {
        /// Whose certificate.
        side: Side,
        /// The kind of key, such as `ECDSA on brainpoolP512r1`.
        key: String,
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

/// Why a server does not choose a suite that both ends have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The suite is anonymous, and the server asks for a client certificate (RFC 5246 section 7.4.4).
    ClientCertificateAsked,
    /// The certificate's curve is none of the groups the client offers (RFC 8422 section 5.1).
    CurveNotOffered(NamedGroup),
    /// The kind of key in the certificate came with TLS 1.2.
    KeyNeedsTls12,
    /// The server has no certificate with a key for the suite.
    NoCertificate,
    /// No group is in both lists.
    NoCommonGroup,
    /// No signature scheme is in both lists and goes with the server's key.
    NoCommonScheme,
    /// The server has no Diffie-Hellman parameters.
    NoDhParameters,
    /// The client offers groups of RFC 7919, but none that the server has.
    NoFfdheGroup,
    /// This crate only knows the suite by its code point.
    NotImplemented,
    /// The suite needs TLS 1.2, and an older version was agreed on.
    NeedsTls12,
}

/// As in the sentence "… falls out because …".
impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::ClientCertificateAsked => {
                "it is anonymous, and a client certificate is to be asked for"
            }
            Self::CurveNotOffered(curve) => {
                return write!(
                    f,
                    "the client does not offer the curve of the certificate, {curve}"
                );
            }
            Self::KeyNeedsTls12 => "the key in the certificate needs TLS 1.2",
            Self::NoCertificate => "the server has no certificate for it",
            Self::NoCommonGroup => "client and server have no group in common",
            Self::NoCommonScheme => {
                "client and server have no signature scheme in common that goes with the key"
            }
            Self::NoDhParameters => "the server has no Diffie-Hellman parameters",
            Self::NoFfdheGroup => {
                "the client offers groups of RFC 7919, but none that the server has"
            }
            Self::NotImplemented => "it is not implemented here",
            Self::NeedsTls12 => "it needs TLS 1.2",
        };
        f.write_str(text)
    }
}

fn fallen_out(last: Option<&(CipherSuite, Obstacle)>) -> String {
    match last {
        Some((suite, obstacle)) => {
            format!("; the last in common, {suite}, falls out because {obstacle}")
        }
        None => String::new(),
    }
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
            // Nobody is to blame for what is not implemented here.
            Self::UnspokenGroup { .. } => AlertDescription::HANDSHAKE_FAILURE,
            Self::UnspokenKey { .. } => AlertDescription::UNSUPPORTED_CERTIFICATE,
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
