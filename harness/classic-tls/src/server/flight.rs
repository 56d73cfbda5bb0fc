use super::{Choice, Server, State, exchange};
use crate::config::ClientCertificate;
use crate::core::{Core, Keys};
use crate::error::Error;
use crate::keys::PublicKey;
use crate::names::{CipherSuite, SignatureScheme, Version};
use crate::session::Session;
use crate::wire::{
    CertificateRequest, ClientHello, HandshakeType, ServerHello, Side, Writer,
    extension_code as code,
};

/// Lifetime hint of tickets in seconds.
const TICKET_LIFETIME: u32 = 7200;

impl Server {
    /// Answers the ClientHello.
    pub(super) fn answer(&mut self, core: &mut Core, hello: &ClientHello) -> Result<(), Error> {
        if !hello.compression.contains(&0) {
            return Err(Error::Contradiction {
                side: Side::Client,
                what: "it does not offer to leave compression out",
            });
        }
        if hello
            .renegotiation_info
            .as_ref()
            .is_some_and(|info| !info.is_empty())
        {
            return Err(Error::Contradiction {
                side: Side::Client,
                what: "it renegotiates although this is the first handshake (RFC 5746 section 3.6)",
            });
        }
        let version = self.choose_version(hello)?;
        core.report.version = Some(version);
        core.channel.negotiated(version);
        if let Some(session) = self.choose_session(core, hello, version) {
            return self.resume(core, hello, session);
        }
        let choice = self.choose(core, hello, version)?;
        self.sends_ticket = self.config.session_tickets && hello.session_ticket;
        let mut session_id = Vec::new();
        if self.config.session_ids {
            session_id = vec![0; 32];
            getrandom::fill(&mut session_id).map_err(|_| Error::NoRandom)?;
        }
        self.send_hello(core, hello, choice.suite, version, &session_id)?;
        self.choice = Some(choice.clone());
        self.send_certificate(core)?;
        self.send_key_exchange(core, &choice)?;
        let asks =
            self.identity().is_some() && self.config.client_certificate != ClientCertificate::None;
        if asks {
            self.send_certificate_request(core)?;
        }
        core.send_handshake(HandshakeType::SERVER_HELLO_DONE, &[])?;
        let next = if asks {
            State::Certificate
        } else {
            State::ClientKeyExchange
        };
        self.enter(core, next);
        Ok(())
    }

    fn resume(
        &mut self,
        core: &mut Core,
        hello: &ClientHello,
        session: Session,
    ) -> Result<(), Error> {
        self.resumed = true;
        self.sends_ticket = false;
        self.send_hello(
            core,
            hello,
            session.suite,
            session.version,
            &hello.session_id,
        )?;
        core.report.resumed = true;
        core.report.session = Some(session.clone());
        let keys = Keys::new(&core.report, session.master_secret).ok_or(Error::NotOpen)?;
        core.send_finished(&keys)?;
        self.keys = Some(keys);
        self.enter(core, State::ChangeCipherSpec);
        Ok(())
    }

    fn send_hello(
        &self,
        core: &mut Core,
        hello: &ClientHello,
        suite: CipherSuite,
        version: Version,
        session_id: &[u8],
    ) -> Result<(), Error> {
        let config = &self.config;
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
        let extended = config.extended_master_secret && hello.extended_master_secret;
        // RFC 7366 section 3: only for block ciphers in CBC mode.
        let etm =
            config.encrypt_then_mac && hello.encrypt_then_mac && crate::protection::is_cbc(suite);
        let renegotiation = hello.renegotiation_info.is_some()
            || hello
                .suites
                .contains(&CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV);
        let formats = !hello.point_formats.is_empty() && crate::client::is_elliptic(suite);
        let mut block = Writer::new();
        let answers: [(bool, u16, &[u8]); 5] = [
            (renegotiation, code::RENEGOTIATION_INFO, &[0]),
            (formats, code::EC_POINT_FORMATS, &[1, 0]),
            (self.sends_ticket, code::SESSION_TICKET, &[]),
            (etm, code::ENCRYPT_THEN_MAC, &[]),
            (extended, code::EXTENDED_MASTER_SECRET, &[]),
        ];
        let mut any = false;
        for (answered, code, content) in answers {
            if answered {
                block.u16(code).vec16(content);
                any = true;
            }
        }
        let mut writer = Writer::new();
        writer
            .u16(version.0)
            .bytes(&random)
            .vec8(session_id)
            .u16(suite.0)
            .u8(0);
        if any {
            writer.vec16(&block.into_bytes());
        }
        let body = writer.into_bytes();
        core.report.suite = Some(suite);
        core.report.extended_master_secret = extended;
        core.report.encrypt_then_mac = etm;
        core.report.secure_renegotiation = renegotiation;
        core.report.server_hello = ServerHello::parse(&body).ok();
        core.send_handshake(HandshakeType::SERVER_HELLO, &body)
    }

