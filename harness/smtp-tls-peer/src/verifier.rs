//! Verifiers that look at certificates, note what they think of them, and let them pass.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::capture::Capture;
use super::dhe::Learner;
use super::options::OptionError;
use super::provider::algorithms;

/// The roots of a list of certificates.
pub(super) fn root_store(roots: &[CertificateDer<'static>]) -> Result<RootCertStore, OptionError> {
    let mut store = RootCertStore::empty();
    for (index, root) in roots.iter().enumerate() {
        store.add(root.clone()).map_err(|error| OptionError::Root {
            number: index + 1,
            why: error.to_string(),
        })?;
    }
    Ok(store)
}

fn note_certificates(capture: &Capture, leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>]) {
    capture.update(|seen| {
        seen.certificates = std::iter::once(leaf)
            .chain(rest)
            .map(|certificate| certificate.clone().into_owned())
            .collect();
    });
}

fn verify_tls13(
    raw: bool,
    message: &[u8],
    cert: &CertificateDer<'_>,
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if raw {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        return verify_tls13_signature_with_raw_key(message, &key, dss, &algorithms());
    }
    verify_tls13_signature(message, cert, dss, &algorithms())
}

/// A client's verifier: takes every certificate, but not a wrong signature nor, in TLS 1.2, a bad prime.
#[derive(Debug)]
pub(super) struct ServerWatcher {
    pub(super) capture: Capture,
    pub(super) schemes: Vec<SignatureScheme>,
    /// Nothing: the chain is not checked.
    pub(super) roots: Option<RootCertStore>,
    /// Nothing: the name is not checked.
    pub(super) name: Option<ServerName<'static>>,
    /// Nothing: no suite with a prime is offered.
    pub(super) learner: Option<Learner>,
    /// The key must come without a certificate.
    pub(super) raw: bool,
}

impl ServerCertVerifier for ServerWatcher {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        note_certificates(&self.capture, end_entity, intermediates);
        let parsed = ParsedCertificate::try_from(end_entity);
        let on_parsed = |check: &dyn Fn(&ParsedCertificate<'_>) -> Result<(), Error>| {
            parsed
                .as_ref()
                .map_err(Clone::clone)
                .and_then(check)
                .map_err(|error| error.to_string())
        };
        let chain = self.roots.as_ref().map(|roots| {
            on_parsed(&|leaf| {
                verify_server_cert_signed_by_trust_anchor(
                    leaf,
                    roots,
                    intermediates,
                    now,
                    algorithms().all,
                )
            })
        });
        let name = self
            .name
            .as_ref()
            .map(|name| on_parsed(&|leaf| verify_server_name(leaf, name)));
        self.capture.update(|seen| {
            seen.chain = chain;
            seen.name = name;
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.capture
            .update(|seen| seen.peer_scheme = Some(dss.scheme));
        let valid = verify_tls12_signature(message, cert, dss, &algorithms())?;
        if let Some(learner) = &self.learner {
            learner.learn(message)?;
        }
        Ok(valid)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.capture
            .update(|seen| seen.peer_scheme = Some(dss.scheme));
        verify_tls13(self.raw, message, cert, dss)
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// A server's verifier: asks for a certificate and takes what comes, unless told to be strict.
#[derive(Debug)]
pub(super) struct ClientWatcher {
    capture: Capture,
    schemes: Vec<SignatureScheme>,
    webpki: Option<Arc<dyn ClientCertVerifier>>,
    required: bool,
    strict: bool,
    raw: bool,
}

impl ClientWatcher {
    pub(super) fn new(
        capture: Capture,
        schemes: Vec<SignatureScheme>,
        provider: &Arc<CryptoProvider>,
        roots: &[CertificateDer<'static>],
        required: bool,
        strict: bool,
        raw: bool,
    ) -> Result<Self, OptionError> {
        let webpki = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiClientVerifier::builder_with_provider(
                Arc::new(root_store(roots)?),
                Arc::clone(provider),
            );
            Some(
                builder
                    .build()
                    .map_err(|error| OptionError::Refused(error.to_string()))?,
            )
        };
        Ok(Self {
            capture,
            schemes,
            webpki,
            required,
            strict,
            raw,
        })
    }
}

impl ClientCertVerifier for ClientWatcher {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki
            .as_ref()
            .map_or(&[], |webpki| webpki.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        note_certificates(&self.capture, end_entity, intermediates);
        let checked = self.webpki.as_ref().map(|webpki| {
            webpki
                .verify_client_cert(end_entity, intermediates, now)
                .map(drop)
        });
        self.capture.update(|seen| {
            seen.chain = checked
                .clone()
                .map(|result| result.map_err(|error| error.to_string()));
        });
        match checked {
            Some(Err(error)) if self.strict => Err(error),
            _ => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.capture
            .update(|seen| seen.peer_scheme = Some(dss.scheme));
        verify_tls12_signature(message, cert, dss, &algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.capture
            .update(|seen| seen.peer_scheme = Some(dss.scheme));
        verify_tls13(self.raw, message, cert, dss)
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
