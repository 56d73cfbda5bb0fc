//! All other lines of a server, and alerts of its clients.

use toml::{Table, Value};

use super::super::super::draft::{Draft, Peer, list};
use super::super::super::symptom::Kind;
use super::super::Matter;
use super::super::client::{protocol_list, refuses_old};
use super::SERVER;

pub(super) fn other(matter: &Matter<'_>, draft: &mut Draft) {
    let option = |name: &str, value: Value| Table::from_iter([(name.to_owned(), value)]);
    let told = |needle: &str| {
        matter
            .report
            .log
            .iter()
            .any(|line| line.text.contains(needle))
    };
    let counts = "ehlo=1 starttls=0/1 commands=1/2";
    let handshake = |cause: &str, draft: &mut Draft| {
        let mut pieces = vec!["SSL_accept error from", cause];
        if told("lost connection after STARTTLS from") {
            pieces.push("lost connection after STARTTLS from");
        }
        if told(counts) {
            pieces.push(counts);
        }
        draft.expect_log(SERVER, &pieces);
    };
    match matter.kind {
        Kind::NoSharedCipher => {
            let mut options = option("versions", list(&["TLSv1"]));
            if limits_ciphers(matter) {
                options.insert(
                    "ciphers".to_owned(),
                    list(&["AES256-SHA", "AES128-SHA", "DES-CBC3-SHA"]),
                );
                draft.notes.push("what the client offered is not in the log: one that knows nothing but static RSA stands in".to_owned());
            } else if draft.server.value("smtpd_tls_chain_files").is_none()
                && draft.server.value("smtpd_tls_cert_file").is_none()
                && told("No server certs")
            {
                options.insert("ciphers".to_owned(), list(&["AES128-SHA"]));
            } else {
                options.insert("ciphers".to_owned(), list(&["RC4-SHA", "RC4-MD5"]));
                draft.notes.push("what the client offered is not in the log: one that knows nothing but RC4 stands in".to_owned());
            }
            draft.client.own("classic", options);
            draft.expect_failure(SERVER, Some("handshake_failure"), "no shared cipher");
            handshake("no shared cipher", draft);
        }
        Kind::UnsupportedProtocol => {
            draft
                .client
                .own("classic", option("versions", list(&["TLSv1"])));
            if !refuses_old(matter, "smtpd") {
                draft.server.replace(
                    "smtpd_tls_protocols",
                    "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1",
                    "added: what the system's OpenSSL refuses is not in the report",
                );
                draft.notes.push("with the reported settings alone the targets take TLS 1.0: the minimum is said in main.cf here".to_owned());
            } else if matter
                .value("smtpd_tls_protocols")
                .is_none_or(|value| !value.contains("TLSv1."))
            {
                let value = matter
                    .value("smtpd_tls_mandatory_protocols")
                    .unwrap_or(">=TLSv1.2")
                    .to_owned();
                draft.server.replace(
                    "smtpd_tls_protocols",
                    &value,
                    "added: the client comes at level may",
                );
            }
            draft.expect_failure(SERVER, Some("protocol_version"), "unsupported protocol");
            handshake("unsupported protocol", draft);
        }
        Kind::NotTls => {
            draft.client.own(
                "rustls",
                option("fault", Value::from("garbage-after-starttls")),
            );
            draft.expect("delivered", false);
            handshake("wrong version number", draft);
        }
        Kind::PeerAlert => alert(matter, draft),
        Kind::DhTooSmall => {
            draft.server.replace(
                "smtpd_tls_dh1024_param_file",
                "dh:512",
                "a prime that is too small",
            );
            let mut options = option("versions", list(&["TLSv1.2"]));
            options.insert("ciphers".to_owned(), list(&["DHE-RSA-AES256-GCM-SHA384"]));
            draft.client.own("classic", options);
            draft.server.add(
                "tls_medium_cipherlist",
                "DEFAULT:@SECLEVEL=2",
                "added: the system's security level",
            );
            draft.notes.push("the system's own security level cannot be seen in a report; SECLEVEL=2 stands in for it".to_owned());
            draft.expect.remove("delivered");
            draft.expect_log(SERVER, &["dh key too small"]);
        }
        Kind::DhFile => {
            draft.server.replace(
                "smtpd_tls_dh1024_param_file",
                "/etc/postfix/pfs/no-such-dh.pem",
                "a file that is not there",
            );
            draft.expect_log(SERVER, &["DH parameter"]);
        }
        Kind::ProtocolList => {
            protocol_list(matter, "smtpd", draft);
            let wrapper = draft.server.value("smtpd_tls_wrappermode") == Some("yes");
            if let Peer::Own(_, options) = &mut draft.client.peer {
                options.clear();
            }
            if wrapper {
                draft.expect("delivered", false);
                draft.expect_log(
                    SERVER,
                    &[
                        "Invalid TLS protocol list",
                        "disabling TLS support",
                        "Wrapper-mode request dropped from",
                    ],
                );
            } else {
                draft.client.peer = Peer::Postfix(Vec::new());
                draft.expect("tls", false);
                draft.expect_log(
                    SERVER,
                    &["Invalid TLS protocol list", "disabling TLS support"],
                );
            }
        }
        Kind::NoClientCertificate | Kind::ClientNotTrusted => {
            draft.server.add(
                "smtpd_tls_req_ccert",
                "yes",
                "not in the report; the line needs it",
            );
            draft
                .server
                .add("smtpd_tls_CAfile", "ca:root", "not in the report");
            if draft.server.value("smtpd_tls_security_level") != Some("encrypt") {
                draft.server.replace(
                    "smtpd_tls_security_level",
                    "encrypt",
                    "a certificate can only be required where TLS is",
                );
            }
            draft.client.own("rustls", Table::new());
            draft.client.certificate(match matter.kind {
                Kind::NoClientCertificate => "none",
                _ if told("self-signed") || told("self signed") => "client-self-signed",
                _ if told("expired") => "client-expired",
                _ => "client-other-ca",
            });
            draft.expect("delivered", false);
            let text = if matter.kind == Kind::NoClientCertificate {
                "No client certificate presented"
            } else {
                "Client certificate not trusted"
            };
            draft.expect_log(SERVER, &["NOQUEUE: abort: TLS from", text]);
        }
        Kind::SelfSigned | Kind::Expired | Kind::UntrustedIssuer => {
            draft.server.add(
                "smtpd_tls_ask_ccert",
                "yes",
                "not in the report: the client showed a certificate",
            );
            draft
                .server
                .add("smtpd_tls_CAfile", "ca:root", "not in the report");
            let (name, piece) = match matter.kind {
                Kind::SelfSigned => ("client-self-signed", "signed certificate"),
                Kind::Expired => ("client-expired", "certificate has expired"),
                _ => ("client-other-ca", "untrusted issuer /"),
            };
            draft.client.certificate(name);
            draft.expect("server-status", "Untrusted");
            draft.expect_log(SERVER, &["certificate verification failed for ", piece]);
        }
        Kind::SniFile => {
            draft.server.add(
                "tls_server_sni_maps",
                "inline:{{sni.example.test=/etc/postfix/pfs/no-such.pem}}",
                "a file that is not there",
            );
            let mut options = option("versions", list(&["TLSv1.3"]));
            options.insert("sni".to_owned(), Value::from("sni.example.test"));
            draft.client.own("rustls", options);
            draft.expect_failure(SERVER, Some("internal_error"), "callback failed");
            draft.expect_log(SERVER, &["SSL_accept error from", "callback failed"]);
        }
        Kind::NoSaslMechanism => {
            draft.server.add(
                "smtpd_sasl_auth_enable",
                "yes",
                "not in the report; the line needs it",
            );
            draft.server.replace(
                "smtpd_sasl_tls_security_options",
                "noplaintext, noactive, nodictionary, noanonymous, mutual_auth, forward_secrecy",
                "leaves no mechanism, as a system without any",
            );
            draft.client.own("rustls", Table::new());
            draft.expect_failure(SERVER, None, "no SASL authentication mechanisms");
        }
        Kind::Haproxy => {
            draft.server.add(
                "smtpd_upstream_proxy_protocol",
                "haproxy",
                "not in the report; the line needs it",
            );
            draft.server.replace(
                "smtpd_upstream_proxy_timeout",
                "3s",
                "nobody waits longer here",
            );
            draft.client.own("rustls", Table::new());
            draft.expect("delivered", false);
            draft.expect_log(SERVER, &["haproxy read: "]);
        }
        Kind::BadCiphers => {
            draft
                .server
                .add("tls_medium_cipherlist", "", "the line is about it");
            draft.client.peer = Peer::Postfix(Vec::new());
            draft.expect("delivered", false);
            draft.expect_log(SERVER, &["tls_"]);
        }
        Kind::MustStarttls => {
            draft
                .server
                .replace("smtpd_tls_security_level", "encrypt", "the line needs it");
            draft.client.peer = Peer::Postfix(Vec::new());
            draft.client.add(
                "smtp_tls_security_level",
                "none",
                "the client does not start TLS",
            );
            draft.expect("delivered", false);
            draft.expect("tls", false);
        }
        Kind::LostConnection => {
            let silent = told("timed out") || told("timeout after STARTTLS");
            let fault = match () {
                () if silent => "silent-after-starttls",
                () => "close-after-starttls",
            };
            draft
                .client
                .own("rustls", option("fault", Value::from(fault)));
            if silent {
                draft.server.add(
                    "smtpd_starttls_timeout",
                    "2s",
                    "added: nobody waits five minutes here",
                );
            }
            draft.expect("delivered", false);
            draft.expect_log(SERVER, &["SSL_accept error from", "after STARTTLS from"]);
        }
        _ => {
            draft
                .notes
                .push("no client is known that shows this line".to_owned());
        }
    }
}

