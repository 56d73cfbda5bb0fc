use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::ca::{Ca, CaName};
use crate::dh::Parameters;
use crate::error::{Error, Kind};
use crate::fingerprint::{Digest, Of};
use crate::leaf::Leaf;
use crate::name::CertName;
use crate::pki::Pki;
use crate::tlsa::Tlsa;

/// Characters that end a name within a main.cf value, besides white space.
const DELIMITERS: &[char] = &[',', '=', '{', '}', '|', ';', '"'];

/// A name for a generated file or value, as a scenario writes it into a main.cf value.
///
/// | name | stands for |
/// |-|-|
/// | `cert:rsa2048` | file: leaf, then intermediates (`smtpd_tls_cert_file`) |
/// | `key:rsa2048` | file: private key (`smtpd_tls_key_file`) |
/// | `chain:rsa2048` | file: key, leaf, intermediates (`smtpd_tls_chain_files`, `tls_server_sni_maps`) |
/// | `ca:root` | file: certificate of an authority (`smtp_tls_CAfile`) |
/// | `dh:2048` | file: Diffie-Hellman parameters (`smtpd_tls_dh1024_param_file`) |
/// | `fp-sha256:rsa2048` | fingerprint of a certificate, `AA:BB:…`; also `md5`, `sha1`, `sha384`, `sha512` |
/// | `pkfp-sha256:rsa2048` | the same of its public key |
/// | `tlsa-3-1-1:rsa2048` | TLSA record that matches it, `3 1 1 AABB…` |
///
/// Fingerprints and TLSA records also take the name of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedName {
    item: Item,
    subject: Subject,
}

/// What is made of a certificate or parameter file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// `ca:`
    Ca,
    /// `cert:`
    Cert,
    /// `chain:`
    Chain,
    /// `dh:`
    Dh,
    /// `fp-…:` and `pkfp-…:`
    Fingerprint(Digest, Of),
    /// `key:`
    Key,
    /// `tlsa-U-S-M:`, with usage, selector and matching type
    Tlsa(u8, u8, u8),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Ca(CaName),
    Dh(Box<Parameters>),
    Leaf(CertName),
}

/// What a [`GeneratedName`] stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generated {
    /// A file to write, and to name in the configuration in place of the generated name.
    File {
        /// A file name without a directory, the same for the same generated name, such as
        /// `cert-rsa2048.pem`.
        name: String,
        /// What to write.
        contents: String,
        /// Whether there is a private key within, so that mode 0600 is due.
        private: bool,
    },
    /// A value to use in place of the generated name.
    Value(String),
}

impl GeneratedName {
    /// Reads a name such as `cert:rsa2048`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] naming what is unknown and its nearest known name, [`Error::Tlsa`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (prefix, subject) = text.split_once(':').unwrap_or((text, ""));
        let item = Item::parse(prefix)?;
        let subject = match item {
            Item::Ca => Subject::Ca(CaName::parse(subject)?),
            Item::Dh => Subject::Dh(Box::new(Parameters::named(subject)?)),
            Item::Cert | Item::Chain | Item::Key => Subject::Leaf(CertName::parse(subject)?),
            Item::Fingerprint(..) | Item::Tlsa(..) => match CaName::parse(subject) {
                Ok(name) => Subject::Ca(name),
                Err(_) => Subject::Leaf(CertName::parse(subject)?),
            },
        };
        Ok(Self { item, subject })
    }

    /// Whether `text` begins as a generated name does, be it a right one or not.
    ///
    /// A value such as `hash:/etc/aliases` or `inline:{…}` does not.
    pub fn is_meant_by(text: &str) -> bool {
        text.split_once(':').is_some_and(|(prefix, _)| {
            Item::parse(prefix).is_ok()
                || ["fp-", "pkfp-", "tlsa-"]
                    .iter()
                    .any(|start| prefix.starts_with(start))
        })
    }

    /// Replaces every generated name within a main.cf value by what `replace` makes of it, also in
    /// lists, tables (`inline:{ sni.example.test = chain:sni-rsa }`) and attributes
    /// (`match=fp-sha256:rsa2048`).
    ///
    /// # Errors
    ///
    /// As [`GeneratedName::parse`], and whatever `replace` returns.
    pub fn substitute<E: From<Error>>(
        value: &str,
        mut replace: impl FnMut(Self) -> Result<String, E>,
    ) -> Result<String, E> {
        let ends = |character: char| character.is_whitespace() || DELIMITERS.contains(&character);
        let mut result = String::with_capacity(value.len());
        let mut rest = value;
        while !rest.is_empty() {
            let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
            if Self::is_meant_by(word) {
                result.push_str(&replace(Self::parse(word)?)?);
            } else {
                result.push_str(word);
            }
            let next = after
                .find(|character| !ends(character))
                .unwrap_or(after.len());
            let (between, following) = after.split_at(next);
            result.push_str(between);
            rest = following;
        }
        Ok(result)
    }

    /// What is made.
    pub fn item(&self) -> Item {
        self.item
    }

    /// The certificate it is made of; `None` for an authority's and for Diffie-Hellman parameters.
    pub fn leaf(&self) -> Option<CertName> {
        match self.subject {
            Subject::Leaf(name) => Some(name),
            Subject::Ca(_) | Subject::Dh(_) => None,
        }
    }

    /// The TLSA record that a name such as `tlsa-3-1-1:rsa2048` stands for.
    ///
    /// # Errors
    ///
    /// As [`Pki::get`]; [`Error::Unknown`] for a name that is none of a TLSA record.
    pub fn tlsa(&self, pki: &Pki) -> Result<Tlsa, Error> {
        let Item::Tlsa(usage, selector, matching_type) = self.item else {
            let found = self.item.to_string();
            return Err(Error::unknown(Kind::Prefix, &found, ["tlsa-3-1-1"]));
        };
        let made = match &self.subject {
            Subject::Ca(name) => Made::Ca(pki.authority(*name)?),
            Subject::Leaf(name) => Made::Leaf(pki.get(*name)?),
            Subject::Dh(parameters) => {
                return Err(Error::unknown(Kind::Certificate, parameters.name(), []));
            }
        };
        made.tlsa(usage, selector, matching_type)
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// As [`Pki::get`].
    pub fn make(&self, pki: &Pki) -> Result<Generated, Error> {
        let made = match &self.subject {
            Subject::Ca(name) => Made::Ca(pki.authority(*name)?),
            Subject::Dh(parameters) => return Ok(self.file(parameters.pem().to_owned())),
            Subject::Leaf(name) => Made::Leaf(pki.get(*name)?),
        };
        Ok(match self.item {
            Item::Ca | Item::Cert | Item::Dh => self.file(made.cert_pem()),
            Item::Chain => self.file(made.key_pem() + &made.cert_pem()),
            Item::Key => self.file(made.key_pem()),
            Item::Fingerprint(digest, of) => Generated::Value(made.fingerprint(digest, of)),
            Item::Tlsa(usage, selector, matching_type) => {
                Generated::Value(made.tlsa(usage, selector, matching_type)?.to_string())
            }
        })
    }

    /// The name of the file it stands for, without a directory; `None` where it stands for a value.
    pub fn file_name(&self) -> Option<String> {
        match self.item {
            Item::Fingerprint(..) | Item::Tlsa(..) => None,
            Item::Ca | Item::Cert | Item::Chain | Item::Dh | Item::Key => Some(self.pem_name()),
        }
    }

    fn pem_name(&self) -> String {
        format!("{}-{}.pem", self.item, self.subject)
    }

    fn file(&self, contents: String) -> Generated {
        Generated::File {
            name: self.pem_name(),
            contents,
            private: matches!(self.item, Item::Chain | Item::Key),
        }
    }
}

