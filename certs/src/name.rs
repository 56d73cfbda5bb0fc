use std::fmt;
use std::str::FromStr;

use crate::ca::CaName;
use crate::error::{Error, Kind};
use crate::key::KeyKind::{
    self, Dsa2048, EcdsaP256, EcdsaP384, EcdsaP521, Ed448, Ed25519, Rsa1024, Rsa2048, Rsa3072,
    Rsa4096,
};
use crate::request::{CertRequest, Purpose, Signer, Validity};

/// The name of a certificate in the registry, such as `rsa2048`.
///
/// [`CertName::all`] lists them, [`CertName::description`] says what each is for.
#[derive(Clone, Copy)]
pub struct CertName(&'static Entry);

struct Entry {
    name: &'static str,
    description: &'static str,
    key: KeyKind,
    names: Names,
    signer: Signer,
    validity: Validity,
    purpose: Purpose,
}

/// The identities certificates are made out to. The first name is the common name as well.
#[derive(Clone, Copy)]
enum Names {
    Client,
    Domain,
    Localhost,
    Mail,
    Second,
    Sni,
    Wildcard,
    Wrong,
}

impl Names {
    fn dns(self) -> &'static [&'static str] {
        match self {
            Self::Client => &["client.example.test"],
            Self::Domain => &["*.example.test"],
            Self::Localhost => &["localhost"],
            Self::Mail => &["mail.example.test", "example.test"],
            Self::Second => &["second.example.test"],
            Self::Sni => &["sni.example.test"],
            Self::Wildcard => &["*.wild.example.test"],
            Self::Wrong => &["wrong.example.net"],
        }
    }
}

const fn server(name: &'static str, key: KeyKind, description: &'static str) -> Entry {
    Entry {
        name,
        description,
        key,
        names: Names::Mail,
        signer: Signer::Ca(CaName::Intermediate),
        validity: Validity::Current,
        purpose: Purpose::Server,
    }
}

const fn sni(name: &'static str, key: KeyKind, names: Names, description: &'static str) -> Entry {
    Entry {
        names,
        ..server(name, key, description)
    }
}

/// For clients that connect to the name they verify.
const fn localhost(name: &'static str, description: &'static str) -> Entry {
    Entry {
        names: Names::Localhost,
        ..server(name, EcdsaP256, description)
    }
}

const fn client(name: &'static str, key: KeyKind, description: &'static str) -> Entry {
    Entry {
        names: Names::Client,
        purpose: Purpose::Client,
        ..server(name, key, description)
    }
}

