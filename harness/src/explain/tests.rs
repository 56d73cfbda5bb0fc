use super::*;
use crate::observe::summary::Status;
use postfix_tls_log::LogLine;

/// Everything found in a text, with its explanation.
fn explained(text: &str) -> Vec<(Item, Explanation)> {
    let mut reader = Reader::new();
    let mut items = Vec::new();
    let mut found = |item| items.push(item);
    reader.read(&mut text.as_bytes(), &mut found).unwrap();
    reader.finish(&mut found);
    items
        .into_iter()
        .map(|item| {
            let explanation = match &item {
                Item::Session(one) => session(one),
                Item::Header(one) => header(one),
                Item::Line { event, .. } => line(event),
            };
            (item, explanation)
        })
        .collect()
}

fn everything(text: &str) -> String {
    let mut shown = Shown::default();
    for (item, explanation) in explained(text) {
        shown.add(&item, explanation);
    }
    shown.text()
}

/// What is said is held against the facts: protocol and cipher are named, the verdict on forward secrecy is the parser's, and no
/// word of the status is another's.
fn hold(tls: &crate::observe::TlsSummary, explanation: &Explanation) {
    let negotiated: Vec<&str> = explanation.about(About::Negotiated).collect();
    assert!(
        negotiated
            .iter()
            .any(|text| text.starts_with(&format!("{}, cipher {}", tls.protocol, tls.cipher))),
        "{negotiated:?}"
    );
    let verdict: Vec<&str> = explanation.about(About::ForwardSecrecy).collect();
    assert_eq!(verdict.len(), 1);
    let holds = tls.forward_secrecy().holds();
    let suite = tls.forward_secrecy().agrees_with_suite(&tls.cipher);
    let expected = match (holds, suite) {
        (true, _) | (false, Some(false)) => "Forward secret: yes",
        (false, Some(true)) => "Forward secret: no",
        (false, None) if tls.protocol == tls_names_ssl2() => "Forward secret: no",
        (false, None) => "Forward secret: cannot be told",
    };
    assert!(verdict[0].starts_with(expected), "{verdict:?} {tls}");
    for (field, words) in [
        (
            tls.key_exchange.as_ref().map(|it| it.text.as_str()),
            "key exchange ",
        ),
        (tls.sni.as_deref(), "asked for "),
        (tls.server_digest.as_deref(), "over "),
    ] {
        if let Some(field) = field {
            assert!(
                negotiated
                    .iter()
                    .any(|text| text.contains(&format!("{words}{field}"))),
                "{negotiated:?}"
            );
        }
    }
    if tls.protocol < classic_tls::names::Version::TLS1_3 {
        assert!(!negotiated[0].contains("key exchange"), "{negotiated:?}");
    }
    for status in [
        Status::Anonymous,
        Status::Untrusted,
        Status::Trusted,
        Status::Verified,
    ] {
        let said = explanation
            .about(About::Status)
            .any(|text| text.starts_with(&format!("{status}: ")));
        if tls.peer.is_some() && tls.direction.is_some() && said {
            assert_eq!(tls.status, Some(status));
        }
    }
}

fn tls_names_ssl2() -> classic_tls::names::Version {
    classic_tls::names::Version::SSL2
}

