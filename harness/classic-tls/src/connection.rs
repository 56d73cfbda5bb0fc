//! A connection without I/O: bytes from the peer go in, bytes for the peer and application data come out.

use std::sync::Arc;

use crate::channel::Incoming;
use crate::client::Client;
use crate::config::{ClientConfig, ServerConfig};
use crate::core::{Core, Taken};
use crate::error::Error;
use crate::names::{AlertDescription, Version};
use crate::report::Report;
use crate::server::Server;
use crate::wire::{AlertLevel, HandshakeMessage, HandshakeType, Side};

/// Most warnings and other idle messages taken from a peer one after the other, so that it cannot keep this end busy for
/// nothing.
const MAX_IDLE: usize = 32;

/// One end of a TLS connection.
///
/// The caller moves bytes: what [`take_output`](Self::take_output) returns to the peer, what the peer sends into
/// [`read`](Self::read). After an error the output still holds the alert for the peer.
#[derive(Debug)]
pub struct Connection {
    core: Core,
    role: Role,
    received: Vec<u8>,
    failure: Option<Error>,
    idle: usize,
    close_sent: bool,
}

#[derive(Debug)]
enum Role {
    Client(Box<Client>),
    Server(Box<Server>),
}

impl Connection {
    /// A client; its ClientHello is ready to be sent.
    ///
    /// # Errors
    /// A configuration that cannot work, or no random bytes.
    pub fn client(config: Arc<ClientConfig>) -> Result<Self, Error> {
        let lowest = (*config.versions.start()).min(Version::TLS1_0);
        let mut core = Core::new(
            Side::Client,
            lowest.max(Version::TLS1_0),
            config.misbehaviour,
        );
        let client = Client::start(config, &mut core)?;
        Ok(Self::new(core, Role::Client(Box::new(client))))
    }

