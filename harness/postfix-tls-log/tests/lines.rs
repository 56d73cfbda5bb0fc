//! Lines and headers that people published, and every template of Postfix's source that no target prints: each is understood.
//!
//! The tables hold, by columns: where it was found, the version of Postfix if known, the text.

use postfix_tls_log::received::Transport;
use postfix_tls_log::{LogEvent, LogLine, Received, event};

fn rows(table: &str) -> impl Iterator<Item = (&str, String)> {
    table
        .lines()
        .filter(|row| !row.starts_with('#') && !row.is_empty())
        .map(|row| {
            let mut columns = row.splitn(3, '\t');
            let source = columns.next().unwrap_or_default();
            let text = columns.nth(1).unwrap_or_default();
            let text = text
                .replace("\\r", "\r")
                .replace("\\n", "\n")
                .replace("\\t", "\t");
            (source, text)
        })
}

const LOG: &str = include_str!("data/lines/log.tsv");
const RECEIVED: &str = include_str!("data/lines/received.tsv");

#[test]
fn every_log_line_is_understood() {
    let mut unknown = Vec::new();
    let mut lines = 0;
    for (source, text) in rows(LOG) {
        lines += 1;
        let Some(line) = LogLine::parse(&text) else {
            unknown.push(format!("{source}: no line: {text}"));
            continue;
        };
        let event = LogEvent::parse(&line.daemon, &line.text);
        if let LogEvent::Other(text) | LogEvent::Warning(text) = event {
            unknown.push(format!("{source}: {text}"));
        }
    }
    assert!(lines > 100, "{lines}");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn every_header_of_postfix_tells_its_session() {
    let mut unknown = Vec::new();
    let mut headers = 0;
    for (source, text) in rows(RECEIVED) {
        headers += 1;
        let postfix = text.contains("(Postfix");
        let header = Received::parse(&text);
        let good = match header.as_ref().map(Received::transport) {
            Some(Transport::Session(_)) => true,
            Some(Transport::TlsNotUnderstood(_)) => !postfix,
            _ => false,
        };
        if !good {
            unknown.push(format!("{source}: {header:?}\n{text}"));
        }
    }
    assert!(headers > 60, "{headers}");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// However a mail program folds the header, and however a library unfolds it.
#[test]
fn folding_makes_no_difference() {
    for (source, text) in rows(RECEIVED) {
        let header = Received::parse(&text);
        let lines: Vec<&str> = text
            .split('\n')
            .map(|line| line.trim_end_matches('\r'))
            .collect();
        for other in [
            // Python's email.policy.default: the line break goes, the white space stays.
            lines.concat(),
            lines.join("\r\n"),
            text.replace(' ', "\n ")
                .replace("Received:\n ", "Received: "),
            format!("{}\n", lines.join("\n  ")),
            text.replace("(using ", "(using  ")
                .replace("bits)", "bits) "),
        ] {
            let same = Received::parse(&other);
            assert_eq!(
                same.as_ref().map(Received::transport),
                header.as_ref().map(Received::transport),
                "{source}\n{other}"
            );
        }
    }
}

#[test]
fn old_dialects() {
    let parse = |daemon: &str, text: &str| LogEvent::parse(daemon, text);
    let LogEvent::Tls(session) = parse(
        "smtp",
        "TLS connection established to example.test: TLSv1 with cipher AES256-SHA (256/256 bits)",
    ) else {
        unreachable!();
    };
    assert_eq!(
        (session.status, session.peer.unwrap().to_string().as_str()),
        (None, "example.test")
    );
    let LogEvent::LibraryProblem(problem) = parse(
        "smtpd",
        "warning: TLS library problem: 22411:error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca:s3_pkt.c:1102:SSL alert number 48:",
    ) else {
        unreachable!();
    };
    assert_eq!(problem.alert.unwrap().name(), "unknown_ca");
    assert_eq!(problem.alert_sent_by(), Some(postfix_tls_log::Side::Client));
    for (text, reason, ca) in [
        (
            "certificate verification failed for mx.example.test:certificate has expired",
            "certificate has expired",
            false,
        ),
        (
            "CA certificate verification failed for mx.example.test[192.0.2.1]:25: certificate has expired",
            "certificate has expired",
            true,
        ),
        (
            "certificate peer name verification failed for nexthop=a.test, host=mx.example.test: CommonName mis-match: b.test",
            "CommonName mis-match: b.test",
            false,
        ),
        (
            "Server certificate could not be verified for mx.example.test: hostname mismatch",
            "hostname mismatch",
            false,
        ),
    ] {
        let LogEvent::CertificateVerification(failed) = parse("smtp", text) else {
            unreachable!("{text}");
        };
        assert_eq!((failed.reason.as_str(), failed.of_ca), (reason, ca));
        assert_eq!(failed.peer.host.as_deref(), Some("mx.example.test"));
    }
}

/// Templates of the source that speak of TLS, with something in each place; lines of the tables above are not repeated.
#[test]
fn templates_of_every_version() {
    let table = include_str!("data/templates.txt");
    let mut unknown = Vec::new();
    for row in table
        .lines()
        .filter(|row| !row.starts_with('#') && !row.is_empty())
    {
        let (daemon, text) = row.split_once(": ").unwrap();
        if let LogEvent::Other(text) | LogEvent::Warning(text) = LogEvent::parse(daemon, text) {
            unknown.push(text);
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn what_speaks_of_tls() {
    for text in [
        "smtpd_tls_future_setting is not understood",
        "certificate of the future",
        "a TLSv1.4 thing",
    ] {
        assert!(event::speaks_of_tls(text), "{text}");
        assert!(LogEvent::parse("smtpd", text).concerns_tls(), "{text}");
    }
    for text in ["connect to mail.example.test", "results", "titles"] {
        assert!(!event::speaks_of_tls(text), "{text}");
    }
}

#[test]
fn the_peer_that_closed_is_not_the_server() {
    use postfix_tls_log::{Side, failure};
    let events: Vec<LogEvent> = [
        "SSL_accept error from unknown[192.0.2.1]: -1",
        "warning: TLS library problem: error:0A000126:SSL routines::unexpected eof while reading:ssl/record/rec_layer_s3.c:336:",
    ]
    .map(|text| LogEvent::parse("smtpd", text))
    .into();
    let failed = failure::from_log(Side::Server, &events).unwrap();
    assert_eq!(
        (failed.side, failed.cause.as_str()),
        (Side::Client, "lost connection")
    );
}

#[test]
fn an_alert_after_the_handshake() {
    use postfix_tls_log::{Side, failure};
    let events: Vec<LogEvent> = [
        "Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
        "warning: TLS library problem: error:0A000412:SSL routines::sslv3 alert bad certificate:../ssl/record/rec_layer_s3.c:1584:SSL alert number 42:",
        "lost connection after STARTTLS from unknown[192.0.2.1]",
    ]
    .map(|text| LogEvent::parse("smtpd", text))
    .into();
    let failed = failure::from_log(Side::Server, &events).unwrap();
    assert_eq!(
        (failed.side, failed.cause.as_str()),
        (Side::Client, "alert bad_certificate")
    );
}

/// A header of many kinds, twice as long, takes about twice the time, not four times.
#[test]
fn headers_take_linear_time() {
    use std::time::{Duration, Instant};
    let time = |unit: &str, length: usize| {
        let text = format!("Received: from {}", unit.repeat(length / unit.len()));
        (0..10)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(Received::parse(&text));
                start.elapsed()
            })
            .min()
            .unwrap_or(Duration::MAX)
    };
    for unit in [
        "<", "< ", "(", "()", "(a", "a ", "\"", "(\" ", "<a@b> ", "[", "; ",
    ] {
        let (short, long) = (time(unit, 10_000), time(unit, 100_000));
        // Ten times the length; a square would be a hundred times.
        assert!(
            long < short * 60 + Duration::from_millis(5),
            "{unit}: {short:?}, {long:?}"
        );
    }
}

/// Ways in which a line was found to be wrapped. In the table `\xNN` and `\uNNNN` stand for characters.
#[test]
fn prefixes() {
    const TEXT: &str = "Untrusted TLS connection established to mx.example.test[192.0.2.1]:25: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)";
    let table = include_str!("data/lines/prefixes.tsv");
    let mut unknown = Vec::new();
    let mut known = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let (what, before) = row.split_once('\t').unwrap();
        let mut before = before
            .replace("\\x1b", "\u{1b}")
            .replace("\\ufeff", "\u{feff}");
        while let Some(at) = before.find("\\u") {
            let code = u32::from_str_radix(&before[at + 2..at + 6], 16).unwrap();
            before.replace_range(at..at + 6, &char::from_u32(code).unwrap().to_string());
        }
        let quoted = before.starts_with('{') && before.ends_with('"');
        let line = format!("{before}{TEXT}{}", if quoted { "\"}" } else { "" });
        let parsed = LogLine::parse_or_text(&line);
        let daemon = if before.is_empty() {
            ""
        } else if before.contains("posttls-finger") {
            "posttls-finger"
        } else if before.contains("smtpd") {
            "smtpd"
        } else {
            "smtp"
        };
        if parsed.text == TEXT && parsed.daemon == daemon {
            known += 1;
        } else {
            unknown.push(format!("{what}: {parsed:?}"));
        }
        let strange = ["[", "postfix", "|", "\u{1b}", "INFO"];
        assert!(
            !strange.iter().any(|part| parsed.host.contains(part)),
            "{what}: {parsed:?}"
        );
    }
    assert!(unknown.is_empty(), "{known} known\n{}", unknown.join("\n"));
}

#[test]
fn other_wrappings() {
    for (line, expected) in [
        (
            r#"{"log":"Nov 25 18:47:05 mail postfix/smtpd[7]: a \"b\"\n","stream":"stdout","time":"2026-11-25T18:47:05Z"}"#,
            ("postfix", "smtpd", Some(7), "a \"b\""),
        ),
        (
            r#"{"MESSAGE":[97,32,98],"SYSLOG_IDENTIFIER":"postfix/submission/smtpd","_PID":"9","_HOSTNAME":"mail"}"#,
            ("postfix/submission", "smtpd", Some(9), "a b"),
        ),
        (
            "2026-11-25T18:47:05.123Z stdout F Nov 25 18:47:05 mail postfix/tlsproxy[12]: x: y",
            ("postfix", "tlsproxy", Some(12), "x: y"),
        ),
        (
            r#"2026-11-25 18:47:05 +0000 mail.info: {"host":"mail","ident":"postfix/smtp","pid":"123","message":"x: y"}"#,
            ("postfix", "smtp", Some(123), "x: y"),
        ),
        (
            "2026-11-25\tmail\tpostfix/smtp[123]:\tx: y",
            ("postfix", "smtp", Some(123), "x: y"),
        ),
        (
            "\"Nov 25 18:47:05 mail postfix/smtp[123]: x: y\"",
            ("postfix", "smtp", Some(123), "x: y"),
        ),
        (
            "&lt;22&gt;Nov 25 18:47:05 mail postfix/smtp[123]:x: y",
            ("postfix", "smtp", Some(123), "x: y"),
        ),
        (
            "Nov 25 18:47:05 mail postfix-mx/content-filter/smtp[1]: x",
            ("postfix-mx/content-filter", "smtp", Some(1), "x"),
        ),
    ] {
        let parsed = LogLine::parse(line).unwrap_or_else(|| unreachable!("{line}"));
        let found = (&*parsed.tag, &*parsed.daemon, parsed.pid, &*parsed.text);
        assert_eq!(found, expected, "{line}");
    }
    // What a peer wrote into another program's line is not Postfix's.
    for line in [
        "Nov 25 18:47:05 mail sshd[7]: invalid user postfix/smtpd[1]: x",
        "web-1  | nginx[3]: GET /postfix/smtp[1]: x",
        "Nov 25 18:47:05 mail dovecot: imap-login: postfix",
    ] {
        assert_eq!(LogLine::parse(line), None, "{line}");
    }
}
