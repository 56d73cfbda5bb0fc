//! `[dns]`: what the client can look up.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pfs_certs::GeneratedName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::value::parsed;

/// The zones of a case. Its names are its own: what is written `mail.example.test` is served as
/// `mail.case-….example.test`, and shown as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dns {
    /// Records, each in the longest zone that its name is in.
    #[serde(default)]
    pub records: Vec<DnsRecord>,
    /// Zones by name, and what is right or wrong with each. The last two labels of a name are a
    /// signed zone unless named here.
    #[serde(default)]
    pub zones: BTreeMap<DnsName, ZoneState>,
    /// Questions to which the resolver replies REFUSED.
    #[serde(default)]
    pub refused: Vec<Question>,
    /// Questions to which the resolver does not reply.
    #[serde(default)]
    pub dropped: Vec<Question>,
}

impl Dns {
    /// What no name server would serve.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub(super) fn check(&self) -> Result<(), (String, Option<String>)> {
        for (index, record) in self.records.iter().enumerate() {
            let owner = record.owner.as_str();
            let zone = (self.zones.iter())
                .filter(|(zone, _)| record.owner.is_in(zone))
                .max_by_key(|(zone, _)| zone.as_str().len());
            if let Some((zone, ZoneState::NotServed)) = zone {
                return Err((
                    format!(
                        "{owner}: nobody serves the zone {}, which it is in",
                        zone.as_str()
                    ),
                    Some("leave the record out".into()),
                ));
            }
            // The owner of a TLSA record is a name below.
            let alias = |record: &DnsRecord| matches!(record.data, DnsData::Cname(_));
            let tlsa = |record: &DnsRecord| {
                matches!(record.data, DnsData::Computed(_) | DnsData::Literal(_))
            };
            let others = self.records.iter().enumerate();
            let mut others = others.filter(|(other, _)| *other != index);
            let clash = others.any(|(_, other)| other.owner == record.owner && !tlsa(other));
            let apex = self.zones.contains_key(&record.owner);
            if alias(record) && (clash || apex) {
                return Err((
                    format!("{owner} is an alias and has other records, which no zone may have"),
                    Some("give one of them another name".into()),
                ));
            }
        }
        Ok(())
    }
}

/// What is right or wrong with a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneState {
    /// Signed, and its parent vouches for the key: answers are secure.
    Signed,
    /// Neither signed nor vouched for: answers are insecure.
    Unsigned,
    /// The signatures were valid for January 2020: answers are bogus.
    ExpiredSignatures,
    /// The parent vouches for a key that has signed nothing: answers are bogus.
    WrongKey,
    /// Signed, but without NSEC records: that something does not exist is not proven.
    NoDenial,
    /// Delegated to a server that refuses to answer: the resolver says SERVFAIL.
    NotServed,
}

/// A domain name of at least two labels, lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsName(String);

impl DnsName {
    fn parse(text: &str) -> Result<Self, String> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
        };
        // Room for the label that makes it the case's own.
        if text.len() <= 220 && text.contains('.') && text.split('.').all(label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is no domain name: expected two labels or more of a-z, 0-9, `-` and \
                 `_`, such as mail.example.test"
            ))
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last two labels.
    pub fn domain(&self) -> &str {
        let dots = self.0.rmatch_indices('.').map(|(at, _)| at + 1);
        self.0.get(dots.take(2).nth(1).unwrap_or(0)..).unwrap_or("")
    }

    /// Is it `zone`, or below it?
    pub fn is_in(&self, zone: &Self) -> bool {
        let rest = self.0.strip_suffix(zone.0.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// A record: owner, type and data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// Of a TLSA record the server's name; `_PORT._tcp` is put before it.
    pub owner: DnsName,
    /// The type and its data.
    pub data: DnsData,
}

/// The type and data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsData {
    /// `A`: the address of the harness.
    A,
    /// `CNAME NAME`
    Cname(DnsName),
    /// `MX PREFERENCE NAME`
    Mx(u16, DnsName),
    /// `TLSA WORD`: computed from a certificate.
    Computed(GeneratedName),
    /// `TLSA USAGE SELECTOR TYPE HEX` or `TLSA \# LENGTH HEX`: these octets.
    Literal(Vec<u8>),
    /// `TXT TEXT`
    Txt(String),
}