    /// A server, which waits for a ClientHello.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        let mut core = Core::new(Side::Server, Version::TLS1_0, config.misbehaviour);
        let server = Server::new(config, &mut core)?;
        Ok(Self::new(core, Role::Server(Box::new(server))))
    }

    fn new(core: Core, role: Role) -> Self {
        Self {
            core,
            role,
            received: Vec::new(),
            failure: None,
            idle: 0,
            close_sent: false,
        }
    }

    /// Takes bytes from the peer, however they are cut.
    ///
    /// # Errors
    /// What the peer did wrong, or its fatal alert. The connection is dead then, and every later call says the same;
    /// data that came before is still in [`take_received`](Self::take_received), and whether the handshake was
    /// complete before is still said by [`is_handshaking`](Self::is_handshaking).
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(error) = &self.failure {
            return Err(error.clone());
        }
        self.core.channel.feed(bytes);
        while !self.core.report.close_notify_received {
            let next = self.core.channel.next();
            self.note_irregularities();
            let taken = match next {
                Ok(Some(incoming)) => self.take(incoming),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            self.note_irregularities();
            if let Err(error) = taken {
                return Err(self.fail(error));
            }
        }
        Ok(())
    }

    /// Tells that the peer closed the stream.
    ///
    /// # Errors
    /// If the handshake is not complete.
    pub fn read_end(&mut self) -> Result<(), Error> {
        if let Some(error) = &self.failure {
            return Err(error.clone());
        }
        if self.is_handshaking() {
            let closed = Error::Closed {
                side: self.core.side.other(),
                awaited: self.core.awaited,
            };
            let error = self.core.channel.plain_text().unwrap_or(closed);
            return Err(self.fail(error));
        }
        Ok(())
    }

    /// Bytes to send to the peer.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.core.channel.take_output()
    }

    /// Application data that has arrived.
    pub fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }

    /// Protects application data; it comes out of [`take_output`](Self::take_output).
    ///
    /// # Errors
    /// If the handshake is not complete, or the connection is closed or dead.
    pub fn write(&mut self, data: &[u8]) -> Result<(), Error> {
        if let Some(error) = &self.failure {
            return Err(error.clone());
        }
        if self.is_handshaking() || self.close_sent {
            return Err(Error::NotOpen);
        }
        self.core.send_data(data)
    }

    /// Says goodbye: a close_notify, once.
    pub fn close(&mut self) {
        if !self.close_sent && self.failure.is_none() {
            self.close_sent = true;
            // Only a lack of random bytes can make this fail, and then there is nothing left to do either.
            let _ = self
                .core
                .send_alert(AlertLevel::Warning, AlertDescription::CLOSE_NOTIFY);
        }
    }

    /// Ends the connection with `error`, as the asynchronous layer does at its deadline; the alert is queued.
    ///
    /// Where the peer has begun a line of plain text instead of TLS, that is the error.
    pub fn abort(&mut self, error: Error) -> Error {
        let error = self.core.channel.plain_text().unwrap_or(error);
        self.fail(error)
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        !self.core.report.complete
    }

    /// What the handshake waits for, in words.
    pub fn awaited(&self) -> &'static str {
        self.core.awaited
    }

    /// Why the connection is dead, if it is.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// What has been seen and agreed on so far.
    pub fn report(&self) -> &Report {
        &self.core.report
    }

    /// Which end this is.
    pub fn side(&self) -> Side {
        self.core.side
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), Error> {
        let side = self.core.side.other();
        match incoming {
            Incoming::Alert(level, description) => self.take_alert(level, description),
            Incoming::ApplicationData(data) if self.core.report.complete => {
                if data.is_empty() {
                    return self.count_idle("empty record");
                }
                self.idle = 0;
                self.received.extend(data);
                Ok(())
            }
            Incoming::ApplicationData(_) => Err(Error::Unexpected {
                side,
                found: "application data".to_owned(),
                awaited: self.core.awaited,
            }),
            Incoming::ChangeCipherSpec => {
                self.idle = 0;
                match &mut self.role {
                    Role::Client(client) => client.on_change_cipher_spec(&mut self.core),
                    Role::Server(server) => server.on_change_cipher_spec(&mut self.core),
                }
            }
            Incoming::Handshake(message) => self.take_handshake(&message),
            Incoming::Sslv2Hello(hello) => match &mut self.role {
                Role::Server(server) => server.on_sslv2_hello(&mut self.core, &hello),
                Role::Client(_) => Err(Error::unexpected(
                    side,
                    HandshakeType::CLIENT_HELLO,
                    self.core.awaited,
                )),
            },
        }
    }

    fn note_irregularities(&mut self) {
        for irregularity in self.core.channel.take_irregularities() {
            self.core.report.note(irregularity);
        }
    }

    fn take_handshake(&mut self, message: &HandshakeMessage) -> Result<(), Error> {
        let taken = match &mut self.role {
            Role::Client(client) => client.on_message(&mut self.core, message)?,
            Role::Server(server) => server.on_message(&mut self.core, message)?,
        };
        match taken {
            Taken::Message => self.idle = 0,
            Taken::Ignored => self.count_idle("HelloRequest")?,
            Taken::Renegotiation => {
                self.count_idle("request to renegotiate")?;
                self.core
                    .send_alert(AlertLevel::Warning, AlertDescription::NO_RENEGOTIATION)?;
            }
        }
        Ok(())
    }

    fn take_alert(
        &mut self,
        level: AlertLevel,
        description: AlertDescription,
    ) -> Result<(), Error> {
        let side = self.core.side.other();
        if self.core.report.alerts.len() < 2 * MAX_IDLE {
            self.core.report.alerts.push((side, level, description));
        }
        if description == AlertDescription::CLOSE_NOTIFY {
            self.core.report.close_notify_received = true;
            if self.is_handshaking() {
                return Err(Error::Closed {
                    side,
                    awaited: self.core.awaited,
                });
            }
            return Ok(());
        }
        if level == AlertLevel::Warning {
            return self.count_idle("warning");
        }
        Err(Error::AlertReceived {
            side,
            level,
            description,
        })
    }

    fn count_idle(&mut self, found: &str) -> Result<(), Error> {
        self.idle += 1;
        if self.idle <= MAX_IDLE {
            return Ok(());
        }
        Err(Error::Unexpected {
            side: self.core.side.other(),
            found: format!("{found} number {}", self.idle),
            awaited: "something to do",
        })
    }

    fn fail(&mut self, error: Error) -> Error {
        if self.failure.is_none() {
            if let Some(description) = error.alert() {
                // As in `close`.
                let _ = self.core.send_alert(AlertLevel::Fatal, description);
            }
            self.failure = Some(error.clone());
        }
        error
    }
}
