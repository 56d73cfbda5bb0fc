use std::fmt;

/// A protocol version as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// SSL 2.0, which only Postfix before 2.6 and 2.11.6 may have spoken.
    pub const SSL2: Self = Self(0x0002);
    /// SSL 3.0 (RFC 6101).
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS1_0: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS1_3: Self = Self(0x0304);

    /// The version Postfix, OpenSSL or an RFC calls `name`: `TLSv1`, `TLSv1.0`, `TLS 1.2`, `SSLv3`.
    pub fn from_name(name: &str) -> Option<Self> {
        let folded: String = name
            .chars()
            .filter(|c| !matches!(c, ' ' | 'v' | 'V' | '_'))
            .collect::<String>()
            .to_ascii_lowercase();
        Some(match folded.as_str() {
            "ssl2" | "ssl2.0" => Self::SSL2,
            "ssl3" | "ssl3.0" => Self::SSL3,
            "tls1" | "tls1.0" => Self::TLS1_0,
            "tls1.1" => Self::TLS1_1,
            "tls1.2" => Self::TLS1_2,
            "tls1.3" => Self::TLS1_3,
            _ => return None,
        })
    }
}

/// As Postfix logs it: `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`; anything unknown in hexadecimal.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SSL2 => f.write_str("SSLv2"),
            Self::SSL3 => f.write_str("SSLv3"),
            Self::TLS1_0 => f.write_str("TLSv1"),
            Self::TLS1_1 => f.write_str("TLSv1.1"),
            Self::TLS1_2 => f.write_str("TLSv1.2"),
            Self::TLS1_3 => f.write_str("TLSv1.3"),
            Self(code) => write!(f, "0x{code:04x}"),
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for version in [
            Version::SSL2,
            Version::SSL3,
            Version::TLS1_0,
            Version::TLS1_1,
            Version::TLS1_2,
            Version::TLS1_3,
        ] {
            assert_eq!(Version::from_name(&version.to_string()), Some(version));
        }
        assert_eq!(Version::from_name("TLSv1.0"), Some(Version::TLS1_0));
        assert_eq!(Version::from_name("TLS 1.2"), Some(Version::TLS1_2));
        assert_eq!(Version::from_name("DTLSv1.2"), None);
        assert_eq!(Version(0x7a7a).to_string(), "0x7a7a");
    }
}
