//! The name of a key exchange in the dialects of OpenSSL and Postfix.

use std::fmt;

use tls_names::NamedGroup;

use super::number;

/// The key exchange of a TLS 1.3 session, in any dialect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyExchange {
    /// As printed: `X25519`, `x25519`, `ECDHE (P-256)`, `DHE (2048 bits)`, `X25519MLKEM768`.
    pub text: String,
    /// The group, where the text names one.
    pub group: Option<NamedGroup>,
    /// Bits of the prime, for finite fields only.
    pub bits: Option<u32>,
}

impl KeyExchange {
    /// The key exchange that `text` names; unknown names keep their text and nothing else.
    pub fn from_text(text: &str) -> Self {
        let (name, inner) = match text.split_once(" (") {
            Some((name, inner)) => (name, inner.strip_suffix(')')),
            None => (text, None),
        };
        let group = NamedGroup::from_name(inner.unwrap_or(name));
        let printed_bits = inner.and_then(|inner| number(inner.strip_suffix(" bits")?));
        Self {
            text: text.to_owned(),
            group,
            bits: printed_bits.or_else(|| group.and_then(ffdhe_bits)),
        }
    }

    /// The key exchange over `group`, in the words of Postfix 3.10 and later.
    pub fn from_group(group: NamedGroup) -> Self {
        Self {
            text: group.to_string(),
            group: Some(group),
            bits: ffdhe_bits(group),
        }
    }

    /// Diffie-Hellman over a prime of `bits` bits that no registry names.
    pub fn from_prime(bits: u32) -> Self {
        Self {
            text: format!("DHE ({bits} bits)"),
            group: None,
            bits: Some(bits),
        }
    }

    /// Whether both names mean the same, as far as the two dialects tell.
    pub fn same_as(&self, other: &Self) -> bool {
        // A finite-field group without a registered name says nothing of its size.
        let unnamed = |it: &Self| {
            it.group
                .is_some_and(|group| group.is_ffdhe() && group.name().is_none())
        };
        if unnamed(self) && other.bits.is_some() || unnamed(other) && self.bits.is_some() {
            return true;
        }
        match (self.group, other.group, self.bits, other.bits) {
            (Some(left), Some(right), _, _) => left == right,
            (_, _, Some(left), Some(right)) => left == right,
            _ => self.text.eq_ignore_ascii_case(&other.text),
        }
    }
}

impl fmt::Display for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn ffdhe_bits(group: NamedGroup) -> Option<u32> {
    number(group.name()?.strip_prefix("ffdhe")?)
}
