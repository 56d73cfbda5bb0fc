//! Which settings a side of a case gets: those of its file, and the few that make a handshake
//! visible at all.

use std::collections::BTreeMap;

use super::{Case, CaseZones, ClientPlan, Daemons, FleetKey, PostfixSide, ServerPlan, dns};
use crate::scenario::{Exim, OneOrMany, Place, Postfix, ScenarioFile, nearest};

/// Where generated files lie in the target's file system.
const FILES: &str = "/etc/postfix/pfs";

/// Settings that an `-o` on a service's line does not reach, since another daemon of the
/// instance (master, tlsmgr, qmgr, trivial-rewrite) reads them from main.cf.
/// A trailing `*` stands for any end of the name.
const INSTANCE_WIDE: [&str; 8] = [
    "compatibility_level",
    "default_process_limit",
    "lmtp_tls_session_cache_database",
    "maximal_queue_lifetime",
    "smtp_tls_session_cache_database",
    "smtpd_tls_session_cache_database",
    "tls_random_*",
    "tlsmgr_*",
];

fn is_instance_wide(name: &str) -> bool {
    INSTANCE_WIDE
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => *pattern == name,
        })
}

/// Splits what a file says into instance-wide settings and overrides of one line.
fn split(written: &Postfix, target: &str, own: Option<&str>) -> PostfixSide {
    let (settings, parameters) = written
        .iter()
        .map(|(name, value)| (name.get_ref().clone(), value.0.clone()))
        .partition(|(name, _)| is_instance_wide(name));
    PostfixSide {
        fleet: FleetKey {
            target: target.to_owned(),
            settings,
            own: own.map(str::to_owned),
        },
        parameters,
        daemons: Daemons::default(),
        files: BTreeMap::new(),
    }
}

/// Puts the paths of the case's own files where the settings name them `file:NAME`, and takes
/// those settings out that are to stay what this Postfix has built in.
pub(super) fn own_files(side: &mut PostfixSide, files: &BTreeMap<String, String>, tag: &str) {
    side.parameters.retain(|_, value| value != BUILT_IN);
    side.fleet.settings.retain(|_, value| value != BUILT_IN);
    for (name, contents) in files {
        let (word, path) = (format!("file:{name}"), path_of(&format!("{tag}-{name}")));
        let settings = side.fleet.settings.values_mut();
        for value in side.parameters.values_mut().chain(settings) {
            if value.contains(&word) {
                *value = value.replace(&word, &path);
                side.files.insert(path.clone(), contents.clone());
            }
        }
    }
}

/// The value of a setting that is not made: instead of ours, the default of this Postfix.
const BUILT_IN: &str = "(default)";

/// What a file says of an Exim: nothing in it is a parameter of Postfix.
fn exim(written: &Exim, target: &str, own: Option<&str>) -> PostfixSide {
    PostfixSide {
        fleet: FleetKey {
            target: target.to_owned(),
            settings: BTreeMap::new(),
            own: own.map(str::to_owned),
        },
        parameters: written
            .iter()
            .map(|(name, value)| (name.clone(), value.0.clone()))
            .collect(),
        daemons: Daemons::default(),
        files: BTreeMap::new(),
    }
}

fn default(parameters: &mut BTreeMap<String, String>, name: &str, value: impl Into<String>) {
    parameters
        .entry(name.to_owned())
        .or_insert_with(|| value.into());
}

/// Settings by which a packager names certificates himself; ours would get in the way.
fn names_certificates(parameters: &BTreeMap<String, String>, prefix: &str) -> bool {
    [
        "chain_files",
        "cert_file",
        "key_file",
        "eccert_file",
        "eckey_file",
        "dcert_file",
    ]
    .iter()
    .any(|end| parameters.contains_key(&format!("{prefix}_tls_{end}")))
}

/// The certificate of a server that says nothing of certificates.
const SERVER_CERTIFICATE: &str = "rsa2048";

fn names(certificates: &OneOrMany<crate::scenario::Certificate>) -> Vec<String> {
    certificates
        .iter()
        .filter_map(|certificate| certificate.0.clone())
        .collect()
}