/// The client ended the handshake: one that looks at certificates, or at primes.
fn alert(matter: &Matter<'_>, draft: &mut Draft) {
    let told = |needle: &str| {
        matter
            .report
            .log
            .iter()
            .any(|line| line.text.contains(needle))
    };
    let about_certificate = [
        "alert number 42",
        "alert number 43",
        "alert number 44",
        "alert number 45",
        "alert number 46",
        "alert number 48",
    ]
    .iter()
    .any(|number| told(number));
    draft.expect("delivered", false);
    if about_certificate {
        let certificate = match () {
            () if told("alert number 45") => "expired",
            () if told("alert number 48") => "other-ca",
            () => "self-signed",
        };
        if !["smtpd_tls_cert_file", "smtpd_tls_chain_files"]
            .iter()
            .any(|name| draft.server.value(name).is_some())
        {
            draft.server.certificate(certificate);
        } else if let Peer::Postfix(settings) = &mut draft.server.peer {
            for setting in settings
                .iter_mut()
                .filter(|setting| setting.name.contains("_file"))
            {
                if let Some((word @ ("cert" | "key" | "chain"), _)) = setting.value.split_once(':')
                {
                    setting.value = format!("{word}:{certificate}");
                }
            }
        }
        let options = [
            ("tls_verify_certificates", "ca:root"),
            ("tls_verify_hosts", "*"),
            ("hosts_require_tls", "*"),
        ];
        draft.client.own(
            "exim",
            options
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect(),
        );
        draft.notes.push("this needs a client that verifies: Exim with GnuTLS, which says bad_certificate (42) whatever is wrong".to_owned());
        draft.expect_log(SERVER, &["SSL alert number 42"]);
        return;
    }
    draft.server.add(
        "smtpd_tls_dh1024_param_file",
        "dh:1024",
        "added: a prime that the client refuses",
    );
    let mut options = Table::from_iter([
        ("versions".to_owned(), list(&["TLSv1.2"])),
        ("ciphers".to_owned(), list(&["DHE-RSA-AES256-GCM-SHA384"])),
    ]);
    options.insert("minimum-prime-bits".to_owned(), Value::from(2048));
    draft.client.own("classic", options);
    draft.notes.push(
        "why the client sent its alert is only in the client's log; a prime of 1024 bits stands in"
            .to_owned(),
    );
    draft.expect_log(SERVER, &["SSL_accept error from", "SSL alert number 40"]);
}

/// Do the reported settings take ciphers away?
fn limits_ciphers(matter: &Matter<'_>) -> bool {
    matter.settings.iter().any(|(name, setting)| {
        let about = name.contains("exclude_ciphers")
            || name.ends_with("cipherlist")
            || name.ends_with("_ciphers");
        about
            && name.starts_with(['s', 't'])
            && !name.starts_with("smtp_")
            && !matches!(setting.value.as_str(), "" | "medium" | "export" | "low")
    })
}
