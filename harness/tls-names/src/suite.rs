use std::fmt;

use super::suite_table::SUITES;

/// A cipher suite by its code point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CipherSuite(pub u16);

/// How a suite arrives at the premaster secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyExchangeKind {
    /// Fixed Diffie-Hellman or elliptic-curve key in the certificate.
    Dh,
    /// Anonymous Diffie-Hellman.
    DhAnon,
    /// Ephemeral Diffie-Hellman, signed ("EDH").
    Dhe,
    /// Anonymous elliptic-curve Diffie-Hellman.
    EcdhAnon,
    /// Ephemeral elliptic-curve Diffie-Hellman, signed ("EECDH").
    Ecdhe,
    /// Anything else: GOST, signalling values, unknown code points.
    Other,
    /// The client encrypts the secret to the server's RSA key: no forward secrecy.
    Rsa,
    /// Secure remote password (RFC 5054).
    Srp,
    /// Decided by extensions, not by the suite.
    Tls13,
}

impl KeyExchangeKind {
    /// Whether a key disclosed afterwards leaves a recording closed.
    pub fn forward_secret(self) -> bool {
        matches!(
            self,
            Self::DhAnon | Self::Dhe | Self::EcdhAnon | Self::Ecdhe | Self::Tls13 | Self::Srp
        )
    }

    /// Whether the server sends a ServerKeyExchange with a Diffie-Hellman share.
    pub fn ephemeral(self) -> bool {
        matches!(
            self,
            Self::DhAnon | Self::Dhe | Self::EcdhAnon | Self::Ecdhe
        )
    }
}

/// Who vouches for the server's key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Authentication {
    /// Nobody.
    Anonymous,
    /// A DSA key.
    Dss,
    /// An ECDSA or EdDSA key.
    Ecdsa,
    /// Anything else.
    Other,
    /// An RSA key.
    Rsa,
    /// Decided by extensions, not by the suite.
    Tls13,
}

/// The bulk cipher of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum CipherKind {
    Aes128Cbc,
    Aes128Ccm,
    Aes128Ccm8,
    Aes128Gcm,
    Aes256Cbc,
    Aes256Ccm,
    Aes256Ccm8,
    Aes256Gcm,
    Aria128Gcm,
    Aria256Gcm,
    Camellia128Cbc,
    Camellia256Cbc,
    Camellia128Gcm,
    Camellia256Gcm,
    ChaCha20Poly1305,
    Null,
    Other,
    Rc4_128,
    TripleDesCbc,
}

/// What protects a suite's records against change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum MacKind {
    Aead,
    Md5,
    Other,
    Sha1,
    Sha256,
    Sha384,
}

/// The hash of a suite's pseudorandom function in TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum PrfHash {
    Sha256,
    Sha384,
}

