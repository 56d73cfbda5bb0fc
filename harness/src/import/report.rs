//! What a report says, typed: settings and their place, tables, log, headers, versions, what was left out.

use std::collections::BTreeMap;

use crate::observe::log::LogEvent;
use crate::scenario::SideName;

/// Everything taken from a report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Configurations, one for each machine.
    pub machines: Vec<Machine>,
    /// Lookup tables.
    pub tables: Vec<Table>,
    /// Lines of Postfix's log, in order.
    pub log: Vec<LogLine>,
    /// `Received:` headers that a Postfix wrote, with their TLS comment.
    pub received: Vec<Text>,
    /// What it says of versions.
    pub versions: Versions,
    /// What `openssl s_client` and other tools told.
    pub hints: Vec<Text>,
    /// What was seen and not taken, by name.
    pub dropped: Vec<Dropped>,
    /// Passwords and keys: never written anywhere.
    pub secrets: Vec<String>,
    /// Where it was published: `owner/repository#1`, an address.
    pub sources: Vec<String>,
    /// `postconf` was run without an option: it prints what nobody has set, too.
    pub with_defaults: bool,
    /// The files that it was put together from, if it was, with the number of the first line of each.
    pub files: Vec<(usize, String)>,
}

impl Report {
    /// Where a line stands, for people: `line 3`, or `main.cf, line 3` in a report of several files.
    pub fn place(&self, number: usize) -> String {
        let file = self.files.iter().rev().find(|(first, _)| *first <= number);
        match file {
            Some((first, name)) => format!("{name}, line {}", number - first + 1),
            None => format!("line {number}"),
        }
    }
}

/// A piece of the report, and the line it begins at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The first line of a report is 1.
    pub number: usize,
    /// As it stands there, joined into one line.
    pub text: String,
}

/// The configuration of one machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The role its heading gives it.
    pub role: Option<SideName>,
    /// In the order said.
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Postfix's name.
    pub name: String,
    /// Its value as said.
    pub value: String,
    /// The line it stands in.
    pub number: usize,
    /// Where it holds.
    pub place: Place,
}

/// Where a setting was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// main.cf, or what `postconf` prints.
    Main,
    /// `-o` of this service of master.cf.
    Service(Service),
    /// A variable of a container's environment.
    Environment(String),
    /// A sentence.
    Prose,
}

/// A line of master.cf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its first field: `smtps`, `smtp-amavis`.
    pub name: String,
    /// The program: `smtpd`.
    pub daemon: String,
}

/// A lookup table whose rows the report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is for.
    pub kind: TableKind,
    /// Key, value, line.
    pub rows: Vec<(String, String, usize)>,
}

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// `smtp_tls_policy_maps`.
    Policy,
    /// `relay_clientcerts`.
    Fingerprints,
    /// `tls_server_sni_maps`.
    Sni,
    /// `transport_maps`.
    Transport,
}

/// A line of Postfix's log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The line it begins at.
    pub number: usize,
    /// The name it was logged with, where one stands there.
    pub name: Option<String>,
    /// The side that says it.
    pub side: Option<SideName>,
    /// Without what stands before it.
    pub text: String,
    /// Understood.
    pub event: LogEvent,
}

impl LogLine {
    /// `smtpd`, where the line says so.
    pub fn daemon(&self) -> Option<&str> {
        self.name
            .as_deref()
            .and_then(|name| name.rsplit('/').next())
    }
}

/// What a report says of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// `3.7.11`.
    pub postfix: Option<String>,
    /// `3.0.11`.
    pub openssl: Option<String>,
}

/// Something that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its name.
    pub what: String,
    /// The reason.
    pub why: String,
}

impl Report {
    /// Notes that something was not taken; a second time for the same reason says nothing new.
    pub fn drop(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let dropped = Dropped {
            what: what.into(),
            why: why.into(),
        };
        if !self.dropped.contains(&dropped) {
            self.dropped.push(dropped);
        }
    }

    /// Notes a password or a key.
    pub fn secret(&mut self, secret: &str) {
        let secret = secret.trim_matches(['"', '\'', ' ']);
        if secret.len() >= 3 && !self.secrets.iter().any(|known| known == secret) {
            self.secrets.push(secret.to_owned());
        }
    }

    /// The machine a `side` of the session ran on: the one whose heading says so, else the one with the most settings of
    /// that role.
    pub fn machine(&self, side: SideName) -> Option<&Machine> {
        let own = match side {
            SideName::Client => "smtp_",
            SideName::Server => "smtpd_",
        };
        let named = self
            .machines
            .iter()
            .find(|machine| machine.role == Some(side));
        named.or_else(|| {
            let unnamed = self
                .machines
                .iter()
                .filter(|machine| machine.role.is_none());
            let count = |machine: &&Machine| {
                let settings = machine.settings.iter();
                settings
                    .filter(|setting| setting.name.starts_with(own))
                    .count()
            };
            // The first of several that are equal.
            unnamed.rev_max_by_key(count)
        })
    }

    /// All rows of the tables of a kind.
    pub fn rows(&self, kind: TableKind) -> impl Iterator<Item = &(String, String, usize)> {
        self.tables
            .iter()
            .filter(move |table| table.kind == kind)
            .flat_map(|table| &table.rows)
    }
}

/// The first of the greatest; `Iterator::max_by_key` gives the last.
trait FirstMax: Iterator + Sized {
    fn rev_max_by_key<K: Ord>(self, key: impl Fn(&Self::Item) -> K) -> Option<Self::Item> {
        self.fold(None, |best: Option<Self::Item>, one| match best {
            Some(best) if key(&best) >= key(&one) => Some(best),
            _ => Some(one),
        })
    }
}

impl<I: Iterator> FirstMax for I {}

impl Machine {
    /// The settings of main.cf by name, and those of `service` over them; the last of a name counts.
    pub fn effective(&self, service: Option<&Service>) -> BTreeMap<&str, &Setting> {
        let mut all = BTreeMap::new();
        let rank = |place: &Place| match place {
            Place::Prose => 0,
            Place::Environment(_) | Place::Main => 1,
            Place::Service(_) => 2,
        };
        for wanted in 0..=2 {
            for setting in self
                .settings
                .iter()
                .filter(|setting| rank(&setting.place) == wanted)
            {
                match &setting.place {
                    Place::Service(own) if Some(own) != service => {}
                    _ => {
                        all.insert(setting.name.as_str(), setting);
                    }
                }
            }
        }
        all
    }

    /// The service of master.cf that logs with `name`.
    pub fn service_of(&self, name: &str) -> Option<&Service> {
        let (rest, daemon) = name.rsplit_once('/')?;
        let by_name = |setting: &&Setting| setting.name == "syslog_name" && setting.value == rest;
        let services = || {
            self.settings
                .iter()
                .filter_map(|setting| match &setting.place {
                    Place::Service(service) if service.daemon == daemon => Some((setting, service)),
                    _ => None,
                })
        };
        let named = services().find(|(setting, _)| by_name(setting));
        let middle = rest.rsplit('/').next().unwrap_or_default();
        let plain = if middle == "postfix" { daemon } else { middle };
        let plain = if plain == "smtpd" { "smtp" } else { plain };
        let like = named.or_else(|| services().find(|(_, service)| service.name == plain));
        like.map(|(_, service)| service)
    }
}
