//! Lines of a report into what they say.

mod environment;
mod tables;
mod words;

use super::log;
use super::report::{LogLine, Machine, Place, Report, Service, Setting, Table, TableKind, Text};
use super::settings::{self, assignment, assignments_in};
use super::text::{Line, lines};
use crate::observe::log::LogEvent;
use crate::scenario::SideName;

/// Most settings or log lines that are taken from one report: more is no report, but a whole log.
const MOST: usize = 20_000;

/// Reads a report.
pub(super) fn read(text: &[u8]) -> Report {
    let mut reader = Reader::default();
    reader.report.machines.push(Machine::default());
    for line in lines(text) {
        reader.line(&line);
    }
    let mut report = reader.report;
    imply_policy_table(&mut report);
    report
        .machines
        .retain(|machine| !machine.settings.is_empty());
    report
}

/// Rows of a policy table are shown and the setting that names it is not: whoever has such rows has the setting.
fn imply_policy_table(report: &mut Report) {
    let rows = report
        .tables
        .iter()
        .find(|table| table.kind == TableKind::Policy);
    let Some(number) = rows.and_then(|table| table.rows.first()).map(|row| row.2) else {
        return;
    };
    let mut settings = report.machines.iter().flat_map(|machine| &machine.settings);
    let names = ["smtp_tls_policy_maps", "lmtp_tls_policy_maps"];
    if settings.any(|setting| names.contains(&setting.name.as_str())) {
        return;
    }
    if let Some(machine) = report.machines.last_mut() {
        machine.settings.push(Setting {
            name: names[0].to_owned(),
            value: "hash:/etc/postfix/tls_policy".to_owned(),
            number,
            place: Place::Prose,
        });
    }
}

/// What the lines that follow belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Context {
    #[default]
    Text,
    /// main.cf, `postconf`.
    Settings,
    /// `postconf -d`: what holds when nothing is set.
    Defaults,
    /// A service of master.cf, whose `-o` follow.
    Master(Service),
    /// The rows of a table.
    Rows(TableKind),
    /// `postmap -q KEY TABLE` prints a value.
    Query(String),
    /// Passwords.
    Passwords,
    /// A private key.
    Key,
    /// A `Received:` header that came from elsewhere, or a program's output.
    Other,
}

#[derive(Default)]
struct Reader {
    report: Report,
    context: Context,
    paragraph: usize,
    /// The machine that settings belong to: the last.
    fresh_machine: Option<SideName>,
    json: words::PolicyJson,
}

impl Reader {
    fn line(&mut self, line: &Line) {
        if line.paragraph != self.paragraph {
            self.paragraph = line.paragraph;
            if !matches!(self.context, Context::Defaults | Context::Key) {
                self.context = Context::Text;
            }
        }
        let text = line.text.trim();
        if self.private_key(text) {
            return;
        }
        words::versions(text, &mut self.report.versions);
        words::sources(text, &mut self.report.sources);
        environment::secrets_in(text, &mut self.report);
        if let Some(entry) = self.json.line(text) {
            self.row(TableKind::Policy, entry.0, entry.1, line.number);
            return;
        }
        let unwrapped = text
            .starts_with('{')
            .then(|| log::unwrapped(text))
            .flatten();
        let text = unwrapped.as_deref().unwrap_or(text);
        if self.log_line(text, line.number) || self.header(text, line.number) {
            return;
        }
        if let Some(role) = words::heading(text) {
            self.fresh_machine = Some(role);
            self.context = Context::Settings;
            return;
        }
        if let Some(command) = words::prompt(text) {
            self.command(command);
            return;
        }
        if self.context == Context::Passwords {
            self.password_row(text);
            return;
        }
        if self.master(text, line.number) {
            return;
        }
        self.other(text, line.number);
    }

    /// A private key, from its first line to its last: nothing of it is kept.
    fn private_key(&mut self, text: &str) -> bool {
        let begins = text.contains("-----BEGIN ");
        if begins && text.contains("PRIVATE KEY") {
            self.report.drop("a private key", "secret; it was not read");
            if !text.contains("-----END ") {
                self.context = Context::Key;
            }
            return true;
        }
        if self.context == Context::Key {
            if text.contains("-----END ") {
                self.context = Context::Text;
            }
            return true;
        }
        if begins {
            self.report
                .drop("a certificate", "one of the test PKI stands in for it");
        }
        false
    }

