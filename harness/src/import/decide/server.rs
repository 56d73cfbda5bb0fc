//! The report's Postfix is the server: the client that shows its line.

use toml::{Table, Value};

use super::super::draft::{Draft, Kept, Peer, list};
use super::super::report::{Report, TableKind};
use super::super::settings::{Use, use_of};
use super::super::symptom::Kind;
use super::super::values::Stock;
use super::client::{protocol_list, refuses_old};
use super::{Matter, session};
use crate::scenario::SideName;

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

/// `relay_clientcerts` by the digest that the settings name; before Postfix 3.6, and with a lower compatibility_level, md5.
fn fingerprints(matter: &Matter<'_>, draft: &mut Draft) {
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

/// A file that cannot be used: told when the process starts.
fn credentials(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
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

/// Relay denied to a client by its certificate.
fn relay(matter: &Matter<'_>, draft: &mut Draft) {
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
        comment: format!("line {}", setting.number),
    });
    kept.collect()
}

fn other(matter: &Matter<'_>, draft: &mut Draft) {
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