/// Every line of the corpus, of the published lines and of the published headers.
#[test]
fn no_statement_is_more_than_the_facts() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(root.join("../scenarios/corpus")).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|name| name.to_str()) {
            Some("log") => {
                let text = std::fs::read_to_string(&path).unwrap();
                texts.extend(text.lines().map(str::to_owned));
            }
            Some("received") => {
                let text = std::fs::read_to_string(&path).unwrap();
                texts.extend(
                    text.split("\nReceived: ")
                        .map(|one| format!("Received: {}", one.trim_start_matches("Received: "))),
                );
            }
            _ => {}
        }
    }
    for table in ["log.tsv", "received.tsv"] {
        let text =
            std::fs::read_to_string(root.join("postfix-tls-log/tests/data/lines").join(table))
                .unwrap();
        texts.extend(
            text.lines()
                .filter(|row| !row.starts_with('#'))
                .filter_map(|row| {
                    Some(
                        row.splitn(3, '\t')
                            .nth(2)?
                            .replace("\\r", "")
                            .replace("\\n", "\n")
                            .replace("\\t", "\t"),
                    )
                }),
        );
    }
    let (mut sessions, mut headers, mut unexplained) = (0, 0, Vec::new());
    for text in &texts {
        let found = explained(text);
        for (item, explanation) in &found {
            assert!(
                !explanation
                    .statements
                    .iter()
                    .any(|one| one.text.to_lowercase().contains("came in plain")),
                "{text}"
            );
            match item {
                Item::Session(one) => {
                    if let Some(tls) = &one.tls {
                        sessions += 1;
                        hold(tls, explanation);
                    }
                    if let Some(failure) = one.failure() {
                        let who = if one.role == Some(failure.side) {
                            "This Postfix"
                        } else {
                            "The other side"
                        };
                        assert!(
                            explanation
                                .about(About::Failure)
                                .any(|text| text.starts_with(who)),
                            "{text}"
                        );
                    }
                }
                Item::Header(one) => {
                    if let Some(tls) = &one.tls {
                        headers += 1;
                        hold(tls, explanation);
                    }
                }
                Item::Line { .. } => {}
            }
        }
        let quiet = text.contains("tlsmgr[")
            // A delivery by another program.
            || text.contains("/pipe[")
            || text.contains("master[")
            || LogLine::parse(text).is_some_and(|line| {
                matches!(
                    LogEvent::parse(&line.daemon, &line.text),
                    LogEvent::Verbose(_)
                        | LogEvent::Screening(_)
                        | LogEvent::Queue(_)
                        | LogEvent::DaemonStarted { .. }
                )
            });
        if !quiet
            && found
                .iter()
                .all(|(_, explanation)| explanation.statements.is_empty())
        {
            unexplained.push(text.clone());
        }
    }
    assert!(sessions > 300 && headers > 60, "{sessions} {headers}");
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

/// Reports as people write them: the lines named are found, and the point is made.
#[test]
fn reports() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    for (name, points) in [
        (
            "01-no-shared-cipher-postconf-n",
            &[
                "no cipher suite in common",
                "This Postfix, the server, gave up: no shared cipher",
                "smtpd_tls_exclude_ciphers",
            ][..],
        ),
        (
            "03-wrappermode-on-587",
            &[
                "wrong version number",
                "answered in plain text",
                "smtp_tls_wrappermode",
                "port 465",
                "587",
            ],
        ),
        (
            "05-verify-without-ca",
            &[
                "untrusted issuer",
                "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt",
                "Untrusted: ",
            ],
        ),
        (
            "07-secure-nexthop-match",
            &["Trusted: a CA", "recipient's domain", "match="],
        ),
        (
            "09-clientcert-relay-denied",
            &[
                "Relay access denied",
                "relay_clientcerts",
                "permits nothing",
                "like any stranger",
            ],
        ),
        (
            "11-snakeoil-missing",
            &[
                "cannot get RSA certificate",
                "TLS is turned off",
                "may send in clear, others wait",
            ],
        ),
        (
            "13-invalid-protocol-list-465",
            &[
                "turns TLS off altogether",
                "Invalid TLS protocol list",
                "Wrapper-mode request dropped",
            ],
        ),
        (
            "15-mailing-list-old-tls",
            &[
                "TLS 1.0 or 1.1 only",
                "the system's OpenSSL settings do",
                "smtpd_tls_protocols",
            ],
        ),
        (
            "17-policy-type-attribute",
            &[
                "policy_type",
                "only with 3.10",
                "client TLS configuration problem",
            ],
        ),
        (
            "19-dane-only-non-dnssec",
            &[
                "is not signed",
                "At level dane the mail would have gone out",
                "The mail waits",
            ],
        ),
        (
            "21-sts-untrusted-tlsrpt",
            &[
                "TLSRPT",
                "daily report",
                "untrusted issuer",
                "no CA file is set",
            ],
        ),
        (
            "23-sni-not-sent-port-25",
            &["hostname mismatch", "smtp_tls_servername = hostname"],
        ),
        (
            "25-tls-required-amavis",
            &[
                "does not offer STARTTLS",
                "-o smtp_tls_security_level=none",
                "Anonymous: the client showed no certificate",
            ],
        ),
        (
            "27-sasl-no-worthy-mechs",
            &[
                "No worthy mechs found",
                "no mechanism available",
                "smtp_sasl_tls_security_options = noanonymous",
                "wrappermode",
            ],
        ),
        (
            "29-received-header-client-signature",
            &[
                "TLSv1.3, cipher TLS_AES_128_GCM_SHA256",
                "the client signed with ECDSA (P-256)",
                "nobody that the server knows vouches for it",
            ],
        ),
    ] {
        let path = data.join(format!("{name}.txt"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let said = everything(&text);
            for point in points {
                assert!(
                    said.contains(point),
                    "{name} does not say {point:?}:\n{said}"
                );
            }
        }
    }
}

