use std::fmt;

/// A key-exchange group (IANA registry "TLS Supported Groups").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedGroup(pub u16);

/// Code point, IANA's name, and every other spelling met in OpenSSL, Postfix, GnuTLS or NIST texts.
const GROUPS: &[(u16, &str, &[&str])] = &[
    (1, "sect163k1", &["K-163"]),
    (2, "sect163r1", &[]),
    (3, "sect163r2", &["B-163"]),
    (6, "sect233k1", &["K-233"]),
    (7, "sect233r1", &["B-233"]),
    (8, "sect239k1", &[]),
    (9, "sect283k1", &["K-283"]),
    (10, "sect283r1", &["B-283"]),
    (11, "sect409k1", &["K-409"]),
    (12, "sect409r1", &["B-409"]),
    (13, "sect571k1", &["K-571"]),
    (14, "sect571r1", &["B-571"]),
    (15, "secp160k1", &[]),
    (16, "secp160r1", &[]),
    (17, "secp160r2", &[]),
    (18, "secp192k1", &[]),
    (19, "secp192r1", &["P-192", "prime192v1"]),
    (20, "secp224k1", &[]),
    (21, "secp224r1", &["P-224"]),
    (22, "secp256k1", &[]),
    (23, "secp256r1", &["P-256", "prime256v1", "P256"]),
    (24, "secp384r1", &["P-384", "P384"]),
    (25, "secp521r1", &["P-521", "P521"]),
    (26, "brainpoolP256r1", &[]),
    (27, "brainpoolP384r1", &[]),
    (28, "brainpoolP512r1", &[]),
    (29, "x25519", &["ecdh_x25519", "curve25519"]),
    (30, "x448", &["ecdh_x448", "curve448"]),
    (31, "brainpoolP256r1tls13", &[]),
    (32, "brainpoolP384r1tls13", &[]),
    (33, "brainpoolP512r1tls13", &[]),
    (34, "GC256A", &[]),
    (35, "GC256B", &[]),
    (36, "GC256C", &[]),
    (37, "GC256D", &[]),
    (38, "GC512A", &[]),
    (39, "GC512B", &[]),
    (40, "GC512C", &[]),
    (41, "curveSM2", &["SM2"]),
    (256, "ffdhe2048", &[]),
    (257, "ffdhe3072", &[]),
    (258, "ffdhe4096", &[]),
    (259, "ffdhe6144", &[]),
    (260, "ffdhe8192", &[]),
    (512, "MLKEM512", &["ML-KEM-512"]),
    (513, "MLKEM768", &["ML-KEM-768"]),
    (514, "MLKEM1024", &["ML-KEM-1024"]),
    (4587, "SecP256r1MLKEM768", &[]),
    (4588, "X25519MLKEM768", &[]),
    (4589, "SecP384r1MLKEM1024", &[]),
    (4590, "curveSM2MLKEM768", &[]),
    (0x6399, "X25519Kyber768Draft00", &[]),
    (0xff01, "arbitrary_explicit_prime_curves", &[]),
    (0xff02, "arbitrary_explicit_char2_curves", &[]),
];

impl NamedGroup {
    /// NIST P-224.
    pub const SECP224R1: Self = Self(21);
    /// The Koblitz curve of Bitcoin.
    pub const SECP256K1: Self = Self(22);
    /// brainpoolP256r1 (RFC 7027).
    pub const BRAINPOOL_P256R1: Self = Self(26);
    /// brainpoolP384r1 (RFC 7027).
    pub const BRAINPOOL_P384R1: Self = Self(27);
    /// brainpoolP512r1 (RFC 7027).
    pub const BRAINPOOL_P512R1: Self = Self(28);
    /// NIST P-256.
    pub const SECP256R1: Self = Self(23);
    /// NIST P-384.
    pub const SECP384R1: Self = Self(24);
    /// NIST P-521.
    pub const SECP521R1: Self = Self(25);
    /// X25519 (RFC 7748, RFC 8422).
    pub const X25519: Self = Self(29);
    /// X448 (RFC 7748, RFC 8422).
    pub const X448: Self = Self(30);
    /// ffdhe2048 (RFC 7919).
    pub const FFDHE2048: Self = Self(256);
    /// ffdhe3072 (RFC 7919).
    pub const FFDHE3072: Self = Self(257);
    /// ffdhe4096 (RFC 7919).
    pub const FFDHE4096: Self = Self(258);
    /// The hybrid of X25519 and ML-KEM-768.
    pub const X25519MLKEM768: Self = Self(4588);
    /// The hybrid of P-256 and ML-KEM-768.
    pub const SECP256R1MLKEM768: Self = Self(4587);

    /// IANA's name, such as `secp256r1` or `x25519`; `None` for one this crate does not know.
    pub fn name(self) -> Option<&'static str> {
        GROUPS
            .iter()
            .find(|(code, _, _)| *code == self.0)
            .map(|(_, name, _)| *name)
    }

    /// The group that any dialect calls `name`: `X25519`, `P-256`, `prime256v1`, `secp256r1`; case does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        GROUPS
            .iter()
            .find(|(_, iana, others)| {
                iana.eq_ignore_ascii_case(name)
                    || others.iter().any(|other| other.eq_ignore_ascii_case(name))
            })
            .map(|(code, _, _)| Self(*code))
    }

    /// Whether this is a finite-field group of RFC 7919.
    pub fn is_ffdhe(self) -> bool {
        (0x0100..=0x01ff).contains(&self.0)
    }
}

/// IANA's name, or the code point in hexadecimal.
impl fmt::Display for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_understood() {
        for name in ["P-256", "prime256v1", "secp256r1"] {
            assert_eq!(NamedGroup::from_name(name), Some(NamedGroup::SECP256R1));
        }
        assert_eq!(NamedGroup::from_name("X25519"), Some(NamedGroup::X25519));
        assert_eq!(
            NamedGroup::from_name("X25519MLKEM768"),
            Some(NamedGroup::X25519MLKEM768)
        );
        assert_eq!(NamedGroup::from_name("P-257"), None);
        assert_eq!(NamedGroup(0x0a0a).to_string(), "0x0a0a");
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names: Vec<String> = GROUPS
            .iter()
            .flat_map(|(_, name, others)| std::iter::once(name).chain(others.iter()))
            .map(|name| name.to_ascii_lowercase())
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
