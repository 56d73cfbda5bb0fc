use std::fmt;

use super::flow::Flow;
use super::key_exchange::signature;
use super::{
    CertificateRequest, ClientHello, ContentType, HandshakeMessage, HandshakeType, Reader,
    ServerHello, ServerKeyExchange, WireError, parse_certificates, parse_raw_public_key,
};
use crate::names::{AlertDescription, CipherSuite, NamedGroup, Side, SignatureScheme, Version};

/// Most malformed messages noted.
const MAX_PROBLEMS: usize = 64;

/// The raw bytes of one TLS connection, per direction, from the first byte after STARTTLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// What the client sent.
    pub client: Vec<u8>,
    /// What the server sent.
    pub server: Vec<u8>,
}

impl Recording {
    /// What can be read of this recording without any key.
    pub fn transcript(&self) -> Transcript {
        Transcript::parse(&self.client, &self.server)
    }
}

/// The level of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertLevel {
    /// 1
    Warning,
    /// 2
    Fatal,
    /// A code no RFC assigns.
    Other(u8),
}

impl AlertLevel {
    /// The level with code point `code`.
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Warning,
            2 => Self::Fatal,
            other => Self::Other(other),
        }
    }

    /// The code point.
    pub fn code(self) -> u8 {
        match self {
            Self::Warning => 1,
            Self::Fatal => 2,
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for AlertLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning => f.write_str("warning"),
            Self::Fatal => f.write_str("fatal"),
            Self::Other(code) => write!(f, "level {code}"),
        }
    }
}

/// Something in a recording that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Bytes that cannot be a record, plain SMTP for instance; nothing after them is read.
    #[error("{side}, byte {offset}: not a TLS record ({found:02x?}): {error}")]
    NotARecord {
        /// Who sent it.
        side: Side,
        /// Where, counted from the start of the recording.
        offset: usize,
        /// The first bytes, at most five.
        found: Vec<u8>,
        /// What is wrong with them.
        error: WireError,
    },
    /// The recording ends within a record.
    #[error(
        "{side}, byte {offset}: the recording ends within a record, after {available} bytes of it"
    )]
    TruncatedRecord {
        /// Who sent it.
        side: Side,
        /// Where the record begins.
        offset: usize,
        /// Bytes there are of it.
        available: usize,
    },
    /// The recording ends within a handshake message.
    #[error("{side}: the recording ends within a handshake message, after {available} bytes of it")]
    TruncatedHandshake {
        /// Who sent it.
        side: Side,
        /// Bytes there are of it.
        available: usize,
    },
    /// A handshake message that is too large.
    #[error("{side}: {error}")]
    NotAHandshake {
        /// Who sent it.
        side: Side,
        /// What is wrong.
        error: WireError,
    },
    /// A handshake message that cannot be parsed.
    #[error("{side}: malformed {}: {error}", .message.name())]
    Malformed {
        /// Who sent it.
        side: Side,
        /// Which message.
        message: HandshakeType,
        /// What is wrong.
        error: WireError,
    },
    /// A readable alert that does not have two bytes.
    #[error("{side}: an alert of {length} bytes, expected 2")]
    OddAlert {
        /// Who sent it.
        side: Side,
        /// Its length in bytes.
        length: usize,
    },
    /// The client began with a ClientHello in SSL 2.0 format.
    #[error("{side}: a ClientHello in SSL 2.0 format that offers {version}")]
    Sslv2Hello {
        /// Who sent it.
        side: Side,
        /// The version offered.
        version: Version,
        /// The TLS suites among those offered.
        suites: Vec<CipherSuite>,
    },
}

/// A readable handshake message, by name and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSeen {
    /// Who sent it.
    pub side: Side,
    /// Which message.
    pub kind: HandshakeType,
    /// Bytes of its body.
    pub length: usize,
}

