//! Clients that may relay by their certificate.

use super::super::super::draft::{Draft, Peer};
use super::super::super::report::TableKind;
use super::super::Matter;
use super::{SERVER, client_settings};

/// Relay denied to a client by its certificate.
pub(super) fn relay(matter: &Matter<'_>, draft: &mut Draft) {
    restrictions(draft);
    draft.client.peer = Peer::Postfix(client_settings(matter.report));
    let by_certificate = draft.server.value("relay_clientcerts").is_some()
        || matches!(matter.status(), Some("Trusted" | "Untrusted"))
        || draft.server.value("smtpd_tls_ask_ccert") == Some("yes");
    if by_certificate {
        draft.client.certificate("client-ecdsa");
        draft.server.add(
            "smtpd_tls_ask_ccert",
            "yes",
            "not in the report: the client showed a certificate",
        );
    } else {
        draft
            .notes
            .push("nothing in the report says what was to open the relay".to_owned());
    }
    draft.expect("delivered", false);
    if let Some(status) = matter.status() {
        draft.expect("server-status", status);
        if status == "Trusted" {
            draft.server.add(
                "smtpd_tls_CAfile",
                "ca:root",
                "not in the report: the line says that a CA is trusted",
            );
        }
    }
    draft.expect_log(
        SERVER,
        &["NOQUEUE: reject: RCPT from ", "Relay access denied"],
    );
}

/// Restrictions without what opens a server on the loopback to everybody, or asks others.
fn restrictions(draft: &mut Draft) {
    const TLS: [&str; 4] = [
        "permit_tls_clientcerts",
        "permit_tls_all_clientcerts",
        "reject_unauth_destination",
        "reject",
    ];
    let mut kept: Vec<&str> = Vec::new();
    if let Peer::Postfix(settings) = &mut draft.server.peer {
        settings.retain_mut(|setting| {
            if !setting.name.ends_with("_restrictions") {
                return true;
            }
            let words: Vec<&str> = TLS
                .into_iter()
                .filter(|word| setting.value.split([',', ' ']).any(|said| said == *word))
                .collect();
            for word in &words {
                if !kept.contains(word) {
                    kept.push(word);
                }
            }
            setting.value = words.join(", ");
            setting
                .comment
                .push_str("; what is about clients' certificates");
            !words.is_empty()
        });
    }
    if !kept.contains(&"reject_unauth_destination") {
        kept.push("reject_unauth_destination");
    }
    let value = kept.join(", ");
    draft.server.add(
        "smtpd_relay_restrictions",
        &value,
        "since Postfix 2.10 these decide about relaying",
    );
}

/// `relay_clientcerts` by the digest that the settings name; before Postfix 3.6, and with a lower compatibility_level, md5.
pub(super) fn fingerprints(matter: &Matter<'_>, draft: &mut Draft) {
    if draft.server.value("relay_clientcerts").is_none() {
        return;
    }
    let digest = matter
        .value("smtpd_tls_fingerprint_digest")
        .filter(|digest| matches!(*digest, "md5" | "sha1" | "sha256"))
        .unwrap_or("sha256");
    draft.server.add(
        "smtpd_tls_fingerprint_digest",
        digest,
        "not in the report; the default differs by version",
    );
    let key = matter.report.rows(TableKind::Fingerprints).next();
    let value = format!("inline:{{{{fp-{digest}:client-rsa=relay}}}}");
    draft.server.replace(
        "relay_clientcerts",
        &value,
        match key {
            Some(_) => "the listed client is client-rsa",
            None => "its rows are not in the report; the listed client is client-rsa",
        },
    );
}
