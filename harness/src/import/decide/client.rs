//! The report's Postfix is the client: the server that shows its line.

mod certificate;
mod dane;
mod other;
mod policy;

use toml::{Table, Value};

use super::super::draft::{Draft, Peer, list};
use super::super::report::{Report, Setting};
use super::super::symptom::Kind;
use super::super::values::Stock;
use super::{Matter, said, session};
use crate::scenario::SideName;
use certificate::certificate;
use dane::{dane, zones};
use other::other;
use policy::{policy, sasl};

const CLIENT: SideName = SideName::Client;

/// `relayhost` and its like: the next hop is a name of the test network.
pub(super) fn next_hop(setting: &Setting, report: &Report, draft: &mut Draft) {
    if setting.value.is_empty() {
        return;
    }
    let said = said(setting, report);
    draft.replaced.push(format!(
        "{} = {said}: the next hop is [mail.example.test], on a port of the harness",
        setting.name
    ));
}

/// Chooses the server, and what to expect.
pub(super) fn decide(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    server_of_the_session(matter, draft);
    zones(matter, draft);
    if matter.value("smtp_tls_CApath").is_some() && draft.client.value("smtp_tls_CAfile").is_none()
    {
        draft.client.add(
            "smtp_tls_CAfile",
            "ca:root",
            "stands in for smtp_tls_CApath",
        );
    }
    if matter.value("smtp_tls_wrappermode") == Some("yes")
        && matter.value("smtp_tls_security_level").is_none()
        && matter.kind != Kind::WrapperLevel
    {
        draft.client.add(
            "smtp_tls_security_level",
            "encrypt",
            "not in the report; wrapper mode needs it",
        );
    }
    match matter.kind {
        Kind::UntrustedIssuer
        | Kind::Expired
        | Kind::NotYetValid
        | Kind::SelfSigned
        | Kind::WeakCertificate
        | Kind::NameMismatch
        | Kind::Fingerprint
        | Kind::NotVerified => {
            certificate(matter, draft);
        }
        Kind::NotDnssec
        | Kind::TlsaLookup
        | Kind::NoTlsa
        | Kind::TlsaUnusable
        | Kind::NoTlsaMatch
        | Kind::DaneWithoutDnssec => {
            dane(matter, draft);
        }
        Kind::PolicyAttribute
        | Kind::PolicyMalformed
        | Kind::PolicyLookup
        | Kind::PolicyProblem => {
            policy(matter, stock, draft);
        }
        Kind::SaslClient | Kind::SaslClientMechanisms => sasl(matter, stock, draft),
        Kind::Established => established(matter, draft),
        _ => other(matter, draft),
    }
    // What the session's options cannot hold beside a peer that does something wrong.
    if let Peer::Own(_, options) = &mut draft.server.peer
        && options.contains_key("fault")
    {
        options.retain(|name, _| name == "fault");
    }
}

fn server_of_the_session(matter: &Matter<'_>, draft: &mut Draft) {
    let Some(summary) = &matter.summary else {
        return;
    };
    let (kind, options) = session::peer(summary);
    draft.server.own(kind, options);
    if let Some(certificate) = matter.signature().filter(|name| *name != "rsa2048") {
        draft.server.certificate(certificate);
    }
}

fn is_deferred(report: &Report) -> bool {
    report.log.iter().any(|line| {
        line.text.contains("status=deferred")
            || line.text.contains("Server certificate not ")
            || line.text.contains("status=bounced")
    })
}

fn established(matter: &Matter<'_>, draft: &mut Draft) {
    let Some(summary) = &matter.summary else {
        draft.notes.push(
            "no line of the log tells what went on: nothing but the delivery is expected"
                .to_owned(),
        );
        return;
    };
    session::facts(summary, &mut draft.expect);
    let Some(status) = matter.status() else {
        return;
    };
    let given =
        matter.value("smtp_tls_CAfile").is_some() || matter.value("smtp_tls_CApath").is_some();
    match status {
        "Anonymous" => {
            let mut options = Table::new();
            options.insert("profile".to_owned(), Value::from("anonymous"));
            draft.server.own(
                "classic",
                Table::from_iter([(
                    "versions".to_owned(),
                    list(&[&summary.protocol.to_string()]),
                )]),
            );
            draft.server.certificate("none");
            draft.expect.remove("cipher");
            draft.expect.remove("key-exchange");
        }
        "Untrusted" if given => draft.server.certificate("other-ca"),
        "Untrusted" => draft
            .client
            .add("smtp_tls_CAfile", "", "not in the report: no CA is known"),
        _ if !given && !matter.names.zones => draft.client.add(
            "smtp_tls_CAfile",
            "ca:root",
            "not in the report: the line says that a CA is trusted",
        ),
        _ => {}
    }
    draft.expect("client-status", status);
}

/// Do the reported settings refuse TLS 1.0?
pub(super) fn refuses_old(matter: &Matter<'_>, role: &str) -> bool {
    ["protocols", "mandatory_protocols"].iter().any(|end| {
        matter
            .value(&format!("{role}_tls_{end}"))
            .is_some_and(|value| {
                let words: Vec<&str> = value.split([',', ' ', ':']).collect();
                let excluded = words.contains(&"!TLSv1");
                let least = value.contains(">=TLSv1.") || value.contains(">= TLSv1.");
                let listed =
                    words.iter().any(|word| word.starts_with("TLSv1")) && !words.contains(&"TLSv1");
                excluded || least || listed
            })
    })
}

/// A list of protocols with a word in it that no Postfix knows.
pub(super) fn protocol_list(matter: &Matter<'_>, role: &str, draft: &mut Draft) {
    let side = matter.side;
    const KNOWN: [&str; 7] = [
        "SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3",
    ];
    let name = format!("{role}_tls_protocols");
    let said = matter
        .value(&name)
        .or_else(|| matter.value(&format!("{role}_tls_mandatory_protocols")))
        .unwrap_or("TLSv1 TLSv1.4")
        .to_owned();
    let unknown = said
        .split([',', ' ', ':', '>', '<', '=', '!'])
        .any(|word| !word.is_empty() && !KNOWN.contains(&word));
    if said.contains(">=") || said.contains("<=") {
        draft.targets.push("postfix < 3.6".to_owned());
        draft.notes.push("Postfix 3.6 reads such a list".to_owned());
    } else if !unknown {
        draft.notes.push("every target knows all words of the reported list: TLSv1.4 stands in for the one that the reporter's Postfix did not know".to_owned());
        for end in ["protocols", "mandatory_protocols"] {
            let name = format!("{role}_tls_{end}");
            if matter.value(&name).is_some() || end == "protocols" {
                let value = match said.rsplit_once([' ', ',']) {
                    Some((before, _)) => format!("{before} TLSv1.4"),
                    None => "TLSv1.4".to_owned(),
                };
                draft.side(side).replace(
                    &name,
                    &value,
                    "the last word is one that no target knows",
                );
            }
        }
    }
    draft.expect_log(side, &["Invalid TLS protocol list"]);
}
