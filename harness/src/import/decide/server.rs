//! The report's Postfix is the server: the client that shows its line.

mod credentials;
mod other;
mod relay;

use toml::Value;

use super::super::draft::{Draft, Kept, Peer};
use super::super::report::Report;
use super::super::settings::{Use, use_of};
use super::super::symptom::Kind;
use super::super::values::Stock;
use super::{Matter, session};
use crate::scenario::SideName;
use credentials::credentials;
use other::other;
use relay::{fingerprints, relay};

const SERVER: SideName = SideName::Server;

/// Chooses the client, and what to expect.
pub(super) fn decide(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    service(matter, draft);
    client_of_the_session(matter, draft);
    fingerprints(matter, draft);
    match matter.kind {
        Kind::Established | Kind::SniUnmatched => established(matter, draft),
        Kind::FileMissing | Kind::KeyMismatch | Kind::NoPem | Kind::CaMissing => {
            credentials(matter, stock, draft)
        }
        Kind::RelayDenied => relay(matter, draft),
        _ => other(matter, draft),
    }
    if let Peer::Own(_, options) = &mut draft.client.peer
        && options.contains_key("fault")
    {
        options.retain(|name, _| name == "fault");
    }
}

/// Wrapper mode and its service by the name that logs, and postscreen.
fn service(matter: &Matter<'_>, draft: &mut Draft) {
    let log = &matter.report.log;
    let named = |word: &str| {
        log.iter()
            .any(|line| line.name.as_deref().is_some_and(|name| name.contains(word)))
    };
    let told = |word: &str| {
        log.iter()
            .any(|line| line.text.contains(&format!("for service {word}")))
    };
    let smtps = ["smtps", "submissions"]
        .into_iter()
        .find(|word| told(word) || named(&format!("/{word}/")));
    if let Some(service) = smtps {
        draft
            .server
            .add("smtpd_tls_wrappermode", "yes", "the service is smtps");
        draft
            .server
            .keys
            .insert("service".to_owned(), Value::from(service));
    }
    if matter.value("smtpd_tls_wrappermode") == Some("yes") && matter.kind != Kind::Established {
        draft
            .server
            .add("smtpd_tls_wrappermode", "yes", "as reported");
    }
    let screened = log
        .iter()
        .any(|line| matches!(line.daemon(), Some("postscreen" | "tlsproxy")));
    if screened && smtps.is_none() {
        draft
            .server
            .keys
            .insert("postscreen".to_owned(), Value::from(true));
    }
}

fn client_of_the_session(matter: &Matter<'_>, draft: &mut Draft) {
    let Some(summary) = &matter.summary else {
        return;
    };
    let (kind, options) = session::peer(summary);
    draft.client.own(kind, options);
    let signed = summary.client_signature.as_ref();
    let shown =
        matches!(matter.status(), Some("Untrusted" | "Trusted" | "Verified")) || signed.is_some();
    if shown {
        let name = match signed {
            Some(signature) if signature.text.starts_with("ECDSA") => "client-ecdsa",
            Some(signature) if signature.text.starts_with("ED25519") => "client-ed25519",
            _ if matter.status() == Some("Untrusted")
                && matter.value("smtpd_tls_CAfile").is_some() =>
            {
                "client-other-ca"
            }
            _ => "client-rsa",
        };
        draft.client.certificate(name);
    }
}

fn established(matter: &Matter<'_>, draft: &mut Draft) {
    let Some(summary) = &matter.summary else {
        if matter.report.log.is_empty() {
            draft
                .notes
                .push("no line of a log: nothing but the delivery is expected".to_owned());
        }
        return;
    };
    session::facts(summary, &mut draft.expect);
    if !matter.report.received.is_empty() {
        draft.expect("received-tls", true);
        if let Some(word) = session::received_client(matter.report) {
            draft.expect("received-client", word);
        }
    } else if let Some(status) = matter.status() {
        draft.expect("server-status", status);
        if status == "Trusted" || status == "Verified" {
            draft.server.add(
                "smtpd_tls_CAfile",
                "ca:root",
                "not in the report: the line says that a CA is trusted",
            );
        }
        if status != "Anonymous" {
            draft.server.add(
                "smtpd_tls_ask_ccert",
                "yes",
                "not in the report: the client showed a certificate",
            );
        }
    }
    if matter.kind == Kind::SniUnmatched {
        draft.client.option("sni", "nomatch.example.test");
        draft.server.add(
            "tls_server_sni_maps",
            "inline:{{sni.example.test=chain:sni-rsa}}",
            "its rows are not in the report",
        );
        draft.expect_log(SERVER, &["not matched, using default chain"]);
    }
}

/// What the report says of the client, where it is a Postfix too.
fn client_settings(report: &Report) -> Vec<Kept> {
    let Some(machine) = report
        .machines
        .iter()
        .find(|machine| machine.role == Some(SideName::Client))
    else {
        return Vec::new();
    };
    let plain = |value: &str| !value.contains(['/', ':', '$', '[']) && !value.is_empty();
    let settings = machine.effective(None);
    let own = settings.values().filter(|setting| {
        use_of(&setting.name, SideName::Client) == Use::Keep && plain(&setting.value)
    });
    let kept = own.map(|setting| Kept {
        name: setting.name.clone(),
        value: setting.value.clone(),
        comment: report.place(setting.number),
    });
    kept.collect()
}
