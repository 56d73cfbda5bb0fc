//! Cases → the services, files and routes of a fleet. Pure but for the keys and certificates,
//! which the PKI makes on first use.

use std::collections::{BTreeMap, BTreeSet};

use pfs_certs::{Generated, GeneratedName, Pki};
use pfs_containers::config::ServiceKind;
use pfs_containers::config::base::{SINK_TRANSPORT, TRANSPORT_FILE, TRUSTED_FILE};
use pfs_containers::{FleetFile, FleetSpec, Service};
use serde::{Deserialize, Serialize};

use super::{command, exim, names};
use crate::plan::{
    Case, CaseZones, ClientPlan, CommandLine, Daemons, FleetKey, PostfixSide, ServerPlan, Value,
    own_path, path_of,
};
use crate::scenario::{Change, ChangedFile, Contents, NextHop, ServiceName, Start};

/// The name by which a fleet's smtpd lines are reached by a Postfix client.
pub const SERVER_NAME: &str = "mail.example.test";

/// Domain of the recipients that lead to a case's transport: `<tag>.pfs.test`.
const ROUTING_DOMAIN: &str = "pfs.test";

/// One side of a case in one fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// `syslog_name` is `postfix/<tag>`.
    pub tag: String,
    /// What kind of service it is.
    pub role: Role,
    /// Overrides of main.cf.
    pub parameters: BTreeMap<String, Value>,
    /// The daemons besides.
    #[serde(default)]
    pub daemons: Daemons,
    /// Files of the case's own, by their path.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The program of the user's that it runs.
    #[serde(default)]
    pub command: Option<CommandLine>,
}

/// A line's kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// smtp(8): a transport to this next hop.
    Client {
        /// As in a transport table.
        nexthop: String,
        /// What it can look up; without, its next hop is in the table of hosts.
        zones: Option<CaseZones>,
    },
    /// smtpd(8): a port.
    Server,
    /// pipe(8) with Exim: a transport. The parameters are options of Exim's.
    EximClient,
    /// spawn(8) with Exim: a port. The parameters are options of Exim's.
    EximServer,
    /// spawn(8) with a program of the user's that is a client.
    CommandClient,
    /// spawn(8) with a program of the user's that is a server.
    CommandServer,
}

impl Role {
    /// Is it a server?
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Server | Self::EximServer | Self::CommandServer)
    }

    /// Is it Exim?
    fn is_exim(&self) -> bool {
        matches!(self, Self::EximClient | Self::EximServer)
    }
}

/// The ports of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The port smtpd listens on in the fleet (server lines).
    pub fleet: u16,
    /// The port the harness listens on: the server for a client line, the sink for a server line.
    pub harness: u16,
}

impl Line {
    /// The lines a case has in a fleet.
    pub fn of(case: &Case, fleet: &FleetKey) -> Vec<Line> {
        let with = |side: &PostfixSide, role, command: Option<&CommandLine>| {
            (side.fleet == *fleet).then(|| Line {
                tag: case.tag.clone(),
                role,
                command: command.cloned(),
                parameters: side.parameters.clone(),
                daemons: side.daemons.clone(),
                files: side.files.clone(),
            })
        };
        let line = |side, role| with(side, role, None);
        let server = match &case.server {
            ServerPlan::Command(plan) => plan
                .side
                .as_ref()
                .and_then(|side| with(side, Role::CommandServer, Some(&plan.line))),
            ServerPlan::Postfix(side) => line(side, Role::Server),
            ServerPlan::Exim(side) => line(side, Role::EximServer),
            ServerPlan::Rustls { .. } | ServerPlan::Classic { .. } => None,
        };
        let client = match &case.client {
            ClientPlan::Postfix {
                side,
                nexthop,
                zones,
            } => line(
                side,
                Role::Client {
                    nexthop: nexthop.to_string(),
                    zones: zones.clone(),
                },
            ),
            ClientPlan::Exim(side) => line(side, Role::EximClient),
            ClientPlan::Command(plan) => plan
                .side
                .as_ref()
                .and_then(|side| with(side, Role::CommandClient, Some(&plan.line))),
            ClientPlan::Rustls { .. } | ClientPlan::Classic { .. } => None,
        };
        server.into_iter().chain(client).collect()
    }

