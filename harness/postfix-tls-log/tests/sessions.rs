//! Lines put together into sessions, also where lines are missing or out of order.

use postfix_tls_log::{Gap, LogEvent, LogLine, Session, Sessions, Side};

fn sessions(log: &str, limit: usize) -> Vec<Session> {
    let mut sessions = Sessions::with_limit(limit);
    let mut found = Vec::new();
    for line in log.lines().filter_map(LogLine::parse) {
        let event = LogEvent::parse(&line.daemon, &line.text);
        found.extend(sessions.push(&line, event));
    }
    found.extend(sessions.finish());
    found
}

const SERVER: &str = "\
Nov 22 08:00:01 mail postfix/smtpd[77]: connect from unknown[192.0.2.1]
Nov 22 08:00:01 mail postfix/smtpd[77]: SSL_accept error from unknown[192.0.2.1]: -1
Nov 22 08:00:01 mail postfix/smtpd[77]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:
Nov 22 08:00:01 mail postfix/smtpd[77]: lost connection after STARTTLS from unknown[192.0.2.1]
Nov 22 08:00:01 mail postfix/smtpd[77]: disconnect from unknown[192.0.2.1] ehlo=1 starttls=0/1 commands=1/2
Nov 22 08:00:02 mail postfix/smtpd[77]: connect from b.example.test[192.0.2.2]
Nov 22 08:00:02 mail postfix/smtpd[77]: Anonymous TLS connection established from b.example.test[192.0.2.2]: TLSv1.2 with cipher AES128-SHA (128/128 bits)
Nov 22 08:00:02 mail postfix/smtpd[77]: 5A1B2C3D4E: client=b.example.test[192.0.2.2]
Nov 22 08:00:03 mail postfix/smtpd[77]: disconnect from b.example.test[192.0.2.2] ehlo=2 starttls=1 commands=3";

#[test]
fn a_server() {
    let found = sessions(SERVER, 10);
    assert_eq!(found.len(), 2);
    let failure = found[0].failure().unwrap();
    assert_eq!(
        (failure.side, failure.cause.as_str()),
        (Side::Server, "no shared cipher")
    );
    assert!(found[0].gaps.is_empty() && found[1].gaps.is_empty());
    assert_eq!(found[1].failure(), None);
    assert_eq!(found[1].queue_ids, ["5A1B2C3D4E"]);
    assert_eq!(
        (found[1].first.as_str(), found[1].last.as_str()),
        ("Nov 22 08:00:02", "Nov 22 08:00:03")
    );
}

#[test]
fn missing_lines_are_told() {
    let without = |part: &str| {
        let lines: Vec<&str> = SERVER.lines().filter(|line| !line.contains(part)).collect();
        sessions(&lines.join("\n"), 10)
    };
    let found = without("connect from unknown[192.0.2.1]");
    // Both the first line and the last one.
    assert_eq!(found[0].gaps, [Gap::Beginning, Gap::End]);
    assert_eq!(found.len(), 2);
    assert!(found[1].gaps.is_empty());
    let found = without(" connect from b.example");
    assert_eq!(found[1].gaps, [Gap::Beginning]);
    assert_eq!(found[1].tls.as_ref().unwrap().cipher, "AES128-SHA");
}

#[test]
fn lines_out_of_order_never_mix_two_peers() {
    let mut lines: Vec<&str> = SERVER.lines().collect();
    for round in 0..lines.len() {
        lines.rotate_left(1);
        lines.swap(round % 9, (round * 5 + 3) % 9);
        for session in sessions(&lines.join("\n"), 10) {
            if let (Some(peer), Some(tls)) = (&session.peer, &session.tls) {
                assert_eq!(Some(peer), tls.peer.as_ref());
            }
        }
    }
}

#[test]
fn a_client_and_its_messages() {
    let log = "\
Nov 22 08:00:01 mail postfix/smtp[9]: certificate verification failed for a.example.test[192.0.2.1]:25: self-signed certificate
Nov 22 08:00:01 mail postfix/smtp[9]: Untrusted TLS connection established to a.example.test[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Nov 22 08:00:01 mail postfix/smtp[9]: 5A1B2C3D4E: to=<a@example.test>, relay=a.example.test[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)
Nov 22 08:00:01 mail postfix/smtp[9]: 5A1B2C3D4E: to=<b@example.test>, relay=a.example.test[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)
Nov 22 08:00:02 mail postfix/smtp[9]: 6A1B2C3D4E: to=<a@example.test>, relay=a.example.test[192.0.2.1]:25, conn_use=2, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)
Nov 22 08:00:03 mail postfix/smtp[9]: 7A1B2C3D4E: to=<a@example.test>, relay=a.example.test[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)";
    let found = sessions(log, 10);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].queue_ids, ["5A1B2C3D4E", "6A1B2C3D4E"]);
    assert_eq!(found[0].deliveries.len(), 3);
    // The last message went over a connection of which the log has no handshake.
    assert_eq!((&found[1].tls, found[1].queue_ids.len()), (&None, 1));
}

#[test]
fn a_process_with_many_sessions() {
    let log = "\
Nov 22 08:00:01 mail postfix/tlsproxy[9]: CONNECT from [192.0.2.1]:1001
Nov 22 08:00:01 mail postfix/tlsproxy[9]: CONNECT from [192.0.2.2]:1002
Nov 22 08:00:01 mail postfix/tlsproxy[9]: Anonymous TLS connection established from [192.0.2.1]:1001: TLSv1.2 with cipher AES128-SHA (128/128 bits)
Nov 22 08:00:01 mail postfix/tlsproxy[9]: Anonymous TLS connection established from [192.0.2.2]:1002: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Nov 22 08:00:01 mail postfix/tlsproxy[9]: DISCONNECT [192.0.2.2]:1002
Nov 22 08:00:01 mail postfix/tlsproxy[9]: DISCONNECT [192.0.2.1]:1001";
    let found = sessions(log, 10);
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|session| session.gaps.is_empty() && session.tls.is_some())
    );
}

#[test]
fn memory_is_bounded() {
    let log: String = (0..1_000)
        .map(|pid| {
            format!("Nov 22 08:00:01 mail postfix/smtpd[{pid}]: connect from unknown[192.0.2.1]\n")
        })
        .collect();
    let found = sessions(&log, 10);
    assert_eq!(found.len(), 1_000);
    let given_up = found
        .iter()
        .filter(|session| session.gaps == [Gap::GivenUp])
        .count();
    assert_eq!(given_up, 990);
}

#[test]
fn a_crash_ends_its_session() {
    let log = "\
Nov 22 08:00:01 mail postfix/smtpd[77]: connect from unknown[192.0.2.1]
Nov 22 08:00:02 mail postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 77 killed by signal 11";
    let found = sessions(log, 10);
    assert!(matches!(
        found[0].events.last(),
        Some(LogEvent::DeadProcess(_))
    ));
    assert!(found[0].gaps.is_empty());
}
