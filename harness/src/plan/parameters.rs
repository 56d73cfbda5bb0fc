//! Which settings a side of a case gets: those of its file, and the few that make a handshake
//! visible at all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use pfs_containers::config::main_cf::{per_transport, refers_to};
use pfs_containers::config::readers::{is_instance_wide, is_read};

use super::value::{Piece, Value};
use super::{
    Case, CaseZones, ClientPlan, CommandLine, CommandPlan, Daemons, FleetKey, PostfixSide,
    ServerPlan, dns,
};
use crate::scenario::{
    Command, CommandOptions, CommandPlace, Exim, OneOrMany, Parameter, Place, Postfix,
    ScenarioFile, Start, ValuePiece, is_referred_to, nearest,
};

/// Where generated files lie in the target's file system.
const FILES: &str = "/etc/postfix/pfs";

/// How the values of a case are read: with its files and its names.
#[derive(Clone, Copy)]
struct Binder<'a> {
    file: &'a ScenarioFile,
    tag: &'a str,
    /// Whether names of hosts are those that the case's zones have.
    names: bool,
}

impl Binder<'_> {
    fn value(&self, written: &Parameter, files: &mut BTreeMap<String, String>) -> Value {
        let pieces = written.pieces().iter().map(|piece| match piece {
            ValuePiece::Text(text) => Piece::Text(match (&self.file.dns, self.names) {
                (Some(dns), true) => dns::own_names(dns, text, self.tag),
                _ => text.clone(),
            }),
            ValuePiece::OwnFile(name) => {
                let path = own_path(self.tag, name);
                let own = self.file.files.iter();
                let contents = own.filter(|(known, _)| known.get_ref() == name);
                files.extend(contents.map(|(_, text)| (path.clone(), text.clone())));
                Piece::Text(path)
            }
            ValuePiece::Generated(name) => Piece::Generated(name.to_string()),
        });
        Value::of(pieces.collect())
    }
}

/// Where a file of `[files]` lies in the target's file system.
pub(crate) fn own_path(tag: &str, name: &str) -> String {
    path_of(&format!("{tag}-{name}"))
}

/// Splits what a file says into instance-wide settings and overrides of one line. What is to stay as this Postfix has
/// it built in is in neither, but `built_in`.
struct Split {
    side: PostfixSide,
    built_in: Vec<String>,
}

fn split(written: &Postfix, target: &str, own: Option<&str>, binder: Binder<'_>) -> Split {
    let mut side = side(target, own);
    side.fleet.start = binder.file.start;
    let mut built_in = Vec::new();
    for (name, value) in written {
        let (name, value) = (name.get_ref(), value.get_ref());
        if value.is_built_in() {
            built_in.push(name.clone());
            continue;
        }
        if name == "syslog_name" {
            side.notes.push(format!(
                "syslog_name = {} is left out: by its own the harness finds the lines of the case",
                value.as_str()
            ));
            continue;
        }
        // It is the next hop.
        if name == "relayhost" {
            continue;
        }
        let value = binder.value(value, &mut side.files);
        if let Some(end) = per_transport(name) {
            side.notes.push(format!(
                "{name} is set for this case's transport, {}",
                binder.tag
            ));
            side.fleet
                .settings
                .insert(format!("{}{end}", binder.tag), value);
            continue;
        }
        let place = match is_instance_wide(name) {
            true => &mut side.fleet.settings,
            false => &mut side.parameters,
        };
        place.insert(name.clone(), value);
    }
    // A parameter of the user's own is wanted wherever a value refers to it.
    let wide: Vec<&str> = written
        .iter()
        .filter(|(name, _)| {
            is_instance_wide(name.get_ref()) || per_transport(name.get_ref()).is_some()
        })
        .map(|(_, value)| value.get_ref().as_str())
        .collect();
    for (name, value) in side.parameters.clone() {
        if is_read(&name, &[]).is_none() && wide.iter().any(|text| refers_to(text, &name)) {
            side.fleet.settings.insert(name, value);
        }
    }
    Split { side, built_in }
}

