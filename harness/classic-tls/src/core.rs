//! What client and server have in common: sending, recording, failing.

use crate::channel::Channel;
use crate::config::Misbehaviour;
use crate::error::Error;
use crate::names::{AlertDescription, Version};
use crate::protection::{Layout, Protection};
use crate::report::Report;
use crate::schedule::Prf;
use crate::wire::{
    AlertLevel, ContentType, HandshakeMessage, HandshakeType, MAX_CIPHERTEXT, Side, Writer,
};

/// One end's connection without its role.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) side: Side,
    pub(crate) channel: Channel,
    /// All handshake messages of the handshake, headers included, as the Finished hash takes them.
    pub(crate) messages: Vec<u8>,
    pub(crate) report: Report,
    pub(crate) misbehaviour: Option<Misbehaviour>,
    /// What the role waits for, for messages to people.
    pub(crate) awaited: &'static str,
    muted: bool,
    mac_to_spoil: bool,
}

/// What became of a handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is part of the handshake.
    Message,
    /// It means nothing now.
    Ignored,
    /// It asks to renegotiate.
    Renegotiation,
}

/// The keys of a connection, once they are agreed on.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) prf: Prf,
    pub(crate) master: Vec<u8>,
    layout: Layout,
    client_random: [u8; 32],
    server_random: [u8; 32],
}

impl Keys {
    /// Keys from a master secret; hellos must be in the report.
    pub(crate) fn new(report: &Report, master: Vec<u8>) -> Option<Self> {
        let (version, suite) = (report.version?, report.suite?);
        Some(Self {
            prf: Prf::of(version, suite),
            master,
            layout: Layout::new(suite, version, report.encrypt_then_mac),
            client_random: report.client_hello.as_ref()?.random,
            server_random: report.server_hello.as_ref()?.random,
        })
    }

    /// The protection of records that `side` sends.
    pub(crate) fn protection(&self, side: Side) -> Protection {
        let keys = self.layout.keys_of(
            side,
            self.prf,
            &self.master,
            &self.client_random,
            &self.server_random,
        );
        Protection::new(&self.layout, keys)
    }
}

impl Core {
    pub(crate) fn new(side: Side, version: Version, misbehaviour: Option<Misbehaviour>) -> Self {
        Self {
            side,
            channel: Channel::new(side.other(), version),
            messages: Vec::new(),
            report: Report::new(side),
            misbehaviour,
            awaited: "the first message",
            muted: false,
            mac_to_spoil: misbehaviour == Some(Misbehaviour::BadRecordMac),
        }
    }

    /// Notes a message that arrived, for the Finished hash.
    pub(crate) fn note(&mut self, message: &HandshakeMessage) {
        self.messages.extend_from_slice(&message.bytes);
    }

    /// Sends a handshake message.
    pub(crate) fn send_handshake(&mut self, kind: HandshakeType, body: &[u8]) -> Result<(), Error> {
        let mut body = body.to_vec();
        let mut times = 1;
        match self.misbehaviour {
            Some(Misbehaviour::Silence(at)) if at == kind => self.muted = true,
            Some(Misbehaviour::Skip(at)) if at == kind => times = 0,
            Some(Misbehaviour::Repeat(at)) if at == kind => times = 2,
            Some(Misbehaviour::LongMessage(at)) if at == kind => body.push(0),
            Some(Misbehaviour::ShortMessage(at)) if at == kind => {
                body.pop();
            }
            _ => {}
        }
        let bytes = with_header(kind, &body);
        for _ in 0..times {
            self.messages.extend_from_slice(&bytes);
            self.send_record(ContentType::Handshake, Some(kind), &bytes)?;
        }
        Ok(())
    }

    /// Sends a ClientHello in the format of SSL 2.0; the Finished hash takes it from its message type on.
    pub(crate) fn send_sslv2_hello(&mut self, body: &[u8]) {
        self.messages.extend_from_slice(body);
        let header = (body.len() as u16 | 0x8000).to_be_bytes();
        self.channel.send_raw(&[&header[..], body].concat());
    }

    pub(crate) fn send_change_cipher_spec(&mut self) -> Result<(), Error> {
        self.send_record(ContentType::ChangeCipherSpec, None, &[1])
    }

    pub(crate) fn send_data(&mut self, data: &[u8]) -> Result<(), Error> {
        for fragment in data.chunks(crate::wire::MAX_PLAINTEXT) {
            self.send_record(ContentType::ApplicationData, None, fragment)?;
        }
        Ok(())
    }

    pub(crate) fn send_alert(
        &mut self,
        level: AlertLevel,
        description: AlertDescription,
    ) -> Result<(), Error> {
        self.report.alerts.push((self.side, level, description));
        self.send_record(ContentType::Alert, None, &[level.code(), description.0])
    }

    /// Starts protecting what this end sends.
    pub(crate) fn protect_writes(&mut self, keys: &Keys) {
        self.channel.protect_writes(keys.protection(self.side));
    }

