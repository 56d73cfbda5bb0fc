use std::fmt;

/// A signature scheme (RFC 8446 section 4.2.3), or the hash and signature pair of TLS 1.2 with the same code point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureScheme(pub u16);

const SCHEMES: &[(u16, &str)] = &[
    (0x0101, "rsa_pkcs1_md5"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
    (0x0203, "ecdsa_sha1"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0302, "dsa_sha224"),
    (0x0303, "ecdsa_sha224"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0402, "dsa_sha256"),
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0502, "dsa_sha384"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0602, "dsa_sha512"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0708, "sm2sig_sm3"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0904, "mldsa44"),
    (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
    (0xeded, "gostr34102001_gostr3411"),
    (0xeeee, "gostr34102012_256a"),
    (0xefef, "gostr34102012_512a"),
];

macro_rules! constants {
    ($($constant:ident $code:literal $name:literal),* $(,)?) => {
        impl SignatureScheme {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Self = Self($code);)*
        }
    };
}

constants! {
    DSA_SHA1 0x0202 "dsa_sha1",
    DSA_SHA224 0x0302 "dsa_sha224",
    DSA_SHA256 0x0402 "dsa_sha256",
    DSA_SHA384 0x0502 "dsa_sha384",
    DSA_SHA512 0x0602 "dsa_sha512",
    RSA_PKCS1_SHA1 0x0201 "rsa_pkcs1_sha1",
    ECDSA_SHA1 0x0203 "ecdsa_sha1",
    RSA_PKCS1_SHA256 0x0401 "rsa_pkcs1_sha256",
    RSA_PKCS1_SHA384 0x0501 "rsa_pkcs1_sha384",
    RSA_PKCS1_SHA512 0x0601 "rsa_pkcs1_sha512",
    ECDSA_SECP256R1_SHA256 0x0403 "ecdsa_secp256r1_sha256",
    ECDSA_SECP384R1_SHA384 0x0503 "ecdsa_secp384r1_sha384",
    ECDSA_SECP521R1_SHA512 0x0603 "ecdsa_secp521r1_sha512",
    RSA_PSS_RSAE_SHA256 0x0804 "rsa_pss_rsae_sha256",
    RSA_PSS_RSAE_SHA384 0x0805 "rsa_pss_rsae_sha384",
    RSA_PSS_RSAE_SHA512 0x0806 "rsa_pss_rsae_sha512",
    ED25519 0x0807 "ed25519",
    ED448 0x0808 "ed448",
    RSA_PSS_PSS_SHA256 0x0809 "rsa_pss_pss_sha256",
    RSA_PSS_PSS_SHA384 0x080a "rsa_pss_pss_sha384",
    RSA_PSS_PSS_SHA512 0x080b "rsa_pss_pss_sha512",
}

impl SignatureScheme {
    /// The scheme's name, RFC 8446 spelling where it has one; `None` for one this crate does not know.
    pub fn name(self) -> Option<&'static str> {
        SCHEMES
            .iter()
            .find(|(code, _)| *code == self.0)
            .map(|(_, name)| *name)
    }

    /// The scheme called `name`; case does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        SCHEMES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(code, _)| Self(*code))
    }
}

/// The name, or the code point in hexadecimal.
impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
