use std::fmt;
use std::str::FromStr;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::error::{Error, Kind};

/// A message digest, by the name Postfix's `smtp_tls_fingerprint_digest` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// The default of Postfix before compatibility level 3.6.
    Md5,
    /// Spelled `sha1`.
    Sha1,
    /// The default of Postfix from compatibility level 3.6 on.
    Sha256,
    /// Spelled `sha384`.
    Sha384,
    /// Spelled `sha512`.
    Sha512,
}

impl Digest {
    /// Every digest.
    pub const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The name in a main.cf.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The digest of `data`.
    pub fn hash(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(data).to_vec(),
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// The digest of `data` in Postfix's notation, `AA:BB:…`.
    pub fn fingerprint(self, data: &[u8]) -> String {
        let bytes: Vec<_> = self
            .hash(data)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|digest| digest.name() == name)
            .ok_or_else(|| Error::unknown(Kind::Digest, name, Self::ALL.map(Self::name)))
    }
}

/// What a fingerprint is taken of; Postfix's `fingerprint` security level matches either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// The whole certificate, DER.
    Certificate,
    /// The SubjectPublicKeyInfo, DER (RFC 5280 section 4.1).
    PublicKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_input() {
        // RFC 1321 appendix A.5, RFC 3174 section 7.3 (one "a" left out), FIPS 180-4 examples.
        assert_eq!(
            Digest::Md5.fingerprint(b""),
            "D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E"
        );
        assert_eq!(
            Digest::Sha1.fingerprint(b"abc"),
            "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D"
        );
        assert_eq!(Digest::Sha256.hash(b"").len(), 32);
    }

    #[test]
    fn names_round_trip() {
        for digest in Digest::ALL {
            assert_eq!(digest.name().parse::<Digest>().unwrap(), digest);
        }
        let error = "sha265".parse::<Digest>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown digest \"sha265\"; did you mean \"sha256\"?"
        );
    }
}
