//! What a peer saw and did.

use classic_tls::names::{CipherSuite, NamedGroup, SignatureScheme, Version};
use classic_tls::wire::{ClientHello, Irregularity, Recording, Side, Transcript};
use rustls::{CommonState, HandshakeKind};

use super::capture::Capture;
use super::certificate::{KeyKind, SeenCertificate};
use super::dhe::{self, PrimeFacts};
use super::error::{Failure, PeerError};
use super::options::Beginning;
use super::smtp::{Dialogue, Message, Stage};
use super::tap::SharedRecording;

/// Everything a peer knows after its connection. It exists however the connection ended.
#[derive(Debug, Clone)]
pub struct PeerReport {
    /// Which side this peer was.
    pub side: Side,
    /// Connections made or taken before this one, oldest first; only a server has any.
    pub earlier: Vec<PeerReport>,
    /// What was said in SMTP, and how far it got.
    pub dialogue: Dialogue,
    /// What was negotiated; nothing where the handshake was not completed.
    pub tls: Option<TlsFacts>,
    /// The chain this peer sent, or had chosen to send, leaf first.
    pub own_certificates: Vec<SeenCertificate>,
    /// The other side's chain, leaf first.
    pub certificates: Vec<SeenCertificate>,
    /// Whether the other side's chain leads to a given root; nothing where there were no roots or no chain.
    pub chain: Option<Result<(), String>>,
    /// Whether the server's certificate holds the given name; nothing where there was no name or no certificate.
    pub name: Option<Result<(), String>>,
    /// For a client: whether the server asked for a certificate. For a server: whether it did ask.
    pub certificate_requested: bool,
    /// How TLS began, if it did: the client has said something of it.
    pub began: Option<Beginning>,
    /// The bytes on the wire since TLS began.
    pub recording: Recording,
    /// The same, parsed.
    pub transcript: Transcript,
    /// What was odd about the other side's TLS, each thing once; nothing where rustls was the peer, which tells of none.
    pub irregularities: Vec<(Side, Irregularity)>,
    /// Messages taken, in order; only a server has any.
    pub messages: Vec<Message>,
    /// Why it did not end well.
    pub error: Option<PeerError>,
}

/// The outcome of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// Protocol version.
    pub version: Version,
    /// Cipher suite.
    pub suite: CipherSuite,
    /// Key exchange group, also for TLS 1.2; nothing for a resumed session of TLS 1.2, nor for a Diffie-Hellman prime
    /// that is not one of RFC 7919.
    pub group: Option<NamedGroup>,
    /// The prime, where the key exchange was Diffie-Hellman over one, in any version.
    pub prime: Option<PrimeFacts>,
    /// What the server signed with; nothing for a resumed session.
    pub server_scheme: Option<SignatureScheme>,
    /// What the client signed with; nothing without a client certificate.
    pub client_scheme: Option<SignatureScheme>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
}

/// A signature as a log line describes it: kind, key, digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureFacts {
    /// The scheme on the wire.
    pub scheme: SignatureScheme,
    /// The key that signed, if its certificate could be read.
    pub key: Option<KeyKind>,
    /// The key came without a certificate (RFC 7250).
    pub raw_public_key: bool,
}

impl SignatureFacts {
    /// As Postfix names it after `server-signature`: `RSA-PSS`, `RSA`, `ECDSA`, `DSA`, `ED25519`, `ED448`.
    #[must_use]
    pub fn algorithm(&self) -> Option<&'static str> {
        let name = self.scheme.name()?;
        Some(match name {
            "ed25519" => "ED25519",
            "ed448" => "ED448",
            _ if name.starts_with("rsa_pss") => "RSA-PSS",
            _ if name.starts_with("rsa_pkcs1") => "RSA",
            _ if name.starts_with("ecdsa") => "ECDSA",
            _ if name.starts_with("dsa") => "DSA",
            _ => return None,
        })
    }

    /// As Postfix names it after `server-digest`: `SHA256`, `SHA384`, `SHA512`, `SHA1`; nothing for EdDSA.
    #[must_use]
    pub fn digest(&self) -> Option<&'static str> {
        let (_, digest) = self.scheme.name()?.rsplit_once('_')?;
        Some(match digest {
            "sha1" => "SHA1",
            "sha224" => "SHA224",
            "sha256" => "SHA256",
            "sha384" => "SHA384",
            "sha512" => "SHA512",
            _ => return None,
        })
    }
}

impl PeerReport {
    /// This report as that of the connection after `previous`.
    #[must_use]
    pub fn after(mut self, previous: Option<Self>) -> Self {
        if let Some(mut previous) = previous {
            self.earlier = std::mem::take(&mut previous.earlier);
            self.earlier.push(previous);
        }
        self
    }