    /// Its name among the lines of a fleet.
    pub fn name(&self) -> String {
        match self.role.is_server() {
            false => format!("client {}", self.tag),
            true => format!("server {}", self.tag),
        }
    }

    /// What it can look up.
    pub(super) fn zones(&self) -> Option<&CaseZones> {
        match &self.role {
            Role::Client { zones, .. } => zones.as_ref(),
            _ => None,
        }
    }

    /// The port on which its client looks for the server, if it is not for the harness to choose.
    pub(super) fn server_port(&self) -> Option<u16> {
        match &self.role {
            Role::Client { nexthop, .. } => nexthop.parse::<NextHop>().ok()?.port(),
            _ => None,
        }
    }

    /// The port smtpd or postscreen must listen on, if it is not for the harness to choose.
    pub(super) fn fixed_port(&self) -> Option<u16> {
        self.daemons.service.map(ServiceName::port)
    }

    fn services(&self, ports: Ports, parameters: &BTreeMap<String, String>) -> Vec<Service> {
        let (smtpd, tlsproxy) = (
            format!("{}-smtpd", self.tag),
            format!("{}-tlsproxy", self.tag),
        );
        let mut services = match self.role {
            Role::EximClient => return vec![exim::client(&self.tag)],
            Role::EximServer => return vec![exim::server(&self.tag, ports.fleet)],
            Role::CommandClient | Role::CommandServer => {
                return vec![command::service(&self.tag, ports.fleet)];
            }
            // Each handshake by a process of its own: nothing is remembered from the one before.
            Role::Client { .. } => vec![
                Service::smtp(&self.tag)
                    .set("max_use", "1")
                    .set("smtp_tcp_port", ports.harness.to_string())
                    .set("myhostname", "client.example.test"),
            ],
            Role::Server => {
                let port = match self.daemons.service {
                    Some(service) => ServiceKind::InetService {
                        name: service.to_string(),
                        port: ports.fleet,
                    },
                    None => ServiceKind::Inet(ports.fleet),
                };
                let (front, kind) = if self.daemons.postscreen {
                    let postscreen = Service::new(port, "postscreen")
                        .max_processes(1)
                        // A table can have one user.
                        .set("postscreen_cache_map", "")
                        .set("smtpd_service_name", &smtpd);
                    (Some(postscreen), ServiceKind::Pass { name: smtpd })
                } else {
                    (None, port)
                };
                let behind = format!("{SINK_TRANSPORT}:[{SERVER_NAME}]:{}", ports.harness);
                let smtpd = Service::new(kind, "smtpd")
                    .set("max_use", "1")
                    .set("content_filter", behind);
                front.into_iter().chain([smtpd]).collect()
            }
        };
        if self.daemons.postscreen || self.daemons.tlsproxy {
            services = services
                .into_iter()
                .map(|service| service.set("tlsproxy_service_name", &tlsproxy))
                .collect();
            let tlsproxy = Service::unix(&tlsproxy, "tlsproxy").max_processes(0);
            services.push(tlsproxy.set("max_use", "1"));
        }
        let with_overrides = |service: Service| {
            parameters
                .iter()
                .fold(service.tag(&self.tag), |service, (name, value)| {
                    service.set(name, value)
                })
        };
        let commands = self.daemons.commands.iter().filter_map(|command| {
            let spawn = Service::new(
                ServiceKind::Inet(self.daemons.command_port(command)?),
                "spawn",
            );
            let spawn = spawn
                .privileged()
                .set("command_time_limit", "1000d")
                .argument("user=nobody")
                .argument("argv=/bin/sh")
                .argument("-c")
                // The other end gets its errors too.
                .argument(format!("exec 2>/dev/null; {command}"));
            Some(spawn)
        });
        let services = services.into_iter().map(with_overrides);
        services.chain(commands).collect()
    }
}

/// The recipient that leads to a case's transport.
pub fn recipient(tag: &str) -> String {
    format!("recipient@{tag}.{ROUTING_DOMAIN}")
}

