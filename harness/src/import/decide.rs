//! From a report to a scenario: which side is the Postfix, which peer shows the reported line, and what to expect.

mod client;
mod level;
mod server;
mod session;

use std::collections::BTreeMap;

use super::draft::{Draft, Kept, Peer};
use super::names::Names;
use super::report::{Report, Setting, TableKind};
use super::settings::{Topic, Use, known, use_of};
use super::symptom::{Kind, Symptom, side_of_settings, symptoms};
use super::values::{Stock, Value, expanded, value_of};
use super::write::without_mailboxes;
use crate::observe::log::LogEvent;
use crate::observe::summary::TlsSummary;
use crate::scenario::SideName;

/// What a decision is made from.
struct Matter<'a> {
    report: &'a Report,
    symptom: Option<Symptom>,
    /// All that the log tells of, on any side.
    symptoms: Vec<Symptom>,
    kind: Kind,
    side: SideName,
    names: Names,
    settings: BTreeMap<&'a str, &'a Setting>,
    /// The session that the log tells of.
    summary: Option<TlsSummary>,
}

/// Makes a scenario of a report; what is not taken is noted in the report. Nothing if it has neither a setting nor a line of
/// a Postfix.
pub(super) fn decide(report: &mut Report) -> Option<Draft> {
    report.withhold();
    let read = report.clone();
    let matter = Matter::of(&read)?;
    let mut draft = Draft::new(matter.side);
    draft.spec.clone_from(&read.sources);
    draft.why = matter.why();
    let stock = matter.stock();
    let mut names = matter.names.clone();
    let settings = matter.keep(&stock, &mut names, &mut draft, report);
    draft.side(matter.side).peer = Peer::Postfix(settings);
    match matter.side {
        SideName::Client => client::decide(&matter, &stock, &mut draft),
        SideName::Server => server::decide(&matter, &stock, &mut draft),
    }
    matter.note(&mut draft);
    matter.other_lines(report);
    for symptom in &matter.symptoms {
        if Some(*symptom) != matter.symptom && symptom.side != matter.side {
            draft.notes.push(format!(
                "the log of the {} is in the report too; this scenario is about the {}",
                word(symptom.side),
                word(matter.side)
            ));
            break;
        }
    }
    Some(draft)
}

fn word(side: SideName) -> &'static str {
    match side {
        SideName::Client => "client",
        SideName::Server => "server",
    }
}

impl<'a> Matter<'a> {
    fn of(report: &'a Report) -> Option<Self> {
        let symptoms = symptoms(report);
        let symptom = symptoms.first().copied();
        let side = symptom
            .map(|symptom| symptom.side)
            .or_else(|| (!report.received.is_empty()).then_some(SideName::Server))
            .or_else(|| side_of_settings(report))
            .or_else(|| report.log.iter().find_map(|line| line.side))?;
        let logged = symptom.and_then(|symptom| report.log.get(symptom.line));
        let machine = report.machine(side);
        let service = machine.zip(logged.and_then(|line| line.name.as_deref()));
        let service = service.and_then(|(machine, name)| machine.service_of(name));
        let settings = machine
            .map(|machine| machine.effective(service))
            .unwrap_or_default();
        let summary = report
            .log
            .iter()
            .filter(|line| line.side.is_none_or(|told| told == side))
            .find_map(|line| match &line.event {
                LogEvent::Tls(summary) => Some(summary.clone()),
                _ => session::summary_in(&line.text),
            })
            .or_else(|| {
                report
                    .received
                    .iter()
                    .find_map(|header| session::summary_in(&header.text))
            });
        let mut matter = Self {
            names: Names::of(report),
            kind: symptom.map_or(Kind::Established, |symptom| symptom.kind),
            report,
            symptom,
            symptoms,
            side,
            settings,
            summary,
        };
        matter.kind = matter.refined();
        matter.names.zones = matter.wants_zones();
        Some(matter)
    }

    /// What `Server certificate not verified` and its like mean depends on the level.
    fn refined(&self) -> Kind {
        let level = self.level();
        let fingerprint = level == "fingerprint";
        match self.kind {
            Kind::NotVerified | Kind::NoTlsaMatch if fingerprint => Kind::Fingerprint,
            Kind::NotVerified if level.starts_with("dane") || level == "half-dane" => {
                Kind::NoTlsaMatch
            }
            Kind::NotVerified => match self.status() {
                Some("Untrusted")
                    if self.value("smtp_tls_CAfile").is_none()
                        && self.value("smtp_tls_CApath").is_none() =>
                {
                    Kind::UntrustedIssuer
                }
                _ => Kind::NameMismatch,
            },
            kind => kind,
        }
    }

