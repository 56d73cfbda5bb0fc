//! Whether a session is forward secret, by the rule a reader of Postfix's logs applies.
//!
//! Postfix's FORWARD_SECRECY_README: a TLS 1.3 session always is; an earlier one is exactly if the name of its cipher
//! starts with one of five prefixes.

use std::fmt;

use tls_names::{CipherSuite, Version};

use super::summary::TlsSummary;

/// The prefixes of OpenSSL cipher names that mean a forward-secret key exchange.
pub const PREFIXES: [&str; 5] = ["AECDH", "ECDHE", "ADH", "EDH", "DHE"];

/// The verdict, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardSecrecy {
    /// TLS 1.3 has no other key exchange.
    Tls13,
    /// The cipher's name starts with this prefix.
    Prefix(&'static str),
    /// Neither: whoever learns the server's key later can read a recording.
    Absent,
}

impl ForwardSecrecy {
    /// The verdict on `protocol` and `cipher`, the latter by OpenSSL's name.
    pub fn of(protocol: Version, cipher: &str) -> Self {
        if protocol == Version::TLS1_3 {
            return Self::Tls13;
        }
        let prefix = cipher.split('-').next().unwrap_or_default();
        match PREFIXES.into_iter().find(|known| *known == prefix) {
            Some(prefix) => Self::Prefix(prefix),
            None => Self::Absent,
        }
    }

    /// Whether the session is forward secret.
    pub fn holds(self) -> bool {
        self != Self::Absent
    }

    /// Whether the definition of the suite called `cipher` says the same; `None` if no registry has that name.
    pub fn agrees_with_suite(self, cipher: &str) -> Option<bool> {
        let suite = CipherSuite::from_openssl_name(cipher)?;
        Some(suite.key_exchange().forward_secret() == self.holds())
    }
}

impl fmt::Display for ForwardSecrecy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls13 => f.write_str("yes (TLS 1.3)"),
            Self::Prefix(prefix) => write!(f, "yes ({prefix})"),
            Self::Absent => f.write_str("no"),
        }
    }
}

impl TlsSummary {
    /// The verdict on this session.
    pub fn forward_secrecy(&self) -> ForwardSecrecy {
        ForwardSecrecy::of(self.protocol, &self.cipher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_prefixes_and_nothing_else() {
        for cipher in [
            "AECDH-AES256-SHA",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ADH-AES256-GCM-SHA384",
            "EDH-RSA-DES-CBC3-SHA",
            "DHE-RSA-AES256-GCM-SHA384",
        ] {
            assert!(
                ForwardSecrecy::of(Version::TLS1_2, cipher).holds(),
                "{cipher}"
            );
        }
        for cipher in [
            "AES256-GCM-SHA384",
            "ECDH-RSA-AES128-SHA",
            "DH-RSA-AES128-SHA",
            "ECDHEX",
            "",
            "-",
        ] {
            assert_eq!(
                ForwardSecrecy::of(Version::TLS1_2, cipher),
                ForwardSecrecy::Absent,
                "{cipher}"
            );
        }
    }

    #[test]
    fn tls_1_3_always() {
        let verdict = ForwardSecrecy::of(Version::TLS1_3, "TLS_AES_256_GCM_SHA384");
        assert_eq!(verdict, ForwardSecrecy::Tls13);
        assert_eq!(verdict.to_string(), "yes (TLS 1.3)");
    }

    #[test]
    fn the_name_and_the_definition_of_every_suite_agree() {
        for suite in CipherSuite::all() {
            let Some(name) = suite.openssl_name() else {
                continue;
            };
            let version = if name.starts_with("TLS_") {
                Version::TLS1_3
            } else {
                Version::TLS1_2
            };
            // SRP and the export suites (EXP-DHE-…) are forward secret without a prefix that Postfix's page knows; Postfix
            // negotiates neither.
            if !name.starts_with("SRP") && !name.starts_with("EXP") {
                assert_eq!(
                    ForwardSecrecy::of(version, name).agrees_with_suite(name),
                    Some(true),
                    "{name}"
                );
            }
        }
    }
}
