use std::time::Duration;

use crate::ca::CaName;
use crate::key::KeyKind;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a leaf certificate is to say.
///
/// ```
/// use pfs_certs::{CertRequest, KeyKind, Purpose};
///
/// let request = CertRequest::new("two-names", KeyKind::EcdsaP256)
///     .names("mail.example.test", &["mail.example.test", "mx2.example.test"])
///     .purpose(Purpose::Both);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertRequest {
    pub(crate) name: String,
    pub(crate) key: KeyKind,
    pub(crate) common_name: String,
    pub(crate) dns_names: Vec<String>,
    pub(crate) signer: Signer,
    pub(crate) validity: Validity,
    pub(crate) purpose: Purpose,
}

impl CertRequest {
    /// The default server certificate: for `mail.example.test` and `example.test`, signed by the
    /// intermediate, valid now.
    ///
    /// `name` identifies the key and certificate within the PKI: the same name gets the same key
    /// back, as long as the kind of key is the same.
    pub fn new(name: impl Into<String>, key: KeyKind) -> Self {
        Self {
            name: name.into(),
            key,
            common_name: "mail.example.test".to_owned(),
            dns_names: vec!["mail.example.test".to_owned(), "example.test".to_owned()],
            signer: Signer::Ca(CaName::Intermediate),
            validity: Validity::Current,
            purpose: Purpose::Server,
        }
    }

    /// The subject's common name, and the DNS names of the subject alternative name extension.
    pub fn names(mut self, common_name: &str, dns_names: &[&str]) -> Self {
        self.common_name = common_name.to_owned();
        self.dns_names = dns_names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Who signs.
    pub fn signer(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }

    /// When the certificate is valid.
    pub fn validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// What the certificate is for.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }
}

/// Who signs a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signer {
    /// A certificate authority of this PKI.
    Ca(CaName),
    /// The leaf's own key. Not for RSA-1024 and P-521 keys, which nothing here can sign with.
    Itself,
}

/// When a certificate is valid, relative to the clock of the PKI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Validity {
    /// From one day before to 90 days after.
    Current,
    /// From 90 days before to 30 days before.
    Expired,
    /// From one year after to two years after.
    NotYet,
}

impl Validity {
    /// notBefore and notAfter, each as (after the clock?, distance from the clock).
    pub(crate) fn bounds(self) -> [(bool, Duration); 2] {
        match self {
            Self::Current => [(false, DAY), (true, 90 * DAY)],
            Self::Expired => [(false, 90 * DAY), (false, 30 * DAY)],
            Self::NotYet => [(true, 365 * DAY), (true, 730 * DAY)],
        }
    }
}

/// What a certificate is for: its extended key usage (RFC 5280 section 4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// serverAuth and clientAuth.
    Both,
    /// clientAuth only.
    Client,
    /// serverAuth only.
    Server,
    /// No extended key usage extension.
    Unrestricted,
}
