//! Names a fleet's Postfix can look up: zones, signed with real keys, served by nsd and validated by unbound inside the
//! fleet, whose only trust anchor is the key of our own root zone. So the AD bit that Postfix sees was earned.
//!
//! What can be wrong with a zone is a [`ZoneState`], what a resolver can do to a question a [`Silence`]. Nothing is
//! computed here but text; keys and signatures are made by `images/dns.sh` when the fleet starts, and again with every
//! change of the running fleet.

mod render;

use serde::{Deserialize, Serialize};

/// The zones of a fleet; the root zone is made of what they need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameService {
    /// No two of the same name; none is the root.
    pub zones: Vec<Zone>,
    /// Names that the resolver does not answer for.
    pub silences: Vec<Silence>,
}

/// A zone: delegated, with a DS record unless its state says otherwise, from the next zone above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Such as `example.test`.
    pub name: String,
    /// What is right or wrong with it.
    pub state: ZoneState,
    /// What is in it, besides SOA, NS, DNSSEC's own, and what its children need.
    pub records: Vec<Record>,
}

/// What is right or wrong with a zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneState {
    /// Signed, and its parent vouches for the key: answers are secure.
    #[default]
    Signed,
    /// Neither signed nor vouched for: answers are insecure.
    Unsigned,
    /// The signatures were valid for January 2020: answers are bogus.
    ExpiredSignatures,
    /// The parent vouches for a key that has signed nothing: answers are bogus.
    WrongKey,
    /// Signed, but without NSEC records: what exists is secure, that something does not exist is not proven.
    NoDenial,
    /// Delegated to a name server that refuses to answer: so the resolver answers SERVFAIL.
    NotServed,
}

impl ZoneState {
    /// As in `images/dns.sh`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ZoneState::Signed => "signed",
            ZoneState::Unsigned => "unsigned",
            ZoneState::ExpiredSignatures => "expired-signatures",
            ZoneState::WrongKey => "wrong-key",
            ZoneState::NoDenial => "no-denial",
            ZoneState::NotServed => "not-served",
        }
    }
}

/// A record of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Such as `_25._tcp.mail.example.test`.
    pub owner: String,
    /// Its type and data.
    pub data: RecordData,
}

/// A record's type and data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordData {
    /// A: the address the harness listens on for this fleet.
    Harness,
    /// CNAME.
    Cname(String),
    /// MX.
    Mx {
        /// Lower ones are tried first.
        preference: u16,
        /// The mail server's name.
        exchange: String,
    },
    /// TLSA, as octets on the wire (RFC 6698 section 2.1), sound or not.
    Tlsa(Vec<u8>),
    /// TXT: one string of printable ASCII without `"` and `\`.
    Txt(String),
}

/// A name, and all below it, that the resolver does not answer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Such as `_25._tcp.mail.example.test`.
    pub name: String,
    /// What it does instead.
    pub how: SilenceKind,
}

/// What a resolver does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SilenceKind {
    /// The reply has the code REFUSED.
    Refused,
    /// There is no reply.
    Dropped,
}
