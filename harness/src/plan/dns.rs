//! The zones of a case: names of its own, so that cases share name servers and do not meet.

use std::collections::BTreeMap;
use std::fmt;

use pfs_containers::dns::{SilenceKind, ZoneState};
use serde::{Deserialize, Serialize};

use crate::scenario::{Dns, DnsData, DnsName, NextHop, ScenarioFile, ZoneState as Written};

/// How the label begins that makes a name a case's own.
pub(crate) const LABEL: &str = "case-";
/// Hexadecimal digits of that label.
pub(crate) const LABEL_DIGITS: usize = 10;

/// What the client of a case can look up, besides what every case can. Digests are not computed,
/// and the port of TLSA records is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseZones {
    /// Zones by name. One that has no fault is shared with other cases.
    pub zones: BTreeMap<String, CaseZone>,
    /// What the resolver does not answer.
    pub silences: Vec<CaseSilence>,
}

/// A zone, or what a case has in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseZone {
    /// What is right or wrong with it.
    pub state: ZoneState,
    /// What the case has in it.
    pub records: Vec<CaseRecord>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Its name; of TLSA the server's.
    pub owner: String,
    /// Its data.
    pub data: CaseData,
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseData {
    /// A: the harness.
    Harness,
    /// CNAME.
    Cname(String),
    /// MX.
    Mx(u16, String),
    /// TLSA, by the word it is computed from.
    Computed(String),
    /// TLSA, octet by octet.
    Literal(Vec<u8>),
    /// TXT.
    Txt(String),
}

/// A question that is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseSilence {
    /// The name; of TLSA the server's.
    pub name: String,
    /// Only its TLSA record.
    pub tlsa: bool,
    /// What the resolver does instead.
    pub how: SilenceKind,
}

/// The label for a case, from its tag, which no other case has.
fn label(tag: &str) -> String {
    let digest = <sha2::Sha256 as sha2::Digest>::digest(tag.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{LABEL}{}", hex.get(..LABEL_DIGITS).unwrap_or(&hex))
}

/// The case's own name for one that its file writes: its label before the last two.
fn own(name: &str, label: &str) -> String {
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    match dots.len().checked_sub(2).and_then(|index| dots.get(index)) {
        Some(at) => {
            let (host, domain) = name.split_at(at + 1);
            format!("{host}{label}.{domain}")
        }
        None => format!("{label}.{name}"),
    }
}

/// The next hop of a case with names of its own: the name in it, the rest as it is.
pub(super) fn nexthop(written: &NextHop, tag: &str) -> NextHop {
    written.named(own(&written.name, &label(tag)))
}

/// A name that the client may ask a server for: its own where the case has zones.
pub(super) fn own_name(file: &ScenarioFile, written: &str, tag: &str) -> String {
    match &file.dns {
        Some(dns) => own_names(dns, written, tag),
        None => written.to_owned(),
    }
}

/// Text with every name that has a record replaced by the one it is served as, also where it stands for what is
/// below it: `.mail.example.test`, `*.example.test`.
pub(super) fn own_names(dns: &Dns, text: &str, tag: &str) -> String {
    let label = label(tag);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let hosts = || {
        let asked = dns.refused.iter().chain(&dns.dropped);
        let asked = asked.map(|question| question.name.as_str());
        dns.records.iter().map(|r| r.owner.as_str()).chain(asked)
    };
    let served = |name: &str| hosts().any(|host| host == name);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let name = word.strip_prefix('.').unwrap_or(word);
        // A pattern may be of a domain that has no record of its own, but names below it that have.
        let is_pattern = name.len() < word.len();
        let below = || hosts().any(|host| host.ends_with(word));
        if served(name) || is_pattern && name.contains('.') && below() {
            result.push_str(&word[..word.len() - name.len()]);
            result.push_str(&own(name, &label));
        } else {
            result.push_str(word);
        }
        let next = after.find(is_name).unwrap_or(after.len());
        let (between, following) = after.split_at(next);
        result.push_str(between);
        rest = following;
    }
    result
}

impl CaseZones {
    /// The zones of what a file says.
    pub(super) fn of(dns: &Dns, tag: &str) -> Self {
        let label = label(tag);
        let mut zones: BTreeMap<String, CaseZone> = dns
            .zones
            .iter()
            .map(|(name, state)| {
                let zone = CaseZone {
                    state: state_of(*state),
                    records: Vec::new(),
                };
                (own(name.as_str(), &label), zone)
            })
            .collect();
        for record in &dns.records {
            let zone = dns
                .zones
                .keys()
                .filter(|zone| record.owner.is_in(zone))
                .max_by_key(|zone| zone.as_str().len());
            let zone = match zone {
                Some(zone) => own(zone.as_str(), &label),
                // Shared by all cases that need nothing else.
                None => record.owner.domain().to_owned(),
            };
            let name = |name: &DnsName| own(name.as_str(), &label);
            zones.entry(zone).or_default().records.push(CaseRecord {
                owner: name(&record.owner),
                data: match &record.data {
                    DnsData::A => CaseData::Harness,
                    DnsData::Cname(target) => CaseData::Cname(name(target)),
                    DnsData::Mx(preference, exchange) => CaseData::Mx(*preference, name(exchange)),
                    DnsData::Computed(word) => CaseData::Computed(word.to_string()),
                    DnsData::Literal(octets) => CaseData::Literal(octets.clone()),
                    DnsData::Txt(text) => CaseData::Txt(text.clone()),
                },
            });
        }
        let refused = dns.refused.iter().map(|q| (q, SilenceKind::Refused));
        let dropped = dns.dropped.iter().map(|q| (q, SilenceKind::Dropped));
        let silences = refused.chain(dropped).map(|(question, how)| CaseSilence {
            name: own(question.name.as_str(), &label),
            tlsa: question.tlsa,
            how,
        });
        Self {
            zones,
            silences: silences.collect(),
        }
    }
}