    /// Whether a mail was sent and accepted, or received.
    #[must_use]
    pub fn delivered(&self) -> bool {
        match self.side {
            // A client says QUIT only after its mail was accepted.
            Side::Client => self.dialogue.stage >= Stage::Quit,
            Side::Server => !self.messages.is_empty(),
        }
    }

    /// The step that was under way last.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.dialogue.stage
    }

    /// The client's first flight, as it was on the wire.
    #[must_use]
    pub const fn client_hello(&self) -> Option<&ClientHello> {
        self.transcript.client_hello.as_ref()
    }

    /// The server name that the client sent.
    #[must_use]
    pub fn sni(&self) -> Option<&str> {
        self.client_hello()?.sni.as_deref()
    }

    /// The message received; the last one if there are several.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.messages.last()
    }

    /// Protocol as Postfix prints it, such as `TLSv1.3`.
    #[must_use]
    pub fn protocol(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.version.to_string())
    }

    /// Cipher suite by OpenSSL's name, such as `ECDHE-RSA-AES256-GCM-SHA384`.
    #[must_use]
    pub fn cipher(&self) -> Option<&'static str> {
        self.tls.as_ref()?.suite.openssl_name()
    }

    /// Size of the cipher's key in bits.
    #[must_use]
    pub fn cipher_bits(&self) -> Option<u16> {
        self.tls.as_ref()?.suite.cipher_bits()
    }

    /// Key exchange group by IANA's name, such as `x25519`, for every version.
    #[must_use]
    pub fn key_exchange(&self) -> Option<&'static str> {
        self.tls.as_ref()?.group?.name()
    }

    /// The Diffie-Hellman prime, also that of a handshake of TLS 1.2 which failed after the server had sent it.
    #[must_use]
    pub fn prime(&self) -> Option<PrimeFacts> {
        match &self.tls {
            Some(tls) => tls.prime,
            None => {
                let sent = self.transcript.server_key_exchange.as_ref()?.dh()?;
                Some(PrimeFacts::of(&sent.p, &sent.g))
            }
        }
    }

    /// The server's chain as this peer knows it, sent or seen.
    #[must_use]
    pub fn server_certificates(&self) -> &[SeenCertificate] {
        match self.side {
            Side::Client => &self.certificates,
            Side::Server => &self.own_certificates,
        }
    }

    /// The client's chain as this peer knows it, sent or seen.
    #[must_use]
    pub fn client_certificates(&self) -> &[SeenCertificate] {
        match self.side {
            Side::Client => &self.own_certificates,
            Side::Server => &self.certificates,
        }
    }

    /// The server's signature.
    #[must_use]
    pub fn server_signature(&self) -> Option<SignatureFacts> {
        let scheme = self.tls.as_ref()?.server_scheme?;
        Some(SignatureFacts {
            scheme,
            key: self.server_certificates().first().and_then(|leaf| leaf.key),
            raw_public_key: is_raw(self.server_certificates()),
        })
    }

    /// The client's signature.
    #[must_use]
    pub fn client_signature(&self) -> Option<SignatureFacts> {
        let scheme = self.tls.as_ref()?.client_scheme?;
        Some(SignatureFacts {
            scheme,
            key: self.client_certificates().first().and_then(|leaf| leaf.key),
            raw_public_key: is_raw(self.client_certificates()),
        })
    }

    /// The facts that log line and header also tell, in one place.
    #[must_use]
    pub fn summary(&self) -> Option<PeerSummary> {
        let tls = self.tls.as_ref()?;
        Some(PeerSummary {
            protocol: tls.version,
            suite: tls.suite,
            group: tls.group,
            server_signature: self.server_signature(),
            client_signature: self.client_signature(),
            sni: self.sni().map(str::to_owned),
            resumed: tls.resumed,
            server_cn: self
                .server_certificates()
                .first()
                .and_then(|leaf| leaf.subject_cn.clone()),
            client_cn: self
                .client_certificates()
                .first()
                .and_then(|leaf| leaf.subject_cn.clone()),
            client_issuer_cn: self
                .client_certificates()
                .first()
                .and_then(|leaf| leaf.issuer_cn.clone()),
            certificate_requested: self.certificate_requested,
        })
    }
}

fn is_raw(chain: &[SeenCertificate]) -> bool {
    chain.first().is_some_and(|leaf| leaf.raw_public_key)
}

/// The part of a [`PeerReport`] that other witnesses know too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSummary {
    /// Protocol version.
    pub protocol: Version,
    /// Cipher suite.
    pub suite: CipherSuite,
    /// Key exchange group.
    pub group: Option<NamedGroup>,
    /// The server's signature; nothing for a resumed session.
    pub server_signature: Option<SignatureFacts>,
    /// The client's signature; nothing without a client certificate.
    pub client_signature: Option<SignatureFacts>,
    /// The server name the client sent.
    pub sni: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Common name of the server's certificate.
    pub server_cn: Option<String>,
    /// Common name of the client's certificate.
    pub client_cn: Option<String>,
    /// Common name of its issuer.
    pub client_issuer_cn: Option<String>,
    /// Whether the server asked for a certificate.
    pub certificate_requested: bool,
}

