//! Stage 2: scenarios × targets → what is to run, pure: which fleets, which lines of their
//! master.cf, what each line is set to.

mod command;
mod dns;
mod parameters;
mod show;
mod value;
mod versions;

pub(crate) use command::quoted;
pub use command::{CommandLine, CommandPiece, Paths};
pub use dns::{CaseData, CaseRecord, CaseSilence, CaseZone, CaseZones};
pub(crate) use dns::{LABEL, LABEL_DIGITS, tlsa_owner};
pub use parameters::{Lacking, UnknownParameter, check_parameters};
pub(crate) use parameters::{own_path, path_of};
pub use show::show;
pub use value::{Piece, Value};
pub use versions::versions;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::scenario::{
    CaseId, CaseVersions, ClassicClient, ClassicServer, Expect, KnownBug, NextHop, RustlsClient,
    RustlsServer, Scenario, ServiceName, TargetVersions,
};

/// One Postfix instance: a target, and the settings that hold for a whole instance because
/// Postfix reads them in daemons that serve all lines of master.cf.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FleetKey {
    /// Name of the target.
    pub target: String,
    /// main.cf settings of this instance.
    pub settings: BTreeMap<String, Value>,
    /// The tag of the case that has the instance for itself, started for its run alone.
    pub own: Option<String>,
}

impl fmt::Display for FleetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target)?;
        for (name, value) in &self.settings {
            write!(f, " {name}={value}")?;
        }
        match &self.own {
            Some(tag) => write!(f, " for {tag}"),
            None => Ok(()),
        }
    }
}

/// A line of master.cf to be: the settings of one side of one case. For an Exim they are options
/// of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostfixSide {
    /// The instance it runs in.
    pub fleet: FleetKey,
    /// Overrides of main.cf for this line, or options of Exim.
    pub parameters: BTreeMap<String, Value>,
    /// What serves it.
    pub daemons: Daemons,
    /// Files of the case's own, by their path.
    pub files: BTreeMap<String, String>,
    /// What was not set as it is written, and why.
    pub notes: Vec<String>,
}

/// The daemons that serve a side besides its smtpd(8) or smtp(8), each a line of master.cf with
/// the same overrides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemons {
    /// postscreen(8) has the port and hands connections to smtpd(8); tlsproxy(8) does its TLS.
    pub postscreen: bool,
    /// tlsproxy(8) does the TLS of smtp(8).
    pub tlsproxy: bool,
    /// The service stands in master.cf by this name instead of a port.
    pub service: Option<ServiceName>,
    /// Shell commands that can be run beside it, each by a spawn(8) at [`Daemons::command_port`].
    pub commands: Vec<String>,
}

impl Daemons {
    /// The port at which a command is run for whoever connects.
    pub fn command_port(&self, command: &str) -> Option<u16> {
        let place = self.commands.iter().position(|known| known == command)?;
        FIRST_COMMAND_PORT.checked_add(u16::try_from(place).ok()?)
    }
}

/// Only fleets that a case has for itself run commands: no other line wants these ports.
const FIRST_COMMAND_PORT: u16 = 2600;

/// A program of the user's as one side.
#[derive(Clone, Debug)]
pub struct CommandPlan {
    /// What is run.
    pub line: CommandLine,
    /// The instance in whose root it runs; nothing where that is this machine.
    pub side: Option<PostfixSide>,
    /// A piece of its output by which it says that it cannot do what is asked.
    pub unsupported: Option<String>,
    /// A piece of its output by which it says that it listens.
    pub ready: Option<String>,
    /// The user it runs as on this machine.
    pub user: Option<String>,
}

/// The SMTP server of a case.
#[derive(Clone, Debug)]
pub enum ServerPlan {
    /// A line `smtpd`.
    Postfix(PostfixSide),
    /// A line `spawn` that runs Exim; the parameters are main options of Exim.
    Exim(PostfixSide),
    /// A program of the user's.
    Command(CommandPlan),
    /// A rustls server in this process.
    Rustls {
        /// How it is to behave.
        options: RustlsServer,
        /// Its certificates by name.
        certificates: Vec<String>,
        /// Certificates for SNI names.
        sni: BTreeMap<String, Vec<String>>,
    },
    /// A server of TLS 1.0 to 1.2 in this process.
    Classic {
        /// How it is to behave.
        options: ClassicServer,
        /// Its certificates by name; none for a server without.
        certificates: Vec<String>,
        /// Certificates for SNI names.
        sni: BTreeMap<String, Vec<String>>,
    },
}

