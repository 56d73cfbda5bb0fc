//! The client's side of the handshake.

mod exchange;
mod hello;

pub(crate) use exchange::{is_elliptic, master_secret};

use std::sync::Arc;

use crate::config::{ClientConfig, Misbehaviour};
use crate::core::{Core, Keys, Taken};
use crate::error::Error;
use crate::keys::PublicKey;
use crate::names::{Authentication, KeyExchangeKind};
use crate::session::Session;
use crate::wire::{
    CertificateRequest, HandshakeMessage, HandshakeType, Irregularity, Reader, ServerHello,
    ServerKeyExchange, Side, parse_certificates,
};

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    ServerHello,
    Certificate,
    ServerKeyExchange,
    RequestOrDone,
    Done,
    TicketOrChangeCipherSpec,
    ChangeCipherSpec,
    Finished,
    Open,
}

impl State {
    fn awaited(self) -> &'static str {
        match self {
            Self::ServerHello => "ServerHello",
            Self::Certificate => "the server's Certificate",
            Self::ServerKeyExchange => "ServerKeyExchange",
            Self::RequestOrDone => "CertificateRequest or ServerHelloDone",
            Self::Done => "ServerHelloDone",
            Self::TicketOrChangeCipherSpec => "NewSessionTicket",
            Self::ChangeCipherSpec => "the server's change_cipher_spec",
            Self::Finished => "the server's Finished",
            Self::Open => "application data",
        }
    }
}

/// What goes with the server's share: the client's own, and the secret of both.
struct Share {
    public: Vec<u8>,
    premaster: Vec<u8>,
    elliptic: bool,
}

