//! The description of a signature in the dialects of OpenSSL and Postfix.

use std::fmt;

use tls_names::{NamedGroup, SignatureScheme};

use super::number;

/// A signature made in the handshake, in any dialect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// As printed: `RSA-PSS (2048 bits)`, `ECDSA (P-256)`, `ED25519`, `RSA-PSS (2048 bit raw public key)`.
    pub text: String,
    /// `RSA-PSS`, `RSA`, `ECDSA`, `ED25519`, `ED448`.
    pub algorithm: String,
    /// The curve of an ECDSA key.
    pub curve: Option<NamedGroup>,
    /// Bits of an RSA key.
    pub bits: Option<u32>,
    /// Whether the key came without a certificate (RFC 7250).
    pub raw_public_key: bool,
}

impl Signature {
    /// The signature that `text` describes; unknown words keep their text.
    pub fn from_text(text: &str) -> Self {
        const RAW: &str = "raw public key";
        let (algorithm, inner) = match text.split_once(" (") {
            Some((algorithm, inner)) => (algorithm, inner.strip_suffix(')').unwrap_or(inner)),
            None => (text, ""),
        };
        let key = inner.strip_suffix(RAW).map(str::trim_end);
        let raw_public_key = key.is_some();
        let key = key.unwrap_or(inner);
        Self {
            text: text.to_owned(),
            algorithm: algorithm.to_owned(),
            curve: NamedGroup::from_name(key),
            bits: key
                .strip_suffix(" bits")
                .or_else(|| key.strip_suffix(" bit"))
                .and_then(number),
            raw_public_key,
        }
    }

    /// The signature and digest that `scheme` stands for, in the words of Postfix 3.7 and later.
    ///
    /// `key_bits` is the size of an RSA key, where the caller knows it.
    pub fn from_scheme(scheme: SignatureScheme, key_bits: Option<u32>) -> (Self, Option<String>) {
        let name = scheme.to_string();
        let (algorithm, curve) = match name.as_str() {
            "ed25519" => ("ED25519", None),
            "ed448" => ("ED448", None),
            "ecdsa_secp256r1_sha256" => ("ECDSA", Some(NamedGroup::SECP256R1)),
            "ecdsa_secp384r1_sha384" => ("ECDSA", Some(NamedGroup::SECP384R1)),
            "ecdsa_secp521r1_sha512" => ("ECDSA", Some(NamedGroup::SECP521R1)),
            pss if pss.starts_with("rsa_pss_") => ("RSA-PSS", None),
            pkcs1 if pkcs1.starts_with("rsa_pkcs1_") => ("RSA", None),
            ecdsa if ecdsa.starts_with("ecdsa_") => ("ECDSA", None),
            dsa if dsa.starts_with("dsa_") => ("DSA", None),
            other => (other, None),
        };
        let bits = key_bits.filter(|_| algorithm.starts_with("RSA"));
        let text = match (curve, bits) {
            (Some(NamedGroup::SECP256R1), _) => format!("{algorithm} (prime256v1)"),
            (Some(curve), _) => format!("{algorithm} ({curve})"),
            (None, Some(bits)) => format!("{algorithm} ({bits} bits)"),
            (None, None) => algorithm.to_owned(),
        };
        let digest = name
            .rsplit_once('_')
            .map(|(_, digest)| digest)
            .filter(|digest| digest.starts_with("sha") || *digest == "md5")
            .map(str::to_ascii_uppercase);
        (
            Self {
                text,
                algorithm: algorithm.to_owned(),
                curve,
                bits,
                raw_public_key: false,
            },
            digest,
        )
    }
}

impl Signature {
    /// Whether both describe the same signature, as far as both tell.
    pub fn same_as(&self, other: &Self) -> bool {
        let equal_if_known = |left: Option<u32>, right: Option<u32>| {
            left.is_none() || right.is_none() || left == right
        };
        let code = |signature: &Self| signature.curve.map(|curve| u32::from(curve.0));
        self.algorithm.eq_ignore_ascii_case(&other.algorithm)
            && equal_if_known(code(self), code(other))
            && equal_if_known(self.bits, other.bits)
            && self.raw_public_key == other.raw_public_key
    }

    /// The same, made with a key that came without a certificate.
    #[must_use]
    pub fn with_raw_public_key(self) -> Self {
        let text = match self.text.split_once(" (") {
            Some((algorithm, key)) => {
                let key = key.trim_end_matches(')');
                let key = key
                    .strip_suffix("bits")
                    .map_or(key.to_owned(), |n| format!("{n}bit"));
                format!("{algorithm} ({key} raw public key)")
            }
            None => format!("{} (raw public key)", self.text),
        };
        Self {
            text,
            raw_public_key: true,
            ..self
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_public_keys_in_postfix_words() {
        for (text, raw) in [
            ("RSA-PSS (2048 bits)", "RSA-PSS (2048 bit raw public key)"),
            ("ECDSA (prime256v1)", "ECDSA (prime256v1 raw public key)"),
            ("ED25519", "ED25519 (raw public key)"),
        ] {
            let made = Signature::from_text(text).with_raw_public_key();
            assert_eq!(made, Signature::from_text(raw));
        }
    }
}
