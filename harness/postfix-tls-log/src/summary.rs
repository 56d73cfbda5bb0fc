//! What one witness knows about one TLS session, and the words Postfix says it in.

mod key_exchange;
mod signature;

use std::fmt;

use tls_names::Version;

pub use key_exchange::KeyExchange;
pub use signature::Signature;
pub use tls_names::Side;

/// What a Postfix thinks of its peer's credentials: the first word of the summary line (`tls_log_summary`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The peer presented neither a certificate nor a raw public key.
    Anonymous,
    /// The peer's credential has no trusted issuer.
    Untrusted,
    /// The peer's certificate chain leads to a trusted issuer.
    Trusted,
    /// The peer is who the policy asked for. A Postfix server never says so.
    Verified,
}

impl Status {
    /// The status Postfix spells `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "Anonymous" => Self::Anonymous,
            "Untrusted" => Self::Untrusted,
            "Trusted" => Self::Trusted,
            "Verified" => Self::Verified,
            _ => return None,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Untrusted => "Untrusted",
            Self::Trusted => "Trusted",
            Self::Verified => "Verified",
        })
    }
}

/// Whether the Postfix that logged a line connected to its peer or was connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// `to`: the Postfix is the TLS client.
    To,
    /// `from`: the Postfix is the TLS server.
    From,
}

impl Direction {
    /// The end of the connection that the logging Postfix is.
    pub fn own_side(self) -> Side {
        match self {
            Self::To => Side::Client,
            Self::From => Side::Server,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::To => "to",
            Self::From => "from",
        })
    }
}

/// The remote end as Postfix names it: `host[address]:port`, `host[address]`, `[address]:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerName {
    /// Name before the bracket; `None` in the lines of postscreen and tlsproxy, which look none up.
    pub host: Option<String>,
    /// Text between the brackets: an IP address, or the path of a UNIX-domain socket; empty in lines of Postfix 2.2 to 2.4,
    /// which name a server and nothing else.
    pub address: String,
    /// Number after the bracket; a Postfix server does not log it.
    pub port: Option<u16>,
}

impl PeerName {
    /// Parses all of `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, rest) = text.split_once('[')?;
        let (address, tail) = rest.rsplit_once(']')?;
        let port = match tail.strip_prefix(':') {
            Some(digits) => Some(number(digits)?),
            None if tail.is_empty() => None,
            None => return None,
        };
        let plain = |c: char| !c.is_whitespace() && !matches!(c, '[' | ']');
        let sound = !address.is_empty() && address.chars().all(plain) && host.chars().all(plain);
        sound.then(|| Self {
            host: (!host.is_empty()).then(|| host.to_owned()),
            address: address.to_owned(),
            port,
        })
    }
}

impl PeerName {
    /// The same, where the name of a host alone will do (Postfix 2.2 to 2.4).
    pub fn parse_or_host(text: &str) -> Option<Self> {
        let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        Self::parse(text).or_else(|| {
            (!text.is_empty() && text.chars().all(host)).then(|| Self {
                host: Some(text.to_owned()),
                address: String::new(),
                port: None,
            })
        })
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(host), "") = (&self.host, self.address.as_str()) {
            return f.write_str(host);
        }
        write!(
            f,
            "{}[{}]",
            self.host.as_deref().unwrap_or_default(),
            self.address
        )?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// What a log line, a `Received:` header, a recording or a peer's own view knows about one TLS session.
///
/// `None` everywhere means that this witness does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSummary {
    /// What the witness thinks of its peer's credentials; Postfix 2.2 to 2.4 has no word for it.
    pub status: Option<Status>,
    /// Whether the line says `reused`: mail over an SMTP connection kept open in tlsproxy, not a resumed session.
    pub reused_connection: bool,
    /// Who connected, from the witness's point of view.
    pub direction: Option<Direction>,
    /// The remote end.
    pub peer: Option<PeerName>,
    /// The server name the client asked for. A Postfix server logs it only if `tls_server_sni_maps` has it.
    pub sni: Option<String>,
    /// The protocol version.
    pub protocol: Version,
    /// The cipher suite, by OpenSSL's name.
    pub cipher: String,
    /// Bits of the key in use.
    pub used_bits: Option<u32>,
    /// Bits the cipher was made for.
    pub algorithm_bits: Option<u32>,
    /// The key exchange. Postfix tells it for TLS 1.3 only.
    pub key_exchange: Option<KeyExchange>,
    /// The server's signature. Postfix tells it for TLS 1.3 only.
    pub server_signature: Option<Signature>,
    /// Hash under the server's signature, such as `SHA256`; Ed25519 and Ed448 have none.
    pub server_digest: Option<String>,
    /// The client's signature.
    pub client_signature: Option<Signature>,
    /// Hash under the client's signature.
    pub client_digest: Option<String>,
}

impl TlsSummary {
    /// A summary that knows the protocol and the cipher, by OpenSSL's name, and nothing else yet.
    pub fn new(protocol: Version, cipher: impl Into<String>) -> Self {
        Self {
            status: None,
            reused_connection: false,
            direction: None,
            peer: None,
            sni: None,
            protocol,
            cipher: cipher.into(),
            used_bits: None,
            algorithm_bits: None,
            key_exchange: None,
            server_signature: None,
            server_digest: None,
            client_signature: None,
            client_digest: None,
        }
    }

