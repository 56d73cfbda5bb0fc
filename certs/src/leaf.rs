use std::fmt;

use crate::error::Error;
use crate::fingerprint::{Digest, Of};
use crate::key::{Key, KeyKind};
use crate::pem_text;
use crate::request::CertRequest;
use crate::tlsa::Tlsa;

/// A leaf certificate with its key and the certificates that go with it.
pub struct Leaf {
    pub(crate) request: CertRequest,
    pub(crate) key: Key,
    /// Leaf first, then intermediates; no root, unless the leaf is its own.
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) issuer_common_name: String,
}

impl Leaf {
    /// Its name in the registry, or in the request it was made from.
    pub fn name(&self) -> &str {
        &self.request.name
    }

    /// The common name of its subject.
    pub fn common_name(&self) -> &str {
        &self.request.common_name
    }

    /// The common name of its issuer, which Postfix logs and writes into `Received:`.
    pub fn issuer_common_name(&self) -> &str {
        &self.issuer_common_name
    }

    /// The DNS names of its subject alternative name extension.
    pub fn dns_names(&self) -> &[String] {
        &self.request.dns_names
    }

    /// The kind of its key.
    pub fn key_kind(&self) -> KeyKind {
        self.key.kind()
    }

    /// What it was made from.
    pub fn request(&self) -> &CertRequest {
        &self.request
    }

    /// The certificates a server sends, DER, leaf first, without the root.
    pub fn chain_der(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The leaf certificate alone, DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// The SubjectPublicKeyInfo, DER; also what a raw public key (RFC 7250) consists of.
    pub fn public_key_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    /// The private key, PKCS #8 version 1, DER.
    pub fn key_pkcs8_der(&self) -> &[u8] {
        self.key.pkcs8_der()
    }

    /// The private key, PEM: the contents of a `smtpd_tls_key_file`.
    pub fn key_pem(&self) -> String {
        pem_text::encode(pem_text::PRIVATE_KEY, self.key_pkcs8_der())
    }

    /// The leaf, then the intermediates, PEM: the contents of a `smtpd_tls_cert_file`.
    pub fn cert_pem(&self) -> String {
        self.chain
            .iter()
            .map(|der| pem_text::encode(pem_text::CERTIFICATE, der))
            .collect()
    }

    /// The key, then the leaf, then the intermediates, PEM: the order that
    /// `smtpd_tls_chain_files` and `tls_server_sni_maps` require.
    pub fn chain_pem(&self) -> String {
        self.key_pem() + &self.cert_pem()
    }

    /// A fingerprint in Postfix's notation, `AA:BB:…`.
    pub fn fingerprint(&self, digest: Digest, of: Of) -> String {
        digest.fingerprint(match of {
            Of::Certificate => self.certificate_der(),
            Of::PublicKey => self.public_key_der(),
        })
    }

    /// The TLSA record that matches this certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Tlsa`] if a number is not one RFC 6698 defines.
    pub fn tlsa(&self, usage: u8, selector: u8, matching_type: u8) -> Result<Tlsa, Error> {
        Tlsa::new(
            usage,
            selector,
            matching_type,
            self.certificate_der(),
            self.public_key_der(),
        )
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
