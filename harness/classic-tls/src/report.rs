//! What a connection has seen and agreed on.

use crate::keys::{KeyDescription, PublicKey};
use crate::names::{
    AlertDescription, CipherSuite, KeyExchangeKind, NamedGroup, SignatureScheme, Version,
};
use crate::session::Session;
use crate::wire::{
    AlertLevel, CertificateRequest, ClientHello, Irregularity, ServerHello, ServerKeyExchange,
    Side, note_irregularity,
};

/// Everything one end of a connection knows about it; complete as far as the handshake came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Which end this is.
    pub side: Side,
    /// The ClientHello, as sent or as received.
    pub client_hello: Option<ClientHello>,
    /// The ServerHello, as sent or as received.
    pub server_hello: Option<ServerHello>,
    /// The version agreed on.
    pub version: Option<Version>,
    /// The suite agreed on, or chosen by the server and refused.
    pub suite: Option<CipherSuite>,
    /// The server's Diffie-Hellman parameters and signature.
    pub server_key_exchange: Option<ServerKeyExchange>,
    /// The server's chain in DER, leaf first.
    pub server_certificates: Vec<Vec<u8>>,
    /// The client's chain in DER, leaf first.
    pub client_certificates: Vec<Vec<u8>>,
    /// The server's request for a certificate.
    pub certificate_request: Option<CertificateRequest>,
    /// How the server signed; up to TLS 1.1 the nearest scheme of TLS 1.2.
    pub server_signature_scheme: Option<SignatureScheme>,
    /// How the client signed; likewise.
    pub client_signature_scheme: Option<SignatureScheme>,
    /// Whether an earlier session was taken up.
    pub resumed: bool,
    /// Whether the master secret is bound to the handshake (RFC 7627).
    pub extended_master_secret: bool,
    /// Whether the MAC covers the ciphertext (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Whether both ends sent `renegotiation_info` (RFC 5746).
    pub secure_renegotiation: bool,
    /// Alerts in the order they were sent or received, protected ones included.
    pub alerts: Vec<(Side, AlertLevel, AlertDescription)>,
    /// What was odd about the peer, in the order in which it was seen; each thing once.
    pub irregularities: Vec<(Side, Irregularity)>,
    /// Whether the handshake is complete.
    pub complete: bool,
    /// Whether the peer said goodbye before it closed.
    pub close_notify_received: bool,
    /// What to keep in order to resume.
    pub session: Option<Session>,
}

impl Report {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            client_hello: None,
            server_hello: None,
            version: None,
            suite: None,
            server_key_exchange: None,
            server_certificates: Vec::new(),
            client_certificates: Vec::new(),
            certificate_request: None,
            server_signature_scheme: None,
            client_signature_scheme: None,
            resumed: false,
            extended_master_secret: false,
            encrypt_then_mac: false,
            secure_renegotiation: false,
            alerts: Vec::new(),
            irregularities: Vec::new(),
            complete: false,
            close_notify_received: false,
            session: None,
        }
    }

    /// Notes something odd about the peer.
    pub(crate) fn note(&mut self, irregularity: Irregularity) {
        note_irregularity(&mut self.irregularities, self.side.other(), irregularity);
    }

    /// How the suite arrives at its secret.
    pub fn key_exchange(&self) -> Option<KeyExchangeKind> {
        self.suite.map(CipherSuite::key_exchange)
    }

    /// The elliptic-curve group of the key exchange.
    pub fn group(&self) -> Option<NamedGroup> {
        self.server_key_exchange
            .as_ref()?
            .ecdh()
            .map(|ecdh| ecdh.group)
    }

    /// Size of the Diffie-Hellman prime in bits.
    pub fn dh_bits(&self) -> Option<usize> {
        self.server_key_exchange.as_ref()?.dh().map(|dh| dh.bits())
    }

    /// Name of the Diffie-Hellman group, if it is a well-known one.
    pub fn dh_group_name(&self) -> Option<&'static str> {
        self.server_key_exchange.as_ref()?.dh()?.name()
    }

    /// Kind and size of the key in the server's certificate.
    pub fn server_key(&self) -> Option<KeyDescription> {
        key_of(&self.server_certificates)
    }

    /// Kind and size of the key in the client's certificate.
    pub fn client_key(&self) -> Option<KeyDescription> {
        key_of(&self.client_certificates)
    }
}

fn key_of(chain: &[Vec<u8>]) -> Option<KeyDescription> {
    PublicKey::of_certificate(chain.first()?)
        .ok()
        .map(|key| key.description())
}