/// Puts lines into a fleet's specification: services, routes, and every generated file they name.
///
/// # Errors
/// A name that stands for no generated file, or a key that cannot be made.
pub(super) fn put(
    spec: &mut FleetSpec,
    key: &FleetKey,
    lines: &[(Line, Ports)],
    pki: &Pki,
) -> Result<(), pfs_certs::Error> {
    let mut files: BTreeMap<String, FleetFile> = BTreeMap::new();
    let mut routes = String::new();
    for (name, value) in &key.settings {
        spec.main_cf.set(name, resolve(value, pki, &mut files)?);
    }
    for (path, contents) in lines.iter().flat_map(|(line, _)| &line.files) {
        let file = FleetFile::public(path, contents.clone());
        files.insert(path.clone(), file);
    }
    for (line, ports) in lines {
        let mut parameters = BTreeMap::new();
        for (name, value) in &line.parameters {
            let value = match line.role.is_exim() {
                true => exim::readable(value, pki, &mut files)?,
                false => resolve(value, pki, &mut files)?,
            };
            parameters.insert(name.clone(), value);
        }
        let nexthop = match &line.role {
            Role::Client { nexthop, .. } => Some(nexthop.as_str()),
            Role::EximClient => Some(""),
            _ => None,
        };
        if let Some(nexthop) = nexthop {
            routes.push_str(&format!("{0}.{ROUTING_DOMAIN} {0}:{nexthop}\n", line.tag));
        }
        if line.role.is_exim() {
            let own = exim::files(&line.tag, line.role.is_server(), *ports, &parameters);
            files.extend(own.map(|file| (file.path.clone(), file)));
        }
        if let Some(program) = &line.command {
            command::files(&line.tag, program, pki, &mut files)?;
            if program.is_server {
                spec.listened.push(command::command_port(ports.fleet));
            }
        }
        spec.services.extend(line.services(*ports, &parameters));
    }
    if key.start == Start::AsPackaged
        && let Generated::File { contents, .. } = GeneratedName::parse("ca:root")?.make(pki)?
    {
        let trusted = FleetFile::public(TRUSTED_FILE, contents);
        files.insert(TRUSTED_FILE.to_owned(), trusted);
    }
    files.insert(
        TRANSPORT_FILE.to_owned(),
        FleetFile::public(TRANSPORT_FILE, routes),
    );
    spec.dns = names::service(lines, pki)?;
    spec.files = files.into_values().collect();
    spec.hosts = hosts(lines.iter().map(|(line, _)| line))
        .into_iter()
        .collect();
    Ok(())
}

/// The names by which the lines' clients reach the harness.
pub(super) fn hosts<'a>(lines: impl Iterator<Item = &'a Line>) -> BTreeSet<String> {
    let next_hops = lines.filter_map(|line| match &line.role {
        Role::Client {
            nexthop,
            zones: None,
            // /etc/hosts knows no case: a name that is there twice has two addresses.
        } => Some(host_of(nexthop).to_ascii_lowercase()),
        _ => None,
    });
    next_hops.chain([SERVER_NAME.to_owned()]).collect()
}

/// `[host]:port`, `[host]` or `domain` → the name alone.
fn host_of(nexthop: &str) -> &str {
    let inner = nexthop
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next());
    inner.unwrap_or_else(|| nexthop.split(':').next().unwrap_or(nexthop))
}

/// A main.cf value with names of generated things replaced by paths and fingerprints.
fn resolve(
    value: &Value,
    pki: &Pki,
    files: &mut BTreeMap<String, FleetFile>,
) -> Result<String, pfs_certs::Error> {
    value.render(|name| {
        Ok(match generated(name, pki)? {
            Ok(file) => {
                let path = file.path.clone();
                files.insert(path.clone(), file);
                path
            }
            Err(text) => text,
        })
    })
}

/// The files of a change: the paths of some files with the contents of others, or with what a
/// command has printed. `files` are those of `[files]`, of the case with this tag.
///
/// # Errors
/// As [`put`].
pub(super) fn changed_files(
    change: &Change,
    printed: &BTreeMap<String, Vec<u8>>,
    files: &BTreeMap<String, String>,
    tag: &str,
    pki: &Pki,
) -> Result<Vec<FleetFile>, pfs_certs::Error> {
    let file = |file: &ChangedFile| {
        Ok::<_, pfs_certs::Error>(match file {
            ChangedFile::Own(name) => {
                let contents = files.get(name).cloned().unwrap_or_default();
                Some(FleetFile::public(own_path(tag, name), contents))
            }
            ChangedFile::Generated(word) => generated(&GeneratedName::parse(word)?, pki)?.ok(),
        })
    };
    let mut changed = Vec::new();
    for (old, new) in &change.files {
        let Some(old) = file(old.get_ref())? else {
            continue;
        };
        changed.extend(match new.get_ref() {
            Contents::Printed(command) => printed
                .get(command)
                .map(|text| FleetFile::public(&old.path, text.clone())),
            Contents::Of(other) => file(other)?.map(|new| FleetFile {
                path: old.path.clone(),
                ..new
            }),
        });
    }
    Ok(changed)
}