    fn status(&self) -> Option<&'static str> {
        let status = self.summary.as_ref()?.status?;
        ["Anonymous", "Untrusted", "Trusted", "Verified"]
            .into_iter()
            .find(|word| *word == status.to_string())
    }

    /// A setting as reported, not empty.
    fn value(&self, name: &str) -> Option<&'a str> {
        let setting = self.settings.get(name)?;
        Some(setting.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The client's level for the reported destination.
    fn level(&self) -> String {
        self.level_said().unwrap_or_else(|| "may".to_owned())
    }

    /// The same, where the report says it.
    fn level_said(&self) -> Option<String> {
        let value = self
            .policy()
            .or_else(|| self.value("smtp_tls_security_level"))?;
        value.split_whitespace().next().map(str::to_owned)
    }

    /// The row of the policy table, without its level.
    fn policy(&self) -> Option<&'a str> {
        let rows: Vec<_> = self.report.rows(TableKind::Policy).collect();
        self.names.row(&rows).map(|row| row.1.as_str())
    }

    /// DNS decides in the reported session.
    fn wants_zones(&self) -> bool {
        if self.side != SideName::Client {
            return false;
        }
        match self.kind {
            Kind::NotDnssec
            | Kind::TlsaLookup
            | Kind::NoTlsa
            | Kind::TlsaUnusable
            | Kind::NoTlsaMatch
            | Kind::DaneWithoutDnssec => true,
            Kind::NameMismatch => {
                let bare = self.level() == "secure"
                    && self
                        .policy()
                        .is_some_and(|policy| !policy.contains("match="));
                bare && self.names.domain.is_some() && self.names.domain != self.names.host
            }
            Kind::Established => {
                self.level().starts_with("dane") && self.status() == Some("Verified")
            }
            _ => false,
        }
    }

    fn why(&self) -> String {
        let line = self
            .symptom
            .and_then(|symptom| self.report.log.get(symptom.line));
        match line {
            Some(line) => {
                let text = without_mailboxes(&self.report.without_secrets(&line.text));
                let reason = text
                    .split_once("status=")
                    .map(|(_, reason)| format!("status={reason}"));
                let text: String = reason.unwrap_or(text).chars().take(200).collect();
                format!("Reported: the {} logs `{text}`.", word(self.side))
            }
            None if !self.report.received.is_empty() => {
                "Reported: what the server writes into Received:.".to_owned()
            }
            None => format!(
                "Reported: a {} with these settings; no line of its log.",
                word(self.side)
            ),
        }
    }

    /// What stands in for files and tables.
    fn stock(&self) -> Stock {
        let text = |needle: &str| {
            self.report
                .log
                .iter()
                .any(|line| line.text.contains(needle))
        };
        let is_client = self.side == SideName::Client;
        let certificate = match (is_client, self.signature()) {
            (true, _) => "client-rsa".to_owned(),
            (false, certificate) => certificate.unwrap_or("rsa2048").to_owned(),
        };
        let key = match self.kind {
            Kind::KeyMismatch if text("key type mismatch") => "ecdsa-p256".to_owned(),
            Kind::KeyMismatch if is_client => "client-ecdsa".to_owned(),
            Kind::KeyMismatch => "rsa3072".to_owned(),
            _ => certificate.clone(),
        };
        Stock {
            side: self.side,
            certificate,
            key,
            missing: self.kind == Kind::FileMissing,
            garbage: self.kind == Kind::NoPem,
            prime: if self.kind == Kind::DhTooSmall {
                "1024"
            } else {
                "2048"
            },
            ca_missing: self.kind == Kind::CaMissing,
            nexthop: if self.names.zones {
                "example.test"
            } else {
                "[mail.example.test]"
            }
            .to_owned(),
            sni_missing: self.kind == Kind::SniFile,
            rewrites_protocols: self.kind != Kind::ProtocolList,
            fingerprint_matches: self.kind != Kind::Fingerprint,
        }
    }

    /// The server's certificate by the signature that the session's line tells of.
    fn signature(&self) -> Option<&'static str> {
        let signature = self.summary.as_ref()?.server_signature.as_ref()?;
        session::certificate_for(&signature.text)
    }

    /// Is a parameter about something wanted here?
    fn about(&self, topic: Topic) -> bool {
        match topic {
            Topic::Sasl => matches!(
                self.kind,
                Kind::SaslClient | Kind::SaslClientMechanisms | Kind::NoSaslMechanism
            ),
            Topic::Access => self.kind == Kind::RelayDenied,
            Topic::Dnssec => self.names.zones,
            Topic::Resumption => false,
        }
    }

    /// The settings that stay, in the order of the report.
    fn keep(
        &self,
        stock: &Stock,
        names: &mut Names,
        draft: &mut Draft,
        report: &mut Report,
    ) -> Vec<Kept> {
        let full = self.report.with_defaults || self.settings.len() > 300;
        let mut kept = Vec::new();
        let mut in_order: Vec<&Setting> = self.settings.values().copied().collect();
        in_order.sort_by_key(|setting| setting.number);
        for setting in in_order {
            let name = setting.name.as_str();
            if name == "syslog_name" || name == "mail_version" {
                continue;
            }
            match use_of(name, self.side) {
                Use::Keep => {}
                Use::Only(topic) if self.about(topic) => {}
                Use::Only(topic) => {
                    report.drop(name, unneeded(topic));
                    continue;
                }
                Use::NextHop => {
                    client::next_hop(setting, report, draft);
                    continue;
                }
                Use::Drop(why) => {
                    report.drop(name, why);
                    continue;
                }
            }
            let Some(entry) = known(name) else {
                report.drop(name, "no parameter of Postfix 3.5 to 3.10");
                continue;
            };
            if full && entry.defaults.contains(&setting.value.as_str()) {
                continue;
            }
            if let Some(named) = setting.value.strip_prefix('$')
                && known(named.trim_matches(['{', '}', '(', ')'])).is_some()
                && !self
                    .settings
                    .contains_key(named.trim_matches(['{', '}', '(', ')']))
            {
                report.drop(
                    format!("{name} = {}", setting.value),
                    "the parameter it names is not in the report",
                );
                continue;
            }
            let keeps_macro = setting.value.starts_with('$') && name.ends_with("key_file");
            let value = if keeps_macro {
                setting.value.clone()
            } else {
                expanded(&setting.value, &self.settings)
            };
            if name != "smtp_sasl_password_maps" && report.tells_secret(&value) {
                report.drop(name, "secret: what it stands for holds a password");
                continue;
            }
            let from = report.place(setting.number);
            match value_of(name, &value, stock, self.report, names) {
                Value::Same(value) => kept.push(Kept {
                    name: name.to_owned(),
                    value,
                    comment: from,
                }),
                Value::Other(value, why) => {
                    let said = said(setting, report);
                    draft.replaced.push(format!("{name} = {said}: {why}"));
                    kept.push(Kept {
                        name: name.to_owned(),
                        value,
                        comment: from,
                    });
                }
                Value::Gone(why) => {
                    report.drop(name, why);
                    continue;
                }
            }
            if let Some(since) = entry.since {
                let condition = format!("postfix >= {since}");
                if !draft.targets.contains(&condition) {
                    draft.targets.push(condition);
                }
            }
        }
        self.left_out(report);
        kept
    }

    /// What stood in other places: the other machine, other services.
    fn left_out(&self, report: &mut Report) {
        for machine in &self.report.machines {
            for setting in &machine.settings {
                let name = setting.name.as_str();
                if self.settings.contains_key(name) || name == "syslog_name" {
                    continue;
                }
                let why = match use_of(name, self.side) {
                    Use::Drop(why) => why,
                    _ => "of another machine or service",
                };
                report.drop(name, why);
            }
        }
    }

    /// Lines of other daemons, and rows of tables that are about other destinations.
    fn other_lines(&self, report: &mut Report) {
        for line in &self.report.log {
            if line.side != Some(self.side)
                && let Some(daemon) = line.daemon()
            {
                let daemon = report.without_secrets(daemon);
                report.drop(
                    format!("lines of {daemon}"),
                    "not of this side of a session",
                );
            }
        }
        let rows: Vec<_> = self.report.rows(TableKind::Policy).collect();
        let own = self.names.row(&rows);
        if rows.iter().any(|row| Some(*row) != own) {
            report.drop("rows of smtp_tls_policy_maps", "about other destinations");
        }
    }

    /// What the reader has to know.
    fn note(&self, draft: &mut Draft) {
        if let Some(symptom) = self.symptom
            && let Some(line) = self.report.log.get(symptom.line)
        {
            let old = [
                "routines:ssl3_",
                "routines:SSL3_",
                "routines:SSL23_",
                "routines:ssl23_",
            ];
            if old.iter().any(|word| line.text.contains(word)) {
                draft.notes.push("the line is of OpenSSL 1.0; the targets' libraries name other functions and numbers".to_owned());
            }
            if line.text.contains("Permission denied")
                || self
                    .report
                    .log
                    .iter()
                    .any(|line| line.text.contains("Permission denied"))
            {
                draft.notes.push("files that may not be read cannot be shown: the target's Postfix reads them as root".to_owned());
            }
        }
        let reported = self.report.versions.postfix.as_deref();
        if let Some(version) = reported
            && let Some(old) = version
                .split('.')
                .next()
                .and_then(|major| major.parse::<u32>().ok())
            && old < 3
        {
            draft
                .notes
                .push(format!("Postfix {version} is older than every target"));
        }
        if self.report.secrets.iter().any(|secret| !secret.is_empty()) {
            draft
                .notes
                .push("the report has passwords in it; none is written here".to_owned());
        }
    }
}

/// The value as reported, without what is secret.
fn said(setting: &Setting, report: &Report) -> String {
    let holds_logins = setting.name == "smtp_sasl_password_maps"
        && ["static:", "inline:"]
            .iter()
            .any(|kind| setting.value.contains(kind));
    match holds_logins {
        true => "(secret)".to_owned(),
        false => {
            let text = report.without_secrets(&setting.value);
            text.chars().take(80).collect()
        }
    }
}

fn unneeded(topic: Topic) -> &'static str {
    match topic {
        Topic::Sasl => "SMTP AUTH does not matter to the reported line",
        Topic::Access => "no matter of access",
        Topic::Dnssec => "no zones are needed for the reported line",
        Topic::Resumption => "a cache of sessions: the case has one session",
    }
}
