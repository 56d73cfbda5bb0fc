//! What a snapshot would show of the captures.

use harness::observe::{LogEvent, LogLine, Received};
use harness::redact;

use crate::{TARGETS, capture, headers};

/// Everything that differs between two runs of the same thing must be gone.
#[test]
fn nothing_of_the_run_is_left_after_redaction() {
    for target in TARGETS {
        for line in capture(target, "maillog.txt").lines() {
            let redacted = redact::log_line(line);
            let parsed = LogLine::parse(line).unwrap();
            let left = ["127.", "Nov 22", "]:2", "]:3"]
                .into_iter()
                .find(|needle| redacted.contains(needle));
            assert_eq!(left, None, "{redacted}");
            assert!(
                !redacted.contains(&format!("[{}]", parsed.pid.unwrap())),
                "{redacted}"
            );
            assert_eq!(
                redact::log_text(&redact::log_text(&parsed.text)),
                redact::log_text(&parsed.text)
            );
            if let LogEvent::Tls(summary) = LogEvent::parse(&parsed.daemon, &parsed.text) {
                let session = summary.session().to_string();
                assert!(redacted.ends_with(&session), "{redacted}");
            }
        }
        for text in headers(target) {
            let redacted = redact::header(&text);
            let received = Received::parse(&text).unwrap();
            assert!(
                !redacted.contains("127.") && !redacted.contains(":0"),
                "{redacted}"
            );
            assert!(
                !redacted.contains(received.id.as_deref().unwrap()),
                "{redacted}"
            );
            assert_eq!(redacted.lines().count(), text.lines().count());
        }
    }
}
