use super::transcript::{AlertLevel, Problem};
use super::{
    ClientHello, ContentType, HandshakeJoiner, HandshakeMessage, HandshakeType, PlainText, Record,
    RecordHeader, ServerHello, Sslv2, WireError, plain_text, sslv2_hello, sslv2_offer,
};
use crate::names::{AlertDescription, Side, Version};

/// Most problems kept per direction; a recording that is garbage throughout says so often enough by then.
const MAX_PROBLEMS: usize = 16;
/// Most plaintext alerts kept per direction.
const MAX_ALERTS: usize = 64;

/// A record that is protected by keys an observer does not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProtectedRecord<'a> {
    pub(crate) content: ContentType,
    pub(crate) version: Version,
    pub(crate) bytes: &'a [u8],
}

/// One direction of a recording, cut into what is readable and what is not.
#[derive(Debug, Default)]
pub(crate) struct Flow<'a> {
    pub(crate) messages: Vec<HandshakeMessage>,
    pub(crate) protected: Vec<ProtectedRecord<'a>>,
    pub(crate) alerts: Vec<(AlertLevel, AlertDescription)>,
    /// The first byte of an alert whose second has not come.
    half_alert: Option<u8>,
    pub(crate) change_cipher_spec: bool,
    /// A ClientHello in the format of SSL 2.0.
    pub(crate) sslv2_hello: Option<ClientHello>,
    /// Whether TLS 1.3 was negotiated, so that a change_cipher_spec means nothing (RFC 8446 appendix D.4).
    pub(crate) tls1_3: bool,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Flow<'a> {
    /// Reads both directions: client's, server's.
    pub(crate) fn read_both(client: &'a [u8], server: &'a [u8]) -> (Self, Self) {
        let server = Self::read(Side::Server, server, false);
        (Self::read(Side::Client, client, server.tls1_3), server)
    }

    /// Reads one direction to its end or to the first byte that cannot belong to a record.
    fn read(side: Side, bytes: &'a [u8], tls1_3: bool) -> Self {
        let mut flow = Self {
            tls1_3,
            ..Self::default()
        };
        let mut joiner = HandshakeJoiner::new();
        let mut rest = flow.skip_sslv2(side, bytes);
        while !rest.is_empty() {
            let offset = bytes.len() - rest.len();
            match Record::split(rest) {
                Ok(Some((record, next))) => {
                    flow.take(side, record, &mut joiner);
                    rest = next;
                }
                Ok(None) => {
                    flow.problem(Problem::TruncatedRecord {
                        side,
                        offset,
                        available: rest.len(),
                    });
                    break;
                }
                Err(error) => {
                    let error = match plain_text(rest) {
                        Some(PlainText::Line(line) | PlainText::Begun(line)) => {
                            WireError::PlainText { line }
                        }
                        None => error,
                    };
                    flow.problem(Problem::NotARecord {
                        side,
                        offset,
                        found: rest.iter().take(RecordHeader::SIZE).copied().collect(),
                        error,
                    });
                    break;
                }
            }
        }
        if joiner.pending() > 0 {
            flow.problem(Problem::TruncatedHandshake {
                side,
                available: joiner.pending(),
            });
        }
        flow
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn take(&mut self, side: Side, record: Record<'a>, joiner: &mut HandshakeJoiner) {
        let plain = !self.change_cipher_spec || self.tls1_3;
        match record.header.content {
            ContentType::ChangeCipherSpec => self.change_cipher_spec = true,
            ContentType::Handshake if plain => {
                joiner.push(record.content);
                loop {
                    match joiner.pop() {
                        Ok(Some(message)) => self.push(message),
                        Ok(None) => break,
                        Err(error) => {
                            *joiner = HandshakeJoiner::new();
                            self.problem(Problem::NotAHandshake { side, error });
                            break;
                        }
                    }
                }
            }
            ContentType::Alert if plain => {
                if record.content.len() != 2 {
                    self.problem(Problem::OddAlert {
                        side,
                        length: record.content.len(),
                    });
                }
                for byte in record.content {
                    match self.half_alert.take() {
                        None => self.half_alert = Some(*byte),
                        Some(level) if self.alerts.len() < MAX_ALERTS => self
                            .alerts
                            .push((AlertLevel::from_code(level), AlertDescription(*byte))),
                        Some(_) => {}
                    }
                }
            }
            content => self.protected.push(ProtectedRecord {
                content,
                version: record.header.version,
                bytes: record.content,
            }),
        }
    }

    fn push(&mut self, message: HandshakeMessage) {
        self.tls1_3 |= message.kind == HandshakeType::SERVER_HELLO
            && ServerHello::parse(message.body())
                .is_ok_and(|hello| hello.version >= Version::TLS1_3);
        self.messages.push(message);
    }

    /// Steps over an SSL 2.0 compatible ClientHello (RFC 5246 appendix E.2) and notes it.
    fn skip_sslv2(&mut self, side: Side, bytes: &'a [u8]) -> &'a [u8] {
        let Sslv2::Whole(hello) = sslv2_hello(bytes) else {
            return bytes;
        };
        let length = usize::from(u16::from_be_bytes([bytes[0] & 0x7f, bytes[1]]));
        let (version, suites) = sslv2_offer(&hello);
        self.problem(Problem::Sslv2Hello {
            side,
            version,
            suites,
        });
        self.sslv2_hello = ClientHello::parse_sslv2(&hello).ok();
        bytes.get(Sslv2::HEADER + length..).unwrap_or_default()
    }
}
