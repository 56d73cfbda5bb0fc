//! The record layer of a connection: bytes in, messages out, and back.

use std::collections::VecDeque;

use crate::error::Error;
use crate::names::{AlertDescription, Version};
use crate::protection::Protection;
use crate::wire::{
    AlertLevel, ContentType, HandshakeJoiner, HandshakeMessage, Irregularity, MAX_PLAINTEXT,
    PlainText, Record, RecordHeader, Side, Sslv2, WireError, plain_text, sslv2_hello,
};

/// Something whole that arrived.
#[derive(Debug)]
pub(crate) enum Incoming {
    Alert(AlertLevel, AlertDescription),
    ApplicationData(Vec<u8>),
    ChangeCipherSpec,
    Handshake(HandshakeMessage),
    /// A ClientHello in the format of SSL 2.0, without the two bytes of its record's header.
    Sslv2Hello(Vec<u8>),
}

/// Both directions of a connection, as one end sees them.
#[derive(Debug)]
pub(crate) struct Channel {
    peer: Side,
    input: Vec<u8>,
    /// Bytes of `input` already read; they are dropped when more come, not record by record.
    taken: usize,
    output: Vec<u8>,
    joiner: HandshakeJoiner,
    reader: Protection,
    writer: Protection,
    /// Version in the header of records sent.
    version: Version,
    /// Version due in the header of records that come: that of the first, and then the one negotiated.
    due_version: Option<Version>,
    /// Version in the header of the first record that came.
    first_version: Option<Version>,
    /// The first byte of an alert whose second has not come.
    half_alert: Option<u8>,
    /// Alerts of a record that held several.
    alerts: VecDeque<(AlertLevel, AlertDescription)>,
    /// What was odd about the records taken since this was looked at last.
    irregularities: Vec<Irregularity>,
}

impl Channel {
    pub(crate) fn new(peer: Side, version: Version) -> Self {
        Self {
            peer,
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
            joiner: HandshakeJoiner::new(),
            reader: Protection::none(),
            writer: Protection::none(),
            version,
            due_version: None,
            first_version: None,
            half_alert: None,
            alerts: VecDeque::new(),
            irregularities: Vec::new(),
        }
    }

    /// Takes note of the version agreed on.
    pub(crate) fn negotiated(&mut self, version: Version) {
        self.version = version;
        // What a client puts into its first record is its own affair (RFC 5246 appendix E.1).
        let before = self.due_version.replace(version);
        if let (Side::Server, Some(found)) = (self.peer, before.filter(|found| *found != version)) {
            self.irregularities.push(Irregularity::RecordVersion {
                found,
                expected: version,
            });
        }
    }

    /// What was odd about the records taken since this was called last.
    pub(crate) fn take_irregularities(&mut self) -> Vec<Irregularity> {
        std::mem::take(&mut self.irregularities)
    }