#[test]
fn control_characters_are_harmless() {
    let said = everything(
        "Nov 22 08:00:01 mail postfix/smtp[1]: certificate verification failed for a.test[192.0.2.1]:25: untrusted issuer /CN=\u{1b}]0;x\u{7}\u{202e}",
    );
    assert!(said.contains("\\x1b]0;x\\x07"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said}");
}

#[test]
fn a_log_in_counts() {
    let log = "\
Nov 22 08:00:01 mail postfix/smtpd[1]: connect from a.example.test[192.0.2.1]
Nov 22 08:00:01 mail postfix/smtpd[1]: Anonymous TLS connection established from a.example.test[192.0.2.1]: TLSv1.2 with cipher AES128-SHA (128/128 bits)
Nov 22 08:00:01 mail postfix/smtpd[1]: disconnect from a.example.test[192.0.2.1] ehlo=2 starttls=1 quit=1 commands=4
Nov 22 08:00:01 mail postfix/smtp[2]: Untrusted TLS connection established to b.example.test[192.0.2.2]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519
Nov 22 08:00:02 mail dovecot: imap-login: Login
Nov 22 08:00:02 mail postfix/smtpd[1]: connect from c.example.test[192.0.2.3]
Nov 22 08:00:02 mail postfix/smtpd[1]: SSL_accept error from c.example.test[192.0.2.3]: lost connection
Nov 22 08:00:02 mail postfix/smtpd[1]: disconnect from c.example.test[192.0.2.3] ehlo=1 starttls=0/1 commands=1/2";
    let mut summary = Summary::default();
    for (item, _) in explained(log) {
        summary.count(&item);
    }
    assert_eq!((summary.tls_sessions, summary.forward_secret), (2, 1));
    assert_eq!(
        summary.peers_without_forward_secrecy["from a.example.test"],
        1
    );
    assert_eq!(
        summary.failures["the other side (client): lost connection"],
        1
    );
    assert_eq!(summary.statuses["client: Untrusted"], 1);
    assert_eq!(summary.key_exchanges["X25519"], 1);
    assert!(summary.text().contains("TLSv1.3"));
}

/// Pieces of reports put together and changed at random, the same each time: nothing panics, and nothing that a terminal obeys is
/// shown.
#[test]
fn hostile_text() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut text = String::from(
        "\u{1b}[2J \u{202e} \u{7} {\"MESSAGE\":\"\\u001b]0;x\\n\" } Received: (using TLSv1.3 ((( \n\t ",
    );
    for entry in std::fs::read_dir(data).unwrap() {
        text.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let pieces: Vec<&str> = text
        .split_inclusive([' ', '\n', ':', '(', '[', ','])
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 11).unwrap() % below.max(1)
    };
    for _ in 0..800 {
        let mut hostile = String::new();
        for _ in 0..random(12) {
            let start = random(pieces.len());
            let end = (start + random(60)).min(pieces.len());
            hostile.push_str(&pieces[start..end].concat());
        }
        let said = everything(&hostile);
        let harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(said.chars().all(harmless), "{hostile:?}\n{said:?}");
        for (item, explanation) in explained(&hostile) {
            let line = crate::printable::json(&json(&item, &explanation));
            assert!(line.chars().all(|c| !c.is_control()), "{line}");
        }
    }
}
