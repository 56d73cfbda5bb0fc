//! What the callbacks of rustls see during one handshake.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;

/// Facts that rustls hands to verifiers, resolvers and keys but does not keep.
#[derive(Debug, Clone, Default)]
pub(super) struct Captured {
    /// The scheme our own key signed with.
    pub(super) own_scheme: Option<SignatureScheme>,
    /// The scheme the other side signed with.
    pub(super) peer_scheme: Option<SignatureScheme>,
    /// The chain we sent, or chose to send, leaf first.
    pub(super) own_chain: Vec<CertificateDer<'static>>,
    /// The other side's certificates, leaf first.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Whether the other side's chain leads to a root; nothing where no roots were given.
    pub(super) chain: Option<Result<(), String>>,
    /// Whether the certificate is valid for the expected name; nothing where none was given.
    pub(super) name: Option<Result<(), String>>,
    /// A server has asked our client for a certificate.
    pub(super) certificate_requested: bool,
}

/// A [`Captured`] that callbacks fill and the report reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Capture(Arc<Mutex<Captured>>);

impl Capture {
    pub(super) fn update(&self, change: impl FnOnce(&mut Captured)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn take(&self) -> Captured {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
