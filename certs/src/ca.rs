use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Kind};
use crate::fingerprint::{Digest, Of};
use crate::key::Key;
use crate::pem_text;
use crate::tlsa::Tlsa;

/// The name of a certificate authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaName {
    /// Signs most leaves; itself signed by [`CaName::Root`].
    Intermediate,
    /// A root that has nothing to do with the others.
    OtherRoot,
    /// The root a test trusts.
    Root,
}

impl CaName {
    /// Every authority.
    pub const ALL: [Self; 3] = [Self::Root, Self::Intermediate, Self::OtherRoot];

    /// Finds a name.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] naming the nearest known name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == name)
            .ok_or_else(|| Error::unknown(Kind::Ca, name, Self::ALL.map(Self::as_str)))
    }

    /// The name, as in `ca:root`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intermediate => "intermediate",
            Self::OtherRoot => "other-root",
            Self::Root => "root",
        }
    }

    /// The common name of the subject: what Postfix logs as the issuer of a certificate it signed.
    pub fn common_name(self) -> &'static str {
        match self {
            Self::Intermediate => "pfs test intermediate CA",
            Self::OtherRoot => "pfs other root CA",
            Self::Root => "pfs test root CA",
        }
    }

    /// Who signs it; `None` if it signs itself.
    pub fn issuer(self) -> Option<Self> {
        match self {
            Self::Intermediate => Some(Self::Root),
            Self::OtherRoot | Self::Root => None,
        }
    }
}

impl fmt::Display for CaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CaName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::parse(name)
    }
}

/// A certificate authority: its certificate, and privately its key.
pub struct Ca {
    pub(crate) name: CaName,
    pub(crate) key: Key,
    pub(crate) certificate: Vec<u8>,
}

impl Ca {
    /// Its name.
    pub fn name(&self) -> CaName {
        self.name
    }

    /// The common name of its subject.
    pub fn common_name(&self) -> &'static str {
        self.name.common_name()
    }

    /// Its certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// Its SubjectPublicKeyInfo, DER.
    pub fn public_key_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    /// Its certificate, PEM: the contents of a `smtp_tls_CAfile`.
    pub fn pem(&self) -> String {
        pem_text::encode(pem_text::CERTIFICATE, &self.certificate)
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
    /// DANE-TA (usage 2) needs the trust anchor in the chain the server sends (RFC 7671 section
    /// 5.2): leaves send the intermediate, never the root.
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

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ca")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