/// The file that a name stands for, or else the value.
fn generated(
    name: &GeneratedName,
    pki: &Pki,
) -> Result<Result<FleetFile, String>, pfs_certs::Error> {
    Ok(match name.make(pki)? {
        Generated::File {
            name,
            contents,
            private: true,
        } => Ok(FleetFile::secret(path_of(&name), contents)),
        Generated::File { name, contents, .. } => Ok(FleetFile::public(path_of(&name), contents)),
        Generated::Value(text) => Err(text),
    })
}

/// Every generated certificate that the lines name, so that their keys can be made in parallel.
pub(super) fn certificates(lines: &[(Line, Ports)]) -> Vec<pfs_certs::CertName> {
    let zones = lines.iter().filter_map(|(line, _)| line.zones());
    let mut names: Vec<_> = zones.flat_map(names::certificates).collect();
    let values = lines.iter().flat_map(|(line, _)| line.parameters.values());
    let commands = lines.iter().filter_map(|(line, _)| line.command.as_ref());
    names.extend(
        values
            .flat_map(Value::generated)
            .chain(commands.flat_map(CommandLine::generated))
            .filter_map(|name| name.leaf()),
    );
    names.sort_by_key(|name| name.as_str());
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_next_hops() {
        assert_eq!(host_of("[mail.example.test]:25"), "mail.example.test");
        assert_eq!(host_of("[mail.example.test]"), "mail.example.test");
        assert_eq!(host_of("example.test"), "example.test");
        assert_eq!(host_of("example.test:587"), "example.test");
    }

    fn rendered(role: Role, daemons: Daemons) -> Vec<String> {
        let line = Line {
            tag: "a.b".to_owned(),
            role,
            parameters: BTreeMap::from([("x".to_owned(), Value::from("y"))]),
            daemons,
            files: BTreeMap::new(),
            command: None,
        };
        let ports = Ports {
            fleet: line.fixed_port().unwrap_or(10_000),
            harness: 20_000,
        };
        let parameters = BTreeMap::from([("x".to_owned(), "y".to_owned())]);
        let services = line.services(ports, &parameters);
        services
            .iter()
            .map(|s| s.render("127.0.0.1").unwrap())
            .collect()
    }

    #[test]
    fn daemons_beside_have_the_same_settings() {
        let daemons = Daemons {
            postscreen: true,
            ..Daemons::default()
        };
        let lines = rendered(Role::Server, daemons);
        let heads: Vec<_> = lines
            .iter()
            .filter_map(|text| text.lines().next())
            .collect();
        assert_eq!(
            heads,
            [
                "127.0.0.1:10000 inet n y n - 1 postscreen",
                "a.b-smtpd pass y y n - - smtpd",
                "a.b-tlsproxy unix y y n - 0 tlsproxy",
            ]
        );
        for line in &lines {
            assert!(line.contains("-o {x=y}") && line.contains("-o {syslog_name=postfix/a.b}"));
        }
        assert!(lines[0].contains("{smtpd_service_name=a.b-smtpd}"));
        assert!(lines[0].contains("{tlsproxy_service_name=a.b-tlsproxy}"));
    }

    #[test]
    fn a_service_by_its_name_and_a_command() {
        let daemons = Daemons {
            service: Some(ServiceName::Submission),
            commands: vec!["openssl dhparam 1024".to_owned()],
            ..Daemons::default()
        };
        let lines = rendered(Role::Server, daemons);
        assert!(
            lines[0].starts_with("127.0.0.1:submission inet "),
            "{}",
            lines[0]
        );
        assert!(
            lines[1].starts_with("127.0.0.1:2600 inet n n n - - spawn"),
            "{}",
            lines[1]
        );
        assert!(lines[1].contains("openssl dhparam 1024"));
    }
}
