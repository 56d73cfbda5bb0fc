use super::transcript::{AlertLevel, Problem};
use super::{
    ContentType, HandshakeJoiner, HandshakeMessage, HandshakeType, Record, RecordHeader,
    ServerHello,
};
use crate::names::Side;
use crate::names::{AlertDescription, CipherSuite, Version};

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
    pub(crate) change_cipher_spec: bool,
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
            ContentType::Alert if plain => match *record.content {
                [level, description] if self.alerts.len() < MAX_ALERTS => self
                    .alerts
                    .push((AlertLevel::from_code(level), AlertDescription(description))),
                [_, _] => {}
                _ => self.problem(Problem::OddAlert {
                    side,
                    length: record.content.len(),
                }),
            },
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
        let Some(&[high, low, 1, major, minor, suites_high, suites_low, ..]) =
            bytes.first_chunk::<11>()
        else {
            return bytes;
        };
        if high & 0x80 == 0 || !matches!((major, minor), (0, 2) | (3, 0..=4)) {
            return bytes;
        }
        let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
        let suites = usize::from(u16::from_be_bytes([suites_high, suites_low]));
        let Some((hello, rest)) = bytes
            .get(2..)
            .and_then(|body| body.split_at_checked(length))
        else {
            return bytes;
        };
        let suites = hello
            .get(9..)
            .and_then(|specs| specs.get(..suites))
            .unwrap_or_default()
            .chunks_exact(3)
            .filter(|spec| spec[0] == 0)
            .map(|spec| CipherSuite(u16::from_be_bytes([spec[1], spec[2]])))
            .collect();
        self.problem(Problem::Sslv2Hello {
            side,
            version: Version(u16::from_be_bytes([major, minor])),
            suites,
        });
        rest
    }
}
