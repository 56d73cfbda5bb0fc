//! The zones of all cases of a fleet as one name service.

use std::collections::BTreeMap;

use pfs_certs::{GeneratedName, Pki};
use pfs_containers::NameService;
use pfs_containers::dns::{Record, RecordData, Silence, Zone};

use super::lines::{Line, Ports};
use crate::plan::{CaseData, CaseZone, CaseZones, tlsa_owner};

/// What the lines of a fleet can look up; nothing where none looks up anything. Without zones, that nothing is there.
///
/// # Errors
/// A certificate that cannot be made.
pub(super) fn service(
    lines: &[(Line, Ports)],
    pki: &Pki,
) -> Result<Option<NameService>, pfs_certs::Error> {
    let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
    let mut silences = Vec::new();
    let mut any = false;
    for (line, ports) in lines {
        let Some(dns) = line.zones() else { continue };
        any = true;
        for (name, CaseZone { state, records }) in &dns.zones {
            let zone = zones.entry(name.clone()).or_insert_with(|| Zone {
                name: name.clone(),
                state: *state,
                records: Vec::new(),
            });
            for record in records {
                let tlsa = tlsa_owner(&record.owner, ports.harness);
                let (owner, data) = match &record.data {
                    CaseData::Harness => (record.owner.clone(), RecordData::Harness),
                    CaseData::Cname(target) => {
                        (record.owner.clone(), RecordData::Cname(target.clone()))
                    }
                    CaseData::Mx(preference, exchange) => {
                        let exchange = exchange.clone();
                        let preference = *preference;
                        let data = RecordData::Mx {
                            preference,
                            exchange,
                        };
                        (record.owner.clone(), data)
                    }
                    CaseData::Computed(word) => {
                        let record = GeneratedName::parse(word)?.tlsa(pki)?;
                        (tlsa, RecordData::Tlsa(record.rdata()))
                    }
                    CaseData::Literal(octets) => (tlsa, RecordData::Tlsa(octets.clone())),
                    CaseData::Txt(text) => (record.owner.clone(), RecordData::Txt(text.clone())),
                };
                zone.records.push(Record { owner, data });
            }
        }
        silences.extend(dns.silences.iter().map(|silence| Silence {
            name: if silence.tlsa {
                tlsa_owner(&silence.name, ports.harness)
            } else {
                silence.name.clone()
            },
            how: silence.how,
        }));
    }
    Ok(any.then(|| NameService {
        zones: zones.into_values().collect(),
        silences,
    }))
}

/// Every certificate that a case's TLSA records are computed from.
pub(super) fn certificates(zones: &CaseZones) -> impl Iterator<Item = pfs_certs::CertName> {
    let records = zones.zones.values().flat_map(|zone| &zone.records);
    records.filter_map(|record| match &record.data {
        CaseData::Computed(word) => GeneratedName::parse(word).ok()?.leaf(),
        _ => None,
    })
}