impl CipherSuite {
    /// Signals support of secure renegotiation (RFC 5746 section 3.3); not a cipher.
    pub const EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00ff);
    /// Signals a downgraded retry (RFC 7507); not a cipher.
    pub const FALLBACK_SCSV: Self = Self(0x5600);

    /// Every suite this crate can name, sorted by code point, signalling values included.
    pub fn all() -> impl Iterator<Item = Self> {
        SUITES.iter().map(|(code, _, _)| Self(*code))
    }

    /// OpenSSL's name, such as `ECDHE-RSA-AES256-GCM-SHA384`.
    pub fn openssl_name(self) -> Option<&'static str> {
        self.row()
            .map(|(_, _, openssl)| *openssl)
            .filter(|name| !name.is_empty())
    }

    /// IANA's name, such as `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`.
    pub fn iana_name(self) -> Option<&'static str> {
        self.row()
            .map(|(_, iana, _)| *iana)
            .filter(|name| !name.is_empty())
    }

    /// The suite that OpenSSL calls `name`; the `EDH-` spellings of OpenSSL 1.0 are understood.
    pub fn from_openssl_name(name: &str) -> Option<Self> {
        let modern = name.replacen(
            "EDH-",
            "DHE-",
            usize::from(name.starts_with("EDH-") || name.starts_with("EXP-EDH-")),
        );
        if modern.is_empty() {
            return None;
        }
        SUITES
            .iter()
            .find(|(_, _, openssl)| *openssl == modern)
            .map(|(code, _, _)| Self(*code))
    }

    /// The suite that IANA calls `name`.
    pub fn from_iana_name(name: &str) -> Option<Self> {
        if name.is_empty() {
            return None;
        }
        SUITES
            .iter()
            .find(|(_, iana, _)| *iana == name)
            .map(|(code, _, _)| Self(*code))
    }

    /// The suite that either registry calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_openssl_name(name).or_else(|| Self::from_iana_name(name))
    }

    /// How the suite arrives at its secret.
    pub fn key_exchange(self) -> KeyExchangeKind {
        match self.prefix() {
            Some("TLS13") => KeyExchangeKind::Tls13,
            Some("RSA" | "RSA_EXPORT") => KeyExchangeKind::Rsa,
            Some("DH_anon" | "DH_anon_EXPORT") => KeyExchangeKind::DhAnon,
            Some("ECDH_anon") => KeyExchangeKind::EcdhAnon,
            Some(p) if p.starts_with("ECDHE_") => KeyExchangeKind::Ecdhe,
            Some(p) if p.starts_with("DHE_") => KeyExchangeKind::Dhe,
            Some(p) if p.starts_with("ECDH_") || p.starts_with("DH_") => KeyExchangeKind::Dh,
            Some(p) if p.starts_with("SRP_") => KeyExchangeKind::Srp,
            _ => KeyExchangeKind::Other,
        }
    }

    /// Who vouches for the server.
    pub fn authentication(self) -> Authentication {
        match self.prefix() {
            Some("TLS13") => Authentication::Tls13,
            Some("DH_anon" | "DH_anon_EXPORT" | "ECDH_anon") => Authentication::Anonymous,
            Some(p) if p.trim_end_matches("_EXPORT").ends_with("ECDSA") => Authentication::Ecdsa,
            Some(p) if p.trim_end_matches("_EXPORT").ends_with("RSA") => Authentication::Rsa,
            Some(p) if p.trim_end_matches("_EXPORT").ends_with("DSS") => Authentication::Dss,
            _ => Authentication::Other,
        }
    }

    /// The bulk cipher.
    pub fn cipher(self) -> CipherKind {
        let Some(suffix) = self.suffix() else {
            return CipherKind::Other;
        };
        const CIPHERS: &[(&str, CipherKind)] = &[
            ("AES_128_CBC", CipherKind::Aes128Cbc),
            ("AES_128_CCM_8", CipherKind::Aes128Ccm8),
            ("AES_128_CCM", CipherKind::Aes128Ccm),
            ("AES_128_GCM", CipherKind::Aes128Gcm),
            ("AES_256_CBC", CipherKind::Aes256Cbc),
            ("AES_256_CCM_8", CipherKind::Aes256Ccm8),
            ("AES_256_CCM", CipherKind::Aes256Ccm),
            ("AES_256_GCM", CipherKind::Aes256Gcm),
            ("ARIA_128_GCM", CipherKind::Aria128Gcm),
            ("ARIA_256_GCM", CipherKind::Aria256Gcm),
            ("CAMELLIA_128_CBC", CipherKind::Camellia128Cbc),
            ("CAMELLIA_256_CBC", CipherKind::Camellia256Cbc),
            ("CAMELLIA_128_GCM", CipherKind::Camellia128Gcm),
            ("CAMELLIA_256_GCM", CipherKind::Camellia256Gcm),
            ("CHACHA20_POLY1305", CipherKind::ChaCha20Poly1305),
            ("NULL", CipherKind::Null),
            ("RC4_128", CipherKind::Rc4_128),
            ("3DES_EDE_CBC", CipherKind::TripleDesCbc),
        ];
        CIPHERS
            .iter()
            .find(|(prefix, _)| suffix.starts_with(prefix))
            .map_or(CipherKind::Other, |(_, cipher)| *cipher)
    }

    /// Key size of the bulk cipher in bits, as in Postfix's `(256/256 bits)`; `None` where it is not known.
    pub fn cipher_bits(self) -> Option<u16> {
        let suffix = self.suffix()?;
        Some(match suffix {
            s if s.starts_with("NULL") || s.starts_with("SHA") => 0,
            s if s.starts_with("3DES") => 168,
            s if s.starts_with("DES40") => 40,
            s if s.starts_with("DES") => 56,
            s if s.starts_with("CHACHA20") => 256,
            s if s.starts_with("SEED") || s.starts_with("IDEA") => 128,
            s => s
                .split('_')
                .find_map(|part| part.parse().ok().filter(|bits| *bits >= 40))?,
        })
    }

    /// What protects the records.
    pub fn mac(self) -> MacKind {
        match (self.cipher(), self.suffix()) {
            (
                CipherKind::Aes128Cbc
                | CipherKind::Aes256Cbc
                | CipherKind::Camellia128Cbc
                | CipherKind::Camellia256Cbc
                | CipherKind::TripleDesCbc
                | CipherKind::Rc4_128
                | CipherKind::Null,
                Some(suffix),
            ) => match suffix.rsplit('_').next() {
                Some("MD5") => MacKind::Md5,
                Some("SHA") => MacKind::Sha1,
                Some("SHA256") => MacKind::Sha256,
                Some("SHA384") => MacKind::Sha384,
                _ => MacKind::Other,
            },
            (CipherKind::Other, _) => MacKind::Other,
            _ => MacKind::Aead,
        }
    }

    /// The hash of the pseudorandom function in TLS 1.2 (RFC 5246 section 5): SHA-256 unless the name says SHA-384.
    pub fn prf_hash(self) -> PrfHash {
        match self.suffix() {
            Some(suffix) if suffix.ends_with("_SHA384") => PrfHash::Sha384,
            _ => PrfHash::Sha256,
        }
    }

    /// Whether the suite exists only in TLS 1.2: AEAD suites and those with a SHA-2 MAC.
    pub fn needs_tls1_2(self) -> bool {
        matches!(
            self.mac(),
            MacKind::Aead | MacKind::Sha256 | MacKind::Sha384
        ) && self.key_exchange() != KeyExchangeKind::Tls13
    }

    fn row(self) -> Option<&'static (u16, &'static str, &'static str)> {
        SUITES
            .binary_search_by_key(&self.0, |(code, _, _)| *code)
            .ok()
            .and_then(|index| SUITES.get(index))
    }

    /// The part of IANA's name before `_WITH_`, without `TLS_`; `TLS13` for the suites that have no such part.
    fn prefix(self) -> Option<&'static str> {
        let name = self.iana_name()?.strip_prefix("TLS_")?;
        match name.split_once("_WITH_") {
            Some((prefix, _)) => Some(prefix),
            None if name.ends_with("_SCSV") => None,
            None => Some("TLS13"),
        }
    }

    /// The part of IANA's name after `_WITH_`.
    fn suffix(self) -> Option<&'static str> {
        let name = self.iana_name()?.strip_prefix("TLS_")?;
        match name.split_once("_WITH_") {
            Some((_, suffix)) => Some(suffix),
            None if name.ends_with("_SCSV") => None,
            None => Some(name),
        }
    }
}