/// Most that one string of a TXT record holds (RFC 1035 section 3.3). Bytes.
const TXT_LIMIT: usize = 255;

impl DnsRecord {
    fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (owner, data) = match words.as_slice() {
            [owner, "A"] => (owner, DnsData::A),
            [owner, "CNAME", name] => (owner, DnsData::Cname(DnsName::parse(name)?)),
            [owner, "MX", preference, name] => {
                let number = preference.parse();
                let number = number
                    .map_err(|_| format!("MX preference `{preference}`: expected 0 to 65535"))?;
                (owner, DnsData::Mx(number, DnsName::parse(name)?))
            }
            [owner, "TLSA", data @ ..] => (owner, tlsa(data)?),
            [owner, "TXT", words @ ..] => (owner, txt(words)?),
            _ => {
                return Err(format!(
                    "`{text}` is no record: expected `NAME A`, `NAME CNAME NAME`, `NAME MX \
                     PREFERENCE NAME`, `NAME TLSA tlsa-U-S-M:CERTIFICATE`, `NAME TLSA U S M HEX`, \
                     `NAME TLSA \\# LENGTH HEX` or `NAME TXT TEXT`"
                ));
            }
        };
        Ok(Self {
            owner: DnsName::parse(owner)?,
            data,
        })
    }
}

fn txt(words: &[&str]) -> Result<DnsData, String> {
    let text = words.join(" ");
    let plain = |b: u8| (b == b' ' || b.is_ascii_graphic()) && !b"\"\\".contains(&b);
    if (1..=TXT_LIMIT).contains(&text.len()) && text.bytes().all(plain) {
        Ok(DnsData::Txt(text))
    } else {
        Err(format!(
            "TXT data `{text}`: expected 1 to {TXT_LIMIT} printable ASCII characters, neither `\"` nor `\\`"
        ))
    }
}

fn tlsa(data: &[&str]) -> Result<DnsData, String> {
    match data {
        ["\\#", length, hex @ ..] => {
            let octets = octets(&hex.concat())?;
            if length.parse() == Ok(octets.len()) {
                Ok(DnsData::Literal(octets))
            } else {
                let found = octets.len();
                Err(format!(
                    "TLSA data of {found} octets, and the length says {length}"
                ))
            }
        }
        [usage, selector, matching_type, hex @ ..] if !hex.is_empty() => {
            let number = |text: &str| {
                let parsed = text.parse::<u8>();
                parsed.map_err(|_| format!("TLSA parameter `{text}`: expected 0 to 255"))
            };
            let mut all = vec![number(usage)?, number(selector)?, number(matching_type)?];
            all.extend(octets(&hex.concat())?);
            Ok(DnsData::Literal(all))
        }
        [word] if GeneratedName::is_meant_by(word) => {
            let name = GeneratedName::parse(word).map_err(|error| error.to_string())?;
            match name.item() {
                pfs_certs::Item::Tlsa(..) => Ok(DnsData::Computed(name)),
                _ => Err(format!(
                    "`{word}` is no TLSA record: expected such as tlsa-3-1-1:rsa2048"
                )),
            }
        }
        _ => Err(format!(
            "TLSA data `{}`: expected `tlsa-3-1-1:CERTIFICATE`, `3 1 1 HEX` or `\\# LENGTH HEX`",
            data.join(" ")
        )),
    }
}

fn octets(hex: &str) -> Result<Vec<u8>, String> {
    let octet = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let sound = hex.len().is_multiple_of(2) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let all: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(octet).collect();
    all.filter(|_| sound)
        .ok_or_else(|| format!("`{hex}`: expected pairs of hexadecimal digits"))
}

/// A question to the resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name; for TLSA that of the server.
    pub name: DnsName,
    /// It is about the TLSA record of the server, not about the name and all below it.
    pub tlsa: bool,
}

impl Question {
    fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (name, tlsa) = match words.as_slice() {
            [name] => (name, false),
            [name, "TLSA"] => (name, true),
            _ => {
                return Err(format!(
                    "`{text}` is no question: expected `NAME` or `NAME TLSA`"
                ));
            }
        };
        Ok(Self {
            name: DnsName::parse(name)?,
            tlsa,
        })
    }
}