/// A connection in progress; it outlives the future that works on it, so that a deadline loses nothing.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) side: Side,
    pub(super) dialogue: Dialogue,
    pub(super) began: Option<Beginning>,
    pub(super) recording: SharedRecording,
    pub(super) capture: Capture,
    pub(super) tls: Option<TlsFacts>,
    pub(super) messages: Vec<Message>,
    pub(super) certificate_requested: bool,
    pub(super) irregularities: Vec<(Side, Irregularity)>,
    /// Why it has failed, or will have if the deadline strikes now.
    ending: Option<Failure>,
}

impl Run {
    pub(super) fn new(side: Side, capture: Capture) -> Self {
        Self {
            side,
            dialogue: Dialogue::default(),
            began: None,
            recording: SharedRecording::default(),
            capture,
            tls: None,
            messages: Vec::new(),
            certificate_requested: false,
            irregularities: Vec::new(),
            ending: None,
        }
    }

    /// Lets `closing` run after `failure`. A deadline that strikes meanwhile does not replace the failure.
    pub(super) async fn end(
        &mut self,
        failure: Failure,
        closing: impl Future<Output = ()>,
    ) -> Failure {
        self.ending = Some(failure);
        closing.await;
        self.ending.take().unwrap_or(Failure::Deadline)
    }

    /// Waits for `what`; a deadline that strikes meanwhile counts as `failure`.
    pub(super) async fn meanwhile<T>(
        &mut self,
        failure: Failure,
        what: impl Future<Output = T>,
    ) -> T {
        self.ending = Some(failure);
        let result = what.await;
        self.ending = None;
        result
    }

    /// The outcome where the deadline struck.
    pub(super) fn struck(&mut self) -> Result<(), Failure> {
        match self.ending.take() {
            Some(failure) => Err(failure),
            None if self.dialogue.stage == Stage::Done => Ok(()),
            None => Err(Failure::Deadline),
        }
    }

    /// Notes what a completed handshake agreed on. The schemes are filled in by [`Self::report`].
    pub(super) fn established(&mut self, state: &CommonState) {
        let (Some(version), Some(suite)) =
            (state.protocol_version(), state.negotiated_cipher_suite())
        else {
            return;
        };
        let group = state.negotiated_key_exchange_group();
        let prime = group.and_then(|group| group.ffdhe_group());
        self.tls = Some(TlsFacts {
            version: Version(u16::from(version)),
            suite: CipherSuite(u16::from(suite.suite())),
            // A group over a prime goes by names of ours inside rustls.
            group: match &prime {
                Some(prime) => dhe::code_point(prime),
                None => group.map(rustls::crypto::SupportedKxGroup::name),
            }
            .map(|name| NamedGroup(u16::from(name))),
            prime: prime.as_ref().map(PrimeFacts::from),
            server_scheme: None,
            client_scheme: None,
            resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
        });
    }

    pub(super) fn report(self, outcome: Result<(), Failure>) -> PeerReport {
        let seen = self.capture.take();
        let transcript = self.recording.transcript();
        let recording = self.recording.snapshot();
        let error = outcome
            .err()
            .map(|failure| failure.explain(self.side, self.dialogue.stage, &transcript));
        let scheme =
            |scheme: Option<rustls::SignatureScheme>| scheme.map(|s| SignatureScheme(u16::from(s)));
        let (server_scheme, client_scheme) = match self.side {
            Side::Client => (scheme(seen.peer_scheme), scheme(seen.own_scheme)),
            Side::Server => (scheme(seen.own_scheme), scheme(seen.peer_scheme)),
        };
        // A client that found no scheme for its key has sent an empty chain.
        let own_chain = match (self.side, seen.own_scheme) {
            (Side::Client, None) => Vec::new(),
            _ => seen.own_chain,
        };
        let parsed = |chain: &[rustls::pki_types::CertificateDer<'_>]| {
            chain.iter().map(SeenCertificate::parse).collect::<Vec<_>>()
        };
        PeerReport {
            side: self.side,
            earlier: Vec::new(),
            dialogue: self.dialogue,
            began: self.began.filter(|_| !recording.client.is_empty()),
            tls: self.tls.map(|tls| TlsFacts {
                server_scheme,
                client_scheme,
                ..tls
            }),
            own_certificates: parsed(&own_chain),
            certificates: parsed(&seen.certificates),
            chain: seen.chain,
            name: seen.name,
            certificate_requested: self.certificate_requested || seen.certificate_requested,
            recording,
            transcript,
            irregularities: self.irregularities,
            messages: self.messages,
            error,
        }
    }
}