    fn log_line(&mut self, text: &str, number: usize) -> bool {
        let (name, text, side) = match log::find(text) {
            Some(found) => {
                let side = log::side_of(&found.daemon, &found.text);
                (Some(found.name()), found.text, side)
            }
            None if assignment(text).is_none() && words::prompt(text).is_none() => {
                match log::phrase(text) {
                    Some(side) => (None, text.into(), Some(side)),
                    None => return false,
                }
            }
            None => return false,
        };
        if self.report.log.len() >= MOST {
            self.report
                .drop("the rest of the log", format!("more than {MOST} lines"));
            return true;
        }
        let daemon = match (&name, side) {
            (Some(name), _) => name.as_str(),
            (None, Some(SideName::Client)) => "smtp",
            (None, _) => "smtpd",
        };
        self.report.log.push(LogLine {
            event: LogEvent::parse(daemon, &text),
            number,
            side,
            text: text.into_owned(),
            name,
        });
        true
    }

    fn header(&mut self, text: &str, number: usize) -> bool {
        let Some((name, value)) = text.split_once(": ") else {
            return false;
        };
        let begins = |start: &str| {
            name.len() >= start.len()
                && name.is_char_boundary(start.len())
                && name[..start.len()].eq_ignore_ascii_case(start)
        };
        if name.eq_ignore_ascii_case("received") {
            let by_postfix = value.contains("(Postfix") || value.contains("(using TLSv");
            if by_postfix && value.contains("(using ") {
                self.report.received.push(Text {
                    number,
                    text: value.to_owned(),
                });
            } else {
                self.report.drop(
                    "Received: of another program or without TLS",
                    "says nothing of this session",
                );
            }
            return true;
        }
        let of_mail = begins("x-")
            || [
                "return-path",
                "authentication-results",
                "dkim-signature",
                "message-id",
                "subject",
                "delivered-to",
            ]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        if of_mail && !name.contains(' ') {
            let what = if begins("x-") { "X-*" } else { name };
            self.report.drop(what, "no header of Postfix's TLS");
            return true;
        }
        false
    }

    /// What a command prints that somebody typed.
    fn command(&mut self, command: &str) {
        let mut all = command.split_whitespace().peekable();
        let words: Vec<&str> = all.by_ref().collect();
        let has = |word: &str| words.iter().any(|one| one.rsplit('/').next() == Some(word));
        let flag = |letter: char| {
            let mut flags = words
                .iter()
                .filter(|one| one.starts_with('-') && !one.starts_with("--"));
            flags.any(|one| one.contains(letter))
        };
        let ends = |end: &str| words.iter().any(|one| one.contains(end));
        self.context = match () {
            () if has("postconf") && flag('d') => Context::Defaults,
            () if has("postconf") => {
                let last = words.last().and_then(|word| word.rsplit('/').next());
                self.report.with_defaults |= last == Some("postconf");
                Context::Settings
            }
            () if has("postmap") && flag('q') => {
                let key = words.iter().skip_while(|one| **one != "-q").nth(1);
                Context::Query(key.copied().unwrap_or_default().to_owned())
            }
            () if ends("main.cf") => Context::Settings,
            () if ends("sasl") || ends("passw") => Context::Passwords,
            () if ends("clientcerts") => Context::Rows(TableKind::Fingerprints),
            () if ends("sni") => Context::Rows(TableKind::Sni),
            () if ends("transport") => Context::Rows(TableKind::Transport),
            () if ends("policy") || ends("tls_per") => Context::Rows(TableKind::Policy),
            () => {
                let program = words
                    .first()
                    .map_or("a command", |word| word.rsplit('/').next().unwrap_or(word));
                self.report
                    .drop(program, "what it printed is no configuration");
                Context::Other
            }
        };
    }

    fn password_row(&mut self, text: &str) {
        if let Some((_, login)) = text.split_once(char::is_whitespace) {
            let password = login
                .split_once(':')
                .map_or(login, |(_, password)| password);
            self.report.secret(password.trim());
            self.report
                .drop("a file of passwords", "secret; replaced by one made up");
        }
    }

