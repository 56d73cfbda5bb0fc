//! DNS-based authentication of servers (RFC 7672): lookups and records that cannot be used.

use crate::summary::{PeerName, number};

/// A TLSA record as logged: `3 1 1 37F0…`. Postfix 3.5 logs only some of the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsaRecord {
    /// Certificate usage, such as 3 for DANE-EE.
    pub usage: u8,
    /// Selector: 0 the certificate, 1 the public key.
    pub selector: u8,
    /// Matching type: 0 the thing itself, 1 its SHA-256, 2 its SHA-512; 255 where Postfix uses a record for a fingerprint.
    pub matching_type: u8,
    /// Hexadecimal, in upper case; a long one has `...` in its middle.
    pub data: String,
}

impl TlsaRecord {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let record = Self {
            usage: number(words.next()?)?,
            selector: number(words.next()?)?,
            matching_type: number(words.next()?)?,
            data: words.next()?.to_owned(),
        };
        let sound = record
            .data
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b == b'.');
        (sound && words.next().is_none()).then_some(record)
    }
}

/// A warning about DANE.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dane {
    /// `PEER: all TLSA records unusable[, fallback to unauthenticated TLS]`, or `all fingerprints unusable`, `all trust anchors
    /// unusable`.
    AllUnusable {
        /// The server.
        peer: PeerName,
        /// `TLSA records`, `fingerprints`, `trust anchors`.
        what: String,
        /// Whether delivery goes on without authentication.
        fallback: bool,
    },
    /// `DNSSEC validation may be unavailable`, and the `reason:` line after it.
    DnssecUnavailable {
        /// As printed.
        text: String,
    },
    /// `NEXTHOP: dane configured with dnssec lookups disabled`, or `dane-only`.
    LookupsDisabled {
        /// Such as `[mail.example.test]:25`.
        nexthop: String,
    },
    /// `DANE TLSA lookup problem: …`.
    LookupProblem {
        /// As printed.
        text: String,
    },
    /// `TLS policy lookup for NEXTHOP/HOST: REASON`: no delivery under this policy.
    PolicyLookup {
        /// Such as `[mail.example.test]:25`.
        nexthop: String,
        /// The server's name.
        host: String,
        /// `no TLSA records found`, `TLSA lookup error for …`, `client TLS configuration problem`.
        reason: String,
    },
    /// A record that Postfix ignores: ≥ 3.6 `PEER: unusable TLSA RR: 3 1 1 616263` or
    /// `NAME unsupported TLSA certificate usage: 1 1 1 37F0…`, before `malformed sha256 digest, length 3, in RR: NAME IN TLSA 3 1 1 …`.
    Unusable {
        /// The server or the name the record has.
        owner: String,
        /// What is wrong with it.
        reason: String,
        /// The record, where it is printed in full.
        record: Option<TlsaRecord>,
    },
}

impl Dane {
    /// Parses what follows `warning: `.
    pub(super) fn parse_warning(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("DANE TLSA lookup problem: ") {
            return Some(Self::LookupProblem {
                text: rest.to_owned(),
            });
        }
        if let Some(rest) = text.strip_prefix("TLS policy lookup for ") {
            let (destination, reason) = rest.split_once(": ")?;
            let (nexthop, host) = destination.rsplit_once('/')?;
            return Some(Self::PolicyLookup {
                nexthop: nexthop.to_owned(),
                host: host.to_owned(),
                reason: reason.to_owned(),
            });
        }
        if let Some(rest) = text.strip_prefix("TLS policy lookup error for ") {
            let (destination, reason) = rest.split_once(": ")?;
            let (nexthop, host) = destination.rsplit_once('/')?;
            return Some(Self::PolicyLookup {
                nexthop: nexthop.to_owned(),
                host: host.to_owned(),
                reason: reason.to_owned(),
            });
        }
        if let Some(nexthop) = text
            .strip_suffix(" configured with dnssec lookups disabled")
            .and_then(|head| head.rsplit_once(": "))
            .filter(|(_, level)| level.starts_with("dane"))
            .map(|(nexthop, _)| nexthop)
        {
            return Some(Self::LookupsDisabled {
                nexthop: nexthop.to_owned(),
            });
        }
        let validation = text.starts_with("DNSSEC validation may be unavailable")
            || text.starts_with("reason: dnssec_probe ")
            || text.starts_with("DNSSEC status lookup error for ")
            || text.contains(" received a response that is DNSSEC validated")
            || text.ends_with(", no DANE support")
            || text.ends_with("DANE support disabled.")
            || text.contains("DANE requested, but not available")
            || text.contains("DANE or local trust anchor based chain verification requested");
        if validation {
            return Some(Self::DnssecUnavailable {
                text: text.to_owned(),
            });
        }
        if let Some((owner, length)) = text.split_once(": truncated TLSA RR length == ") {
            return Some(Self::Unusable {
                owner: owner.to_owned(),
                reason: format!("truncated to {length} bytes"),
                record: None,
            });
        }
        if let Some((length, rest)) = text
            .strip_prefix("truncated length ")
            .and_then(|rest| rest.split_once(" RR: "))
        {
            return Some(Self::Unusable {
                owner: rest.split(' ').next().unwrap_or_default().to_owned(),
                reason: format!("truncated to {length} bytes"),
                record: None,
            });
        }
        if let Some((reason, rest)) = text
            .split_once(" in RR: ")
            .or_else(|| text.split_once(", ignoring RR: "))
        {
            let (owner, _) = rest.split_once(" IN TLSA ")?;
            return Some(Self::Unusable {
                owner: owner.to_owned(),
                reason: reason.trim_end_matches(',').to_owned(),
                record: None,
            });
        }
        all_unusable(text).or_else(|| one_unusable(text))
    }
}

fn all_unusable(text: &str) -> Option<Dane> {
    let (peer, rest) = text.split_once(": all ")?;
    let (what, rest) = rest.split_once(" unusable")?;
    let fallback = match rest {
        "" => false,
        ", fallback to unauthenticated TLS" => true,
        _ => return None,
    };
    Some(Dane::AllUnusable {
        peer: PeerName::parse(peer)?,
        what: what.to_owned(),
        fallback,
    })
}

/// `tlsa_carp` in `tls_dane.c`.
fn one_unusable(text: &str) -> Option<Dane> {
    let (head, record) = text.rsplit_once(": ")?;
    let (owner, reason) = match head.split_once(": ") {
        Some((owner, "unusable TLSA RR")) => (owner, "unusable TLSA RR"),
        _ => head.split_once(' ')?,
    };
    let known = reason == "unusable TLSA RR"
        || (owner.contains("._tcp.") && (reason.contains("TLSA") || reason.contains("digest")));
    known.then(|| Dane::Unusable {
        owner: owner.to_owned(),
        reason: reason.to_owned(),
        record: TlsaRecord::parse(record),
    })
}
