//! Zone files, and the configuration of the two servers, as `images/dns.sh` wants them.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{NameService, Record, RecordData, SilenceKind, Zone, ZoneState};
use crate::{
    config::ConfigError,
    fleet::files::{RootFile, RootFiles},
};

/// Where all of it is. A fleet has name servers where this holds `start`.
const DIRECTORY: &str = "/etc/postfix/pfs/dns";
const SCRIPT: &str = include_str!("../../images/dns.sh");
/// The name server of every zone; its address is in the root zone.
const SERVER: &str = "ns.";
/// A name server that refuses every question: the resolver itself, which answers none that does not ask for recursion.
const REFUSING: &str = "refusing.";
/// Octets of the shortest TLSA record that nsd serves; of a zone with a shorter one it serves nothing. unbound, which
/// can have zones of its own and validates them as those of others, is not as careful.
const SHORTEST_TLSA: usize = 4;

impl NameService {
    /// Every file of it; `generation` is told in the line that says that it works.
    pub(crate) fn render(&self, generation: u32) -> Result<RootFiles, ConfigError> {
        self.check_names()?;
        let root = Zone {
            name: String::new(),
            state: ZoneState::Signed,
            records: Vec::new(),
        };
        let mut zones: Vec<&Zone> = self.zones.iter().collect();
        zones.push(&root);
        let file = |zone: &Zone| match zone.name.as_str() {
            "" => "root".to_owned(),
            name => name.to_owned(),
        };
        let parent = |zone: &Zone| {
            zones
                .iter()
                .copied()
                .filter(|other| other.name != zone.name && is_below(&zone.name, &other.name))
                .max_by_key(|other| other.name.len())
                .unwrap_or(&root)
        };

        let mut texts: BTreeMap<String, String> = zones
            .iter()
            .filter(|zone| zone.state != ZoneState::NotServed)
            .map(|zone| (file(zone), head(&absolute(&zone.name))))
            .collect();
        let mut list = String::new();
        let (mut nsd, mut unbound) = (NSD.to_owned(), UNBOUND.to_owned());
        for zone in &zones {
            let (name, own) = (absolute(&zone.name), file(zone));
            let server = if zone.records.iter().any(is_too_short) {
                "resolver"
            } else {
                "authority"
            };
            let parent = parent(zone);
            let state = zone.state.as_str();
            let _ = writeln!(list, "{own} {name} {state} {} {server}", file(parent));
            // Of a zone that nobody serves there is no file.
            let above = texts.get_mut(&file(parent));
            if let Some(text) = above.filter(|_| !zone.name.is_empty()) {
                let server = match zone.state {
                    ZoneState::NotServed => REFUSING,
                    _ => SERVER,
                };
                let _ = writeln!(text, "{name} 60 IN NS {server}");
            }
            if let Some(text) = texts.get_mut(&own) {
                for Record { owner, data } in &zone.records {
                    let _ = writeln!(text, "{} 60 IN {}", absolute(owner), presented(data));
                }
            }
            match (zone.state, server) {
                (ZoneState::NotServed, _) => {}
                (_, "resolver") => {
                    let _ = write!(
                        unbound,
                        "auth-zone:\n  name: \"{name}\"\n  zonefile: \"{DIRECTORY}/run/{own}.signed\"\n  \
                         for-downstream: no\n  for-upstream: yes\n  fallback-enabled: no\n"
                    );
                }
                _ => {
                    let _ = write!(
                        nsd,
                        "zone:\n  name: \"{name}\"\n  zonefile: \"{own}.signed\"\n"
                    );
                }
            }
        }
        // A `server:` clause again: the zones' clauses stand before it.
        unbound.push_str("server:\n");
        for silence in &self.silences {
            let how = match silence.how {
                SilenceKind::Refused => "refuse",
                SilenceKind::Dropped => "deny",
            };
            let _ = writeln!(
                unbound,
                "  local-zone: \"{}\" {how}",
                absolute(&silence.name)
            );
        }

        let mut files: RootFiles = texts
            .into_iter()
            .map(|(name, text)| (format!("{DIRECTORY}/zone/{name}"), RootFile::public(text)))
            .collect();
        for (name, text) in [
            ("start", SCRIPT.to_owned()),
            ("zones", list),
            ("nsd.conf", nsd),
            ("unbound.conf", unbound),
            ("generation", generation.to_string()),
        ] {
            files.insert(format!("{DIRECTORY}/{name}"), RootFile::public(text));
        }
        Ok(files)
    }

