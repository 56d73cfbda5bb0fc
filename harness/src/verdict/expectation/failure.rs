//! The failure that is expected against those that the witnesses tell of: who gave up, with which alert, and why.

use crate::observe::agreement::Witness;
use crate::observe::failure::{Failure, VERIFICATION_FAILED, canonical, is_name, is_verification};
use crate::observe::log::LogEvent;
use crate::observe::summary::Side;
use crate::redact;
use crate::scenario::{Alert, FailureExpectation, SideName};

/// Whether `told`, the words of a log, are the `expected` cause, dialects aside.
pub(in crate::verdict) fn is_cause(told: &str, expected: &str) -> bool {
    let (told, expected) = (canonical(told), canonical(expected));
    match expected.as_str() {
        VERIFICATION_FAILED => told == expected || is_verification(&told),
        // What is made up for a run stands in neither.
        _ => redact::log_text(&told) == redact::log_text(&expected),
    }
}

/// Whether it is told of sessions in which nothing fails, too, and so is no cause of a failure.
pub(super) fn is_of_any_session(event: &LogEvent) -> bool {
    matches!(
        event,
        LogEvent::Connect { .. }
            | LogEvent::DaemonStarted { .. }
            | LogEvent::Disconnect { .. }
            | LogEvent::Queue(_)
            | LogEvent::Tls(_)
    )
}

/// Whether the log says so in its own words, in one of `lines`: what is no name of a cause is looked for in all of them, a
/// name where a library tells of its errors.
fn is_said(lines: &[String], expected: &str) -> bool {
    const LIBRARY: &str = "TLS library problem:";
    let is_name = is_name(expected);
    let words = expected.to_lowercase();
    lines
        .iter()
        .any(|line| (!is_name || line.contains(LIBRARY)) && line.to_lowercase().contains(&words))
}

