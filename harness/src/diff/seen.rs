//! One case on one target, as a line of JSON tells it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What was seen of one case on one target, as far as two are compared: a line of JSON of a run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Seen {
    /// `TOPIC/CASE[VARIANT]`.
    pub id: String,
    /// The target.
    pub target: String,
    /// `pass`, `fail`, `not-applicable`, …
    pub outcome: String,
    /// Why it failed or was not run.
    #[serde(default)]
    pub differences: Vec<String>,
    /// The shell line that runs it alone.
    #[serde(default)]
    pub reproduce: String,
    /// Whether the mail arrived.
    pub delivered: Option<bool>,
    /// The session.
    pub session: Option<Session>,
    /// What each witness says of its peer.
    #[serde(default)]
    pub testimonies: Vec<Status>,
    /// How it failed.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// What each witness said, redacted.
    #[serde(default)]
    pub witnesses: BTreeMap<String, String>,
}

/// A TLS session, as far as two are compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Session {
    pub(super) protocol: String,
    pub(super) cipher: String,
    pub(super) bits: Bits,
    pub(super) key_exchange: KeyExchange,
    pub(super) server_signature: Option<Signature>,
    pub(super) client_signature: Option<Signature>,
    pub(super) forward_secrecy: ForwardSecrecy,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Bits {
    pub(super) used: Option<u32>,
    pub(super) algorithm: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct KeyExchange {
    pub(super) kind: Option<String>,
    pub(super) group: Option<String>,
    pub(super) prime: Option<Prime>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Prime {
    pub(super) bits: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Signature {
    pub(super) algorithm: String,
    pub(super) curve: Option<String>,
    pub(super) bits: Option<u32>,
    pub(super) digest: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ForwardSecrecy {
    pub(super) holds: bool,
}

/// The status word of one witness.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Status {
    pub(super) witness: String,
    pub(super) status: Option<String>,
}

/// A failure as one witness tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Failure {
    pub(super) witness: String,
    pub(super) side: String,
    pub(super) cause: String,
    pub(super) alert: Option<String>,
}

impl Session {
    pub(super) fn strength(&self) -> u32 {
        self.bits.used.or(self.bits.algorithm).unwrap_or_default()
    }
}

impl KeyExchange {
    pub(super) fn words(&self) -> String {
        match (&self.group, &self.prime) {
            (Some(group), _) => group.clone(),
            (None, Some(prime)) => format!("prime of {} bits", prime.bits),
            (None, None) => self.kind.clone().unwrap_or_else(|| "unknown".to_owned()),
        }
    }

    /// Security strength in bits (NIST SP 800-57 part 1, table 2; RFC 7748, section 7; RFC 7919, appendix A), one more for a
    /// hybrid.
    pub(super) fn strength(&self) -> u32 {
        if let Some(prime) = &self.prime {
            return match prime.bits {
                ..2048 => 80,
                2048..3072 => 112,
                3072..7680 => 128,
                _ => 192,
            };
        }
        match self.group.as_deref() {
            Some("secp224r1") => 112,
            Some("secp384r1") => 192,
            Some("x448") => 224,
            Some("secp521r1") => 256,
            Some(group) if group.contains("MLKEM") => 129,
            Some(_) => 128,
            None => 0,
        }
    }
}

impl Signature {
    /// As far as the other one tells it, too.
    pub(super) fn words(&self, other: &Signature) -> String {
        let mut words = self.algorithm.clone();
        if let (Some(curve), Some(_)) = (&self.curve, &other.curve) {
            words.push_str(&format!(" {curve}"));
        }
        if let (Some(bits), Some(_)) = (self.bits, other.bits) {
            words.push_str(&format!(" {bits} bits"));
        }
        if let (Some(digest), Some(_)) = (&self.digest, &other.digest) {
            words.push_str(&format!(" {digest}"));
        }
        words
    }

    pub(super) fn strength(&self) -> (u32, u32) {
        let digest = self.digest.as_deref().unwrap_or_default();
        // SHA-256 is no weaker than the curves and keys in use (NIST SP 800-57 part 1, table 3).
        (
            self.bits.unwrap_or_default(),
            u32::from(!["MD5", "SHA1"].contains(&digest)),
        )
    }
}
