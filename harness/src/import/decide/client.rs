//! The report's Postfix is the client: the server that shows its line.

use toml::{Table, Value};

use super::super::draft::{Draft, Peer, has, list};
use super::super::report::{Report, Setting};
use super::super::symptom::Kind;
use super::super::values::Stock;
use super::level::{at_least, no_more};
use super::{Matter, said, session};
use crate::scenario::SideName;

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

fn certificate(matter: &Matter<'_>, draft: &mut Draft) {
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

fn is_deferred(report: &Report) -> bool {
    report.log.iter().any(|line| {
        line.text.contains("status=deferred")
            || line.text.contains("Server certificate not ")
            || line.text.contains("status=bounced")
    })
}

fn zones(matter: &Matter<'_>, draft: &mut Draft) {
    if !matter.names.zones {
        return;
    }
    draft
        .client
        .keys
        .insert("nexthop".to_owned(), Value::from("example.test"));
    let records: &[&str] = match matter.kind {
        Kind::NotDnssec => &[
            "example.test MX 10 mail.hosting.test",
            "mail.hosting.test A",
            "mail.hosting.test TLSA tlsa-3-1-1:rsa2048",
        ],
        Kind::TlsaLookup | Kind::NoTlsa | Kind::NameMismatch => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
        ],
        Kind::TlsaUnusable => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
            "mail.example.test TLSA 3 1 255 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ],
        Kind::NoTlsaMatch => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
            "mail.example.test TLSA tlsa-3-1-1:ecdsa-p256",
        ],
        _ => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
            "mail.example.test TLSA tlsa-3-1-1:rsa2048",
        ],
    };
    draft.dns.insert("records".to_owned(), list(records));
    if matter.kind == Kind::NotDnssec {
        let states = Table::from_iter([("example.test".to_owned(), Value::from("unsigned"))]);
        draft.dns.insert("zones".to_owned(), Value::Table(states));
    }
    if matter.kind == Kind::TlsaLookup {
        draft
            .dns
            .insert("refused".to_owned(), list(&["mail.example.test TLSA"]));
    }
}

fn dane(matter: &Matter<'_>, draft: &mut Draft) {
    let level = matter.level();
    let needed = match matter.kind {
        Kind::NotDnssec | Kind::NoTlsa => "dane-only",
        _ => "dane",
    };
    if needed == "dane-only" || !level.contains("dane") {
        at_least(needed, matter, draft);
    }
    let pieces: &[&str] = match matter.kind {
        Kind::NotDnssec => &["status=deferred (non DNSSEC destination)"],
        Kind::TlsaLookup => &["TLSA lookup error for ", "status=deferred ("],
        Kind::NoTlsa => &["no TLSA records found"],
        Kind::TlsaUnusable => &["unusable"],
        Kind::DaneWithoutDnssec => &["configured with dnssec lookups disabled"],
        _ => &["Server certificate not verified"],
    };
    draft.expect_log(CLIENT, pieces);
    match matter.kind {
        Kind::DaneWithoutDnssec => {
            draft.client.replace(
                "smtp_dns_support_level",
                "enabled",
                "without it the harness would set dnssec",
            );
            draft.expect("delivered", level != "dane-only");
        }
        Kind::TlsaUnusable => {
            draft.expect("delivered", level != "dane-only");
        }
        _ => draft.expect("delivered", false),
    }
    if matter.kind == Kind::NoTlsaMatch {
        draft.notes.push(
            "Postfix before 3.6 has no line of its own for a record that does not match".to_owned(),
        );
    }
}

fn policy(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    draft.expect("delivered", false);
    let has_table = draft.client.value("smtp_tls_policy_maps").is_some();
    match matter.kind {
        Kind::PolicyAttribute => {
            let text = |needle: &str| {
                matter
                    .report
                    .log
                    .iter()
                    .any(|line| line.text.contains(needle))
            };
            let of_tlsrpt = [
                "policy_type",
                "policy_domain",
                "policy_ttl",
                "policy_string",
                "mx_host_pattern",
            ]
            .iter()
            .any(|name| text(&format!("\"{name}\"")));
            if !has_table {
                let attribute = if of_tlsrpt {
                    "policy_type=sts"
                } else {
                    "unknown_attribute=yes"
                };
                draft.client.add(
                    "smtp_tls_policy_maps",
                    &format!("inline:{{{{{} = may {attribute}}}}}", stock.nexthop),
                    "its row is not in the report",
                );
            }
            if of_tlsrpt {
                draft.targets.push("postfix < 3.10".to_owned());
                draft.notes.push(
                    "Postfix 3.10 knows the attributes of TLSRPT: no later target shows the line"
                        .to_owned(),
                );
            }
            draft.expect_log(
                CLIENT,
                &[
                    "invalid attribute name: \"",
                    "client TLS configuration problem",
                ],
            );
        }
        Kind::PolicyLookup => {
            draft.client.replace(
                "smtp_tls_policy_maps",
                "texthash:/etc/postfix/no-such-tls_policy",
                "a table that cannot be opened",
            );
            draft.expect_log(CLIENT, &["table lookup"]);
        }
        Kind::PolicyMalformed => {
            if !has_table {
                draft.client.add(
                    "smtp_tls_policy_maps",
                    &format!(
                        "inline:{{{{{} = encrypt protocols=!SSLv2, !SSLv3}}}}",
                        stock.nexthop
                    ),
                    "its row is not in the report",
                );
            }
            draft.expect_log(CLIENT, &["client TLS configuration problem"]);
        }
        _ => draft.expect_log(CLIENT, &["client TLS configuration problem"]),
    }
}

fn sasl(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    draft.server.peer = Peer::Postfix(Vec::new());
    draft
        .server
        .add("smtpd_sasl_auth_enable", "yes", "the relay wants a login");
    draft
        .server
        .add("smtpd_tls_auth_only", "yes", "and offers one inside TLS");
    draft.client.add(
        "smtp_sasl_auth_enable",
        "yes",
        "not in the report; the line needs it",
    );
    draft.client.add(
        "smtp_sasl_password_maps",
        &format!(
            "inline:{{{{{} = some.user:not-a-password}}}}",
            stock.nexthop
        ),
        "a login made up",
    );
    draft.expect("delivered", false);
    draft.expect("tls", true);
    if matter.kind == Kind::SaslClient {
        draft.client.replace(
            "smtp_sasl_mechanism_filter",
            "plain, login",
            "what the relay offers; what is asked for is not told by a log",
        );
        draft.expect_log(
            CLIENT,
            &[
                "SASL authentication failure: No worthy mechs found",
                "no mechanism available",
            ],
        );
    } else {
        draft.client.add(
            "smtp_sasl_mechanism_filter",
            "no-such-mechanism",
            "no mechanism in common",
        );
        draft.expect_log(CLIENT, &["offered no compatible authentication mechanisms"]);
    }
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

fn other(matter: &Matter<'_>, draft: &mut Draft) {
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