/// Every way in which the failures seen are not the expected one; `lines` is the log of the side that gives up, empty of one
/// that is no Postfix: what the other's log says may be of either.
pub(super) fn differences(
    expected: &FailureExpectation,
    failures: &[Failure],
    lines: &[String],
) -> Vec<String> {
    let side = match expected.side {
        SideName::Client => Side::Client,
        SideName::Server => Side::Server,
    };
    // A log tells of the other side's failure as well: words of it count where this side's is told of, or none is.
    let is_own = failures.is_empty() || failures.iter().any(|failure| failure.side == side);
    let is_said = is_own && is_said(lines, &expected.cause);
    if failures.is_empty() && !is_said {
        return vec![format!(
            "failure: expected one of the {side}, but no witness saw any"
        )];
    }
    let mut out = Vec::new();
    // Who sent an alert is who gave up; the other side's complaint is only its echo.
    let alerts: Vec<&Failure> = failures
        .iter()
        .filter(|failure| failure.alert.is_some())
        .collect();
    for teller in &alerts {
        if teller.side != side {
            out.push(format!(
                "failure: expected the {side} to give up, but {} tells of the {}: {}",
                teller.seen_by, teller.side, teller.cause
            ));
        }
        if let (Some(Alert(expected)), Some(alert)) = (&expected.alert, teller.alert)
            && *expected != Some(alert)
        {
            let expected = expected.map_or_else(|| "none".to_owned(), |one| one.to_string());
            out.push(format!("alert: expected {expected}, found {alert}"));
        }
    }
    if let Some(Alert(Some(alert))) = expected.alert
        && alerts.is_empty()
    {
        out.push(format!("alert: expected {alert}, but no witness saw one"));
    }
    // A Postfix has a fixed set of words for its causes. The peers of this program tell a story, of which a piece will do.
    let is_cause = |failure: &Failure| match failure.seen_by {
        Witness::Peer => failure.cause.contains(&expected.cause),
        _ => is_cause(&failure.cause, &expected.cause),
    };
    // Without an alert, silence and closed connections look different from either end: one witness of both is enough.
    let holds =
        |failure: &Failure| is_cause(failure) && (!alerts.is_empty() || failure.side == side);
    if !failures.iter().any(holds) && !is_said {
        let told: Vec<_> = failures
            .iter()
            .map(|f| format!("{} tells of the {}: `{}`", f.seen_by, f.side, f.cause))
            .collect();
        out.push(format!(
            "failure: expected the {side} to give up for the cause `{}`, but {}",
            expected.cause,
            told.join("; ")
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use classic_tls::names::AlertDescription;

    use super::*;
    use crate::observe::failure::from_log;

    const ADDRESS: &str = "unknown[192.0.2.1]";

    /// Every cause a scenario may name for a server, with the log lines of a real Postfix that show it.
    fn server_causes() -> Vec<(&'static str, Vec<String>)> {
        let handshake = |entry: &str| {
            vec![
                format!("SSL_accept error from {ADDRESS}: -1"),
                format!("warning: TLS library problem: {entry}"),
                format!("lost connection after STARTTLS from {ADDRESS}"),
            ]
        };
        vec![
            ("no shared cipher", handshake("error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:")),
            ("unsupported protocol", handshake("error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1686:")),
            ("wrong version number", handshake("error:0A00010B:SSL routines::wrong version number:../ssl/record/methods/tlsany_meth.c:80:")),
            ("no suitable key share", handshake("error:0A000065:SSL routines::no suitable key share:../ssl/statem/extensions_srvr.c:700:")),
            ("dh key too small", handshake("error:141EC18A:SSL routines:tls_construct_server_key_exchange:dh key too small:../ssl/statem/statem_srvr.c:2609:")),
            ("alert protocol_version", handshake("error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:918:SSL alert number 70:")),
            ("alert handshake_failure", handshake("error:0A000410:SSL routines::ssl/tls alert handshake failure:../ssl/record/rec_layer_s3.c:918:SSL alert number 40:")),
            ("no client certificate presented", vec![format!("NOQUEUE: abort: TLS from {ADDRESS}: No client certificate presented")]),
            ("self-signed certificate", vec![
                format!("certificate verification failed for {ADDRESS}: self-signed certificate"),
                format!("NOQUEUE: abort: TLS from {ADDRESS}: Client certificate not trusted"),
            ]),
            ("cannot get RSA certificate", vec![
                "warning: cannot get RSA certificate from file \"/etc/postfix/no.pem\": disabling TLS support".to_owned(),
            ]),
            ("no SASL authentication mechanisms", vec!["fatal: no SASL authentication mechanisms".to_owned()]),
            ("error opening chain file", vec![
                "warning: error opening chain file: /etc/postfix/no.pem: No such file or directory".to_owned(),
                format!("lost connection after STARTTLS from {ADDRESS}"),
            ]),
            ("lost connection", vec![format!("SSL_accept error from {ADDRESS}: lost connection")]),
            ("connection reset by peer", vec![format!("SSL_accept error from {ADDRESS}: Connection reset by peer")]),
        ]
    }

    /// The same for a client.
    fn client_causes() -> Vec<(&'static str, Vec<String>)> {
        let host = "mail.example.test[192.0.2.2]";
        let deferred = |reason: &str| {
            format!(
                "4CXy2T0kL6z1: to=<a@b.test>, relay={host}:25, delay=0.1, delays=0/0/0.1/0, dsn=4.7.5, status=deferred ({reason})"
            )
        };
        let handshake = |entry: &str| {
            vec![
                format!("SSL_connect error to {host}:25: -1"),
                format!("warning: TLS library problem: {entry}"),
                "4CXy2T0kL6z1: Cannot start TLS: handshake failure".to_owned(),
                deferred("Cannot start TLS: handshake failure"),
            ]
        };
        let certificate = |reason: &str| {
            vec![
                format!("certificate verification failed for {host}:25: {reason}"),
                "4CXy2T0kL6z1: Server certificate not verified".to_owned(),
                deferred("Server certificate not verified"),
            ]
        };
        vec![
            (
                "dh key too small",
                handshake(
                    "error:0A00018A:SSL routines::dh key too small:../ssl/statem/statem_clnt.c:2100:",
                ),
            ),
            (
                "wrong version number",
                handshake(
                    "error:0A00010B:SSL routines::wrong version number:../ssl/record/methods/tlsany_meth.c:80:",
                ),
            ),
            (
                "alert protocol_version",
                handshake(
                    "error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:918:SSL alert number 70:",
                ),
            ),
            (
                "alert handshake_failure",
                handshake(
                    "error:0A000410:SSL routines::ssl/tls alert handshake failure:../ssl/record/rec_layer_s3.c:918:SSL alert number 40:",
                ),
            ),
            (
                "untrusted issuer",
                certificate("untrusted issuer /CN=pfs test root CA"),
            ),
            (
                "self-signed certificate",
                certificate("self-signed certificate"),
            ),
            (
                "server certificate not verified",
                vec![deferred("Server certificate not trusted")],
            ),
            (
                "starttls not offered",
                vec![deferred(&format!(
                    "TLS is required, but was not offered by host {host}"
                ))],
            ),
            (
                "TLS session: (gnutls_handshake): Error in the pull function.",
                vec![deferred(
                    "temporary failure. Command output: TLS session: (gnutls_handshake): Error in the pull function. ",
                )],
            ),
            (
                "starttls refused",
                vec![deferred(&format!(
                    "TLS is required, but host {host} refused to start TLS: 454 4.7.0 TLS not available due to local problem"
                ))],
            ),
            (
                "no client certificate presented",
                vec![deferred(&format!(
                    "host {host} refused to talk to me: 421 4.7.1 mail.example.test Error: No client certificate presented"
                ))],
            ),
            (
                "must issue a starttls command first",
                vec![format!(
                    "4CXy2T0kL6z1: to=<a@b.test>, relay={host}:25, delay=0.1, delays=0/0/0.1/0, dsn=5.7.0, status=bounced (host {host} said: 530 5.7.0 Must issue a STARTTLS command first (in reply to MAIL FROM command))"
                )],
            ),
            (
                "client tls configuration problem",
                vec![deferred("client TLS configuration problem")],
            ),
            (
                "refused to talk",
                vec![deferred(&format!(
                    "host {host} refused to talk to me: 421 4.3.2 Service not available"
                ))],
            ),
        ]
    }

    fn expectation(side: Side, cause: &str) -> FailureExpectation {
        FailureExpectation {
            side: match side {
                Side::Client => SideName::Client,
                Side::Server => SideName::Server,
            },
            alert: None,
            cause: cause.to_owned(),
        }
    }

    fn told(side: Side, daemon: &str, lines: &[String]) -> Failure {
        let events: Vec<_> = lines
            .iter()
            .map(|line| LogEvent::parse(daemon, line))
            .collect();
        let witness = match side {
            Side::Client => Witness::ClientLog,
            Side::Server => Witness::ServerLog,
        };
        from_log(witness, side, &events).unwrap()
    }

    #[test]
    fn a_failure_expected_for_one_cause_does_not_pass_for_another() {
        for (own, daemon, causes) in [
            (Side::Server, "smtpd", server_causes()),
            (Side::Client, "smtp", client_causes()),
        ] {
            for (real, lines) in &causes {
                let failure = told(own, daemon, lines);
                for (expected, _) in &causes {
                    let differences = differences(
                        &expectation(failure.side, expected),
                        std::slice::from_ref(&failure),
                        lines,
                    );
                    assert_eq!(
                        differences.is_empty(),
                        expected == real,
                        "{daemon}: expected `{expected}`, happened `{real}`: {differences:?}"
                    );
                }
                let other = differences(
                    &expectation(failure.side.other(), real),
                    std::slice::from_ref(&failure),
                    &[],
                );
                assert!(!other.is_empty(), "{real}: the other side passes");
            }
        }
    }

    #[test]
    fn the_words_of_a_log_are_accepted() {
        let expects = |words: &str, lines: &[String]| {
            let failure = told(Side::Client, "smtp", lines);
            let expected = expectation(Side::Client, words);
            differences(&expected, std::slice::from_ref(&failure), lines).is_empty()
        };
        for (name, lines) in client_causes() {
            let (words, is_verification) = match name {
                "starttls not offered" => ("TLS is required, but was not offered", false),
                "untrusted issuer" | "self-signed certificate" => {
                    ("certificate verification failed", true)
                }
                _ => continue,
            };
            assert!(expects(words, &lines), "{name}");
            assert!(is_verification || !expects("certificate verification failed", &lines));
        }
    }

    #[test]
    fn a_log_is_searched_for_words_that_are_no_name() {
        let key = [
            "warning: cannot get RSA private key from file \"/etc/postfix/key.pem\": disabling TLS support",
            "warning: TLS library problem: error:05800074:x509 certificate routines::key values mismatch:../crypto/x509/x509_cmp.c:408:",
        ]
        .map(str::to_owned);
        let table = [
            "warning: smtp_tls_policy_maps, next-hop destination \"[mail.example.test]\": malformed attribute/value pair \"!SSLv3\": missing '=' after attribute name",
            "warning: TLS policy lookup for [mail.example.test]/mail.example.test: client TLS configuration problem",
        ]
        .map(str::to_owned);
        for (side, daemon, lines, words, holds) in [
            (Side::Server, "smtpd", &key, "key values mismatch", true),
            (
                Side::Server,
                "smtpd",
                &key,
                "cannot get RSA private key",
                true,
            ),
            (Side::Server, "smtpd", &key, "no shared cipher", false),
            (
                Side::Client,
                "smtp",
                &table,
                "malformed attribute/value pair",
                true,
            ),
            (
                Side::Client,
                "smtp",
                &table,
                "client TLS configuration problem",
                true,
            ),
            (
                Side::Client,
                "smtp",
                &table,
                "policy table lookup error",
                false,
            ),
        ] {
            let events: Vec<_> = lines
                .iter()
                .map(|line| LogEvent::parse(daemon, line))
                .collect();
            let witness = match side {
                Side::Client => Witness::ClientLog,
                Side::Server => Witness::ServerLog,
            };
            let failures: Vec<_> = from_log(witness, side, &events).into_iter().collect();
            let found = differences(&expectation(side, words), &failures, lines);
            assert_eq!(found.is_empty(), holds, "{words}: {found:?}");
            // Where a failure is told of, the words do not stand for the other side.
            let other = differences(&expectation(side.other(), words), &failures, lines);
            assert!(failures.is_empty() || !other.is_empty(), "{words}");
        }
    }

    #[test]
    fn what_is_told_of_any_session_is_no_cause() {
        for (daemon, line) in [
            ("smtpd", "connect from unknown[192.0.2.1]"),
            (
                "smtpd",
                "Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
            ),
            (
                "smtpd",
                "disconnect from unknown[192.0.2.1] ehlo=1 starttls=1 quit=1 commands=3",
            ),
        ] {
            assert!(is_of_any_session(&LogEvent::parse(daemon, line)), "{line}");
        }
        let line = "lost connection after STARTTLS from unknown[192.0.2.1]";
        assert!(!is_of_any_session(&LogEvent::parse("smtpd", line)));
    }

    #[test]
    fn tlsproxy_tells_of_the_end_behind_the_cause() {
        let lines = [
            "CONNECT from [192.0.2.1]:40468".to_owned(),
            "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:".to_owned(),
            "TLS handshake failed for service=smtpd peer=[192.0.2.1]:40468".to_owned(),
            "DISCONNECT [192.0.2.1]:40468".to_owned(),
        ];
        let failure = told(Side::Server, "tlsproxy", &lines);
        let differences = differences(
            &expectation(Side::Server, "no shared cipher"),
            std::slice::from_ref(&failure),
            &lines,
        );
        assert!(differences.is_empty(), "{differences:?}");
    }

    #[test]
    fn alerts_are_held_against_each_other() {
        let (_, lines) = server_causes().swap_remove(0);
        let failure = told(Side::Server, "smtpd", &lines);
        let mut expected = expectation(Side::Server, "no shared cipher");
        for (alert, holds) in [
            ("handshake_failure", true),
            ("protocol_version", false),
            ("none", false),
        ] {
            expected.alert = Some(Alert(AlertDescription::from_name(alert)));
            assert_eq!(
                differences(&expected, std::slice::from_ref(&failure), &lines).is_empty(),
                holds,
                "{alert}"
            );
        }
        let (_, lines) = server_causes().pop().unwrap();
        let reset = told(Side::Server, "smtpd", &lines);
        let mut expected = expectation(Side::Client, "connection reset by peer");
        for (alert, holds) in [("handshake_failure", false), ("none", true)] {
            expected.alert = Some(Alert(AlertDescription::from_name(alert)));
            assert_eq!(
                differences(&expected, std::slice::from_ref(&reset), &lines).is_empty(),
                holds,
                "{alert}"
            );
        }
        assert!(!differences(&expected, &[], &[]).is_empty());
    }

    #[test]
    fn a_piece_of_the_peers_story_will_do() {
        let peer = Failure {
            side: Side::Client,
            alert: None,
            cause: "the prime has 1024 bits; at least 2048 are required".to_owned(),
            seen_by: Witness::Peer,
        };
        let expected = |cause| expectation(Side::Client, cause);
        assert!(
            differences(
                &expected("at least 2048 are required"),
                std::slice::from_ref(&peer),
                &[]
            )
            .is_empty()
        );
        assert!(!differences(&expected("at least 3072 are required"), &[peer], &[]).is_empty());
    }
}
