//! Which certificate is sent.

use std::sync::Arc;

use classic_tls::names::{Authentication, CipherSuite};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::capture::Capture;

/// A client's only certificate, or none; notes that it was asked for.
#[derive(Debug)]
pub(super) struct ClientChain {
    pub(super) key: Option<Arc<CertifiedKey>>,
    /// The key goes without a certificate.
    pub(super) raw: bool,
    pub(super) capture: Capture,
}

impl ResolvesClientCert for ClientChain {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.capture.update(|seen| {
            seen.certificate_requested = true;
            seen.own_chain = self
                .key
                .as_ref()
                .map(|key| key.cert.clone())
                .unwrap_or_default();
        });
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }

    fn only_raw_public_keys(&self) -> bool {
        self.raw
    }
}

/// A server's certificates.
#[derive(Debug)]
pub(super) struct ServerChains {
    /// By default, in order of preference.
    pub(super) keys: Vec<Arc<CertifiedKey>>,
    /// By server name, in lower case.
    pub(super) by_name: Vec<(String, Arc<CertifiedKey>)>,
    /// TLS 1.3 is enabled.
    pub(super) tls13: bool,
    /// The keys go without certificates.
    pub(super) raw: bool,
    pub(super) capture: Capture,
}

impl ResolvesServerCert for ServerChains {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named: Vec<&Arc<CertifiedKey>> = match hello.server_name() {
            Some(sni) => self
                .by_name
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(sni))
                .map(|(_, key)| key)
                .collect(),
            None => Vec::new(),
        };
        let candidates = if named.is_empty() {
            self.keys.iter().collect()
        } else {
            named
        };
        let fitting = candidates.iter().find(|key| self.fits(key, &hello));
        let chosen = fitting.or(candidates.first()).map(|key| Arc::clone(key))?;
        self.capture.update(|seen| {
            // Trying the keys has left the scheme of the last one tried.
            seen.own_scheme = None;
            seen.own_chain = chosen.cert.clone();
        });
        Some(chosen)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.raw
    }
}

impl ServerChains {
    fn fits(&self, key: &CertifiedKey, hello: &ClientHello<'_>) -> bool {
        if key.key.choose_scheme(hello.signature_schemes()).is_none() {
            return false;
        }
        let suites = || {
            hello
                .cipher_suites()
                .iter()
                .map(|suite| CipherSuite(u16::from(*suite)))
        };
        // A suite of TLS 1.3 says nothing of the certificate.
        if self.tls13 && suites().any(|suite| suite.0 >> 8 == 0x13) {
            return true;
        }
        let needed = match key.key.algorithm() {
            rustls::SignatureAlgorithm::RSA => Authentication::Rsa,
            _ => Authentication::Ecdsa,
        };
        suites().any(|suite| suite.authentication() == needed)
    }
}
