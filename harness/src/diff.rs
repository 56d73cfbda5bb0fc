//! What two targets did differently: pure, from what two runs have seen to findings.
//!
//! ```text
//! Seen × Seen   one case on either target, from a run or from lines of JSON
//!   → Difference    what differs, with its class, most serious class first
//!       → Finding   the same difference in all cases, once
//! ```

mod accepted;
mod finding;
mod seen;
mod show;
mod text;

pub use accepted::{Accepted, AcceptedError};
pub use finding::{Finding, Way, fold};
pub use seen::{Failure, Seen, Session, Status};
pub use show::{Comparison, Side};
pub use text::{Change, changes};

use std::collections::BTreeMap;

use serde::Serialize;

/// Kinds of differences, most serious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A parameter of TLS that is built with another default: what follows from it follows below.
    Default,
    /// Mail is no longer delivered, or is delivered where it was not.
    Delivery,
    /// A session is no longer forward secret.
    ForwardSecrecy,
    /// A weaker protocol, group, cipher or signature.
    Weaker,
    /// Another protocol, group, cipher or signature.
    Negotiated,
    /// Another word for how the peer was verified.
    Status,
    /// Another side gives up, or for another cause.
    Failure,
    /// What the scenario expects holds on one of them only.
    Expectation,
    /// The case applies to one of them only.
    Applicability,
    /// Other words in a log.
    LogText,
    /// Other words in the `Received:` header.
    HeaderText,
    /// Other bytes on the wire, or another account of our own peer, with the same outcome.
    Detail,
}

impl Class {
    /// Whether it is more than text.
    pub fn is_behaviour(self) -> bool {
        !matches!(self, Self::LogText | Self::HeaderText)
    }

    /// Whether it says how serious another choice in the handshake is.
    fn is_choice(self) -> bool {
        matches!(self, Self::ForwardSecrecy | Self::Weaker | Self::Negotiated)
    }

    /// In words, for headings.
    pub fn words(self) -> &'static str {
        match self {
            Self::Default => "built with another default",
            Self::Delivery => "delivery",
            Self::ForwardSecrecy => "forward secrecy lost",
            Self::Weaker => "weaker",
            Self::Negotiated => "negotiated otherwise",
            Self::Status => "status word",
            Self::Failure => "failure",
            Self::Expectation => "expectation",
            Self::Applicability => "applicability",
            Self::LogText => "log text",
            Self::HeaderText => "header text",
            Self::Detail => "detail",
        }
    }
}

/// One thing that differs in one case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference {
    /// How serious it is.
    pub class: Class,
    /// What differs, such as `cipher` or `server log`.
    pub field: String,
    /// On the first target.
    pub old: String,
    /// On the second.
    pub new: String,
    /// Lines that show it, `-` and `+` before them.
    pub example: Vec<String>,
}

/// What differs between two targets in one case; nothing of a case that neither could run.
pub fn compare(a: &Seen, b: &Seen) -> Vec<Difference> {
    let runs = |seen: &Seen| seen.outcome != "not-applicable";
    match (runs(a), runs(b)) {
        (false, false) => return Vec::new(),
        (true, true) => {}
        (runs_on_a, _) => {
            let words = |seen: &Seen, runs: bool| match runs {
                true => "applies".to_owned(),
                false => seen.differences.join("; "),
            };
            return vec![Difference {
                class: Class::Applicability,
                field: "not applicable".to_owned(),
                old: words(a, runs_on_a),
                new: words(b, !runs_on_a),
                example: Vec::new(),
            }];
        }
    }
    let mut found = behaviour(a, b);
    let text = texts(a, b);
    if found.iter().any(|one| one.class == Class::Delivery) {
        for one in &mut found {
            one.example = text
                .iter()
                .flat_map(|text| text.example.clone())
                .take(6)
                .collect();
        }
        return found;
    }
    // Words that say what was found already are no finding of their own.
    let explained = |change: &Difference| {
        found.iter().any(|one| {
            let mut said = one.old.split(' ').chain(one.new.split(' '));
            one.class != Class::Expectation
                && said.any(|word| change.old.contains(word) || change.new.contains(word))
        })
    };
    let more: Vec<Difference> = text.iter().filter(|one| !explained(one)).cloned().collect();
    for one in &mut found {
        let says =
            |change: &&Difference| change.old.contains(&one.old) || change.new.contains(&one.new);
        let example = text.iter().find(says).or(text.first());
        one.example = example.map(|text| text.example.clone()).unwrap_or_default();
    }
    // What differs on the wire, where a session differs, differs for that reason.
    let more = more
        .into_iter()
        .filter(|one| found.is_empty() || one.class != Class::Detail);
    let mut all = found.clone();
    all.extend(more);
    all.sort();
    all.dedup_by(|one, other| {
        (one.class, &one.field, &one.old, &one.new)
            == (other.class, &other.field, &other.old, &other.new)
    });
    // Where words differ, what was expected is missed because of them.
    if all.is_empty() {
        all.extend(expectation(a, b));
    }
    all
}