fn state_of(written: Written) -> ZoneState {
    match written {
        Written::Signed => ZoneState::Signed,
        Written::Unsigned => ZoneState::Unsigned,
        Written::ExpiredSignatures => ZoneState::ExpiredSignatures,
        Written::WrongKey => ZoneState::WrongKey,
        Written::NoDenial => ZoneState::NoDenial,
        Written::NotServed => ZoneState::NotServed,
    }
}

/// The name a TLSA record has in the zone, for a server on this port.
pub(crate) fn tlsa_owner(host: &str, port: impl fmt::Display) -> String {
    format!("_{port}._tcp.{host}")
}

impl fmt::Display for CaseZones {
    /// As `pfs plan` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, zone) in &self.zones {
            writeln!(f, "zone {name}: {}", zone.state.as_str())?;
            for CaseRecord { owner, data } in &zone.records {
                let tlsa = |f: &mut fmt::Formatter<'_>| {
                    write!(f, "  {}  TLSA ", tlsa_owner(owner, "<port>"))
                };
                match data {
                    CaseData::Harness => writeln!(f, "  {owner}  A <harness>")?,
                    CaseData::Cname(target) => writeln!(f, "  {owner}  CNAME {target}")?,
                    CaseData::Mx(preference, exchange) => {
                        writeln!(f, "  {owner}  MX {preference} {exchange}")?;
                    }
                    CaseData::Txt(text) => writeln!(f, "  {owner}  TXT {text}")?,
                    CaseData::Computed(word) => {
                        tlsa(f)?;
                        writeln!(f, "{word}")?;
                    }
                    CaseData::Literal(octets) => {
                        tlsa(f)?;
                        write!(f, "\\# {} ", octets.len())?;
                        octets
                            .iter()
                            .try_for_each(|octet| write!(f, "{octet:02x}"))?;
                        writeln!(f)?;
                    }
                }
            }
        }
        for silence in &self.silences {
            let how = match silence.how {
                SilenceKind::Refused => "refused",
                SilenceKind::Dropped => "dropped",
            };
            if silence.tlsa {
                writeln!(f, "{how}: {}", tlsa_owner(&silence.name, "<port>"))?;
            } else {
                writeln!(f, "{how}: {}", silence.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(text: &str) -> CaseZones {
        CaseZones::of(&toml::from_str(text).unwrap(), "dane.one")
    }

    #[test]
    fn names_are_the_cases_own() {
        assert_eq!(
            own("mail.example.test", "case-0"),
            "mail.case-0.example.test"
        );
        assert_eq!(own("example.test", "case-0"), "case-0.example.test");
        assert_eq!(own("a.b.example.test", "case-0"), "a.b.case-0.example.test");
        let label = label("dane.one");
        assert_eq!(label.len(), LABEL.len() + LABEL_DIGITS);
        assert_ne!(label, super::label("dane.two"));
        assert_eq!(
            nexthop(&"[mail.example.test]:587".parse().unwrap(), "dane.one").to_string(),
            format!("[mail.{label}.example.test]:587")
        );
        assert_eq!(
            nexthop(&"example.test".parse().unwrap(), "dane.one").to_string(),
            format!("{label}.example.test")
        );
    }

    #[test]
    fn names_in_parameters_are_those_with_a_record() {
        let dns = toml::from_str(r#"records = ["mail.example.test A"]"#).unwrap();
        let value =
            "inline:{{[mail.example.test]:25=secure match=other.example.test:.example.test}}";
        assert_eq!(
            own_names(&dns, value, "t").replace(&label("t"), "case-x"),
            "inline:{{[mail.case-x.example.test]:25=secure match=other.example.test:.case-x.example.test}}"
        );
        let names = |value: &str| own_names(&dns, value, "t").replace(&label("t"), "case-x");
        for (written, served) in [
            (
                "match=.mail.example.test",
                "match=.mail.case-x.example.test",
            ),
            (
                "mx_host_pattern=*.example.test",
                "mx_host_pattern=*.case-x.example.test",
            ),
            ("*.other.test .other.test", "*.other.test .other.test"),
            ("example.test .test", "example.test .test"),
            ("xmail.example.test", "xmail.example.test"),
        ] {
            assert_eq!(names(written), served);
        }
    }

    #[test]
    fn a_zone_without_a_fault_is_shared_and_one_with_is_not() {
        let label = label("dane.one");
        let zones = zones(
            r#"
            records = ["example.test MX 10 mail.insecure.example.test", "mail.insecure.example.test A",
                       "mail.insecure.example.test TLSA tlsa-3-1-1:rsa2048"]
            zones = { "insecure.example.test" = "unsigned" }
            dropped = ["mail.insecure.example.test TLSA"]
            "#,
        );
        assert_eq!(
            zones.to_string().replace(&label, "case-x"),
            "zone example.test: signed\n  \
               case-x.example.test  MX 10 mail.insecure.case-x.example.test\n\
             zone insecure.case-x.example.test: unsigned\n  \
               mail.insecure.case-x.example.test  A <harness>\n  \
               _<port>._tcp.mail.insecure.case-x.example.test  TLSA tlsa-3-1-1:rsa2048\n\
             dropped: _<port>._tcp.mail.insecure.case-x.example.test\n"
        );
    }
}