static REGISTRY: &[Entry] = &[
    server("rsa2048", Rsa2048, "RSA, 2048 bits"),
    server("rsa3072", Rsa3072, "RSA, 3072 bits"),
    server(
        "rsa4096",
        Rsa4096,
        "RSA, 4096 bits; takes up to seconds the first time",
    ),
    server(
        "rsa1024",
        Rsa1024,
        "RSA, 1024 bits: too short for rustls, and for OpenSSL at security level 2",
    ),
    server("ecdsa-p256", EcdsaP256, "ECDSA on P-256"),
    server("ecdsa-p384", EcdsaP384, "ECDSA on P-384"),
    server(
        "ecdsa-p521",
        EcdsaP521,
        "ECDSA on P-521; rustls-graviola does not load its key",
    ),
    server("ed25519", Ed25519, "Ed25519"),
    server(
        "ed448",
        Ed448,
        "Ed448; rustls-graviola does not load its key",
    ),
    server(
        "dsa2048",
        Dsa2048,
        "DSA, 2048 bits; only with DHE-DSS, for smtpd_tls_dcert_file; rustls knows none",
    ),
    Entry {
        signer: Signer::Itself,
        ..server(
            "self-signed",
            EcdsaP256,
            "signed with its own key (ECDSA on P-256)",
        )
    },
    Entry {
        validity: Validity::Expired,
        ..server("expired", EcdsaP256, "expired a month ago (ECDSA on P-256)")
    },
    Entry {
        validity: Validity::NotYet,
        ..server(
            "not-yet-valid",
            EcdsaP256,
            "valid from next year on (ECDSA on P-256)",
        )
    },
    Entry {
        names: Names::Wrong,
        ..server(
            "wrong-name",
            EcdsaP256,
            "for wrong.example.net (ECDSA on P-256)",
        )
    },
    Entry {
        signer: Signer::Ca(CaName::OtherRoot),
        ..server(
            "other-ca",
            EcdsaP256,
            "signed by the unrelated root (ECDSA on P-256)",
        )
    },
    Entry {
        signer: Signer::Itself,
        ..server(
            "impostor",
            EcdsaP256,
            "says what ecdsa-p256 says, but self-signed with another key",
        )
    },
    Entry {
        signer: Signer::Itself,
        ..server(
            "impostor-rsa",
            Rsa2048,
            "says what rsa2048 says, but self-signed with another key",
        )
    },
    sni(
        "sni-rsa",
        Rsa2048,
        Names::Sni,
        "RSA, 2048 bits, for sni.example.test",
    ),
    sni(
        "sni-ecdsa",
        EcdsaP256,
        Names::Sni,
        "ECDSA on P-256 for sni.example.test",
    ),
    sni(
        "sni-ed25519",
        Ed25519,
        Names::Sni,
        "Ed25519 for sni.example.test",
    ),
    sni(
        "sni-two",
        EcdsaP256,
        Names::Second,
        "ECDSA on P-256 for second.example.test",
    ),
    sni(
        "wildcard",
        EcdsaP256,
        Names::Wildcard,
        "ECDSA on P-256 for *.wild.example.test",
    ),
    sni(
        "any-domain",
        EcdsaP256,
        Names::Domain,
        "ECDSA on P-256 for *.example.test: every domain a case has for itself",
    ),
    Entry {
        validity: Validity::Expired,
        ..sni(
            "any-domain-expired",
            EcdsaP256,
            Names::Domain,
            "as any-domain, but expired a month ago",
        )
    },
    localhost("localhost", "localhost, ECDSA on P-256"),
    Entry {
        key: Rsa2048,
        ..localhost("localhost-rsa", "localhost, RSA, 2048 bits")
    },
    Entry {
        validity: Validity::Expired,
        ..localhost(
            "localhost-expired",
            "localhost, expired a month ago (ECDSA on P-256)",
        )
    },
    Entry {
        validity: Validity::NotYet,
        ..localhost(
            "localhost-not-yet-valid",
            "localhost, valid from next year on (ECDSA on P-256)",
        )
    },
    Entry {
        signer: Signer::Ca(CaName::OtherRoot),
        ..localhost(
            "localhost-other-ca",
            "localhost, signed by the unrelated root (ECDSA on P-256)",
        )
    },
    Entry {
        signer: Signer::Itself,
        ..localhost(
            "localhost-self-signed",
            "localhost, signed with its own key (ECDSA on P-256)",
        )
    },
    client("client-rsa", Rsa2048, "client.example.test, RSA, 2048 bits"),
    client(
        "client-ecdsa",
        EcdsaP256,
        "client.example.test, ECDSA on P-256",
    ),
    client("client-ed25519", Ed25519, "client.example.test, Ed25519"),
    client("client-ed448", Ed448, "client.example.test, Ed448"),
    Entry {
        signer: Signer::Itself,
        ..client(
            "client-self-signed",
            EcdsaP256,
            "client.example.test, signed with its own key (ECDSA on P-256)",
        )
    },
    Entry {
        signer: Signer::Ca(CaName::OtherRoot),
        ..client(
            "client-other-ca",
            EcdsaP256,
            "client.example.test, signed by the unrelated root (ECDSA on P-256)",
        )
    },
    Entry {
        validity: Validity::Expired,
        ..client(
            "client-expired",
            EcdsaP256,
            "client.example.test, expired a month ago (ECDSA on P-256)",
        )
    },
    Entry {
        purpose: Purpose::Server,
        ..client(
            "client-server-eku",
            EcdsaP256,
            "client.example.test, but for servers only: serverAuth (ECDSA on P-256)",
        )
    },
];

impl CertName {
    /// Every name, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTRY.iter().map(Self)
    }

    /// Finds a name.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] naming the nearest known name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        Self::all()
            .find(|known| known.as_str() == name)
            .ok_or_else(|| Error::unknown(Kind::Certificate, name, Self::all().map(Self::as_str)))
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// What the certificate is, in one line for a list.
    pub fn description(self) -> &'static str {
        self.0.description
    }

    /// The kind of key.
    pub fn key_kind(self) -> KeyKind {
        self.0.key
    }

    /// The request behind the name.
    pub fn request(self) -> CertRequest {
        let dns = self.0.names.dns();
        CertRequest::new(self.0.name, self.0.key)
            .names(dns.first().copied().unwrap_or_default(), dns)
            .signer(self.0.signer)
            .validity(self.0.validity)
            .purpose(self.0.purpose)
    }
}

impl fmt::Debug for CertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertName({})", self.as_str())
    }
}

impl fmt::Display for CertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CertName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::parse(name)
    }
}

impl PartialEq for CertName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for CertName {}

impl std::hash::Hash for CertName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_parse() {
        let names: HashSet<_> = CertName::all().collect();
        assert_eq!(names.len(), REGISTRY.len());
        for name in CertName::all() {
            assert_eq!(CertName::parse(name.as_str()).unwrap(), name);
        }
        assert!(
            names
                .iter()
                .all(|name| CaName::parse(name.as_str()).is_err())
        );
    }

    #[test]
    fn unknown_name_says_the_nearest() {
        assert_eq!(
            CertName::parse("ecdsa-p265").unwrap_err().to_string(),
            "unknown certificate \"ecdsa-p265\"; did you mean \"ecdsa-p256\"?"
        );
        let error = CertName::parse("zzz").unwrap_err().to_string();
        assert!(
            error.contains("expected one of rsa2048, rsa3072,"),
            "{error}"
        );
    }
}
