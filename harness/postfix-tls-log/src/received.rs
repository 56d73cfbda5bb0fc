//! The `Received:` header that a Postfix server puts on a message, and what it says about TLS.
//!
//! `smtpd_tls_received_header = yes` adds two comments to it: the session and the client's certificate.

mod tokens;

use std::fmt;

use tokens::{Token, Tokens, unfold};

use super::summary::{Direction, PeerName, Status, TlsSummary};

/// More than any message has (`hopcount_limit` is 50 by default); what follows is not looked at.
const MOST_HEADERS: usize = 1_000;
/// Longer headers are cut: Postfix itself stops at `header_size_limit`, 102,400 bytes.
const LONGEST_HEADER: usize = 102_400;

/// What the header says about the client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// `No client certificate requested`.
    NotRequested,
    /// `Client did not present a certificate`.
    NotPresented,
    /// `Client CN "…", Issuer "…" (verified OK|not verified)`.
    Presented {
        /// Common name of the subject; Postfix replaces backslashes, non-ASCII and unbalanced parentheses by `?`.
        cn: String,
        /// Common name of the issuer.
        issuer: String,
        /// Whether the chain leads to a trusted issuer.
        verified: bool,
    },
    /// `Client RPK sha256 digest AA:BB:…` (3.9 and later).
    RawPublicKey {
        /// `smtpd_tls_fingerprint_digest`.
        digest: String,
        /// In hexadecimal with colons.
        fingerprint: String,
    },
}

impl ClientCertificate {
    /// Parses the text between the parentheses.
    pub fn from_comment(text: &str) -> Option<Self> {
        match text {
            "No client certificate requested" => return Some(Self::NotRequested),
            "Client did not present a certificate" => return Some(Self::NotPresented),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix("Client RPK ") {
            let (digest, fingerprint) = rest.split_once(" digest ")?;
            return Some(Self::RawPublicKey {
                digest: digest.to_owned(),
                fingerprint: fingerprint.to_owned(),
            });
        }
        let (cn, rest) = text
            .strip_prefix("Client CN \"")?
            .rsplit_once("\", Issuer \"")?;
        let (issuer, verified) = match rest.strip_suffix("\" (verified OK)") {
            Some(issuer) => (issuer, true),
            None => (rest.strip_suffix("\" (not verified)")?, false),
        };
        Some(Self::Presented {
            cn: cn.to_owned(),
            issuer: issuer.to_owned(),
            verified,
        })
    }

    /// The word that Postfix logs for the same session.
    pub fn status(&self) -> Status {
        match self {
            Self::NotRequested | Self::NotPresented => Status::Anonymous,
            Self::Presented { verified: true, .. } => Status::Trusted,
            Self::Presented { .. } | Self::RawPublicKey { .. } => Status::Untrusted,
        }
    }
}

impl fmt::Display for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRequested => f.write_str("No client certificate requested"),
            Self::NotPresented => f.write_str("Client did not present a certificate"),
            Self::Presented {
                cn,
                issuer,
                verified,
            } => {
                let word = if *verified {
                    "verified OK"
                } else {
                    "not verified"
                };
                write!(f, "Client CN \"{cn}\", Issuer \"{issuer}\" ({word})")
            }
            Self::RawPublicKey {
                digest,
                fingerprint,
            } => write!(f, "Client RPK {digest} digest {fingerprint}"),
        }
    }
}

