//! Certificates of the server's that the line is about: issuer, time, name, fingerprint.

use toml::{Table, Value};

use super::super::super::draft::{Draft, has};
use super::super::super::symptom::Kind;
use super::super::Matter;
use super::super::level::at_least;
use super::{CLIENT, is_deferred};

pub(super) fn certificate(matter: &Matter<'_>, draft: &mut Draft) {
    let level = matter.level();
    let mandatory = matches!(
        level.as_str(),
        "verify" | "secure" | "fingerprint" | "dane-only"
    );
    if matter.kind != Kind::Fingerprint && !mandatory && is_deferred(matter.report) {
        at_least("verify", matter, draft);
    }
    let given =
        matter.value("smtp_tls_CAfile").is_some() || matter.value("smtp_tls_CApath").is_some();
    draft.expect("delivered", !is_deferred(matter.report) && !mandatory);
    let log = |pieces: &[&str], draft: &mut Draft| draft.expect_log(CLIENT, pieces);
    match matter.kind {
        Kind::UntrustedIssuer => {
            if given {
                draft.server.certificate("other-ca");
            } else {
                draft
                    .client
                    .add("smtp_tls_CAfile", "", "not in the report: no CA is known");
                draft
                    .client
                    .add("smtp_tls_CApath", "", "not in the report: no CA is known");
            }
            draft.expect("client-status", "Untrusted");
            let pieces = [
                "certificate verification failed for ",
                "untrusted issuer /",
                "Server certificate not ",
            ];
            log(
                if mandatory || is_deferred(matter.report) {
                    &pieces
                } else {
                    &pieces[..2]
                },
                draft,
            );
        }
        Kind::SelfSigned => one_kind(
            matter,
            "self-signed",
            &["certificate verification failed for ", "signed certificate"],
            draft,
        ),
        Kind::Expired => one_kind(
            matter,
            "expired",
            &[
                "certificate verification failed for ",
                "certificate has expired",
            ],
            draft,
        ),
        Kind::NotYetValid => one_kind(
            matter,
            "not-yet-valid",
            &[
                "certificate verification failed for ",
                "certificate is not yet valid",
            ],
            draft,
        ),
        Kind::WeakCertificate => {
            draft.server.certificate("rsa1024");
            draft.client.add(
                "smtp_tls_CAfile",
                "ca:root",
                "the certificate is judged by its key alone",
            );
            draft.client.add(
                "tls_medium_cipherlist",
                "DEFAULT:@SECLEVEL=2",
                "not in the report: the system's security level",
            );
            draft.notes.push("the system's own security level cannot be seen in a report; SECLEVEL=2 stands in for it".to_owned());
            draft.expect.remove("delivered");
            draft.expect("delivered", false);
        }
        Kind::Fingerprint => {
            at_least("fingerprint", matter, draft);
            if draft.client.value("smtp_tls_policy_maps").is_none() {
                draft.client.add(
                    "smtp_tls_fingerprint_cert_match",
                    "fp-sha256:rsa3072",
                    "a fingerprint that is not the server's",
                );
                draft.client.add(
                    "smtp_tls_fingerprint_digest",
                    "sha256",
                    "the digest of that fingerprint",
                );
            }
            draft.expect("delivered", false);
            log(&["Server certificate not verified"], draft);
        }
        _ => {
            // The name: certificates of the test PKI are for mail.example.test, in a zone of the case's own they have no
            // name that fits.
            if !matter.names.zones {
                draft.server.certificate("wrong-name");
                shown_by_sni(matter, draft);
            }
            if !given {
                draft.client.add(
                    "smtp_tls_CAfile",
                    "ca:root",
                    "not in the report: the line says that the CA is trusted",
                );
            }
            draft.expect("delivered", false);
            log(&["status=deferred (Server certificate not "], draft);
            draft.notes.push("for a name that does not match, Postfix 3.6 to 3.9 say Untrusted, others Trusted; 3.5 has no line of its own for it".to_owned());
        }
    }
}

/// The right certificate is there for who asks by name.
fn shown_by_sni(matter: &Matter<'_>, draft: &mut Draft) {
    let told = |needle: &str| {
        matter
            .report
            .dropped
            .iter()
            .any(|dropped| dropped.what.contains(needle))
    };
    if told("smtp_tls_servername") || matter.value("smtp_tls_servername").is_some() {
        let names = Table::from_iter([("mail.example.test".to_owned(), Value::from("rsa2048"))]);
        draft
            .server
            .keys
            .insert("sni".to_owned(), Value::Table(names));
        draft
            .notes
            .push("smtp_tls_servername = hostname would get the certificate that fits".to_owned());
    }
}

/// A certificate of one kind; where the log tells of several, a case for each.
fn one_kind(matter: &Matter<'_>, name: &str, pieces: &[&str], draft: &mut Draft) {
    let kinds: Vec<(&str, &str)> = matter
        .symptoms
        .iter()
        .filter(|symptom| symptom.side == CLIENT)
        .filter_map(|symptom| match symptom.kind {
            Kind::SelfSigned => Some(("self-signed", "signed certificate")),
            Kind::Expired => Some(("expired", "certificate has expired")),
            Kind::NotYetValid => Some(("not-yet-valid", "certificate is not yet valid")),
            _ => None,
        })
        .collect();
    draft
        .client
        .add("smtp_tls_CAfile", "ca:root", "not in the report");
    if name != "self-signed" {
        // That it is out of its time is told only of a certificate of a CA that is known.
        draft
            .client
            .replace("smtp_tls_CAfile", "ca:root", "the root of the test PKI");
    }
    draft.expect("client-status", "Untrusted");
    if kinds.len() < 2 {
        draft.server.certificate(name);
        draft.expect_log(CLIENT, pieces);
        return;
    }
    let axis = kinds.iter().map(|(id, line)| {
        Value::Table(Table::from_iter([
            ("id".to_owned(), Value::from(*id)),
            ("line".to_owned(), Value::from(*line)),
        ]))
    });
    draft
        .matrix
        .insert("certificate".to_owned(), Value::Array(axis.collect()));
    draft.server.certificate("<certificate>");
    draft.expect.insert(
        "client-log".to_owned(),
        has(&["certificate verification failed for ", "<certificate.line>"]),
    );
}