/// Everything a recording shows to somebody without keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transcript {
    /// The first ClientHello.
    pub client_hello: Option<ClientHello>,
    /// The second ClientHello, after a HelloRetryRequest.
    pub retried_client_hello: Option<ClientHello>,
    /// The group that a HelloRetryRequest asked for.
    pub hello_retry_group: Option<NamedGroup>,
    /// The ServerHello that decided.
    pub server_hello: Option<ServerHello>,
    /// The ServerKeyExchange, up to TLS 1.2.
    pub server_key_exchange: Option<ServerKeyExchange>,
    /// The server's chain in DER, leaf first, up to TLS 1.2.
    pub server_certificates: Vec<Vec<u8>>,
    /// Whether `server_certificates` is a raw public key (RFC 7250) instead.
    pub server_raw_public_key: bool,
    /// The client's chain in DER, leaf first, up to TLS 1.2.
    pub client_certificates: Vec<Vec<u8>>,
    /// Whether `client_certificates` is a raw public key (RFC 7250) instead.
    pub client_raw_public_key: bool,
    /// The CertificateRequest, up to TLS 1.2.
    pub certificate_request: Option<CertificateRequest>,
    /// Scheme of the client's CertificateVerify, in TLS 1.2.
    pub client_signature_scheme: Option<SignatureScheme>,
    /// Body of the ClientKeyExchange, up to TLS 1.2.
    pub client_key_exchange: Option<Vec<u8>>,
    /// Whether the server sent a NewSessionTicket in the clear, up to TLS 1.2.
    pub new_session_ticket: bool,
    /// Alerts in the clear; those of one side are in the order sent, the server's come first.
    pub alerts: Vec<(Side, AlertLevel, AlertDescription)>,
    /// Whether the server took up an earlier session: no key exchange was run (TLS 1.3: a pre-shared key was chosen).
    pub resumed: bool,
    /// Handshake messages in the clear; the server's come first.
    pub messages: Vec<MessageSeen>,
    /// Protected records of application data: client's, server's. In TLS 1.3 these include handshake messages.
    pub protected_records: (usize, usize),
    /// What is wrong with the recording.
    pub problems: Vec<Problem>,
}

impl Transcript {
    /// Reads what can be read. Never fails: what cannot be understood is in `problems`.
    pub fn parse(client: &[u8], server: &[u8]) -> Self {
        let (client, server) = Flow::read_both(client, server);
        Self::from_flows(client, server)
    }

    /// The version both ends agreed on.
    pub fn version(&self) -> Option<Version> {
        self.server_hello.as_ref().map(|hello| hello.version)
    }

    /// The suite both ends agreed on.
    pub fn suite(&self) -> Option<CipherSuite> {
        self.server_hello.as_ref().map(|hello| hello.suite)
    }

    /// The group of the key exchange, if it has a code point: from `key_share` or from the ServerKeyExchange.
    pub fn group(&self) -> Option<NamedGroup> {
        self.server_hello
            .as_ref()
            .and_then(|hello| hello.group)
            .or_else(|| Some(self.server_key_exchange.as_ref()?.ecdh()?.group))
    }

    /// Scheme of the server's signature, in TLS 1.2; TLS 1.3 encrypts it, older versions have none.
    pub fn server_signature_scheme(&self) -> Option<SignatureScheme> {
        self.server_key_exchange.as_ref()?.signature()?.scheme
    }