    fn master(&mut self, text: &str, number: usize) -> bool {
        if let Some((service, rest)) = words::service(text) {
            self.context = Context::Master(service.clone());
            for (name, value) in words::overrides(&rest) {
                self.set(name, value, number, Place::Service(service.clone()));
            }
            if service.daemon.starts_with("smtp") || service.daemon == "lmtp" {
                // A service without overrides is one, too.
                self.set(
                    "syslog_name".to_owned(),
                    String::new(),
                    number,
                    Place::Service(service),
                );
            }
            return true;
        }
        if let Context::Master(service) = self.context.clone() {
            if text.starts_with("-o") {
                for (name, value) in words::overrides(text) {
                    self.set(name, value, number, Place::Service(service.clone()));
                }
                return true;
            }
            if text.starts_with("#") {
                return false;
            }
        }
        if let Some((service, name, value)) = words::override_of_postconf(text) {
            self.set(name, value, number, Place::Service(service));
            return true;
        }
        false
    }

    fn other(&mut self, text: &str, number: usize) {
        if let Some(commented) = text.strip_prefix('#') {
            if let Some((name, _)) = assignment(commented.trim())
                && settings::known(name).is_some()
            {
                self.report.drop(name, "commented out: its default holds");
            }
            return;
        }
        if let Some((name, value)) = assignment(text) {
            if self.context == Context::Defaults {
                return;
            }
            let certain = settings::known(name).is_some()
                || self.context == Context::Settings
                || name.contains("_tls_");
            let plain = !value.contains(", ") || assignments_in(text).len() < 2;
            if certain && plain {
                if name == "mail_version" {
                    return;
                }
                if self.context == Context::Text {
                    self.context = Context::Settings;
                }
                self.set(name.to_owned(), value.to_owned(), number, Place::Main);
                return;
            }
        }
        if environment::variable(text, number, self) {
            return;
        }
        if let Context::Query(key) = &self.context
            && tables::is_level(text)
        {
            let key = key.clone();
            self.row(TableKind::Policy, key, text.to_owned(), number);
            return;
        }
        if let Some((kind, key, value)) = tables::row(text) {
            self.row(kind, key, value, number);
            return;
        }
        if words::hint(text) {
            self.report.hints.push(Text {
                number,
                text: text.to_owned(),
            });
            return;
        }
        if text.starts_with("postconf: ") {
            self.report
                .drop("what postconf warns of", "no line of a daemon's log");
            return;
        }
        self.prose(text, number);
    }

    fn prose(&mut self, text: &str, number: usize) {
        for word in text.split([' ', '`', ',', '"']) {
            if word.contains('=')
                && !word.contains("://")
                && environment::variable(word, number, self)
            {
                continue;
            }
        }
        for (name, value) in assignments_in(text) {
            if words::is_another_try(text) {
                self.report
                    .drop(format!("{name} = {value}"), "another try of the reporter's");
            } else {
                self.set(name, value, number, Place::Prose);
            }
        }
    }

    fn set(&mut self, name: String, value: String, number: usize, place: Place) {
        let value = if place == Place::Prose || value.len() < 2 {
            value
        } else {
            let quoted = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            quoted.map(str::to_owned).unwrap_or(value)
        };
        let machines = &mut self.report.machines;
        let is_other = name == "myhostname"
            && machines.last().is_some_and(|machine| {
                let mut known = machine
                    .settings
                    .iter()
                    .filter(|setting| setting.name == name);
                known.any(|setting| setting.value != value && setting.place == place)
            });
        if let Some(role) = self.fresh_machine.take() {
            if machines
                .last()
                .is_some_and(|machine| !machine.settings.is_empty() && machine.role != Some(role))
            {
                machines.push(Machine::default());
            }
            if let Some(last) = machines.last_mut() {
                last.role = Some(role);
            }
        } else if is_other {
            machines.push(Machine::default());
        }
        let Some(machine) = machines.last_mut() else {
            return;
        };
        if machine.settings.len() < MOST {
            machine.settings.push(Setting {
                name,
                value,
                number,
                place,
            });
        }
    }

    fn row(&mut self, kind: TableKind, key: String, value: String, number: usize) {
        let tables = &mut self.report.tables;
        let row = (key, value, number);
        match tables.iter_mut().find(|table| table.kind == kind) {
            Some(table) if table.rows.len() < MOST => table.rows.push(row),
            Some(_) => {}
            None => tables.push(Table {
                kind,
                rows: vec![row],
            }),
        }
    }
}