    /// What came instead of TLS, as far as it has come.
    pub(crate) fn plain_text(&self) -> Option<Error> {
        let (PlainText::Line(line) | PlainText::Begun(line)) =
            plain_text(self.input.get(self.taken..)?)?;
        Some(Error::malformed(self.peer)(WireError::PlainText { line }))
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.input.drain(..self.taken);
        self.taken = 0;
        self.input.extend_from_slice(bytes);
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    pub(crate) fn protect_reads(&mut self, protection: Protection) {
        self.reader = protection;
    }

    pub(crate) fn protect_writes(&mut self, protection: Protection) {
        self.writer = protection;
    }

    /// The next whole thing, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, Error> {
        let side = self.peer;
        let malformed = Error::malformed(side);
        if self.due_version.is_none() && self.peer == Side::Client {
            match sslv2_hello(self.input.get(self.taken..).unwrap_or_default()) {
                Sslv2::Whole(hello) => {
                    self.taken += Sslv2::HEADER + hello.len();
                    self.irregularities.push(Irregularity::Sslv2Hello);
                    return Ok(Some(Incoming::Sslv2Hello(hello)));
                }
                Sslv2::Begun => return Ok(None),
                Sslv2::Other => {}
            }
        }
        loop {
            if let Some((level, description)) = self.alerts.pop_front() {
                return Ok(Some(Incoming::Alert(level, description)));
            }
            if let Some(message) = self.joiner.pop().map_err(malformed)? {
                return Ok(Some(Incoming::Handshake(message)));
            }
            let input = self.input.get(self.taken..).unwrap_or_default();
            match plain_text(input) {
                Some(PlainText::Begun(_)) => return Ok(None),
                Some(PlainText::Line(line)) => {
                    return Err(malformed(WireError::PlainText { line }));
                }
                None => {}
            }
            let Some((record, rest)) = Record::split(input).map_err(malformed)? else {
                return Ok(None);
            };
            let RecordHeader {
                content, version, ..
            } = record.header;
            let plain = self
                .reader
                .open(content, version, record.content)
                .map_err(|_| Error::BadRecord { side })?;
            self.taken = self.input.len() - rest.len();
            let expected = *self.due_version.get_or_insert(version);
            let first = *self.first_version.get_or_insert(version);
            // Who has not read the ServerHello yet complains in the version it began with.
            let unaware = content == ContentType::Alert && version == first;
            if version != expected && !unaware {
                self.irregularities.push(Irregularity::RecordVersion {
                    found: version,
                    expected,
                });
            }
            if plain.len() > MAX_PLAINTEXT {
                return Err(malformed(WireError::TooLarge {
                    what: "the record",
                    found: plain.len(),
                    limit: MAX_PLAINTEXT,
                }));
            }
            if content != ContentType::Handshake && self.joiner.pending() > 0 {
                return Err(Error::Unexpected {
                    side,
                    found: format!("{content:?} record"),
                    awaited: "the rest of a handshake message",
                });
            }
            match content {
                ContentType::Handshake if plain.is_empty() => {
                    return Err(malformed(empty("a handshake record")));
                }
                ContentType::Handshake => self.joiner.push(&plain),
                ContentType::ApplicationData => {
                    if plain.is_empty() {
                        self.irregularities.push(Irregularity::EmptyRecord);
                    }
                    return Ok(Some(Incoming::ApplicationData(plain)));
                }
                ContentType::ChangeCipherSpec => match plain.as_slice() {
                    [1] => return Ok(Some(Incoming::ChangeCipherSpec)),
                    _ => {
                        return Err(malformed(WireError::Illegal {
                            what: "a change_cipher_spec",
                            found: plain.first().copied().unwrap_or_default().into(),
                            expected: "one byte of value 1",
                        }));
                    }
                },
                ContentType::Alert if plain.is_empty() => {
                    return Err(malformed(empty("an alert record")));
                }
                ContentType::Alert => self.take_alerts(&plain)?,
                ContentType::Heartbeat => {
                    return Err(Error::Unexpected {
                        side,
                        found: "heartbeat".to_owned(),
                        awaited: "anything but a heartbeat, which was not negotiated",
                    });
                }
            }
        }
    }

    /// Takes the content of an alert record: alerts may be cut and packed like all else (RFC 5246 section 6.2.1).
    fn take_alerts(&mut self, content: &[u8]) -> Result<(), Error> {
        let bytes: Vec<u8> = self
            .half_alert
            .take()
            .into_iter()
            .chain(content.iter().copied())
            .collect();
        if bytes.len() > 1 && bytes.len() % 2 == 1 {
            return Err(Error::malformed(self.peer)(WireError::Illegal {
                what: "the length of an alert",
                found: content.len() as u64,
                expected: "2",
            }));
        }
        if bytes.len() > content.len() {
            self.irregularities.push(Irregularity::AlertInPieces);
        }
        if bytes.len() > 3 {
            self.irregularities.push(Irregularity::AlertsInOneRecord);
        }
        for alert in bytes.chunks(2) {
            match *alert {
                [level, description] => self
                    .alerts
                    .push_back((AlertLevel::from_code(level), AlertDescription(description))),
                [half] => self.half_alert = Some(half),
                _ => {}
            }
        }
        Ok(())
    }

    /// Queues `bytes` as one or more records.
    pub(crate) fn send(&mut self, content: ContentType, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        for fragment in bytes.chunks(MAX_PLAINTEXT) {
            let record = self.record(content, fragment)?;
            self.output.extend(record);
        }
        Ok(())
    }

    /// Queues `bytes` in records that say `version`.
    pub(crate) fn send_as(
        &mut self,
        version: Version,
        content: ContentType,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let honest = std::mem::replace(&mut self.version, version);
        let sent = self.send(content, bytes);
        self.version = honest;
        sent
    }

    /// One protected record, header included, not queued.
    pub(crate) fn record(
        &mut self,
        content: ContentType,
        fragment: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let protected = self
            .writer
            .protect(content, self.version, fragment)
            .ok_or(Error::NoRandom)?;
        let mut record = vec![content.code()];
        record.extend_from_slice(&self.version.0.to_be_bytes());
        record.extend_from_slice(&(protected.len() as u16).to_be_bytes());
        record.extend(protected);
        Ok(record)
    }

    /// Queues bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }
}

fn empty(what: &'static str) -> WireError {
    WireError::Illegal {
        what,
        found: 0,
        expected: "at least one byte",
    }
}