    pub(crate) fn from_flows(client: Flow<'_>, server: Flow<'_>) -> Self {
        let mut transcript = Self {
            client_hello: client.sslv2_hello.clone(),
            ..Self::default()
        };
        for message in &server.messages {
            transcript.note(Side::Server, message);
        }
        for message in &client.messages {
            transcript.note(Side::Client, message);
        }
        transcript.resumed = transcript.looks_resumed(&server);
        for (side, flow) in [(Side::Server, &server), (Side::Client, &client)] {
            let alerts = flow.alerts.iter();
            transcript
                .alerts
                .extend(alerts.map(|(level, description)| (side, *level, *description)));
        }
        let application_data = |flow: &Flow<'_>| {
            flow.protected
                .iter()
                .filter(|record| record.content == ContentType::ApplicationData)
                .count()
        };
        transcript.protected_records = (application_data(&client), application_data(&server));
        transcript.problems.extend(client.problems);
        transcript.problems.extend(server.problems);
        transcript
    }

    fn looks_resumed(&self, server: &Flow<'_>) -> bool {
        let Some(hello) = &self.server_hello else {
            return false;
        };
        if hello.version >= Version::TLS1_3 {
            return hello.pre_shared_key;
        }
        let full = [
            HandshakeType::CERTIFICATE,
            HandshakeType::SERVER_KEY_EXCHANGE,
            HandshakeType::SERVER_HELLO_DONE,
        ];
        server.change_cipher_spec
            && !server
                .messages
                .iter()
                .any(|message| full.contains(&message.kind))
    }

    fn note(&mut self, side: Side, message: &HandshakeMessage) {
        self.messages.push(MessageSeen {
            side,
            kind: message.kind,
            length: message.body().len(),
        });
        if let Err(error) = self.read(side, message)
            && self.problems.len() < MAX_PROBLEMS
        {
            self.problems.push(Problem::Malformed {
                side,
                message: message.kind,
                error,
            });
        }
    }

    fn read(&mut self, side: Side, message: &HandshakeMessage) -> Result<(), WireError> {
        let body = message.body();
        let version = self.version().unwrap_or(Version::TLS1_2);
        match (side, message.kind) {
            (Side::Client, HandshakeType::CLIENT_HELLO) => {
                let hello = ClientHello::parse(body)?;
                if self.client_hello.is_none() {
                    self.client_hello = Some(hello);
                } else if self.retried_client_hello.is_none() {
                    self.retried_client_hello = Some(hello);
                }
            }
            (Side::Server, HandshakeType::SERVER_HELLO) => {
                let hello = ServerHello::parse(body)?;
                if hello.retry_request {
                    self.hello_retry_group = hello.group;
                } else if self.server_hello.is_none() {
                    self.server_hello = Some(hello);
                }
            }
            (Side::Server, HandshakeType::SERVER_KEY_EXCHANGE) => {
                if let Some(suite) = self.suite() {
                    self.server_key_exchange = Some(ServerKeyExchange::parse(
                        body,
                        suite.key_exchange(),
                        version,
                    )?);
                }
            }
            (Side::Server, HandshakeType::CERTIFICATE) => {
                let chosen = self
                    .server_hello
                    .as_ref()
                    .and_then(|hello| hello.server_certificate_type);
                (self.server_certificates, self.server_raw_public_key) =
                    certificates(body, chosen)?;
            }
            (Side::Client, HandshakeType::CERTIFICATE) => {
                let chosen = self
                    .server_hello
                    .as_ref()
                    .and_then(|hello| hello.client_certificate_type);
                (self.client_certificates, self.client_raw_public_key) =
                    certificates(body, chosen)?;
            }
            (Side::Server, HandshakeType::CERTIFICATE_REQUEST) => {
                self.certificate_request = Some(CertificateRequest::parse(body, version)?);
            }
            (Side::Server, HandshakeType::NEW_SESSION_TICKET) => self.new_session_ticket = true,
            (Side::Client, HandshakeType::CLIENT_KEY_EXCHANGE) => {
                self.client_key_exchange = Some(body.to_vec())
            }
            (Side::Client, HandshakeType::CERTIFICATE_VERIFY) => {
                let mut reader = Reader::new(body);
                self.client_signature_scheme = signature(&mut reader, version)?.scheme;
                reader.finish("the CertificateVerify")?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn certificates(body: &[u8], chosen_type: Option<u8>) -> Result<(Vec<Vec<u8>>, bool), WireError> {
    const RAW_PUBLIC_KEY: u8 = 2;
    if chosen_type == Some(RAW_PUBLIC_KEY) {
        Ok((vec![parse_raw_public_key(body)?], true))
    } else {
        Ok((parse_certificates(body)?, false))
    }
}