/// What a header says of how its message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport<'a> {
    /// In TLS: Postfix's own comment says how.
    Session(&'a TlsSummary),
    /// In TLS, by a comment that is not Postfix's; its words.
    TlsNotUnderstood(&'a str),
    /// In TLS, by the protocol's name (`ESMTPS`, RFC 3848); the header says no more (`smtpd_tls_received_header = no`).
    TlsWithoutDetails,
    /// Nothing: it may have come in plain text, or the server does not say (Postfix before 2.5 and many others write `ESMTP`
    /// for a session in TLS too).
    NotSaid,
}

/// One `Received:` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// What the client called itself; `None` with `smtpd_hide_client_session`.
    pub helo: Option<String>,
    /// The client as the server knows it, such as `unknown[127.0.0.1]`.
    pub client: Option<PeerName>,
    /// The TLS session in Postfix's own words; `None` proves nothing, see [`transport`](Self::transport).
    pub tls: Option<TlsSummary>,
    /// A comment about TLS that is not Postfix's, such as `version=TLS1_3 cipher=… bits=256/256`.
    pub other_tls: Option<String>,
    /// The client's certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// `Authenticated sender: …`.
    pub authenticated_sender: Option<String>,
    /// The server's name.
    pub by: Option<String>,
    /// The server's `mail_name`, such as `Postfix`.
    pub software: Option<String>,
    /// The protocol: `ESMTP`, `ESMTPS`, `ESMTPSA` (RFC 3848).
    pub with: Option<String>,
    /// The queue id.
    pub id: Option<String>,
    /// The only recipient.
    pub recipient: Option<String>,
    /// As printed.
    pub date: Option<String>,
}

impl Received {
    /// The newest one in `headers`, the part of a message before the first empty line, or all of it.
    pub fn topmost(headers: &str) -> Option<Self> {
        Self::nth(headers, 0)
    }

    /// The one below `n` newer ones.
    pub fn nth(headers: &str, n: usize) -> Option<Self> {
        let text = texts(headers).nth(n)?;
        Self::parse(&text)
    }

    /// All of them, newest first; those that no Postfix wrote are left out.
    pub fn all(headers: &str) -> Vec<Self> {
        texts(headers)
            .filter_map(|text| Self::parse(&text))
            .collect()
    }

    /// What it says of how the message came.
    pub fn transport(&self) -> Transport<'_> {
        if let Some(session) = &self.tls {
            return Transport::Session(session);
        }
        if let Some(comment) = &self.other_tls {
            return Transport::TlsNotUnderstood(comment);
        }
        match self.with.as_deref() {
            Some(with) if is_secure(with) => Transport::TlsWithoutDetails,
            _ => Transport::NotSaid,
        }
    }

    /// Parses one header, folded, folded anew or not, with or without its name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut end = text.len().min(LONGEST_HEADER);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let body = match text[..end].split_once(':') {
            Some((name, body)) if name.eq_ignore_ascii_case("Received") => body,
            _ => &text[..end],
        };
        let mut received = Self::default();
        let mut keyword = "";
        for token in Tokens::new(body) {
            match token {
                Token::Date(date) => received.date = Some(date.to_owned()),
                Token::Comment(comment) => received.comment(keyword, &unfold(comment)),
                Token::Word(word @ ("from" | "by" | "with" | "id" | "for")) => keyword = word,
                Token::Word(word) => {
                    let field = match keyword {
                        "from" => &mut received.helo,
                        "by" => &mut received.by,
                        "with" => &mut received.with,
                        "id" => &mut received.id,
                        "for" => &mut received.recipient,
                        _ => return None,
                    };
                    if field.is_none() {
                        let word = word
                            .strip_prefix('<')
                            .and_then(|word| word.strip_suffix('>'))
                            .unwrap_or(word);
                        *field = Some(word.to_owned());
                    }
                }
            }
        }
        received.complete_tls();
        // A report may have cut the end off, the date with it.
        let sure =
            received.date.is_some() || received.tls.is_some() || received.other_tls.is_some();
        (received.by.is_some() && sure).then_some(received)
    }

    fn comment(&mut self, keyword: &str, text: &str) {
        match keyword {
            "by" if self.software.is_none() => {
                self.other(text);
                self.software = Some(text.to_owned());
            }
            "from" => {
                let session = text
                    .strip_prefix("using ")
                    .and_then(TlsSummary::from_session);
                if session.is_some() && self.tls.is_none() {
                    self.tls = session;
                } else if let Some(sender) = text.strip_prefix("Authenticated sender: ") {
                    self.authenticated_sender = Some(sender.to_owned());
                } else if let Some(certificate) = ClientCertificate::from_comment(text) {
                    self.client_certificate = Some(certificate);
                } else {
                    let client = client(text);
                    let known = client.is_some();
                    if self.client.is_none() {
                        self.client = client;
                    }
                    if !known {
                        self.other(text);
                    }
                }
            }
            _ => self.other(text),
        }
    }

    /// A comment that is none of Postfix's.
    fn other(&mut self, text: &str) {
        let of_tls = text.starts_with("using ")
            || text.contains("TLS")
            || text.contains("SSL")
            || text.contains("cipher")
            || text.contains("encrypted");
        if of_tls && self.other_tls.is_none() {
            self.other_tls = Some(text.to_owned());
        }
    }

    /// What the other comments say about the session.
    fn complete_tls(&mut self) {
        let Some(tls) = &mut self.tls else { return };
        tls.direction = Some(Direction::From);
        tls.peer.clone_from(&self.client);
        tls.status = self
            .client_certificate
            .as_ref()
            .map(ClientCertificate::status);
        if let (Some(ClientCertificate::RawPublicKey { .. }), Some(signature)) =
            (&self.client_certificate, &mut tls.client_signature)
        {
            signature.raw_public_key = true;
        }
    }
}