impl ServerPlan {
    /// The program of the user's that it is, if it is one.
    pub fn program(&self) -> Option<&CommandPlan> {
        match self {
            Self::Command(plan) => Some(plan),
            _ => None,
        }
    }

    /// What it has in master.cf, if anything.
    pub fn side(&self) -> Option<&PostfixSide> {
        match self {
            Self::Postfix(side) | Self::Exim(side) => Some(side),
            Self::Command(plan) => plan.side.as_ref(),
            Self::Rustls { .. } | Self::Classic { .. } => None,
        }
    }
}

impl ClientPlan {
    /// The program of the user's that it is, if it is one.
    pub fn program(&self) -> Option<&CommandPlan> {
        match self {
            Self::Command(plan) => Some(plan),
            _ => None,
        }
    }

    /// What it has in master.cf, if anything.
    pub fn side(&self) -> Option<&PostfixSide> {
        match self {
            Self::Postfix { side, .. } | Self::Exim(side) => Some(side),
            Self::Command(plan) => plan.side.as_ref(),
            Self::Rustls { .. } | Self::Classic { .. } => None,
        }
    }
}

/// The SMTP client of a case.
#[derive(Clone, Debug)]
pub enum ClientPlan {
    /// A line `smtp`.
    Postfix {
        /// Its settings.
        side: PostfixSide,
        /// The next-hop destination.
        nexthop: NextHop,
        /// What it can look up, if the case has zones.
        zones: Option<CaseZones>,
    },
    /// A line `pipe` that runs Exim; the parameters are options of Exim's smtp transport.
    Exim(PostfixSide),
    /// A program of the user's.
    Command(CommandPlan),
    /// A rustls client in this process.
    Rustls {
        /// How it is to behave.
        options: RustlsClient,
        /// Its certificate by name.
        certificate: Option<String>,
    },
    /// A client of TLS 1.0 to 1.2 in this process.
    Classic {
        /// How it is to behave.
        options: ClassicClient,
        /// Its certificate by name.
        certificate: Option<String>,
    },
}

/// A case on a target, ready to be run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// The target it stands for in the table of results.
    pub target: String,
    /// What its log lines are named by: `syslog_name = postfix/<tag>`; also its service's name.
    pub tag: String,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The expectations that hold on this target.
    pub expect: Expect,
    /// What this target's software is known to do wrong.
    pub known_bug: Option<KnownBug>,
    /// The server.
    pub server: ServerPlan,
    /// The client.
    pub client: ClientPlan,
}

impl Case {
    /// The targets on which client and server run; `None` for a peer of this process.
    pub fn sides(&self) -> Sides {
        let target = |side: Option<&PostfixSide>| side.map(|side| side.fleet.target.clone());
        let client = target(self.client.side());
        let server = target(self.server.side());
        let file = &self.scenario.file;
        Sides {
            client,
            server,
            fixed: file.server.on.is_some() || file.client.on.is_some(),
        }
    }

    /// The Postfix instances the case needs.
    pub fn fleets(&self) -> impl Iterator<Item = &FleetKey> {
        let sides = self.server.side().into_iter().chain(self.client.side());
        sides.map(|side| &side.fleet)
    }
}

/// Where the two sides of a case run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Target of the client, if it is a Postfix.
    pub client: Option<String>,
    /// Target of the server, if it is a Postfix.
    pub server: Option<String>,
    /// The scenario says so for at least one of them.
    pub fixed: bool,
}

/// What is to be done with a scenario on a target.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It runs.
    Run(Box<Case>),
    /// It is not meant for this target.
    NotApplicable {
        /// The scenario.
        scenario: Arc<Scenario>,
        /// The target.
        target: String,
        /// The condition that does not hold.
        why: String,
    },
    /// It cannot run: a target that it needs, and that was asked for, could not be made.
    Broken {
        /// The scenario.
        scenario: Arc<Scenario>,
        /// The target.
        target: String,
        /// Which one could not be made, and why.
        why: String,
    },
}

impl Decision {
    /// The scenario it is about.
    pub fn scenario(&self) -> &Arc<Scenario> {
        match self {
            Self::Run(case) => &case.scenario,
            Self::NotApplicable { scenario, .. } | Self::Broken { scenario, .. } => scenario,
        }
    }

    /// The target it is about.
    pub fn target(&self) -> &str {
        match self {
            Self::Run(case) => &case.target,
            Self::NotApplicable { target, .. } | Self::Broken { target, .. } => target,
        }
    }
}

