//! A scenario in the making.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::scenario::SideName;

/// What is to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The side that is the report's Postfix.
    pub(super) about: SideName,
    /// The claim.
    pub(super) why: String,
    /// Where it was made.
    pub(super) spec: Vec<String>,
    /// Conditions on the target.
    pub(super) targets: Vec<String>,
    /// Axes.
    pub(super) matrix: Table,
    /// Files with their contents.
    pub(super) files: BTreeMap<String, String>,
    /// The server.
    pub(super) server: Side,
    /// The client.
    pub(super) client: Side,
    /// Zones.
    pub(super) dns: Table,
    /// Facts.
    pub(super) expect: Table,
    /// Targets that do something else: conditions, reason, facts.
    pub(super) departures: Vec<(Vec<String>, String, Table)>,
    /// What a reader has to know: what was not known, what no target shows.
    pub(super) notes: Vec<String>,
    /// Settings that were replaced: name, what was said, and by what.
    pub(super) replaced: Vec<String>,
}

/// One end.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// What it is.
    pub(super) peer: Peer,
    /// Keys beside the peer: `cert`, `sni`, `service`, `nexthop`.
    pub(super) keys: Table,
}

/// What an end is.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    /// A Postfix with settings, in order, each with a comment.
    Postfix(Vec<Kept>),
    /// A peer of ours and its options: `rustls`, `classic` or `exim`.
    Own(&'static str, Table),
}

impl Default for Peer {
    fn default() -> Self {
        Self::Own("rustls", Table::new())
    }
}

/// A setting of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Postfix's name.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
    /// Where it comes from.
    pub(super) comment: String,
}

impl Draft {
    /// Of a report about this side.
    pub(super) fn new(about: SideName) -> Self {
        Self {
            about,
            why: String::new(),
            spec: Vec::new(),
            targets: Vec::new(),
            matrix: Table::new(),
            files: BTreeMap::new(),
            server: Side::default(),
            client: Side::default(),
            dns: Table::new(),
            expect: Table::new(),
            departures: Vec::new(),
            notes: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// The end that is asked for.
    pub(super) fn side(&mut self, side: SideName) -> &mut Side {
        match side {
            SideName::Client => &mut self.client,
            SideName::Server => &mut self.server,
        }
    }

    /// Expects pieces in the log of a side.
    pub(super) fn expect_log(&mut self, side: SideName, pieces: &[&str]) {
        let key = match side {
            SideName::Client => "client-log",
            SideName::Server => "server-log",
        };
        self.expect.insert(key.to_owned(), has(pieces));
    }

    /// Expects the end of it all.
    pub(super) fn expect_failure(&mut self, side: SideName, alert: Option<&str>, cause: &str) {
        self.expect
            .insert("failure".to_owned(), failure(side, alert, cause));
    }

    /// Expects something simple.
    pub(super) fn expect(&mut self, key: &str, value: impl Into<Value>) {
        self.expect.insert(key.to_owned(), value.into());
    }
}

/// `{ has = [ … ] }`.
pub(super) fn has(pieces: &[&str]) -> Value {
    let list = pieces.iter().map(|piece| Value::from(*piece)).collect();
    Value::Table(Table::from_iter([("has".to_owned(), Value::Array(list))]))
}

/// `{ side = …, alert = …, cause = … }`.
pub(super) fn failure(side: SideName, alert: Option<&str>, cause: &str) -> Value {
    let side = match side {
        SideName::Client => "client",
        SideName::Server => "server",
    };
    let mut table = Table::from_iter([
        ("side".to_owned(), Value::from(side)),
        ("cause".to_owned(), Value::from(cause)),
    ]);
    if let Some(alert) = alert {
        table.insert("alert".to_owned(), Value::from(alert));
    }
    Value::Table(table)
}

impl Side {
    /// A setting that the report does not have, unless it has; only for a Postfix.
    pub(super) fn add(&mut self, name: &str, value: &str, why: &str) {
        if let Peer::Postfix(settings) = &mut self.peer
            && !settings.iter().any(|known| known.name == name)
        {
            settings.push(Kept {
                name: name.to_owned(),
                value: value.to_owned(),
                comment: why.to_owned(),
            });
        }
    }

    /// The value a Postfix is given.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        match &self.peer {
            Peer::Postfix(settings) => settings
                .iter()
                .find(|known| known.name == name)
                .map(|known| known.value.as_str()),
            Peer::Own(..) => None,
        }
    }

    /// Puts another value in the place of one.
    pub(super) fn replace(&mut self, name: &str, value: &str, why: &str) {
        if let Peer::Postfix(settings) = &mut self.peer {
            settings.retain(|known| known.name != name);
            settings.push(Kept {
                name: name.to_owned(),
                value: value.to_owned(),
                comment: why.to_owned(),
            });
        }
    }

    /// Takes a setting out.
    pub(super) fn remove(&mut self, name: &str) {
        if let Peer::Postfix(settings) = &mut self.peer {
            settings.retain(|known| known.name != name);
        }
    }

    /// One of our peers with these options.
    pub(super) fn own(&mut self, kind: &'static str, options: Table) {
        self.peer = Peer::Own(kind, options);
    }

    /// An option of a peer of ours.
    pub(super) fn option(&mut self, name: &str, value: impl Into<Value>) {
        if let Peer::Own(_, options) = &mut self.peer {
            options.insert(name.to_owned(), value.into());
        }
    }

    /// The certificate.
    pub(super) fn certificate(&mut self, name: &str) {
        self.keys.insert("cert".to_owned(), Value::from(name));
    }
}

/// A list of strings.
pub(super) fn list(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|item| Value::from(*item)).collect())
}