    /// Parses a summary line, the text after `daemon[pid]: ` (`tls_log_summary` in Postfix's `tls_misc.c`; `tls_client.c` and
    /// `tls_server.c` before 3.0; 2.2 to 3.12).
    pub fn from_log(text: &str) -> Option<Self> {
        let (status, rest) = match text.strip_prefix("TLS connection ") {
            Some(rest) => (None, rest),
            None => {
                let (status, rest) = text.split_once(" TLS connection ")?;
                (Some(Status::from_word(status)?), rest)
            }
        };
        let (usage, rest) = rest.split_once(' ')?;
        let reused_connection = match usage {
            "established" => false,
            "reused" => true,
            _ => return None,
        };
        let (direction, rest) = match rest.split_once(' ')? {
            ("to", rest) => (Direction::To, rest),
            ("from", rest) => (Direction::From, rest),
            _ => return None,
        };
        // The peer's name may hold colons (a port, an IPv6 address), but nothing in it ends in ": ".
        let (peer, session) = rest.split_once(": ")?;
        let (peer, sni) = match peer.split_once(" to ") {
            Some((peer, sni)) if direction == Direction::From => (peer, Some(sni.to_owned())),
            Some(_) => return None,
            None => (peer, None),
        };
        Some(Self {
            status,
            reused_connection,
            direction: Some(direction),
            peer: Some(match status {
                Some(_) => PeerName::parse(peer)?,
                None => PeerName::parse_or_host(peer)?,
            }),
            sni,
            ..Self::from_session(session)?
        })
    }

    /// Parses what a summary line and a `Received:` header have in common: `PROTO with cipher NAME (u/a bits)`
    /// and the TLS 1.3 words after it.
    pub fn from_session(text: &str) -> Option<Self> {
        let (protocol, rest) = text.split_once(" with cipher ")?;
        let (cipher, rest) = rest.split_once(" (")?;
        let (bits, mut rest) = rest.split_once(" bits)")?;
        let (used, algorithm) = bits.split_once('/')?;
        if cipher.is_empty() || cipher.contains(char::is_whitespace) {
            return None;
        }
        let mut summary = Self {
            used_bits: Some(number(used)?),
            algorithm_bits: Some(number(algorithm)?),
            ..Self::new(Version::from_name(protocol)?, cipher)
        };
        if let Some((value, after)) = labelled(rest, " key-exchange ") {
            summary.key_exchange = Some(KeyExchange::from_text(value));
            rest = after;
        }
        if let Some((value, after)) = labelled(rest, " server-signature ") {
            summary.server_signature = Some(Signature::from_text(value));
            rest = after;
        }
        if let Some((value, after)) = labelled(rest, " server-digest ") {
            summary.server_digest = Some(value.to_owned());
            rest = after;
        }
        if let Some((value, after)) = labelled(rest, " client-signature ") {
            summary.client_signature = Some(Signature::from_text(value));
            rest = after;
        }
        if let Some((value, after)) = labelled(rest, " client-digest ") {
            summary.client_digest = Some(value.to_owned());
            rest = after;
        }
        rest.trim_end().is_empty().then_some(summary)
    }

    /// The part from the protocol on, as it stands in a log line.
    pub fn session(&self) -> impl fmt::Display + '_ {
        Session(self)
    }
}

/// After `label`: one word and the parenthesis that may follow it; and what comes after both.
fn labelled<'a>(text: &'a str, label: &str) -> Option<(&'a str, &'a str)> {
    let value = text.strip_prefix(label)?;
    let word = value.find(' ').unwrap_or(value.len());
    let after = &value[word..];
    let end = match after.strip_prefix(" (").and_then(|inner| inner.find(')')) {
        Some(length) => word + " (".len() + length + ")".len(),
        None => word,
    };
    (word > 0).then(|| value.split_at(end))
}

/// A number written in nothing but decimal digits: `u32::from_str` alone would take a sign.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// The line as Postfix prints it; without status or peer, only the part from the protocol on.
impl fmt::Display for TlsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(status), Some(direction), Some(peer)) =
            (self.status, self.direction, &self.peer)
        {
            let usage = if self.reused_connection {
                "reused"
            } else {
                "established"
            };
            write!(f, "{status} TLS connection {usage} {direction} {peer}")?;
            if let (Some(sni), Direction::From) = (&self.sni, direction) {
                write!(f, " to {sni}")?;
            }
            f.write_str(": ")?;
        }
        self.session().fmt(f)
    }
}

struct Session<'a>(&'a TlsSummary);

impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(summary) = self;
        write!(f, "{} with cipher {}", summary.protocol, summary.cipher)?;
        if let (Some(used), Some(algorithm)) = (summary.used_bits, summary.algorithm_bits) {
            write!(f, " ({used}/{algorithm} bits)")?;
        }
        let words: [(&str, Option<&str>); 5] = [
            (
                "key-exchange",
                summary.key_exchange.as_ref().map(|it| it.text.as_str()),
            ),
            (
                "server-signature",
                summary.server_signature.as_ref().map(|it| it.text.as_str()),
            ),
            ("server-digest", summary.server_digest.as_deref()),
            (
                "client-signature",
                summary.client_signature.as_ref().map(|it| it.text.as_str()),
            ),
            ("client-digest", summary.client_digest.as_deref()),
        ];
        for (label, value) in words {
            if let Some(value) = value {
                write!(f, " {label} {value}")?;
            }
        }
        Ok(())
    }
}
