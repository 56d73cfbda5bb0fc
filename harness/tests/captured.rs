//! Every line and header that real Postfix servers printed for `tests/data/captured`, through the parsers.
//!
//! The captures come from Debian's packages: 3.5.25 with OpenSSL 1.1.1w, 3.7.11 with 3.0, 3.10.13 with 3.5, 3.11.7 with 3.6,
//! each talking to itself, to Python's `ssl` module and to peers that misbehave on purpose.

#![expect(clippy::panic, reason = "this is how a test fails")]

use std::collections::HashMap;
use std::fs;

use harness::observe::agreement::{self, Testimony, Witness};
use harness::observe::failure::{self, Failure};
use harness::observe::log::{QueueAction, QueueEvent};
use harness::observe::{ClientCertificate, Direction, LogEvent, LogLine, Received, Side, TlsSummary};
use harness::redact;

const TARGETS: [&str; 4] = ["debian-11", "debian-12", "debian-13", "debian-testing"];

fn capture(target: &str, file: &str) -> String {
    let path = format!("{}/tests/data/captured/{target}/{file}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn lines(log: &str) -> impl Iterator<Item = (LogLine<'_>, LogEvent)> {
    log.lines().map(|line| {
        let parsed = LogLine::parse(line).unwrap_or_else(|| panic!("no log line: {line}"));
        (parsed, LogEvent::parse(parsed.daemon(), parsed.text))
    })
}

fn headers(target: &str) -> Vec<String> {
    capture(target, "received.txt")
        .split("\n\n")
        .map(|text| text.trim_end_matches('\n').to_owned())
        .collect()
}

/// What the grammar leaves to `Other` and `Warning`: lines that say nothing about TLS.
const UNKNOWN: [&str; 18] = [
    "BARE NEWLINE ",
    "See /usr/share/doc/postfix/NON_BERKELEYDB_README",
    "See https://www.postfix.org/COMPATIBILITY_README.html",
    "Postfix is using backwards-compatible default settings",
    "To disable backwards compatibility use",
    "/usr/lib/postfix/sbin/smtp",
    "/var/lib/postfix/smtp_scache: hash/btree support is deprecated",
    "process /usr/lib/postfix/sbin/",
    "improper command pipelining after ",
    "non-SMTP command from ",
    "cache btree:",
    "statistics: ",
    "terminating on signal ",
    "private/",
    "dict_",
    "hash/btree",
    // loglevel 3
    "Compression: ",
    "TLS/SSL",
];

#[test]
fn every_line_is_understood() {
    for target in TARGETS {
        let log = capture(target, "maillog.txt");
        let mut unknown: Vec<String> = Vec::new();
        for (line, event) in lines(&log) {
            if let LogEvent::Other(text) | LogEvent::Warning(text) = event
                && !UNKNOWN.iter().any(|start| text.starts_with(start))
            {
                unknown.push(format!("{}: {}", line.daemon(), line.text));
            }
        }
        assert!(unknown.is_empty(), "{target}: {unknown:#?}");
    }
}

#[test]
fn every_summary_is_printed_as_it_was() {
    for target in TARGETS {
        let log = capture(target, "maillog.txt");
        let mut summaries = 0;
        for (line, event) in lines(&log) {
            if let LogEvent::Tls(summary) = event {
                assert_eq!(summary.to_string(), line.text, "{target}");
                assert_eq!(summary.forward_secrecy().agrees_with_suite(&summary.cipher), Some(true), "{}", line.text);
                summaries += 1;
            }
        }
        assert!(summaries > 100, "{target}: {summaries}");
    }
}

#[test]
fn every_header_is_printed_as_it_was() {
    for target in TARGETS {
        for text in headers(target) {
            let received = Received::parse(&text).unwrap_or_else(|| panic!("{target}: {text}"));
            assert_eq!(received.to_string(), text, "{target}");
            let secure = received.with.as_deref() == Some("ESMTPS");
            assert!(secure || received.tls.is_none(), "{text}");
        }
    }
}

/// The last summary each process logged, and the one that goes with each queue id.
#[derive(Default)]
struct Sessions {
    by_process: HashMap<u32, TlsSummary>,
    server: HashMap<String, TlsSummary>,
    client: HashMap<String, TlsSummary>,
}

impl Sessions {
    fn of(log: &str) -> Self {
        let mut sessions = Self::default();
        for (line, event) in lines(log) {
            match event {
                LogEvent::Tls(summary) => {
                    sessions.by_process.insert(line.pid, summary);
                }
                LogEvent::Connect { .. } => {
                    sessions.by_process.remove(&line.pid);
                }
                LogEvent::Queue(QueueEvent {
                    queue_id,
                    action: QueueAction::Client { .. },
                }) => {
                    if let Some(summary) = sessions.by_process.get(&line.pid) {
                        sessions.server.insert(queue_id, summary.clone());
                    }
                }
                LogEvent::Delivery(delivery) => {
                    let summary = sessions.by_process.remove(&line.pid);
                    if let (Some(summary), Some((_, id))) = (summary, delivery.text.split_once("queued as ")) {
                        sessions.client.insert(id.to_owned(), summary);
                    }
                }
                _ => {}
            }
        }
        sessions
    }
}

#[test]
fn log_and_header_agree_about_every_message() {
    for target in TARGETS {
        let sessions = Sessions::of(&capture(target, "maillog.txt"));
        let (mut with_server, mut with_client) = (0, 0);
        for text in headers(target) {
            let received = Received::parse(&text).unwrap();
            let (Some(tls), Some(id)) = (received.tls, received.id) else { continue };
            let mut testimonies = vec![Testimony {
                witness: Witness::Received,
                summary: tls,
            }];
            if let Some(summary) = sessions.server.get(&id) {
                assert_eq!(summary.direction, Some(Direction::From));
                testimonies.push(Testimony {
                    witness: Witness::ServerLog,
                    summary: summary.clone(),
                });
                with_server += 1;
            }
            if let Some(summary) = sessions.client.get(&id) {
                assert_eq!(summary.direction, Some(Direction::To));
                testimonies.push(Testimony {
                    witness: Witness::ClientLog,
                    summary: summary.clone(),
                });
                with_client += 1;
            }
            let found = agreement::compare(&testimonies);
            assert!(found.is_empty(), "{target}: {found:#?}\n{text}");
        }
        assert!(with_server > 35 && with_client > 15, "{target}: {with_server} {with_client}");
    }
}

/// What the lines of all sessions of one service tell, each failure once, in order.
fn failures(target: &str, tag: &str) -> Vec<String> {
    let log = capture(target, "maillog.txt");
    let mut open: HashMap<u32, Vec<LogEvent>> = HashMap::new();
    let mut found: Vec<String> = Vec::new();
    for (line, event) in lines(&log) {
        if line.tag() != Some(tag) {
            continue;
        }
        let (witness, side) = match line.daemon() {
            "smtpd" => (Witness::ServerLog, Side::Server),
            _ => (Witness::ClientLog, Side::Client),
        };
        let ends = matches!(event, LogEvent::Disconnect { .. } | LogEvent::Delivery(_));
        let events = open.entry(line.pid).or_default();
        events.push(event);
        if ends {
            let failure = failure::from_log(witness, side, events).as_ref().map(Failure::to_string);
            events.clear();
            found.extend(failure.filter(|failure| !found.contains(failure)));
        }
    }
    found
}

#[test]
fn both_ends_of_a_failure_in_every_dialect() {
    for target in TARGETS {
        let has = |tag: &str, expected: &str| {
            let found = failures(target, tag);
            assert!(found.iter().any(|failure| failure == expected), "{target} {tag}: {found:#?}");
        };
        // The client's list has no cipher for the server's ECDSA key.
        has("s-ec", "server: no shared cipher (alert handshake_failure)");
        has("c-nocipher", "server: alert handshake_failure");
        // No common version.
        has("s-12", "server: unsupported protocol (alert protocol_version)");
        has("c-13v12", "server: alert protocol_version");
        has("s-13", "server: unsupported protocol (alert protocol_version)");
        has("c-12v13", "server: alert protocol_version");
        // No common group.
        has("s-secp384r1", "server: no suitable key share (alert handshake_failure)");
        if matches!(target, "debian-11" | "debian-12") {
            // Later versions have the groups of tls_ffdhe_auto_groups left in common.
            has("c-nogroup", "server: alert handshake_failure");
        }
        // Certificates the policy does not accept; the handshake itself is good.
        has("c-vself", "client: self-signed certificate");
        has("c-vexpired", "client: certificate has expired");
        has("c-vnotyet", "client: certificate not yet valid");
        has("c-vunrelated", "client: untrusted issuer");
        has("c-vconly", "client: not designated for use as a server certificate");
        // The server wants a certificate.
        has("s-req", "server: no client certificate presented");
        has("s-req", "server: self-signed certificate");
        has("c-reqnone", "server: no client certificate presented");
        has("c-reqself", "server: client certificate not trusted");
        // STARTTLS refused, absent, cut off.
        has("c-raw-nostarttls", "client: starttls not offered");
        // A Postfix without a usable certificate offers STARTTLS all the same, and then refuses it.
        has("c-nocert", "server: starttls refused");
        has("c-raw-refuse454", "server: starttls refused");
        has("c-raw-close", "server: lost connection");
        has("c-raw-rst", "server: connection reset by peer");
        has("c-raw-stall", "server: connection timed out");
        has("c-raw-garbage", "client: wrong version number");
        has("c-raw-alert40", "server: alert handshake_failure");
        has("c-raw-alert48", "server: alert unknown_ca");
        has("c-raw-alert70", "server: alert protocol_version");
        has("c-raw-alert80", "server: alert internal_error");
        has("c-raw-banner421", "server: refused to talk");
        has("c-raw-closebanner", "server: lost connection");
        has("c-raw-serverhello", "client: length mismatch (alert decode_error)");
        // A client that does not like the server's certificate, and one that hangs up.
        has("s-def", "client: alert unknown_ca");
        has("s-def", "client: lost connection");
        has("s-expired", "client: alert certificate_expired");
        has("s-slow", "client: connection timed out");
        has("s-snibad", "server: callback failed (alert internal_error)");
        // OpenSSL 1.1.1 finds out in the handshake that the prime is too small; later ones refuse it at the start, and then
        // have no cipher for a client that wants nothing else.
        let small = match target {
            "debian-11" => "server: dh key too small (alert handshake_failure)",
            _ => "server: no shared cipher (alert handshake_failure)",
        };
        has("s-dh512", small);
        // DANE.
        has("c-daneonly-noad", "client: no tlsa records found");
        has("c-daneonly-servfail", "client: tlsa lookup error for dane-servfail.example.test:2566");
        let fingerprint = match target {
            "debian-11" => "client: server certificate not verified",
            _ => "client: no matching dane tlsa records",
        };
        has("c-fpbad", fingerprint);
        has("c-daneonly-bad", fingerprint);
    }
}

#[test]
fn sessions_that_went_well_have_no_failure() {
    for target in TARGETS {
        for tag in ["c-may", "c-ca", "c-verify", "c-secure", "c-fp", "c-cec", "c-sni", "c-dane-ok", "c-plain", "s-ed25519", "s-ask"] {
            assert_eq!(failures(target, tag), [""; 0], "{target} {tag}");
        }
    }
}

/// The first summary of a service.
fn summary(target: &str, tag: &str) -> TlsSummary {
    let log = capture(target, "maillog.txt");
    lines(&log)
        .find_map(|(line, event)| match event {
            LogEvent::Tls(summary) if line.tag() == Some(tag) => Some(summary),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{target} {tag}"))
}

#[test]
fn one_group_in_four_dialects() {
    for (tag, canonical, spellings) in [
        ("c-prime256v1", "secp256r1", ["ECDHE (P-256)", "ECDHE (prime256v1)", "secp256r1", "secp256r1"]),
        ("c-secp384r1", "secp384r1", ["ECDHE (P-384)", "ECDHE (secp384r1)", "secp384r1", "secp384r1"]),
        ("c-secp521r1", "secp521r1", ["ECDHE (P-521)", "ECDHE (secp521r1)", "secp521r1", "secp521r1"]),
        ("c-X448", "x448", ["X448", "X448", "x448", "x448"]),
    ] {
        for (target, spelling) in TARGETS.into_iter().zip(spellings) {
            let exchange = summary(target, tag).key_exchange.unwrap();
            assert_eq!(exchange.text, spelling, "{target}");
            assert_eq!(exchange.group.unwrap().to_string(), canonical, "{target}");
            assert_eq!(exchange.bits, None);
        }
    }
    let default = TARGETS.map(|target| summary(target, "c-may").key_exchange.unwrap().text);
    assert_eq!(default, ["X25519", "X25519", "x25519", "X25519MLKEM768"]);
    for target in ["debian-13", "debian-testing"] {
        let exchange = summary(target, "c-ffdhe3").key_exchange.unwrap();
        assert_eq!((exchange.text.as_str(), exchange.bits), ("ffdhe3072", Some(3072)));
    }
}

#[test]
fn signatures_in_every_dialect() {
    for (target, curve) in TARGETS.into_iter().zip(["P-256", "prime256v1", "prime256v1", "prime256v1"]) {
        let rsa = summary(target, "c-3072");
        let signature = rsa.server_signature.unwrap();
        assert_eq!((signature.algorithm.as_str(), signature.bits), ("RSA-PSS", Some(3072)));
        assert_eq!(rsa.server_digest.as_deref(), Some("SHA256"));

        let ecdsa = summary(target, "c-verify").server_signature.unwrap();
        assert_eq!(ecdsa.text, format!("ECDSA ({curve})"), "{target}");
        assert_eq!(ecdsa.curve.unwrap().to_string(), "secp256r1");

        let ed25519 = summary(target, "c-ed");
        assert_eq!(ed25519.server_signature.unwrap().text, "ED25519");
        assert_eq!(ed25519.server_digest, None);

        let client = summary(target, "c-cec");
        assert_eq!(client.client_signature.unwrap().algorithm, "ECDSA");
        assert_eq!(client.client_digest.as_deref(), Some("SHA256"));
    }
    for target in ["debian-13", "debian-testing"] {
        let raw = summary(target, "c-rpk");
        let (server, client) = (raw.server_signature.unwrap(), raw.client_signature.unwrap());
        assert_eq!(server.text, "RSA-PSS (2048 bit raw public key)");
        assert_eq!((server.bits, server.raw_public_key), (Some(2048), true));
        assert_eq!(client.text, "ECDSA (prime256v1 raw public key)");
        assert!(client.raw_public_key && client.curve.is_some());
        assert_eq!(summary(target, "c-rpked2").server_signature.unwrap().text, "ED25519 (raw public key)");
    }
}

#[test]
fn server_names_and_reuse() {
    for target in TARGETS {
        let log = capture(target, "maillog.txt");
        let events: Vec<LogEvent> = lines(&log).map(|(_, event)| event).collect();
        let any = |wanted: &dyn Fn(&LogEvent) -> bool| events.iter().any(wanted);
        assert!(any(&|event| matches!(event, LogEvent::Tls(summary) if summary.sni.as_deref() == Some("sni.example.test"))));
        assert!(any(&|event| matches!(event, LogEvent::SniNotMatched { name, .. } if name == "nomatch.example.test")));
        assert!(any(&|event| matches!(event, LogEvent::SniInvalid { name, .. } if name == "bad_name..x")));
        assert!(any(&|event| matches!(event, LogEvent::Tls(summary) if summary.reused_connection)));
        assert!(any(&|event| matches!(event, LogEvent::Delivery(delivery) if delivery.connection_use == Some(2))));
        let feature = any(&|event| matches!(event, LogEvent::Delivery(delivery) if delivery.tls.is_some()));
        assert_eq!(feature, target == "debian-testing");
    }
}

#[test]
fn client_certificates_in_headers() {
    for target in TARGETS {
        let found: Vec<ClientCertificate> = headers(target)
            .iter()
            .filter_map(|text| Received::parse(text)?.client_certificate)
            .collect();
        let any = |wanted: &dyn Fn(&ClientCertificate) -> bool| found.iter().any(wanted);
        assert!(any(&|it| *it == ClientCertificate::NotRequested));
        assert!(any(&|it| *it == ClientCertificate::NotPresented));
        assert!(any(&|it| matches!(it, ClientCertificate::Presented { verified: true, issuer, .. } if issuer == "Test CA")));
        assert!(any(&|it| matches!(it, ClientCertificate::Presented { verified: false, cn, .. } if cn == "selfsigned.test")));
        assert!(any(&|it| matches!(it, ClientCertificate::Presented { cn, .. } if cn == "we(ird) \"name\"x")));
        let raw = any(&|it| matches!(it, ClientCertificate::RawPublicKey { digest, .. } if digest == "sha256"));
        assert_eq!(raw, matches!(target, "debian-13" | "debian-testing"), "{target}");
    }
}

/// Everything that differs between two runs of the same thing must be gone.
#[test]
fn nothing_of_the_run_is_left_after_redaction() {
    for target in TARGETS {
        for line in capture(target, "maillog.txt").lines() {
            let redacted = redact::log_line(line);
            let parsed = LogLine::parse(line).unwrap();
            let left = ["127.", "Nov 22", "]:2", "]:3"].into_iter().find(|needle| redacted.contains(needle));
            assert_eq!(left, None, "{redacted}");
            assert!(!redacted.contains(&format!("[{}]", parsed.pid)), "{redacted}");
            assert_eq!(redact::log_text(&redact::log_text(parsed.text)), redact::log_text(parsed.text));
            if let LogEvent::Tls(summary) = LogEvent::parse(parsed.daemon(), parsed.text) {
                let session = summary.session().to_string();
                assert!(redacted.ends_with(&session), "{redacted}");
            }
        }
        for text in headers(target) {
            let redacted = redact::header(&text);
            let received = Received::parse(&text).unwrap();
            assert!(!redacted.contains("127.") && !redacted.contains(":0"), "{redacted}");
            assert!(!redacted.contains(received.id.as_deref().unwrap()), "{redacted}");
            assert_eq!(redacted.lines().count(), text.lines().count());
        }
    }
}

/// Cuts and changes that may split a character, as bytes from a socket may.
fn mutations(text: &str) -> impl Iterator<Item = String> + '_ {
    let bytes = text.as_bytes();
    (0..bytes.len()).flat_map(move |at| {
        // One of them at each place: this must not take longer than the rest of the tests.
        let bad = [b'\0', b' ', b'(', b')', b'[', b']', b':', b'/', b'"', b'9', 0xff];
        let mut changed = bytes.to_vec();
        changed[at] = bad[at % bad.len()];
        [changed, bytes[..at].to_vec(), bytes[at..].to_vec()].map(|changed| String::from_utf8_lossy(&changed).into_owned())
    })
}

/// Every shape once: the whole of four captures, mutated, would take minutes.
#[test]
fn no_mutation_panics() {
    let mut shapes: HashMap<String, (String, String)> = HashMap::new();
    for target in TARGETS {
        for (line, event) in lines(&capture(target, "maillog.txt")) {
            let shape: String = redact::log_text(line.text).split([' ', ':']).take(3).collect();
            shapes
                .entry(format!("{:?} {shape}", std::mem::discriminant(&event)))
                .or_insert_with(|| (line.daemon().to_owned(), line.text.chars().take(160).collect()));
        }
    }
    assert!(shapes.len() > 100, "{}", shapes.len());
    for (daemon, text) in shapes.values() {
        for mutated in mutations(text) {
            let event = LogEvent::parse(daemon, &mutated);
            let _ = failure::from_log(Witness::ServerLog, Side::Server, std::slice::from_ref(&event));
            let _ = redact::log_line(&mutated);
        }
    }
    for text in headers("debian-testing").iter().step_by(15) {
        for mutated in mutations(text) {
            if let Some(received) = Received::parse(&mutated) {
                let _ = received.to_string();
            }
            let _ = redact::header(&mutated);
        }
    }
}