    /// Starts opening what the peer sends.
    pub(crate) fn protect_reads(&mut self, keys: &Keys) {
        self.channel
            .protect_reads(keys.protection(self.side.other()));
    }

    /// Takes the peer's change_cipher_spec, if that is what is `due` and there are keys for what comes behind it.
    pub(crate) fn take_change_cipher_spec(
        &mut self,
        due: bool,
        keys: Option<&Keys>,
    ) -> Result<(), Error> {
        match keys.filter(|_| due) {
            Some(keys) => {
                self.protect_reads(keys);
                Ok(())
            }
            None => Err(Error::Unexpected {
                side: self.side.other(),
                found: "change_cipher_spec".to_owned(),
                awaited: self.awaited,
            }),
        }
    }

    /// Sends change_cipher_spec and Finished.
    pub(crate) fn send_finished(&mut self, keys: &Keys) -> Result<(), Error> {
        self.send_change_cipher_spec()?;
        self.protect_writes(keys);
        let mut verify = keys
            .prf
            .verify_data(&keys.master, self.side, &self.messages);
        if self.misbehaviour == Some(Misbehaviour::BadFinished)
            && let Some(first) = verify.first_mut()
        {
            *first ^= 1;
        }
        self.send_handshake(HandshakeType::FINISHED, &verify)
    }

    /// Checks the peer's Finished.
    pub(crate) fn check_finished(
        &mut self,
        keys: &Keys,
        message: &HandshakeMessage,
    ) -> Result<(), Error> {
        let side = self.side.other();
        let expected = keys.prf.verify_data(&keys.master, side, &self.messages);
        if !crate::protection::equal(message.body(), &expected) {
            return Err(Error::BadFinished { side });
        }
        self.note(message);
        Ok(())
    }

    fn send_record(
        &mut self,
        content: ContentType,
        kind: Option<HandshakeType>,
        bytes: &[u8],
    ) -> Result<(), Error> {
        if self.muted {
            return Ok(());
        }
        let Some(misbehaviour) = self.misbehaviour else {
            return self.channel.send(content, bytes);
        };
        match (misbehaviour, kind) {
            (Misbehaviour::AlertInPieces(at), Some(kind)) if at == kind => {
                let alert = [
                    AlertLevel::Warning.code(),
                    AlertDescription::USER_CANCELED.0,
                ];
                for byte in alert {
                    self.channel.send(ContentType::Alert, &[byte])?;
                }
                self.channel.send(content, bytes)
            }
            (Misbehaviour::EmptyRecords(count), None)
                if content == ContentType::ApplicationData =>
            {
                for _ in 0..count {
                    let record = self.channel.record(content, &[])?;
                    self.channel.send_raw(&record);
                }
                self.channel.send(content, bytes)
            }
            (Misbehaviour::HelloRequest(at), Some(kind)) if at == kind => {
                let request = with_header(HandshakeType::HELLO_REQUEST, &[]);
                self.channel.send(content, &request)?;
                self.channel.send(content, bytes)
            }
            (Misbehaviour::OneByteRecords, Some(_)) => bytes
                .chunks(1)
                .try_for_each(|byte| self.channel.send(content, byte)),
            (Misbehaviour::RecordVersion(version), Some(kind))
                if kind != HandshakeType::CLIENT_HELLO && kind != HandshakeType::SERVER_HELLO =>
            {
                self.channel.send_as(version, content, bytes)
            }
            (Misbehaviour::RecordVersion(version), None) => {
                self.channel.send_as(version, content, bytes)
            }
            (Misbehaviour::UnknownContentType(at), Some(kind)) if at == kind => {
                self.channel.send_raw(&[99, 3, 3, 0, 1, 0]);
                self.channel.send(content, bytes)
            }
            (Misbehaviour::TruncatedRecord(at), Some(kind)) if at == kind => {
                let record = self.channel.record(content, bytes)?;
                self.channel.send_raw(&record[..record.len() / 2]);
                self.muted = true;
                Ok(())
            }
            (Misbehaviour::OversizedRecord, Some(_)) => {
                let mut record = vec![content.code(), 3, 3];
                record.extend_from_slice(&(MAX_CIPHERTEXT as u16 + 1).to_be_bytes());
                record.resize(5 + MAX_CIPHERTEXT + 1, 0);
                self.channel.send_raw(&record);
                self.muted = true;
                Ok(())
            }
            (Misbehaviour::BadRecordMac, Some(HandshakeType::FINISHED)) if self.mac_to_spoil => {
                self.mac_to_spoil = false;
                let mut record = self.channel.record(content, bytes)?;
                if let Some(last) = record.last_mut() {
                    *last ^= 1;
                }
                self.channel.send_raw(&record);
                Ok(())
            }
            _ => self.channel.send(content, bytes),
        }
    }
}

fn with_header(kind: HandshakeType, body: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.u8(kind.0).vec24(body);
    writer.into_bytes()
}
