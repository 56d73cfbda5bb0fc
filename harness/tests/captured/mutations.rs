//! Untrusted text may be anything; it must not stop the program.

use std::collections::HashMap;

use harness::observe::agreement::Witness;
use harness::observe::{LogEvent, Received, Side, failure};
use harness::redact;

use crate::{TARGETS, capture, headers, lines};

/// Cuts and changes that may split a character, as bytes from a socket may.
fn mutations(text: &str) -> impl Iterator<Item = String> + '_ {
    let bytes = text.as_bytes();
    (0..bytes.len()).flat_map(move |at| {
        // One of them at each place: this must not take longer than the rest of the tests.
        let bad = [
            b'\0', b' ', b'(', b')', b'[', b']', b':', b'/', b'"', b'9', 0xff,
        ];
        let mut changed = bytes.to_vec();
        changed[at] = bad[at % bad.len()];
        [changed, bytes[..at].to_vec(), bytes[at..].to_vec()]
            .map(|changed| String::from_utf8_lossy(&changed).into_owned())
    })
}

/// Every shape once: the whole of four captures, mutated, would take minutes.
#[test]
fn no_mutation_panics() {
    let mut shapes: HashMap<String, (String, String)> = HashMap::new();
    for target in TARGETS {
        for (line, event) in lines(&capture(target, "maillog.txt")) {
            let shape: String = redact::log_text(&line.text)
                .split([' ', ':'])
                .take(3)
                .collect();
            shapes
                .entry(format!("{:?} {shape}", std::mem::discriminant(&event)))
                .or_insert_with(|| {
                    (
                        line.daemon.to_string(),
                        line.text.chars().take(160).collect(),
                    )
                });
        }
    }
    assert!(shapes.len() > 100, "{}", shapes.len());
    for (daemon, text) in shapes.values() {
        for mutated in mutations(text) {
            let event = LogEvent::parse(daemon, &mutated);
            let _ = failure::from_log(
                Witness::ServerLog,
                Side::Server,
                std::slice::from_ref(&event),
            );
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
