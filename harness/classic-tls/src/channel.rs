//! The record layer of a connection: bytes in, messages out, and back.

use crate::error::Error;
use crate::names::{AlertDescription, Version};
use crate::protection::Protection;
use crate::wire::{
    AlertLevel, ContentType, HandshakeJoiner, HandshakeMessage, MAX_PLAINTEXT, Record,
    RecordHeader, Side, WireError,
};

/// Something whole that arrived.
#[derive(Debug)]
pub(crate) enum Incoming {
    Alert(AlertLevel, AlertDescription),
    ApplicationData(Vec<u8>),
    ChangeCipherSpec,
    Handshake(HandshakeMessage),
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
    pub(crate) version: Version,
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
        }
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
        loop {
            if let Some(message) = self.joiner.pop().map_err(malformed)? {
                return Ok(Some(Incoming::Handshake(message)));
            }
            let Some((record, rest)) =
                Record::split(self.input.get(self.taken..).unwrap_or_default())
                    .map_err(malformed)?
            else {
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
                ContentType::ApplicationData => return Ok(Some(Incoming::ApplicationData(plain))),
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
                ContentType::Alert => match plain.as_slice() {
                    [level, description] => {
                        let level = AlertLevel::from_code(*level);
                        return Ok(Some(Incoming::Alert(level, AlertDescription(*description))));
                    }
                    _ => {
                        return Err(malformed(WireError::Illegal {
                            what: "the length of an alert",
                            found: plain.len() as u64,
                            expected: "2",
                        }));
                    }
                },
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
