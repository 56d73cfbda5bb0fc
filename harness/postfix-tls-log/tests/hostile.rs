//! No input makes the parsers panic, and what they print of what they read is read the same again.
//!
//! The inputs are pieces of real lines, put together and changed at random; the sequence is the same each time. `fuzz/` does the same
//! with coverage, for as long as one likes.

use postfix_tls_log::{LogEvent, LogLine, Received, Sessions, TlsSummary, failure};

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % below.max(1)
    }
}

#[test]
fn nothing_panics() {
    let pieces: Vec<&str> = [
        include_str!("data/lines/log.tsv"),
        include_str!("data/lines/received.tsv"),
        include_str!("data/lines/prefixes.tsv"),
        include_str!("data/templates.txt"),
        "é\u{feff}\u{1b}[31m\\\"{}[]()<>;:;,=%\u{0}\u{2028}99999999999999999999 -1 +1 0x7f",
    ]
    .iter()
    .flat_map(|text| text.split_inclusive([' ', '\t', ':', '[', ']', '(', ')', '\n', '=', ',']))
    .collect();
    let daemons = [
        "smtpd",
        "smtp",
        "tlsproxy",
        "postscreen",
        "tlsmgr",
        "master",
        "",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut sessions = Sessions::with_limit(7);
    let mut events = Vec::new();
    for _ in 0..60_000 {
        let mut text = String::new();
        let start = random.next(pieces.len());
        for step in 0..random.next(24) {
            let piece = match random.next(3) {
                0 => random.next(pieces.len()),
                _ => (start + step) % pieces.len(),
            };
            text.push_str(pieces[piece]);
        }
        if let Some((at, _)) = text.char_indices().nth(random.next(text.len().max(1)))
            && random.next(4) == 0
        {
            text.truncate(at);
        }
        let text = text.replace("\\n", "\n").replace("\\t", "\t");
        let daemon = daemons[random.next(daemons.len())];
        let event = LogEvent::parse(daemon, &text);
        let own = LogLine {
            daemon: daemon.into(),
            pid: Some(u32::try_from(random.next(5)).unwrap_or_default()),
            text: text.as_str().into(),
            ..LogLine::default()
        };
        for session in sessions.push(&own, event.clone()) {
            let _ = session.failure();
        }
        if let Some(line) = LogLine::parse(&text) {
            let _ = sessions.push(&line, LogEvent::parse(&line.daemon, &line.text));
        }
        if let LogEvent::Tls(summary) = &event
            && summary.status.is_some()
        {
            assert_eq!(
                TlsSummary::from_log(&summary.to_string()).as_ref(),
                Some(summary),
                "{text}"
            );
        }
        events.push(event);
        if events.len() > 6 {
            for side in [postfix_tls_log::Side::Server, postfix_tls_log::Side::Client] {
                let _ = failure::from_log(side, &events);
            }
            events.clear();
        }
        if let Some(header) = Received::parse(&text) {
            let _ = (header.transport(), header.to_string());
        }
        let _ = Received::all(&text);
    }
    assert!(sessions.finish().len() <= 7);
}
