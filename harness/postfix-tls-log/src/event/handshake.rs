//! Handshakes and certificates that failed.

use std::fmt;

use crate::summary::{PeerName, Side, number};

/// The OpenSSL call that Postfix reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SslOperation {
    /// `SSL_accept`: the logging Postfix is the server.
    Accept,
    /// `SSL_connect`: the logging Postfix is the client.
    Connect,
}

impl SslOperation {
    /// The end that the logging Postfix is.
    pub fn side(self) -> Side {
        match self {
            Self::Accept => Side::Server,
            Self::Connect => Side::Client,
        }
    }
}

/// Why the call failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SslErrorDetail {
    /// `lost connection`: the peer closed without a word.
    LostConnection,
    /// A number, always -1 in practice: OpenSSL's error stack follows in lines of its own.
    Code(i32),
    /// The text of an `errno`, such as `Connection reset by peer`.
    System(String),
}

impl fmt::Display for SslErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostConnection => f.write_str("lost connection"),
            Self::Code(code) => write!(f, "{code}"),
            Self::System(text) => f.write_str(text),
        }
    }
}

/// `SSL_accept error from PEER: DETAIL`, `SSL_connect error to PEER: DETAIL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SslError {
    /// The call.
    pub operation: SslOperation,
    /// The other end.
    pub peer: PeerName,
    /// Why it failed.
    pub detail: SslErrorDetail,
}

impl SslError {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (operation, rest) = if let Some(rest) = text.strip_prefix("SSL_accept error from ") {
            (SslOperation::Accept, rest)
        } else {
            (
                SslOperation::Connect,
                text.strip_prefix("SSL_connect error to ")?,
            )
        };
        let (peer, detail) = rest.split_once(": ")?;
        Some(Self {
            operation,
            peer: PeerName::parse_or_host(peer)?,
            detail: match detail {
                "lost connection" => SslErrorDetail::LostConnection,
                other => match other.parse() {
                    Ok(code) => SslErrorDetail::Code(code),
                    Err(_) => SslErrorDetail::System(other.to_owned()),
                },
            },
        })
    }
}

/// `[server |client |CA ]certificate verification failed for PEER: REASON` (`tls_verify.c`), and the three forms of Postfix 2.2
/// to 2.4: `certificate verification failed for HOST:REASON`, `certificate peer name verification failed for HOST: REASON`,
/// `Server certificate could not be verified for HOST: REASON`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateVerification {
    /// Whose certificate failed: what the line says, else the opposite of the daemon's side.
    pub certificate_of: Option<Side>,
    /// Whether the certificate that failed stands above the peer's own in the chain (`CA`, depth > 0).
    pub of_ca: bool,
    /// The other end.
    pub peer: PeerName,
    /// OpenSSL's `X509_V_ERR_…` number, where printed.
    pub number: Option<u32>,
    /// The subject of an untrusted issuer, as `/CN=…`.
    pub issuer: Option<String>,
    /// `untrusted issuer`, `self-signed certificate`, `hostname mismatch`, `certificate has expired`, as printed.
    pub reason: String,
}

impl CertificateVerification {
    pub(super) fn parse(text: &str, seen_by: Option<Side>) -> Option<Self> {
        let (purpose, rest) = if let Some((purpose, rest)) =
            text.split_once("certificate verification failed for ")
        {
            (purpose, rest)
        } else if let Some(rest) =
            text.strip_prefix("certificate peer name verification failed for ")
        {
            ("server ", rest)
        } else {
            (
                "server ",
                text.strip_prefix("Server certificate could not be verified for ")?,
            )
        };
        let certificate_of = match purpose {
            "server " => Some(Side::Server),
            "client " => Some(Side::Client),
            "" | "CA " => seen_by.map(Side::other),
            _ => return None,
        };
        let (peer, reason) = match rest.split_once(": ") {
            Some((peer, reason)) if !peer.contains(' ') || peer.starts_with("nexthop=") => {
                (peer, reason)
            }
            // Postfix 2.2 to 2.4 leave the blank out.
            _ => rest.split_once(':')?,
        };
        // `nexthop=NAME, host=NAME` (2.3, 2.4).
        let peer = peer.rsplit_once(", host=").map_or(peer, |(_, host)| host);
        let (number, reason) = match reason
            .strip_prefix("num=")
            .and_then(|rest| rest.split_once(':'))
        {
            Some((digits, reason)) => (number(digits), reason),
            None => (None, reason),
        };
        let (reason, issuer) = match reason.strip_prefix("untrusted issuer ") {
            Some(issuer) => ("untrusted issuer", Some(issuer.to_owned())),
            None => (reason, None),
        };
        Some(Self {
            certificate_of,
            of_ca: purpose == "CA ",
            peer: PeerName::parse_or_host(peer)
                // 3.6 and later: `PEER:NAME: num=…`
                .or_else(|| PeerName::parse(peer.rsplit_once(':')?.0))?,
            number,
            issuer,
            reason: reason.to_owned(),
        })
    }
}