/// Decides about every scenario on every target of the table. `all` are these targets and those
/// to which scenarios fix a side.
///
/// A case with both sides fixed is the same on every target: it runs once, in the column of its
/// server's target, or of its client's where the server's is not in the table.
pub fn plan_all(
    scenarios: &[Arc<Scenario>],
    columns: &[TargetVersions],
    all: &[TargetVersions],
) -> Vec<Decision> {
    let mut decisions = Vec::new();
    for column in columns {
        for scenario in scenarios {
            let Some(pair) = fixed(scenario) else {
                decisions.push(plan(scenario, column, all));
                continue;
            };
            let home = pair
                .iter()
                .find(|name| columns.iter().any(|one| one.name == **name));
            match home {
                Some(home) if *home == column.name => {
                    decisions.push(plan(scenario, column, all));
                }
                None if columns.first().is_some_and(|one| one.name == column.name) => {
                    decisions.push(Decision::NotApplicable {
                        scenario: scenario.clone(),
                        target: column.name.clone(),
                        why: format!(
                            "between {} and {}, neither of which was asked for",
                            pair[1], pair[0]
                        ),
                    });
                }
                _ => {}
            }
        }
    }
    decisions
}

/// The targets of server and client, where the scenario fixes both.
fn fixed(scenario: &Scenario) -> Option<[&str; 2]> {
    let server = scenario.file.server.on.as_deref()?;
    Some([server, scenario.file.client.on.as_deref()?])
}

/// What is true of a scenario on a target: the versions of its sides.
pub fn versions_of<'a>(
    scenario: &Scenario,
    own: &'a TargetVersions,
    all: &'a [TargetVersions],
) -> CaseVersions<'a> {
    let of = |on: &Option<String>| {
        let named = on
            .as_ref()
            .and_then(|on| all.iter().find(|one| one.name == *on));
        named.unwrap_or(own)
    };
    CaseVersions {
        own,
        client: of(&scenario.file.client.on),
        server: of(&scenario.file.server.on),
    }
}

/// Decides about one scenario on one target; `all` are the targets to which it may fix a side.
pub fn plan(scenario: &Arc<Scenario>, own: &TargetVersions, all: &[TargetVersions]) -> Decision {
    let id = scenario.id.clone();
    let target = own.name.clone();
    let versions = versions_of(scenario, own, all);
    if let Some(condition) = scenario.file.targets.iter().find(|p| !p.holds(versions)) {
        let why = format!(
            "needs {condition}; {target} has Postfix {} and OpenSSL {}",
            own.postfix, own.openssl
        );
        return Decision::NotApplicable {
            scenario: scenario.clone(),
            target,
            why,
        };
    }
    let expect = scenario
        .file
        .departure
        .iter()
        .filter(|departure| departure.targets.iter().all(|p| p.holds(versions)))
        .fold(scenario.file.expect.clone(), |all, one| {
            all.overridden_by(&one.expect)
        });
    let known_bug = scenario
        .file
        .known_bug
        .iter()
        .find(|bug| bug.targets.iter().all(|p| p.holds(versions)))
        .cloned();
    // A side that always runs on one target has, there, a line for each target of the table.
    let pinned = scenario.file.server.on.is_some() || scenario.file.client.on.is_some();
    let tag = tag(&id, pinned.then_some(target.as_str()));
    let file = &scenario.file;
    let own = (file.fresh || file.change.is_some()).then_some(tag.as_str());
    let named = id.to_string();
    let own_port = file.server.service.map(|_| tag.as_str());
    let mut server = parameters::server(file, &target, (&named, &tag), own.or(own_port));
    let mut client = parameters::client(file, &target, (&named, &tag), own);
    if let Some(change) = &file.change {
        let commands = change.commands().map(str::to_owned).collect();
        match (&mut server, &mut client) {
            (ServerPlan::Postfix(side), _) | (_, ClientPlan::Postfix { side, .. }) => {
                side.daemons.commands = commands;
            }
            _ => {}
        }
    }
    Decision::Run(Box::new(Case {
        expect,
        known_bug,
        server,
        client,
        tag,
        scenario: scenario.clone(),
        id,
        target,
    }))
}

/// Longest tag without a digest: it is part of a socket's file name and of every log line, and its last label may be
/// all of it, of which a mail domain takes 63. Characters.
const TAG_LIMIT: usize = 60;
/// What is left of a name before a digest.
const TAG_HEAD: usize = 44;

