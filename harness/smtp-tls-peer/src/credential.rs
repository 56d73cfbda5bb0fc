//! A certificate chain with its key, and keys that tell which scheme they signed with.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::capture::Capture;
use super::certificate::SeenCertificate;
use super::options::OptionError;

/// A certificate chain, leaf first, with the leaf's key.
pub struct Credential {
    /// The chain as it is sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key, PKCS#8 preferred; RSA from 2048 bits, P-256, P-384 or Ed25519.
    pub key: PrivateKeyDer<'static>,
}

impl Credential {
    /// Reads all certificates and the first key of a PEM text, in the order of Postfix' `smtpd_tls_chain_files`.
    ///
    /// # Errors
    /// When a block cannot be decoded or there is no certificate or key.
    pub fn from_pem(pem: &str) -> Result<Self, OptionError> {
        let unusable = |why: String| OptionError::Credential {
            subject: "in PEM".to_owned(),
            why,
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| unusable(error.to_string()))?;
        if chain.is_empty() {
            return Err(unusable("it holds no certificate".to_owned()));
        }
        Ok(Self { chain, key })
    }

    /// The chain and a key that signs with `allowed` only, most preferred first, and tells `capture` which it took.
    /// An empty list leaves the choice to the key: the longest digest the other side takes, RSA-PSS before PKCS #1.
    pub(super) fn certified(
        &self,
        allowed: &[SignatureScheme],
        capture: &Capture,
    ) -> Result<Arc<CertifiedKey>, OptionError> {
        let subject = || {
            self.chain.first().map_or_else(
                || "(empty)".to_owned(),
                |leaf| SeenCertificate::parse(leaf).name(),
            )
        };
        if self.chain.is_empty() {
            return Err(OptionError::Credential {
                subject: subject(),
                why: "the chain is empty".to_owned(),
            });
        }
        let inner = rustls_graviola::default_provider()
            .key_provider
            .load_private_key(self.key.clone_key())
            .map_err(|error| OptionError::Credential {
                subject: subject(),
                why: error.to_string(),
            })?;
        let key = Arc::new(WatchedKey {
            inner,
            allowed: allowed.to_vec(),
            capture: capture.clone(),
        });
        Ok(Arc::new(CertifiedKey::new(self.chain.clone(), key)))
    }
}

impl Clone for Credential {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leaf = self
            .chain
            .first()
            .map(|leaf| SeenCertificate::parse(leaf).name());
        f.debug_struct("Credential")
            .field("leaf", &leaf)
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}

/// A key whose choice of scheme is restricted and noted.
#[derive(Debug)]
struct WatchedKey {
    inner: Arc<dyn SigningKey>,
    allowed: Vec<SignatureScheme>,
    capture: Capture,
}

impl SigningKey for WatchedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let signer = if self.allowed.is_empty() {
            self.inner.choose_scheme(offered)
        } else {
            self.allowed
                .iter()
                .filter(|scheme| offered.contains(scheme))
                .find_map(|scheme| self.inner.choose_scheme(std::slice::from_ref(scheme)))
        }?;
        self.capture
            .update(|seen| seen.own_scheme = Some(signer.scheme()));
        Some(signer)
    }

    fn public_key(&self) -> Option<rustls::pki_types::SubjectPublicKeyInfoDer<'_>> {
        self.inner.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }
}