impl fmt::Display for GeneratedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.item, self.subject)
    }
}

impl FromStr for GeneratedName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Item {
    /// Reads the part before the colon.
    fn parse(prefix: &str) -> Result<Self, Error> {
        if let Some(digest) = prefix.strip_prefix("fp-") {
            return Ok(Self::Fingerprint(digest.parse()?, Of::Certificate));
        }
        if let Some(digest) = prefix.strip_prefix("pkfp-") {
            return Ok(Self::Fingerprint(digest.parse()?, Of::PublicKey));
        }
        let numbers = prefix.strip_prefix("tlsa-").and_then(|numbers| {
            let mut numbers = numbers.split('-').map(|number| number.parse().ok());
            let all = (numbers.next()??, numbers.next()??, numbers.next()??);
            numbers.next().is_none().then_some(all)
        });
        if let Some((usage, selector, matching_type)) = numbers {
            // Only to have the numbers checked.
            Tlsa::new(usage, selector, matching_type, &[], &[])?;
            return Ok(Self::Tlsa(usage, selector, matching_type));
        }
        match prefix {
            "ca" => Ok(Self::Ca),
            "cert" => Ok(Self::Cert),
            "chain" => Ok(Self::Chain),
            "dh" => Ok(Self::Dh),
            "key" => Ok(Self::Key),
            _ => Err(Error::unknown(
                Kind::Prefix,
                prefix,
                [
                    "ca",
                    "cert",
                    "chain",
                    "dh",
                    "key",
                    "fp-sha256",
                    "pkfp-sha256",
                    "tlsa-3-1-1",
                ],
            )),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ca => f.write_str("ca"),
            Self::Cert => f.write_str("cert"),
            Self::Chain => f.write_str("chain"),
            Self::Dh => f.write_str("dh"),
            Self::Fingerprint(digest, Of::Certificate) => write!(f, "fp-{digest}"),
            Self::Fingerprint(digest, Of::PublicKey) => write!(f, "pkfp-{digest}"),
            Self::Key => f.write_str("key"),
            Self::Tlsa(usage, selector, matching_type) => {
                write!(f, "tlsa-{usage}-{selector}-{matching_type}")
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ca(name) => name.as_str(),
            Self::Dh(parameters) => parameters.name(),
            Self::Leaf(name) => name.as_str(),
        })
    }
}

enum Made {
    Ca(Arc<Ca>),
    Leaf(Arc<Leaf>),
}

impl Made {
    fn cert_pem(&self) -> String {
        match self {
            Self::Ca(ca) => ca.pem(),
            Self::Leaf(leaf) => leaf.cert_pem(),
        }
    }

    /// Of an authority there is no way to ask.
    fn key_pem(&self) -> String {
        match self {
            Self::Ca(_) => String::new(),
            Self::Leaf(leaf) => leaf.key_pem(),
        }
    }

    fn fingerprint(&self, digest: Digest, of: Of) -> String {
        match self {
            Self::Ca(ca) => ca.fingerprint(digest, of),
            Self::Leaf(leaf) => leaf.fingerprint(digest, of),
        }
    }

    fn tlsa(&self, usage: u8, selector: u8, matching_type: u8) -> Result<Tlsa, Error> {
        match self {
            Self::Ca(ca) => ca.tlsa(usage, selector, matching_type),
            Self::Leaf(leaf) => leaf.tlsa(usage, selector, matching_type),
        }
    }
}