    fn check_names(&self) -> Result<(), ConfigError> {
        let bad = |what, name: &str, expected| {
            Err(ConfigError::BadWord {
                what,
                text: name.to_owned(),
                expected,
            })
        };
        let mut known = std::collections::BTreeSet::new();
        for zone in &self.zones {
            if !known.insert(&zone.name) {
                return bad("zone", &zone.name, "each zone once");
            }
            for record in &zone.records {
                if !is_below(&record.owner, &zone.name) {
                    return bad("record", &record.owner, "a name within its zone");
                }
            }
        }
        let zones = self.zones.iter().map(|zone| &zone.name);
        let silences = self.silences.iter().map(|silence| &silence.name);
        let records = self.zones.iter().flat_map(|zone| &zone.records);
        let inside = records.flat_map(|record| {
            let named = match &record.data {
                RecordData::Cname(name) => Some(name),
                RecordData::Mx { exchange, .. } => Some(exchange),
                RecordData::Harness | RecordData::Tlsa(_) | RecordData::Txt(_) => None,
            };
            [&record.owner].into_iter().chain(named)
        });
        match zones.chain(silences).chain(inside).find(|n| !is_name(n)) {
            None => Ok(()),
            Some(name) => bad(
                "domain name",
                name,
                "labels of a-z, 0-9, `-` and `_`, at most 63 characters each and 253 in all",
            ),
        }
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
        })
}