fn chains(certificates: &[String]) -> String {
    certificates
        .iter()
        .map(|name| format!("chain:{name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn server(
    file: &ScenarioFile,
    target: &str,
    tag: &str,
    own: Option<&str>,
) -> ServerPlan {
    let server = &file.server;
    let sni: BTreeMap<String, Vec<String>> = server
        .sni
        .iter()
        .map(|(name, chain)| (dns::own_name(file, name, tag), names(chain)))
        .collect();
    let certificates = match &server.cert {
        Some(certificates) => names(certificates),
        None => vec![SERVER_CERTIFICATE.to_owned()],
    };
    let Some(written) = &server.postfix else {
        if let Some(options) = server.classic.clone() {
            return ServerPlan::Classic {
                options,
                certificates,
                sni,
            };
        }
        if let Some(written) = &server.exim {
            let mut side = exim(written, server.on.as_deref().unwrap_or(target), own);
            if let Some(certificate) = certificates.first() {
                let file = format!("chain:{certificate}");
                default(&mut side.parameters, "tls_certificate", file);
            }
            return ServerPlan::Exim(side);
        }
        let options = server.rustls.clone().unwrap_or_default();
        return ServerPlan::Rustls {
            options,
            certificates,
            sni,
        };
    };
    let mut side = split(written, server.on.as_deref().unwrap_or(target), own);
    side.daemons.postscreen = server.postscreen;
    side.daemons.service = server.service;
    let parameters = &mut side.parameters;
    default(parameters, "smtpd_tls_security_level", "may");
    default(parameters, "smtpd_tls_loglevel", "1");
    default(parameters, "smtpd_tls_received_header", "yes");
    if server.cert.is_some() || !names_certificates(parameters, "smtpd") {
        if certificates.is_empty() {
            default(parameters, "smtpd_tls_cert_file", "none");
        } else {
            default(parameters, "smtpd_tls_chain_files", chains(&certificates));
        }
    }
    if !sni.is_empty() {
        let entries: Vec<String> = sni
            .iter()
            .map(|(name, chain)| format!("{{{name}={}}}", chains(chain)))
            .collect();
        default(
            parameters,
            "tls_server_sni_maps",
            format!("inline:{{{}}}", entries.join(" ")),
        );
    }
    ServerPlan::Postfix(side)
}

pub(super) fn client(
    file: &ScenarioFile,
    target: &str,
    tag: &str,
    own: Option<&str>,
) -> ClientPlan {
    let client = &file.client;
    let certificate = client
        .cert
        .as_ref()
        .and_then(|certificate| certificate.0.clone());
    let Some(written) = &client.postfix else {
        if let Some(options) = client.classic.clone() {
            return ClientPlan::Classic {
                options,
                certificate,
            };
        }
        if let Some(written) = &client.exim {
            let mut side = exim(written, client.on.as_deref().unwrap_or(target), own);
            if let Some(certificate) = certificate {
                let file = format!("chain:{certificate}");
                default(&mut side.parameters, "tls_certificate", file);
            }
            return ClientPlan::Exim(side);
        }
        return ClientPlan::Rustls {
            options: client.rustls.clone().unwrap_or_default(),
            certificate,
        };
    };
    let mut side = split(written, client.on.as_deref().unwrap_or(target), own);
    side.daemons.tlsproxy = client.reuses_connections();
    default(&mut side.parameters, "smtp_tls_security_level", "may");
    default(&mut side.parameters, "smtp_tls_loglevel", "1");
    if let Some(certificate) = certificate {
        default(
            &mut side.parameters,
            "smtp_tls_chain_files",
            chains(&[certificate]),
        );
    }
    let nexthop = client
        .nexthop
        .clone()
        .unwrap_or_else(|| "[mail.example.test]".to_owned());
    let Some(dns) = &file.dns else {
        return ClientPlan::Postfix {
            side,
            nexthop,
            zones: None,
        };
    };
    for value in side.parameters.values_mut() {
        *value = dns::own_names(dns, value, tag);
    }
    default(&mut side.parameters, "smtp_host_lookup", "dns");
    default(&mut side.parameters, "smtp_dns_support_level", "dnssec");
    ClientPlan::Postfix {
        side,
        nexthop: dns::nexthop(&nexthop, tag),
        zones: Some(CaseZones::of(dns, tag)),
    }
}

/// A name that the target's Postfix does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "{place}: Postfix on {target} has no parameter `{name}`{}",
    nearest.as_deref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
)]
pub struct UnknownParameter {
    /// Where it is written.
    pub place: Place,
    /// The target that was asked (`postconf -d`).
    pub target: String,
    /// The name.
    pub name: String,
    /// A known name most like it.
    pub nearest: Option<String>,
}

/// Holds the names a case sets against those the target knows. `known` gives the names of
/// `postconf -d` for a target, or nothing where they have not been asked for yet.
///
/// # Errors
/// The first unknown one.
pub fn check_parameters<'a>(
    case: &Case,
    known: impl Fn(&str) -> Option<&'a std::collections::BTreeSet<String>>,
) -> Result<(), UnknownParameter> {
    let file = &case.scenario.file;
    let sides = [
        (&file.server.postfix, &file.server.on),
        (&file.client.postfix, &file.client.on),
    ];
    for (written, on) in sides {
        let target = on.as_deref().unwrap_or(&case.target);
        let (Some(written), Some(known)) = (written, known(target)) else {
            continue;
        };
        for name in written.keys() {
            if !known.contains(name.get_ref()) {
                return Err(UnknownParameter {
                    place: case.scenario.place(name.span().start),
                    target: target.to_owned(),
                    name: name.get_ref().clone(),
                    nearest: nearest(name.get_ref(), known.iter().map(String::as_str))
                        .map(str::to_owned),
                });
            }
        }
    }
    Ok(())
}

/// The path that a generated file has on the target.
pub(crate) fn path_of(file_name: &str) -> String {
    format!("{FILES}/{file_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_and_what_stays_built_in() {
        let set = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect::<BTreeMap<String, String>>()
        };
        let mut side = PostfixSide {
            fleet: FleetKey {
                target: "debian-13".to_owned(),
                settings: set(&[("a", "(default)"), ("b", "texthash:file:map")]),
                own: None,
            },
            parameters: set(&[("c", "file:openssl.cnf"), ("d", "(default)"), ("e", "no")]),
            daemons: Daemons::default(),
            files: BTreeMap::new(),
        };
        let files = set(&[("openssl.cnf", "x = y"), ("map", "k v"), ("unused", "")]);
        own_files(&mut side, &files, "topic.case");
        let path = "/etc/postfix/pfs/topic.case-openssl.cnf";
        assert_eq!(side.parameters, set(&[("c", path), ("e", "no")]));
        let map = "/etc/postfix/pfs/topic.case-map";
        assert_eq!(
            side.fleet.settings,
            set(&[("b", &format!("texthash:{map}"))])
        );
        assert_eq!(side.files, set(&[(path, "x = y"), (map, "k v")]));
    }
}