/// A name that master.cf, syslog, a file system and a mail domain take: lower-case letters, digits,
/// `.` and `-`.
fn tag(id: &CaseId, target: Option<&str>) -> String {
    let mut text = format!("{}.{}", id.topic, id.case);
    if let Some(target) = target {
        text = format!("{text}.{target}");
    }
    if let Some(variant) = &id.variant {
        text = format!("{text}.{variant}");
    }
    let clean: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let clean = labels(&clean);
    if clean == text && clean.len() <= TAG_LIMIT {
        return clean;
    }
    // Two names must not become one by what was replaced or cut off.
    let head: String = clean.chars().take(TAG_HEAD).collect();
    format!("{}-{}", labels(&head), digest(&text))
}

/// 64 bits of a digest in hexadecimal: no two names of a run have the same.
pub(crate) fn digest(text: &str) -> String {
    let digest = <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// `text` as labels of a mail domain: none is empty, or begins or ends with a hyphen.
fn labels(text: &str) -> String {
    let labels: Vec<&str> = text
        .split('.')
        .map(|label| label.trim_matches('-'))
        .filter(|label| !label.is_empty())
        .collect();
    labels.join(".")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::parse;

    #[test]
    fn a_tag_is_a_mail_domain_and_differs_for_each_name() {
        let id = |variant: &str| CaseId {
            topic: "sni".to_owned(),
            case: "invalid".to_owned(),
            variant: Some(variant.to_owned()),
        };
        assert_eq!(
            tag(&id("ultra"), Some("debian-12")),
            "sni.invalid.debian-12.ultra"
        );
        let odd = tag(&id("-bad..name.example.test-"), None);
        assert!(
            odd.starts_with("sni.invalid.bad.name.example.test-"),
            "{odd}"
        );
        assert_ne!(odd, tag(&id("bad.name.example.test"), None));
        let digest = odd.rsplit('-').next().unwrap();
        assert_eq!(digest.len(), 16, "{odd}");
        let one_label = tag(&id(&"é".repeat(300)), None);
        assert!(
            one_label.split('.').all(|label| label.len() <= 63),
            "{one_label}"
        );
        let long = tag(&id(&format!("{}.-x", "a".repeat(47))), None);
        assert!(
            long.split('.').all(|label| !label.starts_with('-')),
            "{long}"
        );
    }

    fn targets() -> Vec<TargetVersions> {
        [("a", "3.5"), ("b", "3.7"), ("c", "3.10")]
            .map(|(name, postfix)| TargetVersions {
                name: name.to_owned(),
                postfix: postfix.parse().unwrap(),
                openssl: "3.0".parse().unwrap(),
            })
            .to_vec()
    }

    fn scenario(server: &str, client: &str) -> Vec<Arc<Scenario>> {
        let text = format!(
            "why = \"w\"\n[server]\npostfix = {{}}\n{server}\n[client]\npostfix = {{}}\n{client}\n"
        );
        let all = parse(Path::new("pairs/one.toml"), &text).unwrap();
        all.into_iter().map(Arc::new).collect()
    }

    /// Column, client and server of everything that runs.
    fn runs(scenarios: &[Arc<Scenario>], columns: &[TargetVersions]) -> Vec<String> {
        plan_all(scenarios, columns, &targets())
            .iter()
            .filter_map(|decision| match decision {
                Decision::Run(case) => {
                    let sides = case.sides();
                    Some(format!(
                        "{}: {}→{}",
                        case.target, sides.client?, sides.server?
                    ))
                }
                Decision::NotApplicable { .. } | Decision::Broken { .. } => None,
            })
            .collect()
    }

    #[test]
    fn a_case_with_both_sides_fixed_runs_once() {
        let all = targets();
        let pair = scenario("on = \"b\"", "on = \"a\"");
        assert_eq!(runs(&pair, &all), ["b: a→b"]);
        assert_eq!(runs(&pair, &all[..1]), ["a: a→b"]);
        let decisions = plan_all(&pair, &all[2..], &all);
        assert!(matches!(
            decisions.as_slice(),
            [Decision::NotApplicable { target, why, .. }] if target == "c" && why.contains("a and b")
        ));
    }

    #[test]
    fn a_case_with_one_side_fixed_runs_once_for_each_target() {
        let all = targets();
        let one = scenario("on = \"b\"", "");
        assert_eq!(runs(&one, &all), ["a: a→b", "b: b→b", "c: c→b"]);
        let free = scenario("", "");
        assert_eq!(runs(&free, &all), ["a: a→a", "b: b→b", "c: c→c"]);
    }
}
