//! The server's side of the handshake.

mod choice;
mod exchange;
mod flight;

use std::sync::Arc;

use crate::config::{DhGroup, ServerConfig};
use crate::core::{Core, Keys, Taken};
use crate::error::Error;
use crate::exchange::{dh, ecdh};
use crate::keys::{Identity, PublicKey};
use crate::names::{CipherSuite, SignatureScheme, Version};
use crate::wire::{
    ClientHello, HandshakeMessage, HandshakeType, Reader, Side, parse_certificates, parse_signature,
};

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    ClientHello,
    Certificate,
    ClientKeyExchange,
    CertificateVerify,
    ChangeCipherSpec,
    Finished,
    Open,
}

impl State {
    fn awaited(self) -> &'static str {
        match self {
            Self::ClientHello => "ClientHello",
            Self::Certificate => "the client's Certificate",
            Self::ClientKeyExchange => "ClientKeyExchange",
            Self::CertificateVerify => "CertificateVerify",
            Self::ChangeCipherSpec => "the client's change_cipher_spec",
            Self::Finished => "the client's Finished",
            Self::Open => "application data",
        }
    }
}

/// What the server decided on reading the ClientHello.
#[derive(Clone, Debug)]
struct Choice {
    version: Version,
    suite: CipherSuite,
    /// The identity that vouches for the suite.
    identity: Option<Identity>,
    scheme: Option<SignatureScheme>,
    group: Option<crate::names::NamedGroup>,
    dh: Option<DhGroup>,
}

/// The server's share.
enum Share {
    Dh(dh::KeyPair),
    Ecdh(ecdh::KeyPair),
}

/// A server's handshake.
pub(crate) struct Server {
    config: Arc<ServerConfig>,
    state: State,
    choice: Option<Choice>,
    share: Option<Share>,
    client_key: Option<PublicKey>,
    keys: Option<Keys>,
    resumed: bool,
    sends_ticket: bool,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn new(config: Arc<ServerConfig>, core: &mut Core) -> Result<Self, Error> {
        let (lowest, highest) = (*config.versions.start(), *config.versions.end());
        if config.versions.is_empty() || lowest < Version::TLS1_0 || highest > Version::TLS1_2 {
            return Err(Error::Configuration {
                what: "the range of versions must lie within TLS 1.0 to TLS 1.2",
            });
        }
        let mut server = Self {
            config,
            state: State::ClientHello,
            choice: None,
            share: None,
            client_key: None,
            keys: None,
            resumed: false,
            sends_ticket: false,
        };
        server.enter(core, State::ClientHello);
        Ok(server)
    }

    fn enter(&mut self, core: &mut Core, state: State) {
        self.state = state;
        core.awaited = state.awaited();
    }

    fn identity(&self) -> Option<&Identity> {
        self.choice.as_ref()?.identity.as_ref()
    }

    /// Takes a handshake message.
    pub(crate) fn on_message(
        &mut self,
        core: &mut Core,
        message: &HandshakeMessage,
    ) -> Result<Taken, Error> {
        let malformed = Error::malformed(Side::Client);
        let body = message.body();
        match (self.state, message.kind) {
            (State::Open, HandshakeType::CLIENT_HELLO) => return Ok(Taken::Renegotiation),
            (State::ClientHello, HandshakeType::CLIENT_HELLO) => {
                core.note(message);
                let hello = ClientHello::parse(body).map_err(malformed)?;
                self.take_client_hello(core, hello)?;
            }
            (State::Certificate, HandshakeType::CERTIFICATE) => {
                core.note(message);
                core.report.client_certificates = parse_certificates(body).map_err(malformed)?;
                self.take_certificate(core)?;
            }
            (State::ClientKeyExchange, HandshakeType::CLIENT_KEY_EXCHANGE) => {
                core.note(message);
                self.take_key_exchange(core, body)?;
            }
            (State::CertificateVerify, HandshakeType::CERTIFICATE_VERIFY) => {
                let mut reader = Reader::new(body);
                let version = core.report.version.ok_or(Error::NotOpen)?;
                let signature = parse_signature(&mut reader, version).map_err(malformed)?;
                reader.finish("the CertificateVerify").map_err(malformed)?;
                exchange::check_certificate_verify(
                    &self.config,
                    core,
                    self.client_key.as_ref(),
                    &signature,
                )?;
                core.note(message);
                self.enter(core, State::ChangeCipherSpec);
            }
            (State::Finished, HandshakeType::FINISHED) => self.take_finished(core, message)?,
            (state, found) => return Err(Error::unexpected(Side::Client, found, state.awaited())),
        }
        Ok(Taken::Message)
    }

    /// Takes a ClientHello in the format of SSL 2.0; the Finished hash takes it from its message type on.
    pub(crate) fn on_sslv2_hello(&mut self, core: &mut Core, body: &[u8]) -> Result<(), Error> {
        core.messages.extend_from_slice(body);
        let hello = ClientHello::parse_sslv2(body).map_err(Error::malformed(Side::Client))?;
        self.take_client_hello(core, hello)
    }

    fn take_client_hello(&mut self, core: &mut Core, hello: ClientHello) -> Result<(), Error> {
        for irregularity in &hello.irregularities {
            core.report.note(irregularity.clone());
        }
        core.report.client_hello = Some(hello.clone());
        self.answer(core, &hello)
    }

    /// Takes a change_cipher_spec.
    pub(crate) fn on_change_cipher_spec(&mut self, core: &mut Core) -> Result<(), Error> {
        let due = self.state == State::ChangeCipherSpec;
        core.take_change_cipher_spec(due, self.keys.as_ref())?;
        self.enter(core, State::Finished);
        Ok(())
    }

    fn take_key_exchange(&mut self, core: &mut Core, body: &[u8]) -> Result<(), Error> {
        let premaster = exchange::premaster(core, self.share.as_ref(), self.identity(), body)?;
        let master = crate::client::master_secret(core, &premaster)?;
        self.keys = Keys::new(&core.report, master);
        let next = match self.client_key {
            Some(_) => State::CertificateVerify,
            None => State::ChangeCipherSpec,
        };
        self.enter(core, next);
        Ok(())
    }

    fn take_finished(&mut self, core: &mut Core, message: &HandshakeMessage) -> Result<(), Error> {
        let Some(keys) = self.keys.clone() else {
            return Err(Error::NotOpen);
        };
        core.check_finished(&keys, message)?;
        if !self.resumed {
            self.remember(core, &keys)?;
            core.send_finished(&keys)?;
        }
        core.report.complete = true;
        self.enter(core, State::Open);
        Ok(())
    }
}
