//! Diffie-Hellman parameter files: what `smtpd_tls_dh1024_param_file` may name.
//!
//! The primes are fixed, as safe primes take seconds to minutes to find. None of them is a secret.

use std::fmt;

use crate::error::{Error, Kind};
use crate::pem_text;

struct Entry {
    name: &'static str,
    description: &'static str,
    pem: &'static str,
}

macro_rules! entry {
    ($name:literal, $description:literal) => {
        Entry {
            name: $name,
            description: $description,
            pem: include_str!(concat!("../dh/", $name, ".pem")),
        }
    };
}

// The files without a name of their own come from `openssl dhparam BITS`, "x942-2048" from
// `openssl dhparam -dsaparam 2048`, the groups of the RFCs from
// `openssl genpkey -genparam -algorithm DH -pkeyopt group:NAME`, all with OpenSSL 3.0.19.
static REGISTRY: &[Entry] = &[
    entry!(
        "512",
        "512-bit safe prime; OpenSSL 1.1.1 and 3.x servers refuse to use it"
    ),
    entry!(
        "768",
        "768-bit safe prime; OpenSSL 1.1.1 and 3.x servers refuse to use it"
    ),
    entry!("1024", "1024-bit safe prime"),
    entry!("2048", "2048-bit safe prime"),
    entry!("3072", "3072-bit safe prime"),
    entry!("4096", "4096-bit safe prime"),
    entry!(
        "second-2048",
        "another 2048-bit safe prime, as if the file had been made anew"
    ),
    entry!("ffdhe2048", "RFC 7919 group ffdhe2048"),
    entry!("ffdhe3072", "RFC 7919 group ffdhe3072"),
    entry!("ffdhe4096", "RFC 7919 group ffdhe4096"),
    entry!("modp2048", "RFC 3526 2048-bit MODP group"),
    entry!("modp3072", "RFC 3526 3072-bit MODP group"),
    entry!("modp4096", "RFC 3526 4096-bit MODP group"),
    entry!(
        "x942-2048",
        "2048-bit X9.42 parameters, in a PEM form that Postfix with OpenSSL 3 does not read"
    ),
    entry!("garbage", "right PEM label, no parameters within"),
];

/// A Diffie-Hellman parameter file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    name: &'static str,
    description: &'static str,
    pem: &'static str,
    group: Option<Group>,
}

/// A finite field Diffie-Hellman group.
#[derive(Clone, PartialEq, Eq)]
pub struct Group {
    /// The prime, big-endian, without leading zeros.
    pub p: Vec<u8>,
    /// The generator, big-endian, without leading zeros.
    pub g: Vec<u8>,
    /// The size of `p` in bits.
    pub bits: u32,
}

impl Group {
    /// Reads a parameter file as OpenSSL writes it, PKCS #3 or X9.42; `None` if it holds no group.
    pub fn from_pem(text: &str) -> Option<Self> {
        group(text)
    }
}

impl Parameters {
    /// Every parameter file, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTRY.iter().map(Self::from_entry)
    }

    /// Finds a file by its name, such as `2048` or `ffdhe3072`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] naming the nearest known name.
    pub fn named(name: &str) -> Result<Self, Error> {
        REGISTRY
            .iter()
            .find(|entry| entry.name == name)
            .map(Self::from_entry)
            .ok_or_else(|| {
                Error::unknown(
                    Kind::DhParameters,
                    name,
                    REGISTRY.iter().map(|entry| entry.name),
                )
            })
    }

    fn from_entry(entry: &Entry) -> Self {
        Self {
            name: entry.name,
            description: entry.description,
            pem: entry.pem,
            group: group(entry.pem),
        }
    }

    /// The name, as in `dh:2048`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the file is, in one line for a list.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The file's contents.
    pub fn pem(&self) -> &'static str {
        self.pem
    }

    /// The group in the file; `None` if it holds none.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({} bits)", self.bits)
    }
}

/// Both DHParameter (PKCS #3) and DomainParameters (X9.42, RFC 3279 section 2.3.3) begin with p and g.
fn group(text: &str) -> Option<Group> {
    let der = ["DH PARAMETERS", "X9.42 DH PARAMETERS"]
        .into_iter()
        .find_map(|label| pem_text::decode(label, text).ok())?;
    let (p, g) = yasna::parse_der(&der, |reader| {
        reader.read_sequence(|reader| {
            let (p, _) = reader.next().read_bigint_bytes()?;
            let (g, _) = reader.next().read_bigint_bytes()?;
            while reader.read_optional(|reader| reader.read_der())?.is_some() {}
            Ok((p, g))
        })
    })
    .ok()?;
    let p = without_leading_zeros(p);
    let bits = u32::try_from(p.len()).ok()? * 8 - p.first()?.leading_zeros();
    Some(Group {
        bits,
        p,
        g: without_leading_zeros(g),
    })
}

fn without_leading_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.drain(..zeros);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_what_names_say() {
        for parameters in Parameters::all() {
            let digits: String = parameters
                .name()
                .chars()
                .rev()
                .take_while(char::is_ascii_digit)
                .collect();
            let bits: String = digits.chars().rev().collect();
            match parameters.group() {
                Some(group) => assert_eq!(group.bits.to_string(), bits, "{}", parameters.name()),
                None => assert_eq!(parameters.name(), "garbage"),
            }
        }
    }

    #[test]
    fn generator_is_two_but_in_x942() {
        for parameters in Parameters::all() {
            let Some(group) = parameters.group() else {
                continue;
            };
            let two = group.g == [2];
            assert_eq!(
                two,
                parameters.name() != "x942-2048",
                "{}",
                parameters.name()
            );
        }
    }

    #[test]
    fn groups_of_the_rfcs() {
        // After 64 one bits, RFC 7919 appendix A goes on with the digits of e, RFC 3526 with those of pi.
        for (name, digits) in [
            ("ffdhe2048", [0xad, 0xf8, 0x54, 0x58]),
            ("ffdhe3072", [0xad, 0xf8, 0x54, 0x58]),
            ("ffdhe4096", [0xad, 0xf8, 0x54, 0x58]),
            ("modp2048", [0xc9, 0x0f, 0xda, 0xa2]),
            ("modp3072", [0xc9, 0x0f, 0xda, 0xa2]),
            ("modp4096", [0xc9, 0x0f, 0xda, 0xa2]),
        ] {
            let parameters = Parameters::named(name).unwrap();
            let p = &parameters.group().unwrap().p;
            assert_eq!(p[..8], [0xff; 8], "{name}");
            assert_eq!(p[8..12], digits, "{name}");
            assert_eq!(p[p.len() - 8..], [0xff; 8], "{name}");
        }
    }

    #[test]
    fn second_is_another() {
        let [first, second] = ["2048", "second-2048"].map(|name| Parameters::named(name).unwrap());
        assert_ne!(first.group().unwrap().p, second.group().unwrap().p);
    }

    #[test]
    fn unknown_name_says_the_nearest() {
        assert_eq!(
            Parameters::named("ffdhe2084").unwrap_err().to_string(),
            "unknown DH parameters \"ffdhe2084\"; did you mean \"ffdhe2048\"?"
        );
    }
}
