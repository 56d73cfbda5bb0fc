use std::fmt;
use std::io;
use std::path::PathBuf;

/// Everything that can go wrong when a certificate, key or parameter file is asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate does not fit its request; a fault in the request or in this crate.
    #[error("certificate {name:?} could not be issued: {detail}")]
    Certificate {
        /// The name asked for.
        name: String,
        /// What the encoder said.
        detail: String,
    },
    /// A file of the directory is not what was once written there.
    #[error("{} does not hold {expected}: {detail}; remove the file to have it made again", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What the parser said.
        detail: String,
    },
    /// The directory cannot be read or written; the environment's fault.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, such as "lock".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A private key could not be generated, loaded or used.
    #[error("{kind} key could not be {action}: {detail}")]
    Key {
        /// The kind of key, as in [`KeyKind`](crate::KeyKind).
        kind: crate::KeyKind,
        /// What was attempted, such as "generated".
        action: &'static str,
        /// What the library said.
        detail: String,
    },
    /// A name of a certificate request is not usable as a file name, or belongs to the registry.
    #[error(
        "certificate request name {0:?} is taken or not made of a-z, 0-9, '-' and '.'; \
         choose one that is not in CertName::all()"
    )]
    RequestName(String),
    /// TLSA parameters outside RFC 6698 section 2.1.
    #[error("no TLSA record with {field} {found}: expected 0 to {max}")]
    Tlsa {
        /// The field: "usage", "selector" or "matching type".
        field: &'static str,
        /// The number found.
        found: u8,
        /// The largest number RFC 6698 defines.
        max: u8,
    },
    /// A name that is not in a registry; the scenario's fault.
    #[error("unknown {kind} {found:?}{}", hint(nearest.as_deref(), known))]
    Unknown {
        /// What was named.
        kind: Kind,
        /// The name found.
        found: String,
        /// The most similar known name, if one is similar.
        nearest: Option<String>,
        /// All known names.
        known: Vec<&'static str>,
    },
}

/// What an unknown name was meant to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A certificate authority.
    Ca,
    /// A certificate of the registry.
    Certificate,
    /// A Diffie-Hellman parameter file.
    DhParameters,
    /// A message digest for fingerprints.
    Digest,
    /// The part of a generated name before the colon.
    Prefix,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ca => "certificate authority",
            Self::Certificate => "certificate",
            Self::DhParameters => "DH parameters",
            Self::Digest => "digest",
            Self::Prefix => "kind of generated value",
        })
    }
}

impl Error {
    pub(crate) fn unknown(
        kind: Kind,
        found: &str,
        known: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        let nearest = known
            .iter()
            .map(|name| (strsim::jaro_winkler(name, found), *name))
            .filter(|(similarity, _)| *similarity > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name.to_owned());
        Self::Unknown {
            kind,
            found: found.to_owned(),
            nearest,
            known,
        }
    }
}

fn hint(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean {nearest:?}?"),
        None => format!("; expected one of {}", known.join(", ")),
    }
}