macro_rules! text {
    ($type:ty, $schema:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                parsed(deserializer, $schema, <$type>::parse)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $schema, "type": "string" })
            }
        }
    };
}

text!(
    DnsName,
    "a domain name of at least two labels, lower case, such as mail.example.test"
);
text!(
    DnsRecord,
    "a record: `NAME A` (the harness's address), `NAME CNAME NAME`, `NAME MX PREFERENCE NAME`, `NAME TLSA tlsa-3-1-1:CERTIFICATE`, `NAME TLSA 3 1 1 HEX`, `NAME TLSA \\# LENGTH HEX`, `NAME TXT TEXT`"
);
text!(
    Question,
    "`NAME` (and all below it), or `NAME TLSA` for the TLSA record of that server"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> DnsRecord {
        DnsRecord::parse(text).unwrap()
    }

    #[test]
    fn records_as_in_a_zone_file() {
        assert_eq!(record("mail.example.test A").data, DnsData::A);
        let mx = record("example.test  MX 10 mail.example.test");
        assert_eq!(mx.owner.as_str(), "example.test");
        assert!(matches!(mx.data, DnsData::Mx(10, name) if name.as_str() == "mail.example.test"));
        assert_eq!(
            record("m.example.test TLSA 3 1 1 61 62 63").data,
            DnsData::Literal(b"\x03\x01\x01abc".to_vec())
        );
        assert_eq!(
            record("m.example.test TLSA \\# 0").data,
            DnsData::Literal(Vec::new())
        );
        let computed = record("m.example.test TLSA tlsa-2-0-1:intermediate").data;
        assert!(
            matches!(computed, DnsData::Computed(name) if name.to_string() == "tlsa-2-0-1:intermediate")
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("mail.example.test", "is no record"),
            ("mail A", "is no domain name"),
            ("Mail.example.test A", "is no domain name"),
            ("a.b MX many c.d", "expected 0 to 65535"),
            ("a.b TLSA \\# 2 03", "1 octets, and the length says 2"),
            ("a.b TLSA 3 1 1 0", "pairs of hexadecimal digits"),
            ("a.b TLSA 3 1 1 +1", "pairs of hexadecimal digits"),
            ("a.b TLSA 3 1 1", "expected `tlsa-3-1-1:CERTIFICATE`"),
            ("a.b TLSA 3 1 256 00", "expected 0 to 255"),
            ("a.b TLSA cert:rsa2048", "is no TLSA record"),
            ("a.b TLSA tlsa-3-1-1:rsa204", "did you mean \"rsa2048\""),
        ] {
            let error = DnsRecord::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(Question::parse("a.b MX").is_err());
    }

    #[test]
    fn what_no_server_would_serve() {
        let check = |text| toml::from_str::<Dns>(text).unwrap().check();
        let alias =
            r#"records = ["a.b.test CNAME c.b.test", "a.b.test TLSA 3 1 1 00", "c.b.test A"]"#;
        assert_eq!(check(alias), Ok(()));
        for (text, words) in [
            (
                r#"records = ["a.b.test CNAME c.b.test", "a.b.test A"]"#,
                "is an alias and has other records",
            ),
            (
                r#"records = ["a.b.test CNAME c.b.test"]
                   zones   = { "a.b.test" = "signed" }"#,
                "is an alias and has other records",
            ),
            (
                r#"records = ["a.x.b.test A"]
                   zones   = { "x.b.test" = "not-served", "b.test" = "signed" }"#,
                "nobody serves the zone x.b.test",
            ),
        ] {
            let (message, _) = check(text).unwrap_err();
            assert!(message.contains(words), "{text}: {message}");
        }
    }

    #[test]
    fn domains_and_zones() {
        let name = |text| DnsName::parse(text).unwrap();
        assert_eq!(name("a.b.example.test").domain(), "example.test");
        assert_eq!(name("example.test").domain(), "example.test");
        assert!(name("a.example.test").is_in(&name("example.test")));
        assert!(name("example.test").is_in(&name("example.test")));
        assert!(!name("anexample.test").is_in(&name("example.test")));
    }
}