fn expectation(a: &Seen, b: &Seen) -> Option<Difference> {
    let fails = |seen: &Seen| seen.outcome == "fail";
    let words = |seen: &Seen| match fails(seen) {
        true => seen.differences.first().cloned().unwrap_or_default(),
        false => "as expected".to_owned(),
    };
    (fails(a) != fails(b)).then(|| Difference {
        class: Class::Expectation,
        field: "scenario".to_owned(),
        old: words(a),
        new: words(b),
        example: Vec::new(),
    })
}

fn behaviour(a: &Seen, b: &Seen) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differs = |class, field: &str, old: String, new: String| {
        if old != new {
            found.push(Difference {
                class,
                field: field.to_owned(),
                old,
                new,
                example: Vec::new(),
            });
        }
    };
    if a.delivered != b.delivered {
        differs(Class::Delivery, "mail", delivery(a), delivery(b));
        return found;
    }
    match (&a.session, &b.session) {
        (Some(one), Some(other)) => {
            // What was chosen first is the cause: another protocol has other ciphers, another cipher another key exchange
            // and another signature. Each is one difference, as serious as what follows from it.
            let lost = one.forward_secrecy.holds && !other.forward_secrecy.holds;
            let chosen = |is_weaker| match lost {
                true => Class::ForwardSecrecy,
                false => weaker(is_weaker),
            };
            let exchanges = (one.key_exchange.words(), other.key_exchange.words());
            let is_weaker = other.key_exchange.strength() < one.key_exchange.strength();
            if one.protocol != other.protocol {
                let class = chosen(rank(&other.protocol) < rank(&one.protocol));
                let (old, new) = (one.protocol.clone(), other.protocol.clone());
                differs(class, "protocol", old, new);
            } else if one.cipher != other.cipher {
                let class = chosen(other.strength() < one.strength());
                let (old, new) = (one.cipher.clone(), other.cipher.clone());
                differs(class, "cipher", old, new);
                // Of two suites with the same kind of exchange, the group is a choice of its own.
                if one.key_exchange.kind == other.key_exchange.kind {
                    let (old, new) = exchanges;
                    differs(weaker(is_weaker), "key exchange", old, new);
                }
            } else {
                let (old, new) = match lost && exchanges.0 == exchanges.1 {
                    true => ("forward secret".to_owned(), "not forward secret".to_owned()),
                    false => exchanges,
                };
                differs(chosen(is_weaker), "key exchange", old, new);
            }
            let signed_alike = one.protocol == other.protocol
                && authentication(&one.cipher) == authentication(&other.cipher);
            let signatures = [
                (
                    "server signature",
                    &one.server_signature,
                    &other.server_signature,
                ),
                (
                    "client signature",
                    &one.client_signature,
                    &other.client_signature,
                ),
            ];
            for (field, one, other) in signatures {
                // Of a dialect that does not name it, nothing is known.
                if let (true, Some(one), Some(other)) = (signed_alike, one, other)
                    && one != other
                {
                    let class = weaker(other.strength() < one.strength());
                    differs(class, field, one.words(other), other.words(one));
                }
            }
        }
        (None, None) => {}
        (one, _) => {
            let words = |there: bool| if there { "TLS" } else { "no TLS" }.to_owned();
            let class = weaker(one.is_some());
            differs(class, "session", words(one.is_some()), words(one.is_none()));
        }
    }
    for status in &a.testimonies {
        let other = b
            .testimonies
            .iter()
            .find(|other| other.witness == status.witness);
        if let (Some(old), Some(new)) = (
            &status.status,
            other.and_then(|other| other.status.as_ref()),
        ) {
            let field = format!("status ({})", status.witness.replace('_', " "));
            differs(Class::Status, &field, old.clone(), new.clone());
        }
    }
    differs(Class::Failure, "cause", causes(a), causes(b));
    found
}

fn weaker(is: bool) -> Class {
    if is { Class::Weaker } else { Class::Negotiated }
}

/// Whose key signs, as far as a suite decides that.
fn authentication(cipher: &str) -> Option<classic_tls::names::Authentication> {
    classic_tls::names::CipherSuite::from_openssl_name(cipher)
        .map(classic_tls::names::CipherSuite::authentication)
}

fn delivery(seen: &Seen) -> String {
    match seen.delivered {
        Some(true) => "delivered".to_owned(),
        _ => match causes(seen) {
            none if none == NO_CAUSE => "not delivered".to_owned(),
            causes => format!("not delivered ({causes})"),
        },
    }
}

const NO_CAUSE: &str = "no failure";