/// A client's handshake.
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    state: State,
    server_key: Option<PublicKey>,
    share: Option<Share>,
    keys: Option<Keys>,
    ticket: Vec<u8>,
    /// The session that was taken up.
    resumed: Option<Session>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Sends the ClientHello.
    pub(crate) fn start(config: Arc<ClientConfig>, core: &mut Core) -> Result<Self, Error> {
        let mut client = Self {
            config,
            state: State::ServerHello,
            server_key: None,
            share: None,
            keys: None,
            ticket: Vec::new(),
            resumed: None,
        };
        client.send_client_hello(core)?;
        client.enter(core, State::ServerHello);
        Ok(client)
    }

    fn enter(&mut self, core: &mut Core, state: State) {
        self.state = state;
        core.awaited = state.awaited();
    }

    /// Takes a handshake message.
    pub(crate) fn on_message(
        &mut self,
        core: &mut Core,
        message: &HandshakeMessage,
    ) -> Result<Taken, Error> {
        let malformed = Error::malformed(Side::Server);
        let body = message.body();
        match (self.state, message.kind) {
            (state, HandshakeType::HELLO_REQUEST) => {
                core.report.note(Irregularity::HelloRequest);
                return Ok(match state {
                    State::Open => Taken::Renegotiation,
                    _ => Taken::Ignored,
                });
            }
            (State::ServerHello, HandshakeType::SERVER_HELLO) => {
                core.note(message);
                let hello = ServerHello::parse(body).map_err(malformed)?;
                self.take_server_hello(core, hello)?;
            }
            (State::Certificate, HandshakeType::CERTIFICATE) => {
                core.note(message);
                core.report.server_certificates = parse_certificates(body).map_err(malformed)?;
                self.take_certificate(core)?;
            }
            (State::ServerKeyExchange, HandshakeType::SERVER_KEY_EXCHANGE) => {
                core.note(message);
                self.take_key_exchange(core, body)?;
                self.enter(core, State::RequestOrDone);
            }
            (State::RequestOrDone, HandshakeType::CERTIFICATE_REQUEST) => {
                core.note(message);
                let version = hello::negotiated(core)?.0;
                core.report.certificate_request =
                    Some(CertificateRequest::parse(body, version).map_err(malformed)?);
                self.enter(core, State::Done);
            }
            (State::RequestOrDone | State::Done, HandshakeType::SERVER_HELLO_DONE) => {
                core.note(message);
                Reader::new(body)
                    .finish("the ServerHelloDone")
                    .map_err(malformed)?;
                self.answer(core)?;
            }
            (State::TicketOrChangeCipherSpec, HandshakeType::NEW_SESSION_TICKET) => {
                core.note(message);
                let mut reader = Reader::new(body);
                reader.u32("the ticket's lifetime").map_err(malformed)?;
                self.ticket = reader.vec16("the ticket").map_err(malformed)?.to_vec();
                reader.finish("the NewSessionTicket").map_err(malformed)?;
                self.enter(core, State::ChangeCipherSpec);
            }
            (State::Finished, HandshakeType::FINISHED) => self.take_finished(core, message)?,
            (state, found) => return Err(Error::unexpected(Side::Server, found, state.awaited())),
        }
        Ok(Taken::Message)
    }

    /// Takes a change_cipher_spec.
    pub(crate) fn on_change_cipher_spec(&mut self, core: &mut Core) -> Result<(), Error> {
        // RFC 5077 section 3.3: a server that announced a ticket must send one; OpenSSL forgives it, and so do we.
        let due = matches!(
            self.state,
            State::ChangeCipherSpec | State::TicketOrChangeCipherSpec
        );
        core.take_change_cipher_spec(due, self.keys.as_ref())?;
        self.enter(core, State::Finished);
        Ok(())
    }

    fn take_server_hello(
        &mut self,
        core: &mut Core,
        server_hello: ServerHello,
    ) -> Result<(), Error> {
        let (version, suite) = (server_hello.version, server_hello.suite);
        let announces_ticket = server_hello.session_ticket;
        let hello = hello::check_server_hello(&self.config, core, server_hello)?;
        let resumes = self.config.resume.as_ref().filter(|_| hello.session_echoed);
        if let Some(session) = resumes {
            if (session.version, session.suite) != (version, suite) {
                return Err(Error::Contradiction {
                    side: Side::Server,
                    what: "it resumes a session with another version or suite",
                });
            }
            if session.extended_master_secret != core.report.extended_master_secret {
                return Err(Error::Contradiction {
                    side: Side::Server,
                    what: "it resumes a session and changes its mind on extended_master_secret (RFC 7627 section 5.3)",
                });
            }
            core.report.resumed = true;
            self.keys = Keys::new(&core.report, session.master_secret.clone());
            self.resumed = Some(session.clone());
            self.await_server_finish(core, announces_ticket);
            return Ok(());
        }
        let next = match (suite.authentication(), suite.key_exchange()) {
            (Authentication::Anonymous, _) => State::ServerKeyExchange,
            _ => State::Certificate,
        };
        self.enter(core, next);
        Ok(())
    }

    fn take_certificate(&mut self, core: &mut Core) -> Result<(), Error> {
        let bad = |what| Error::BadCertificate {
            side: Side::Server,
            what,
        };
        let leaf = core
            .report
            .server_certificates
            .first()
            .ok_or(bad("the chain is empty"))?;
        let key = PublicKey::of_certificate(leaf).map_err(bad)?;
        let suite = hello::negotiated(core)?.1;
        if let PublicKey::Unspoken(_, key) = key {
            return Err(Error::UnspokenKey {
                side: Side::Server,
                key,
            });
        }
        if key.authentication() != suite.authentication() {
            return Err(bad("its key does not go with the suite"));
        }
        if suite.key_exchange() == KeyExchangeKind::Rsa && key.rsa().is_none() {
            return Err(bad(
                "its key is for RSASSA-PSS alone, and the suite encrypts to it (RFC 4055 section 1.2)",
            ));
        }
        self.server_key = Some(key);
        let next = match suite.key_exchange() {
            KeyExchangeKind::Rsa => State::RequestOrDone,
            _ => State::ServerKeyExchange,
        };
        self.enter(core, next);
        Ok(())
    }

    fn take_key_exchange(&mut self, core: &mut Core, body: &[u8]) -> Result<(), Error> {
        let (version, suite) = hello::negotiated(core)?;
        let exchange = ServerKeyExchange::parse(body, suite.key_exchange(), version)
            .map_err(Error::malformed(Side::Server))?;
        core.report.server_key_exchange = Some(exchange.clone());
        exchange::verify(core, self.server_key.as_ref(), &exchange, body)?;
        self.share = Some(exchange::share(&self.config, core, &exchange)?);
        Ok(())
    }

    /// Sends the second flight.
    fn answer(&mut self, core: &mut Core) -> Result<(), Error> {
        let signs = exchange::send_certificate(&self.config, core)?;
        let premaster =
            exchange::send_key_exchange(core, self.share.as_ref(), self.server_key.as_ref())?;
        let master = exchange::master_secret(core, &premaster)?;
        let keys = Keys::new(&core.report, master).ok_or(Error::NotOpen)?;
        if signs {
            exchange::send_certificate_verify(&self.config, core)?;
        }
        core.send_finished(&keys)?;
        self.keys = Some(keys);
        let announces_ticket = core
            .report
            .server_hello
            .as_ref()
            .is_some_and(|hello| hello.session_ticket);
        self.await_server_finish(core, announces_ticket);
        Ok(())
    }

    fn await_server_finish(&mut self, core: &mut Core, announces_ticket: bool) {
        let next = if announces_ticket {
            State::TicketOrChangeCipherSpec
        } else {
            State::ChangeCipherSpec
        };
        self.enter(core, next);
    }

    fn take_finished(&mut self, core: &mut Core, message: &HandshakeMessage) -> Result<(), Error> {
        let Some(keys) = self.keys.clone() else {
            return Err(Error::NotOpen);
        };
        core.check_finished(&keys, message)?;
        if self.resumed.is_some() {
            core.send_finished(&keys)?;
        }
        core.report.session = self.session(core, &keys);
        core.report.complete = true;
        self.enter(core, State::Open);
        Ok(())
    }

    fn session(&mut self, core: &Core, keys: &Keys) -> Option<Session> {
        let hello = core.report.server_hello.as_ref()?;
        let (id, mut ticket) = match self.resumed.take() {
            Some(earlier) => (earlier.id, earlier.ticket),
            None => (hello.session_id.clone(), Vec::new()),
        };
        if !self.ticket.is_empty() {
            ticket = std::mem::take(&mut self.ticket);
        }
        if id.is_empty() && ticket.is_empty() {
            return None;
        }
        Some(Session {
            id,
            ticket,
            version: hello.version,
            suite: hello.suite,
            master_secret: keys.master.clone(),
            extended_master_secret: core.report.extended_master_secret,
            server_name: self.config.server_name.clone(),
        })
    }

    /// Whether the client is told to send a bad signature.
    fn spoils_signature(core: &Core) -> bool {
        core.misbehaviour == Some(Misbehaviour::BadSignature)
    }
}
