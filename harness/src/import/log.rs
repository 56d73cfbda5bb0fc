//! Lines of Postfix's log wherever they stand in a line of a report.

use postfix_tls_log::LogLine;

use crate::observe::log::LogEvent;
use crate::scenario::SideName;

/// The line of a Postfix's log in `line`, whatever stands before it.
pub(super) fn find(line: &str) -> Option<LogLine<'_>> {
    LogLine::parse(line)
}

/// The text of a line that a program wrapped in JSON: journald's export and Docker's file.
pub(super) fn unwrapped(line: &str) -> Option<String> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(line.trim().trim_end_matches(',')).ok()?;
    let text = |key: &str| object.get(key).and_then(serde_json::Value::as_str);
    if let Some(message) = text("MESSAGE") {
        let name = text("SYSLOG_IDENTIFIER").unwrap_or("postfix");
        return Some(format!("{name}[1]: {message}"));
    }
    text("log")
        .or_else(|| text("message"))
        .map(|text| text.trim_end().to_owned())
}

/// Phrases by which a line without its daemon's name is told to be Postfix's, and whose it is.
const PHRASES: [(&str, SideName); 30] = [
    ("SSL_accept error from ", SideName::Server),
    ("SSL_connect error to ", SideName::Client),
    ("TLS connection established from ", SideName::Server),
    ("TLS connection established to ", SideName::Client),
    ("NOQUEUE: ", SideName::Server),
    ("lost connection after ", SideName::Server),
    ("Wrapper-mode request dropped from ", SideName::Server),
    ("TLS SNI ", SideName::Server),
    ("No server certs available", SideName::Server),
    ("no SASL authentication mechanisms", SideName::Server),
    (
        "server certificate verification failed for ",
        SideName::Client,
    ),
    ("Server certificate not ", SideName::Client),
    ("Cannot start TLS: ", SideName::Client),
    ("TLS is required, but ", SideName::Client),
    ("SASL authentication fail", SideName::Client),
    ("status=deferred (", SideName::Client),
    ("status=bounced (", SideName::Client),
    ("SMTPS wrappermode ", SideName::Client),
    ("smtp_tls_wrappermode requires ", SideName::Client),
    ("smtp_tls_policy_maps, next-hop ", SideName::Client),
    ("TLS policy lookup ", SideName::Client),
    ("client TLS configuration problem", SideName::Client),
    ("TLSA lookup ", SideName::Client),
    ("TLSA records unusable", SideName::Client),
    ("non DNSSEC destination", SideName::Client),
    (
        "dane configured with dnssec lookups disabled",
        SideName::Client,
    ),
    ("TLSRPT: ", SideName::Client),
    (
        "client certificate verification failed for ",
        SideName::Server,
    ),
    ("Invalid TLS protocol list ", SideName::Server),
    ("cannot get ", SideName::Server),
];

/// Does the text alone, without a daemon's name, come from a Postfix? The side that says it.
pub(super) fn phrase(text: &str) -> Option<SideName> {
    let text = text.strip_prefix("warning: ").unwrap_or(text);
    if text.starts_with("TLS library problem: ") {
        return match LogEvent::parse("smtp", text) {
            _ if text.contains("srvr") || text.contains("accept") => Some(SideName::Server),
            _ if text.contains("clnt") => Some(SideName::Client),
            _ => Some(SideName::Server),
        };
    }
    // A queue id may stand before it, or the word of a status.
    let after = text
        .split_once(": ")
        .filter(|(id, _)| id.len() <= 20 && id.chars().all(|c| c.is_ascii_alphanumeric()));
    let after = after.map_or(text, |(_, after)| after);
    let after = ["Anonymous ", "Untrusted ", "Trusted ", "Verified "]
        .iter()
        .find_map(|word| after.strip_prefix(word))
        .unwrap_or(after);
    let known = |(phrase, _): &&(&str, SideName)| {
        after.starts_with(phrase)
            || text.starts_with(phrase)
            || phrase.starts_with("status=") && after.contains(phrase)
    };
    PHRASES.iter().find(known).map(|(_, side)| *side)
}

/// The side of a TLS session that a daemon is; tlsproxy is either.
pub(super) fn side_of(daemon: &str, text: &str) -> Option<SideName> {
    match daemon {
        "smtpd" | "postscreen" | "qmqpd" => Some(SideName::Server),
        "smtp" | "lmtp" | "posttls-finger" => Some(SideName::Client),
        "tlsproxy" if text.contains(" to ") && !text.contains(" from ") => Some(SideName::Client),
        "tlsproxy" => Some(SideName::Server),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_prefix_will_do() {
        for prefix in [
            "",
            "Aug 31 14:11:21 mail ",
            "2024-12-30T12:16:32.052659+01:00 INFO    ",
            "smtp_1 | 2024-02-08T16:42:00.441548+00:00 WARNING ",
            "<22>1 2024-02-08T16:42:00Z host ",
            "Jul 29 14:24:01 ",
            "mail.info: ",
            "journal: Sep 04 10:00:00 mx.example.com ",
        ] {
            let line = format!("{prefix}postfix/submission/smtpd[2207]: connect from x[192.0.2.2]");
            let found = find(&line).unwrap();
            assert_eq!(
                (&*found.daemon, &*found.text),
                ("smtpd", "connect from x[192.0.2.2]"),
                "{line}"
            );
        }
        assert_eq!(
            find("postfix/smtpd: connect from x").unwrap().text,
            "connect from x"
        );
        assert_eq!(find("Aug 31 14:11:17 mail dovecot: ssl-params: SSL"), None);
        assert_eq!(find("Aug 31 mail dovecot[1]: smtp[2]: x"), None);
    }

    #[test]
    fn json_is_unwrapped() {
        let journal = r#"{"SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":"connect from x"}"#;
        assert_eq!(
            unwrapped(journal).unwrap(),
            "postfix/smtpd[1]: connect from x"
        );
        let docker = r#"{"log":"Aug 31 14:11:21 mail postfix/smtp[1]: a\n","stream":"stdout"}"#;
        assert_eq!(
            unwrapped(docker).unwrap(),
            "Aug 31 14:11:21 mail postfix/smtp[1]: a"
        );
    }
}
