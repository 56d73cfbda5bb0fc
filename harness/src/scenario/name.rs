//! Names a scenario may use for protocol versions, ciphers, groups, signature schemes and
//! certificates: parsed when the file is read, so that a misspelt one is an error with a place.

use std::borrow::Cow;

use classic_tls::names::{
    AlertDescription, CipherSuite, NamedGroup, SignatureScheme, Version as TlsVersion,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::error::nearest;
use super::value::parsed;

fn unknown<'a>(what: &str, found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(found, known) {
        Some(name) => format!("unknown {what} `{found}`; did you mean `{name}`?"),
        None => format!("unknown {what} `{found}`"),
    }
}

/// Names to suggest, the commonest spelling of each.
const GROUPS: [&str; 14] = [
    "X25519",
    "X448",
    "P-256",
    "P-384",
    "P-521",
    "ffdhe2048",
    "ffdhe3072",
    "ffdhe4096",
    "ffdhe6144",
    "ffdhe8192",
    "X25519MLKEM768",
    "SecP256r1MLKEM768",
    "RSA",
    "DHE",
];

/// Names to suggest.
const SCHEMES: [&str; 10] = [
    "rsa_pkcs1_sha256",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha512",
    "rsa_pss_rsae_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512",
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "ed25519",
];

macro_rules! name {
    ($(#[$doc:meta])* $name:ident($inner:ty), $schema:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                parsed(deserializer, $schema, |text| parse(text).map(Self))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $schema, "type": "string" })
            }
        }
    };
}

name!(
    /// A TLS version in Postfix's spelling.
    Protocol(TlsVersion),
    "TLS version as Postfix prints it: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
    |text| {
        TlsVersion::from_name(text)
            .ok_or_else(|| unknown("TLS version", text, ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]))
    }
);

name!(
    /// A cipher suite by its OpenSSL name, or by its code point.
    Cipher(CipherSuite),
    "OpenSSL name of a cipher suite, e.g. ECDHE-RSA-AES256-GCM-SHA384, or its code point, e.g. 0x0003",
    |text| {
        if let Some(digits) = text.strip_prefix("0x") {
            return match (digits.len(), u16::from_str_radix(digits, 16)) {
                (4, Ok(code)) => Ok(CipherSuite(code)),
                _ => Err(format!("`{text}` is no code point; write four hexadecimal digits, e.g. 0x0003")),
            };
        }
        CipherSuite::from_openssl_name(text)
            .or_else(|| CipherSuite::from_iana_name(text))
            .ok_or_else(|| {
                unknown("cipher", text, CipherSuite::all().filter_map(|suite| suite.openssl_name()))
            })
    }
);

name!(
    /// A signature scheme by its RFC 8446 name.
    Scheme(SignatureScheme),
    "TLS signature scheme, e.g. rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256, ed25519",
    |text| {
        SignatureScheme::from_name(text).ok_or_else(|| {
            unknown("signature scheme", text, SCHEMES)
        })
    }
);

/// How a key was, or is to be, agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExchangeName {
    /// A prime outside the named groups (EDH up to TLS 1.2).
    Dhe,
    /// A group with a code point.
    Group(NamedGroup),
    /// No ephemeral key: the client encrypts a secret to the server's RSA key.
    StaticRsa,
}

name!(
    /// A key-exchange group in any dialect, or `RSA`, or `DHE`.
    Group(KeyExchangeName),
    "Key-exchange group: X25519, X448, P-256, P-384, P-521, ffdhe2048, X25519MLKEM768, …; RSA; DHE",
    |text| match text {
        "RSA" => Ok(KeyExchangeName::StaticRsa),
        "DHE" => Ok(KeyExchangeName::Dhe),
        _ => NamedGroup::from_name(text).map(KeyExchangeName::Group).ok_or_else(|| {
            unknown("group", text, GROUPS)
        }),
    }
);

name!(
    /// A Diffie-Hellman parameter file that holds a prime.
    DhName(String),
    "Name of a Diffie-Hellman parameter file, e.g. 1024, 2048, modp2048, ffdhe3072",
    |text| match pfs_certs::dh::Parameters::named(text) {
        Ok(parameters) if parameters.group().is_some() => Ok(text.to_owned()),
        Ok(_) => Err(format!("the Diffie-Hellman parameters `{text}` hold no prime; name others")),
        Err(error) => Err(error.to_string()),
    }
);

name!(
    /// A TLS alert by its RFC 8446 name, or `none`.
    Alert(Option<AlertDescription>),
    "TLS alert in the spelling of RFC 8446, e.g. handshake_failure, bad_certificate; none",
    |text| match text {
        "none" => Ok(None),
        _ => AlertDescription::from_name(text).map(Some).ok_or_else(|| {
            let names = AlertDescription::ALL.iter().map(|alert| alert.name());
            unknown("alert", text, names.chain(["none"]))
        }),
    }
);

/// What Postfix names after `server-signature`.
const SIGNATURES: [&str; 7] = ["RSA-PSS", "RSA", "ECDSA", "ED25519", "ED448", "DSA", "none"];

/// What Postfix names after `server-digest`.
const DIGESTS: [&str; 7] = [
    "SHA256", "SHA384", "SHA512", "SHA224", "SHA1", "MD5", "none",
];

fn one_of(what: &str, found: &str, known: &[&str]) -> Result<String, String> {
    match known.contains(&found) {
        true => Ok(found.to_owned()),
        false => Err(unknown(what, found, known.iter().copied())),
    }
}

name!(
    /// A signature algorithm as Postfix names it, or `none`.
    SignatureName(String),
    "Signature algorithm as Postfix names it: RSA-PSS, RSA, ECDSA, ED25519, ED448, DSA; none",
    |text| one_of("signature", text, &SIGNATURES)
);

name!(
    /// A digest as Postfix names it, or `none`.
    DigestName(String),
    "Digest of a signature as Postfix names it: SHA256, SHA384, SHA512, SHA224, SHA1, MD5; none",
    |text| one_of("digest", text, &DIGESTS)
);

name!(
    /// A certificate of the test PKI, or `none`.
    Certificate(Option<String>),
    "Name of a generated certificate, e.g. rsa2048, ecdsa-p256, self-signed; none",
    |text| {
        if text == "none" {
            return Ok(None);
        }
        pfs_certs::CertName::parse(text).map(|_| Some(text.to_owned())).map_err(|e| e.to_string())
    }
);