/// OpenSSL's name, else IANA's, else the code point in hexadecimal.
impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.openssl_name().or_else(|| self.iana_name()) {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(name: &str) -> CipherSuite {
        CipherSuite::from_openssl_name(name).unwrap()
    }

    #[test]
    fn the_table_is_sorted_and_without_double_names() {
        assert!(SUITES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for suite in CipherSuite::all() {
            if let Some(name) = suite.openssl_name() {
                assert_eq!(CipherSuite::from_openssl_name(name), Some(suite));
            }
            if let Some(name) = suite.iana_name() {
                assert_eq!(CipherSuite::from_iana_name(name), Some(suite));
            }
        }
    }

    #[test]
    fn properties_follow_from_the_name() {
        let ecdhe = suite("ECDHE-RSA-AES256-GCM-SHA384");
        assert_eq!(ecdhe.0, 0xc030);
        assert_eq!(ecdhe.key_exchange(), KeyExchangeKind::Ecdhe);
        assert_eq!(ecdhe.authentication(), Authentication::Rsa);
        assert_eq!(ecdhe.cipher(), CipherKind::Aes256Gcm);
        assert_eq!(ecdhe.mac(), MacKind::Aead);
        assert_eq!(ecdhe.prf_hash(), PrfHash::Sha384);
        assert_eq!(ecdhe.cipher_bits(), Some(256));

        let adh = suite("ADH-AES128-SHA256");
        assert_eq!(adh.key_exchange(), KeyExchangeKind::DhAnon);
        assert_eq!(adh.authentication(), Authentication::Anonymous);
        assert_eq!(adh.mac(), MacKind::Sha256);
        assert!(adh.needs_tls1_2());

        let old = suite("EDH-RSA-DES-CBC3-SHA");
        assert_eq!(old, suite("DHE-RSA-DES-CBC3-SHA"));
        assert_eq!(old.cipher(), CipherKind::TripleDesCbc);
        assert_eq!(old.cipher_bits(), Some(168));
        assert!(!old.needs_tls1_2());

        assert_eq!(suite("AES128-CCM8").cipher(), CipherKind::Aes128Ccm8);
        assert_eq!(suite("AES128-CCM").cipher(), CipherKind::Aes128Ccm);
        assert_eq!(suite("AES256-SHA").key_exchange(), KeyExchangeKind::Rsa);
        assert_eq!(
            suite("EXP-ADH-RC4-MD5").key_exchange(),
            KeyExchangeKind::DhAnon
        );
        assert_eq!(suite("EXP-ADH-RC4-MD5").cipher_bits(), Some(40));
        assert_eq!(suite("EXP-ADH-RC4-MD5").cipher(), CipherKind::Other);
        assert_eq!(
            suite("TLS_AES_256_GCM_SHA384").key_exchange(),
            KeyExchangeKind::Tls13
        );
        assert_eq!(
            suite("ECDH-RSA-AES128-SHA").key_exchange(),
            KeyExchangeKind::Dh
        );
        assert_eq!(CipherSuite(0x00ff).key_exchange(), KeyExchangeKind::Other);
        assert_eq!(CipherSuite(0x0a0a).to_string(), "0x0a0a");
        assert!(CipherSuite::from_openssl_name("").is_none());
    }
}