fn side(target: &str, own: Option<&str>) -> PostfixSide {
    PostfixSide {
        fleet: FleetKey {
            target: target.to_owned(),
            settings: BTreeMap::new(),
            own: own.map(str::to_owned),
            start: Start::Bare,
        },
        parameters: BTreeMap::new(),
        daemons: Daemons::default(),
        files: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// What a file says of an Exim: nothing in it is a parameter of Postfix.
fn exim(written: &Exim, target: &str, own: Option<&str>, binder: Binder<'_>) -> PostfixSide {
    let mut side = side(target, own);
    for (name, value) in written {
        let value = binder.value(value, &mut side.files);
        side.parameters.insert(name.clone(), value);
    }
    side
}

/// Where a command is, and for which case.
struct Sided<'a> {
    target: &'a str,
    own: Option<&'a str>,
    tag: &'a str,
    file: &'a ScenarioFile,
    id: &'a str,
}

fn command(
    options: &CommandOptions,
    is_server: bool,
    certificate: Option<&str>,
    at: &Sided<'_>,
) -> CommandPlan {
    let body = at.file.message.body.as_deref().unwrap_or("test");
    let recipient = format!("recipient@{}.pfs.test", at.tag);
    let mail = format!("Subject: {}\n\n{body}\n", at.id);
    CommandPlan {
        line: CommandLine::of(options, is_server, certificate, at.file, recipient, mail),
        side: match options.place {
            CommandPlace::Target => Some(side(at.target, at.own)),
            CommandPlace::Machine => None,
        },
        unsupported: options.unsupported.clone(),
        ready: options.ready.clone(),
        user: options.user.clone(),
    }
}

impl Split {
    /// A setting of the harness's, where the file says nothing of it.
    fn default(&mut self, name: &str, value: impl Into<Value>) {
        if !self.built_in.iter().any(|left| left == name) {
            default(&mut self.side.parameters, name, value);
        }
    }
}

fn default(parameters: &mut BTreeMap<String, Value>, name: &str, value: impl Into<Value>) {
    parameters
        .entry(name.to_owned())
        .or_insert_with(|| value.into());
}

/// Settings by which a packager names certificates himself; ours would get in the way.
fn names_certificates(written: &Postfix, prefix: &str) -> bool {
    [
        "chain_files",
        "cert_file",
        "key_file",
        "eccert_file",
        "eckey_file",
        "dcert_file",
    ]
    .iter()
    .any(|end| {
        let name = format!("{prefix}_tls_{end}");
        written.keys().any(|known| *known.get_ref() == name)
    })
}

/// The certificate of a server that says nothing of certificates.
const SERVER_CERTIFICATE: &str = "rsa2048";

fn names(certificates: &OneOrMany<crate::scenario::Certificate>) -> Vec<String> {
    certificates
        .iter()
        .filter_map(|certificate| certificate.0.clone())
        .collect()
}

/// The files of these certificates in a list.
fn chains(certificates: &[String]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for name in certificates {
        if !pieces.is_empty() {
            pieces.push(Piece::Text(", ".to_owned()));
        }
        pieces.push(Piece::Generated(format!("chain:{name}")));
    }
    pieces
}

fn chain(certificate: &str) -> Value {
    Value::of(chains(&[certificate.to_owned()]))
}

pub(super) fn server(
    file: &ScenarioFile,
    target: &str,
    (id, tag): (&str, &str),
    own: Option<&str>,
) -> ServerPlan {
    let server = &file.server;
    let binder = Binder {
        file,
        tag,
        names: false,
    };
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
        if let Some(Command(options)) = &server.command {
            let certificate = certificates.first().map(String::as_str);
            return ServerPlan::Command(command(
                options,
                true,
                certificate,
                &Sided {
                    target: server.on.as_deref().unwrap_or(target),
                    own,
                    tag,
                    file,
                    id,
                },
            ));
        }
        if let Some(options) = server.classic.clone() {
            return ServerPlan::Classic {
                options,
                certificates,
                sni,
            };
        }
        if let Some(written) = &server.exim {
            let target = server.on.as_deref().unwrap_or(target);
            let mut side = exim(written, target, own, binder);
            if let Some(certificate) = certificates.first() {
                default(&mut side.parameters, "tls_certificate", chain(certificate));
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
    let target = server.on.as_deref().unwrap_or(target);
    let mut split = split(written, target, own, binder);
    split.side.daemons.postscreen = server.postscreen;
    split.side.daemons.service = server.service;
    let bare = file.start == Start::Bare;
    if bare {
        split.default("smtpd_tls_security_level", "may");
    }
    split.default("smtpd_tls_loglevel", "1");
    split.default("smtpd_tls_received_header", "yes");
    let named = names_certificates(written, "smtpd");
    if server.cert.is_some() || (bare && !named) {
        if certificates.is_empty() {
            split.default("smtpd_tls_cert_file", "none");
        } else {
            split.default("smtpd_tls_chain_files", Value::of(chains(&certificates)));
        }
    }
    if !sni.is_empty() {
        let mut table = vec![Piece::Text("inline:{".to_owned())];
        for (name, certificates) in &sni {
            let blank = if table.len() > 1 { " " } else { "" };
            table.push(Piece::Text(format!("{blank}{{{name}=")));
            table.extend(chains(certificates));
            table.push(Piece::Text("}".to_owned()));
        }
        table.push(Piece::Text("}".to_owned()));
        split.default("tls_server_sni_maps", Value::of(table));
    }
    ServerPlan::Postfix(split.side)
}

pub(super) fn client(
    file: &ScenarioFile,
    target: &str,
    (id, tag): (&str, &str),
    own: Option<&str>,
) -> ClientPlan {
    let client = &file.client;
    let binder = Binder {
        file,
        tag,
        names: true,
    };
    let certificate = client
        .cert
        .as_ref()
        .and_then(|certificate| certificate.0.clone());
    let Some(written) = &client.postfix else {
        if let Some(Command(options)) = &client.command {
            return ClientPlan::Command(command(
                options,
                false,
                certificate.as_deref(),
                &Sided {
                    target: client.on.as_deref().unwrap_or(target),
                    own,
                    tag,
                    file,
                    id,
                },
            ));
        }
        if let Some(options) = client.classic.clone() {
            return ClientPlan::Classic {
                options,
                certificate,
            };
        }
        if let Some(written) = &client.exim {
            let target = client.on.as_deref().unwrap_or(target);
            let mut side = exim(written, target, own, binder);
            if let Some(certificate) = certificate {
                default(&mut side.parameters, "tls_certificate", chain(&certificate));
            }
            return ClientPlan::Exim(side);
        }
        return ClientPlan::Rustls {
            options: client.rustls.clone().unwrap_or_default(),
            certificate,
        };
    };
    let target = client.on.as_deref().unwrap_or(target);
    let mut split = split(written, target, own, binder);
    split.side.daemons.tlsproxy = client.reuses_connections();
    if file.start == Start::Bare {
        split.default("smtp_tls_security_level", "may");
    }
    split.default("smtp_tls_loglevel", "1");
    if let Some(certificate) = certificate {
        split.default("smtp_tls_chain_files", chain(&certificate));
    }
    let nexthop = file.client.next_hop();
    let Some(dns) = &file.dns else {
        // Of a domain, MX hosts are looked up first: somebody must answer that there are none.
        let is_looked_up = !nexthop.is_host && nexthop.name.parse::<IpAddr>().is_err();
        return ClientPlan::Postfix {
            side: split.side,
            nexthop,
            zones: is_looked_up.then(CaseZones::default),
        };
    };
    split.default("smtp_host_lookup", "dns");
    split.default("smtp_dns_support_level", "dnssec");
    ClientPlan::Postfix {
        side: split.side,
        nexthop: dns::nexthop(&nexthop, tag),
        zones: Some(CaseZones::of(dns, tag)),
    }
}

/// A name that no Postfix has.
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

/// What holding a case's settings against its targets found.
#[derive(Debug)]
pub enum Lacking {
    /// Another Postfix has the parameter, but not that of this target.
    Here {
        /// The target.
        target: String,
        /// The parameter.
        name: String,
    },
    /// None has it.
    Everywhere(UnknownParameter),
}

/// Holds the names a case sets against those the targets know. `known` has the names of `postconf -d` by target.
///
/// # Errors
/// The first that is unknown.
pub fn check_parameters(
    case: &Case,
    known: &BTreeMap<&str, BTreeSet<String>>,
) -> Result<(), Lacking> {
    let file = &case.scenario.file;
    let sides = [
        (&file.server.postfix, &file.server.on),
        (&file.client.postfix, &file.client.on),
    ];
    for (written, on) in sides {
        let target = on.as_deref().unwrap_or(&case.target);
        let (Some(written), Some(here)) = (written, known.get(target)) else {
            continue;
        };
        for spanned in written.keys() {
            let name = spanned.get_ref();
            if here.contains(name) || per_transport(name).is_some() || is_referred_to(name, written)
            {
                continue;
            }
            let elsewhere =
                is_read(name, &[]).is_some() || known.values().any(|there| there.contains(name));
            if elsewhere {
                return Err(Lacking::Here {
                    target: target.to_owned(),
                    name: name.clone(),
                });
            }
            return Err(Lacking::Everywhere(UnknownParameter {
                place: case.scenario.place(spanned.span().start),
                target: target.to_owned(),
                name: name.clone(),
                nearest: nearest(name, here.iter().map(String::as_str)).map(str::to_owned),
            }));
        }
    }
    Ok(())
}

/// The path that a generated file has on the target.
pub(crate) fn path_of(file_name: &str) -> String {
    format!("{FILES}/{file_name}")
}