/// As Postfix lays it out, without a newline at the end (`smtpd.c`).
impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Received: ")?;
        if let Some(helo) = &self.helo {
            write!(f, "from {helo}")?;
            if let Some(client) = &self.client {
                let host = client.host.as_deref().unwrap_or_default();
                let literal = if client.address.contains(':') {
                    "IPv6:"
                } else {
                    ""
                };
                write!(f, " ({host} [{literal}{}])", client.address)?;
            }
            f.write_str("\n\t")?;
        }
        if let Some(tls) = &self.tls {
            let session = tls
                .session()
                .to_string()
                .replacen(" key-exchange ", "\n\t key-exchange ", 1)
                .replacen(" client-signature ", "\n\t client-signature ", 1);
            write!(f, "(using {session})\n\t")?;
        }
        if let Some(certificate) = &self.client_certificate {
            write!(f, "({certificate})\n\t")?;
        }
        if let Some(sender) = &self.authenticated_sender {
            write!(f, "(Authenticated sender: {sender})\n\t")?;
        }
        write!(f, "by {}", self.by.as_deref().unwrap_or_default())?;
        if let Some(software) = &self.software {
            write!(f, " ({software})")?;
        }
        for (keyword, value) in [("with", &self.with), ("id", &self.id)] {
            if let Some(value) = value {
                write!(f, " {keyword} {value}")?;
            }
        }
        let date = self.date.as_deref().unwrap_or_default();
        match &self.recipient {
            Some(recipient) => write!(f, "\n\tfor <{recipient}>; {date}"),
            None => write!(f, "; {date}"),
        }
    }
}

/// Whether a protocol of RFC 3848, RFC 6531 or IANA's registry of mail transmission types means TLS: `ESMTPS`, `ESMTPSA`, `LMTPS`,
/// `UTF8SMTPSA`; also Exim's lower case, `smtps`, and `HTTPS`.
fn is_secure(with: &str) -> bool {
    let with = with.to_ascii_uppercase();
    let with = with.strip_suffix('A').unwrap_or(&with);
    with.ends_with("TPS")
}

/// `NAME [ADDRESS]`, the address with `IPv6:` before it if it is one.
fn client(text: &str) -> Option<PeerName> {
    let (host, rest) = match text.split_once(" [") {
        Some(parts) => parts,
        None => ("", text.strip_prefix('[')?),
    };
    let address = rest.strip_suffix(']')?;
    let address = address.strip_prefix("IPv6:").unwrap_or(address);
    PeerName::parse(&format!("{host}[{address}]"))
}

/// The headers named `Received`, folded as they are.
fn texts(headers: &str) -> impl Iterator<Item = String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in headers.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let (true, Some(text)) = (inside, found.last_mut()) {
                text.push('\n');
                text.push_str(line);
            }
            continue;
        }
        inside = line
            .split_once(':')
            .is_some_and(|(name, _)| name.eq_ignore_ascii_case("Received"));
        if inside {
            if found.len() == MOST_HEADERS {
                break;
            }
            found.push(line.to_owned());
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests;
