//! All other lines of a client.

use toml::{Table, Value};

use super::super::super::draft::{Draft, Peer, list};
use super::super::super::symptom::Kind;
use super::super::Matter;
use super::super::level::{at_least, no_more};
use super::{CLIENT, protocol_list, refuses_old};

pub(super) fn other(matter: &Matter<'_>, draft: &mut Draft) {
    let mut server = |kind: &'static str, options: Table| draft.server.own(kind, options);
    let option = |name: &str, value: Value| Table::from_iter([(name.to_owned(), value)]);
    let versions = |version: &str| option("versions", list(&[version]));
    draft
        .expect
        .insert("delivered".to_owned(), Value::from(false));
    match matter.kind {
        Kind::NotTls => {
            server(
                "rustls",
                option("fault", Value::from("garbage-after-starttls")),
            );
            if matter.value("smtp_tls_wrappermode") == Some("yes") {
                draft.notes.push(
                    "the server greets in clear, where the client begins with TLS".to_owned(),
                );
            }
            draft.expect_log(
                CLIENT,
                &[
                    "SSL_connect error to ",
                    "wrong version number",
                    "Cannot start TLS: handshake failure",
                ],
            );
        }
        Kind::WrapperNeeded => {
            draft
                .client
                .keys
                .insert("nexthop".to_owned(), Value::from("[mail.example.test]:465"));
            draft.server.peer = Peer::Postfix(Vec::new());
            draft.server.add("smtpd_tls_wrappermode", "yes", "port 465");
            draft
                .server
                .keys
                .insert("service".to_owned(), Value::from("smtps"));
            draft.expect_log(
                CLIENT,
                &["SMTPS wrappermode (TCP port 465) requires setting"],
            );
        }
        Kind::WrapperLevel => {
            draft
                .client
                .replace("smtp_tls_wrappermode", "yes", "the line is about it");
            no_more("may", matter, draft);
            draft.expect_log(CLIENT, &["smtp_tls_wrappermode requires \"smtp_tls_security_level = encrypt\" (or stronger)"]);
        }
        Kind::NotOffered => {
            server("rustls", option("starttls", Value::from(false)));
            at_least("encrypt", matter, draft);
            draft.expect("tls", false);
            draft.expect_log(CLIENT, &["TLS is required, but was not offered by host"]);
        }
        Kind::Refused => {
            server("rustls", option("fault", Value::from("refuse-starttls")));
            at_least("encrypt", matter, draft);
            draft.expect("tls", false);
            draft.expect_log(CLIENT, &["refused to start TLS"]);
        }
        Kind::MustStarttls => {
            draft.server.peer = Peer::Postfix(Vec::new());
            draft.server.add(
                "smtpd_tls_security_level",
                "encrypt",
                "the server insists on TLS",
            );
            no_more("none", matter, draft);
            draft.expect("tls", false);
            draft.expect_log(CLIENT, &["530 5.7.0 Must issue a STARTTLS command first"]);
        }
        Kind::DhTooSmall => {
            let mut options = option("dh", Value::from("512"));
            options.insert("ciphers".to_owned(), list(&["DHE-RSA-AES256-GCM-SHA384"]));
            server("classic", options);
            draft.notes.push("the server's prime has 512 bits, too few for every target; how many the reported one had is not in the log".to_owned());
            draft.expect_failure(CLIENT, Some("handshake_failure"), "dh key too small");
            draft.expect_log(
                CLIENT,
                &["dh key too small", "Cannot start TLS: handshake failure"],
            );
        }
        Kind::UnsupportedProtocol => {
            server("classic", versions("TLSv1"));
            if !refuses_old(matter, "smtp") {
                draft.client.replace(
                    "smtp_tls_protocols",
                    "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1",
                    "added: what the system's OpenSSL refuses is not in the report",
                );
                draft.notes.push("with the reported settings alone no target refuses TLS 1.0: the minimum is said in main.cf here".to_owned());
            }
            draft.expect_log(
                CLIENT,
                &[
                    "SSL_connect error to ",
                    "Cannot start TLS: handshake failure",
                ],
            );
        }
        Kind::NoSharedCipher | Kind::PeerAlert => {
            let mut options = versions("TLSv1.2");
            options.insert("ciphers".to_owned(), list(&["AES128-SHA"]));
            server("classic", options);
            draft.client.add(
                "smtp_tls_exclude_ciphers",
                "kRSA",
                "added: the server has nothing but static RSA here",
            );
            if matter.kind == Kind::PeerAlert {
                draft.notes.push("why the server sent its alert is only in the server's log; a common reason stands in".to_owned());
            }
            draft.expect_log(
                CLIENT,
                &[
                    "SSL_connect error to ",
                    "alert handshake failure",
                    "Cannot start TLS: handshake failure",
                ],
            );
        }
        Kind::LegacyRenegotiation => {
            server(
                "rustls",
                option("fault", Value::from("close-after-starttls")),
            );
            draft.notes.push("no peer here lacks secure renegotiation (RFC 5746): no target can show the reported line; the nearest is a server that closes the connection".to_owned());
            draft.expect_log(CLIENT, &["SSL_connect error to "]);
        }
        Kind::CaMissing => {
            draft.client.add(
                "smtp_tls_CAfile",
                "/etc/postfix/pfs/no-such.pem",
                "a file that is not there",
            );
            draft.expect("tls", false);
            draft.expect.remove("delivered");
            let mandatory = !matches!(matter.level().as_str(), "may" | "none" | "dane");
            draft.expect("delivered", !mandatory);
            draft.expect_log(
                CLIENT,
                &[
                    "cannot load Certification Authority data",
                    "disabling TLS support",
                ],
            );
        }
        Kind::FileMissing | Kind::KeyMismatch | Kind::NoPem => credentials(matter, draft),
        Kind::EngineUnavailable => {
            at_least("encrypt", matter, draft);
            draft.client.add(
                "smtp_tls_CAfile",
                "/etc/postfix/pfs/no-such.pem",
                "why TLS is off is not in the report",
            );
            draft.expect_log(
                CLIENT,
                &["TLS is required, but our TLS engine is unavailable"],
            );
        }
        Kind::ProtocolList => {
            protocol_list(matter, "smtp", draft);
            draft.expect.remove("delivered");
        }
        Kind::BadCiphers => {
            draft
                .client
                .add("tls_medium_cipherlist", "", "the line is about it");
            draft.expect_log(CLIENT, &["tls_"]);
        }
        Kind::LostConnection => {
            let timed_out = matter
                .report
                .log
                .iter()
                .any(|line| line.text.contains("timed out"));
            let fault = if timed_out {
                "silent-after-starttls"
            } else {
                "close-after-starttls"
            };
            server("rustls", option("fault", Value::from(fault)));
            if timed_out {
                draft.client.add(
                    "smtp_starttls_timeout",
                    "2s",
                    "added: nobody waits five minutes here",
                );
            }
            draft.expect_log(CLIENT, &["SSL_connect error to "]);
        }
        _ => {
            draft.expect.remove("delivered");
            draft
                .notes
                .push("no peer is known that shows this line".to_owned());
        }
    }
}

/// A certificate of the client's own that cannot be used.
fn credentials(matter: &Matter<'_>, draft: &mut Draft) {
    let names = [
        "smtp_tls_cert_file",
        "smtp_tls_chain_files",
        "smtp_tls_eccert_file",
    ];
    if !names.iter().any(|name| draft.client.value(name).is_some()) {
        draft.client.add(
            "smtp_tls_cert_file",
            "/etc/postfix/pfs/no-such.pem",
            "not in the report; the line is about such a file",
        );
    }
    if matter.kind == Kind::NoPem {
        draft.files.insert("empty.pem".to_owned(), String::new());
    }
    draft.expect.remove("delivered");
    draft.expect("tls", false);
    draft.expect(
        "delivered",
        matches!(matter.level().as_str(), "may" | "none" | "dane"),
    );
    draft.expect_log(CLIENT, &["disabling TLS support"]);
}