/// The causes of a failure, each once: those that a log tells, else those of whoever does.
fn causes(seen: &Seen) -> String {
    let by = |from_log: bool| {
        let mut causes: Vec<String> = seen
            .failures
            .iter()
            .filter(|failure| failure.witness.ends_with("log") == from_log)
            .map(|failure| match &failure.alert {
                Some(alert) => {
                    format!("{}: {}, alert {alert}", failure.side, plain(&failure.cause))
                }
                None => format!("{}: {}", failure.side, plain(&failure.cause)),
            })
            .collect();
        causes.sort();
        causes.dedup();
        causes
    };
    let causes = match by(true) {
        none if none.is_empty() => by(false),
        some => some,
    };
    match causes.is_empty() {
        true => NO_CAUSE.to_owned(),
        false => causes.join("; "),
    }
}

/// Text without the name of a target, where that stands as a word of its own.
fn unnamed(text: &str, target: &str) -> String {
    let of_name = |c: char| c.is_alphanumeric() || ".-_@".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(target).filter(|_| !target.is_empty()) {
        let (before, behind) = (&rest[..at], &rest[at + target.len()..]);
        let inside = before.ends_with(of_name)
            || shown.ends_with(of_name) && before.is_empty()
            || behind.starts_with(of_name);
        shown.push_str(before);
        shown.push_str(if inside { target } else { "<target>" });
        rest = behind;
    }
    shown + rest
}

/// A cause without addresses, ports and the names made up for one case: each target has its own.
fn plain(cause: &str) -> String {
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    let words = cause.split(' ').map(|word| {
        let bare = match is_address(word) {
            true => word,
            false => word.trim_end_matches([':', ',', ';', '.', ')']),
        };
        let after = &word[bare.len()..];
        let shown = match bare.rsplit_once(':') {
            _ if is_address(bare) => "<address>".to_owned(),
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{}:<port>", made_up(host))
            }
            _ => made_up(bare),
        };
        shown + after
    });
    words.collect::<Vec<_>>().join(" ")
}

fn made_up(host: &str) -> String {
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    if is_address(host) {
        return "<address>".to_owned();
    }
    if let Some((name, address)) = host
        .strip_suffix(']')
        .and_then(|host| host.rsplit_once('['))
        && is_address(address)
    {
        return format!("{}[<address>]", made_up(name));
    }
    let labels = host
        .split('.')
        .map(|label| match label.strip_prefix("case-") {
            Some(_) => "<case>",
            None => label,
        });
    labels.collect::<Vec<_>>().join(".")
}

/// Words that differ, witness by witness.
fn texts(a: &Seen, b: &Seen) -> Vec<Difference> {
    let empty = String::new();
    let mut found = Vec::new();
    let names: std::collections::BTreeSet<&String> =
        a.witnesses.keys().chain(b.witnesses.keys()).collect();
    for name in names {
        // Client and server may say the same words.
        let (class, field) = match name.as_str() {
            log if log.ends_with(" log") => (Class::LogText, "log"),
            "received" => (Class::HeaderText, "received"),
            other => (Class::Detail, other),
        };
        let said = |seen: &'_ Seen| seen.witnesses.get(name).unwrap_or(&empty).clone();
        let changes = renamed(changes(&said(a), &said(b)), &a.target, &b.target);
        found.extend(changes.into_iter().map(|change| Difference {
            class,
            field: field.to_owned(),
            old: change.old,
            new: change.new,
            example: change.lines,
        }));
    }
    found
}

/// The changes without those that are only what the targets are called. A target may have the name of any word, such as
/// `cipher`: it is a name where the other side has its own.
fn renamed(changes: Vec<Change>, old: &str, new: &str) -> Vec<Change> {
    let is_name = |change: &Change| unnamed(&change.old, old) == unnamed(&change.new, new);
    changes
        .into_iter()
        .filter(|change| !is_name(change))
        .collect()
}

/// The words in which two snapshots differ, each with the witness that says them.
pub fn words(old: &str, old_target: &str, new: &str, new_target: &str) -> Vec<String> {
    let of = |text: &str| -> BTreeMap<String, String> {
        let all = crate::snapshot::sections(text).into_iter();
        all.map(|(section, said)| (section.name().to_owned(), said))
            .collect()
    };
    let (old, new) = (of(old), of(new));
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut words = Vec::new();
    for name in names {
        let said = |all: &BTreeMap<String, String>| all.get(name).cloned().unwrap_or_default();
        let changes = changes(&said(&old), &said(&new));
        for change in renamed(changes, old_target, new_target) {
            words.push(match (change.old.as_str(), change.new.as_str()) {
                ("", new) => format!("{name}: + {new}"),
                (old, "") => format!("{name}: - {old}"),
                (old, new) => format!("{name}: {old} → {new}"),
            });
        }
    }
    words.sort();
    words.dedup();
    words
}

fn rank(protocol: &str) -> usize {
    let order = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    order
        .iter()
        .position(|known| *known == protocol)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
