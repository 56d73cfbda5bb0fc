//! Certificates and keys of the server's own that cannot be used.

use super::super::super::draft::{Draft, Peer};
use super::super::super::symptom::Kind;
use super::super::super::values::Stock;
use super::super::Matter;
use super::SERVER;

/// A file that cannot be used: told when the process starts.
pub(super) fn credentials(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    if matter.kind == Kind::CaMissing {
        draft.server.add(
            "smtpd_tls_CAfile",
            "/etc/postfix/pfs/no-such.pem",
            "a file that is not there",
        );
    } else if ![
        "smtpd_tls_cert_file",
        "smtpd_tls_chain_files",
        "smtpd_tls_eccert_file",
    ]
    .iter()
    .any(|name| draft.server.value(name).is_some())
    {
        let (cert, key) = match matter.kind {
            Kind::KeyMismatch => ("cert:rsa2048".to_owned(), format!("key:{}", stock.key)),
            Kind::NoPem => ("file:empty.pem".to_owned(), "file:empty.pem".to_owned()),
            _ => (
                "/etc/postfix/pfs/no-such.pem".to_owned(),
                "/etc/postfix/pfs/no-such.pem".to_owned(),
            ),
        };
        draft
            .server
            .add("smtpd_tls_cert_file", &cert, "not in the report");
        draft
            .server
            .add("smtpd_tls_key_file", &key, "not in the report");
    }
    // One file for both, of which the log says that the two do not fit.
    let own_key = draft.server.value("smtpd_tls_key_file");
    if matter.kind == Kind::KeyMismatch
        && draft.server.value("smtpd_tls_cert_file").is_some()
        && own_key.is_none_or(|key| key.starts_with('$'))
    {
        let (name, key) = ("smtpd_tls_key_file", format!("key:{}", stock.key));
        let why = "a key that is not the certificate's";
        match own_key {
            Some(_) => draft.server.replace(name, &key, why),
            None => draft.server.add(name, &key, why),
        }
    }
    if matter.kind == Kind::KeyMismatch && draft.server.value("smtpd_tls_chain_files").is_some() {
        let chain = format!("key:{}, cert:rsa2048", stock.key);
        draft.server.replace(
            "smtpd_tls_chain_files",
            &chain,
            "a key that is not the certificate's",
        );
    }
    if matter.kind == Kind::NoPem {
        draft.files.insert("empty.pem".to_owned(), String::new());
    }
    draft.client.peer = Peer::Postfix(Vec::new());
    let wrapper = draft.server.value("smtpd_tls_wrappermode") == Some("yes");
    let chain_missing =
        matter.kind == Kind::FileMissing && draft.server.value("smtpd_tls_chain_files").is_some();
    let mandatory = matches!(
        draft.server.value("smtpd_tls_security_level"),
        Some("encrypt")
    ) || draft.server.value("smtpd_enforce_tls") == Some("yes");
    if wrapper {
        draft
            .client
            .add("smtp_tls_wrappermode", "yes", "the service begins with TLS");
        draft.client.add(
            "smtp_tls_security_level",
            "encrypt",
            "wrapper mode needs it",
        );
    }
    if chain_missing {
        // A chain file that is not there costs the certificate, not TLS.
        draft.expect_log(SERVER, &["error opening chain file"]);
        return;
    }
    draft.expect("delivered", !wrapper && !mandatory);
    draft.expect("tls", false);
    let mut pieces = vec!["disabling TLS support"];
    let told = |needle: &str| {
        matter
            .report
            .log
            .iter()
            .any(|line| line.text.contains(needle))
    };
    match matter.kind {
        Kind::FileMissing if told("cannot get RSA certificate") => {
            pieces.insert(0, "cannot get RSA certificate from file");
            pieces.push("No such file or directory");
        }
        Kind::KeyMismatch if told("key type mismatch") => pieces.push("key type mismatch"),
        Kind::KeyMismatch => pieces.push("key values mismatch"),
        Kind::CaMissing => pieces.insert(0, "cannot load Certification Authority data"),
        _ => {}
    }
    if wrapper && told("Wrapper-mode request dropped") {
        pieces.push("Wrapper-mode request dropped from");
    }
    draft.expect_log(SERVER, &pieces);
}
