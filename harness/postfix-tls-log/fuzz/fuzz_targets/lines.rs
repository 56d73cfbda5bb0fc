//! Any text as a log: lines, events, sessions, causes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postfix_tls_log::{LogEvent, LogLine, Sessions};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut sessions = Sessions::with_limit(3);
    let mut found = Vec::new();
    for line in text.lines() {
        let line = LogLine::parse_or_text(line);
        let event = LogEvent::parse(&line.daemon, &line.text);
        found.extend(sessions.push(&line, event));
    }
    found.extend(sessions.finish());
    for session in found {
        let _ = (session.failure(), session.speaks_of_tls());
    }
});