    fn send_certificate(&self, core: &mut Core) -> Result<(), Error> {
        let Some(identity) = self.identity() else {
            return Ok(());
        };
        let mut list = Writer::new();
        for certificate in &identity.chain {
            list.vec24(certificate);
        }
        let mut body = Writer::new();
        body.vec24(&list.into_bytes());
        core.report.server_certificates = identity.chain.clone();
        core.send_handshake(HandshakeType::CERTIFICATE, &body.into_bytes())
    }

    fn send_key_exchange(&mut self, core: &mut Core, choice: &Choice) -> Result<(), Error> {
        if !choice.suite.key_exchange().ephemeral() {
            return Ok(());
        }
        let (share, parameters) = exchange::share(core, choice)?;
        self.share = Some(share);
        let body = exchange::signed(core, choice, self.identity(), parameters)?;
        core.send_handshake(HandshakeType::SERVER_KEY_EXCHANGE, &body)
    }

    fn send_certificate_request(&self, core: &mut Core) -> Result<(), Error> {
        const RSA_SIGN: u8 = 1;
        const DSS_SIGN: u8 = 2;
        const ECDSA_SIGN: u8 = 64;
        let dss = self
            .config
            .signature_schemes
            .contains(&SignatureScheme::DSA_SHA1);
        let mut certificate_types = vec![RSA_SIGN, ECDSA_SIGN];
        certificate_types.extend(dss.then_some(DSS_SIGN));
        let request = CertificateRequest {
            certificate_types,
            signature_schemes: match core.report.version {
                Some(Version::TLS1_2) => self.config.signature_schemes.clone(),
                _ => Vec::new(),
            },
            authorities: Vec::new(),
        };
        let mut body = Writer::new();
        body.vec8(&request.certificate_types);
        if core.report.version == Some(Version::TLS1_2) {
            body.list16(request.signature_schemes.iter().map(|scheme| scheme.0));
        }
        body.vec16(&[]);
        core.report.certificate_request = Some(request);
        core.send_handshake(HandshakeType::CERTIFICATE_REQUEST, &body.into_bytes())
    }

    pub(super) fn take_certificate(&mut self, core: &mut Core) -> Result<(), Error> {
        match core.report.client_certificates.first() {
            Some(leaf) => {
                let key =
                    PublicKey::of_certificate(leaf).map_err(|what| Error::BadCertificate {
                        side: Side::Client,
                        what,
                    })?;
                if let PublicKey::Unspoken(_, key) = key {
                    return Err(Error::UnspokenKey {
                        side: Side::Client,
                        key,
                    });
                }
                self.client_key = Some(key);
            }
            None if self.config.client_certificate == ClientCertificate::Require => {
                return Err(Error::CertificateRequired);
            }
            None => {}
        }
        self.enter(core, State::ClientKeyExchange);
        Ok(())
    }

    /// Keeps the session, and sends a ticket if one was announced.
    pub(super) fn remember(&mut self, core: &mut Core, keys: &Keys) -> Result<(), Error> {
        let Some(hello) = &core.report.server_hello else {
            return Ok(());
        };
        let mut ticket = Vec::new();
        if self.sends_ticket {
            ticket = vec![0; 48];
            getrandom::fill(&mut ticket).map_err(|_| Error::NoRandom)?;
        }
        let session = Session {
            id: hello.session_id.clone(),
            ticket,
            version: hello.version,
            suite: hello.suite,
            master_secret: keys.master.clone(),
            extended_master_secret: core.report.extended_master_secret,
            server_name: core
                .report
                .client_hello
                .as_ref()
                .and_then(|hello| hello.sni.clone()),
        };
        self.config.sessions.put(&session);
        if self.sends_ticket {
            let mut body = Writer::new();
            body.u32(TICKET_LIFETIME).vec16(&session.ticket);
            core.send_handshake(HandshakeType::NEW_SESSION_TICKET, &body.into_bytes())?;
        }
        core.report.session = Some(session);
        Ok(())
    }
}