/// Whether `name` is `zone` or below it; every name is below the root, which is empty.
fn is_below(name: &str, zone: &str) -> bool {
    zone.is_empty()
        || name
            .strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn absolute(name: &str) -> String {
    format!("{name}.")
}

/// The directives and the records that every zone begins with.
fn head(name: &str) -> String {
    let mut text = format!("$TTL 60\n{name} 60 IN SOA {SERVER} {SERVER} 1 3600 600 86400 60\n");
    let _ = writeln!(text, "{name} 60 IN NS {SERVER}");
    if name == "." {
        let _ = writeln!(text, "{SERVER} 60 IN A @AUTHORITY@");
        let _ = writeln!(text, "{REFUSING} 60 IN A @RESOLVER@");
    }
    text
}

fn is_too_short(record: &Record) -> bool {
    matches!(&record.data, RecordData::Tlsa(octets) if octets.len() < SHORTEST_TLSA)
}

fn presented(data: &RecordData) -> String {
    match data {
        RecordData::Harness => "A @HARNESS@".to_owned(),
        RecordData::Cname(name) => format!("CNAME {}", absolute(name)),
        RecordData::Mx {
            preference,
            exchange,
        } => format!("MX {preference} {}", absolute(exchange)),
        RecordData::Txt(text) => format!("TXT \"{text}\""),
        // The notation for types that a reader need not know (RFC 3597 section 5).
        RecordData::Tlsa(octets) => {
            let mut text = format!("TYPE52 \\# {}", octets.len());
            for (index, octet) in octets.iter().enumerate() {
                let _ = write!(text, "{}{octet:02x}", if index == 0 { " " } else { "" });
            }
            text
        }
    }
}

const NSD: &str = r#"server:
  ip-address: @AUTHORITY@
  port: 53
  username: nobody
  chroot: ""
  database: ""
  server-count: 1
  zonesdir: "/etc/postfix/pfs/dns/run"
  pidfile: ""
  xfrdfile: ""
  verbosity: 1
remote-control:
  control-enable: no
"#;

// A stub zone for the root instead of root hints: there is one name server, and nothing to find out about it.
const UNBOUND: &str = r#"server:
  interface: @RESOLVER@
  outgoing-interface: @RESOLVER@
  port: 53
  access-control: 127.0.0.0/8 allow
  username: nobody
  chroot: ""
  directory: "/etc/postfix/pfs/dns/run"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "/etc/postfix/pfs/dns/run/root.key"
  local-zone: "test." nodefault
  local-zone: "invalid." nodefault
  qname-minimisation: no
  aggressive-nsec: no
  rrset-roundrobin: no
stub-zone:
  name: "."
  stub-addr: @AUTHORITY@
  stub-prime: no
remote-control:
  control-enable: no
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Silence;

    fn text(files: &RootFiles, name: &str) -> String {
        String::from_utf8(files[&format!("{DIRECTORY}/{name}")].bytes.clone()).unwrap()
    }

    fn zone(name: &str, state: ZoneState, records: &[(&str, RecordData)]) -> Zone {
        Zone {
            name: name.to_owned(),
            state,
            records: records
                .iter()
                .map(|(owner, data)| Record {
                    owner: (*owner).to_owned(),
                    data: data.clone(),
                })
                .collect(),
        }
    }

    fn some() -> NameService {
        NameService {
            zones: vec![
                zone(
                    "example.test",
                    ZoneState::Signed,
                    &[
                        ("mail.example.test", RecordData::Harness),
                        (
                            "_25._tcp.mail.example.test",
                            RecordData::Tlsa(vec![3, 1, 1, 0xab]),
                        ),
                    ],
                ),
                zone(
                    "short.example.test",
                    ZoneState::Signed,
                    &[(
                        "_25._tcp.short.example.test",
                        RecordData::Tlsa(vec![3, 1, 1]),
                    )],
                ),
                zone("lame.short.example.test", ZoneState::NotServed, &[]),
            ],
            silences: vec![Silence {
                name: "quiet.example.test".to_owned(),
                how: SilenceKind::Dropped,
            }],
        }
    }

    #[test]
    fn every_zone_hangs_on_the_next_above_it() {
        let files = some().render(7).unwrap();
        assert_eq!(
            text(&files, "zones"),
            "example.test example.test. signed root authority\n\
             short.example.test short.example.test. signed example.test resolver\n\
             lame.short.example.test lame.short.example.test. not-served short.example.test authority\n\
             root . signed root authority\n"
        );
        let root = text(&files, "zone/root");
        assert!(root.starts_with("$TTL 60\n. 60 IN SOA"), "{root}");
        assert!(root.contains("\nns. 60 IN A @AUTHORITY@\n"), "{root}");
        assert!(root.contains("\nexample.test. 60 IN NS ns.\n"), "{root}");
        let zone = text(&files, "zone/example.test");
        assert!(
            zone.contains("\nmail.example.test. 60 IN A @HARNESS@\n"),
            "{zone}"
        );
        assert!(
            zone.contains("\n_25._tcp.mail.example.test. 60 IN TYPE52 \\# 4 030101ab\n"),
            "{zone}"
        );
        assert!(
            zone.contains("\nshort.example.test. 60 IN NS ns.\n"),
            "{zone}"
        );
        let short = text(&files, "zone/short.example.test");
        assert!(
            short.contains("\nlame.short.example.test. 60 IN NS refusing.\n"),
            "{short}"
        );
        assert!(!files.contains_key(&format!("{DIRECTORY}/zone/lame.short.example.test")));
        assert_eq!(text(&files, "generation"), "7");
    }

    #[test]
    fn a_zone_that_nsd_would_not_serve_is_the_resolvers_own() {
        let files = some().render(0).unwrap();
        let (nsd, unbound) = (text(&files, "nsd.conf"), text(&files, "unbound.conf"));
        assert!(nsd.contains("name: \"example.test.\""), "{nsd}");
        assert!(!nsd.contains("short") && !nsd.contains("lame"), "{nsd}");
        assert!(
            unbound.contains("auth-zone:\n  name: \"short.example.test.\""),
            "{unbound}"
        );
        assert!(
            unbound.ends_with("server:\n  local-zone: \"quiet.example.test.\" deny\n"),
            "{unbound}"
        );
    }

    #[test]
    fn an_empty_record_has_no_digits() {
        assert_eq!(presented(&RecordData::Tlsa(Vec::new())), "TYPE52 \\# 0");
    }

    #[test]
    fn refuses_names_that_would_break_a_file() {
        let bad = |change: fn(&mut NameService)| {
            let mut service = some();
            change(&mut service);
            service.render(0).unwrap_err().to_string()
        };
        let twice = bad(|s| s.zones[1].name = "example.test".to_owned());
        assert!(twice.contains("each zone once"), "{twice}");
        let outside = bad(|s| s.zones[0].records[0].owner = "mail.elsewhere.test".to_owned());
        assert!(outside.contains("within its zone"), "{outside}");
        let line = bad(|s| s.silences[0].name = "a\nb.test".to_owned());
        assert!(line.contains("domain name"), "{line}");
        let long = bad(|s| s.silences[0].name = format!("{}.test", "a".repeat(64)));
        assert!(long.contains("domain name"), "{long}");
    }
}
