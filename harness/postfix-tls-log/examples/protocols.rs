//! Counts the TLS sessions of a log by protocol and cipher: `cargo run --example protocols </var/log/mail.log`.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _};

use postfix_tls_log::{LogEvent, LogLine, Session, Sessions};

fn main() -> io::Result<()> {
    let mut sessions = Sessions::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = |session: Session| {
        let key = match (&session.tls, session.failure()) {
            (Some(tls), _) => format!("{} {}", tls.protocol, tls.cipher),
            (None, Some(failure)) => format!("failed: {failure}"),
            (None, None) => "no line about a handshake".to_owned(),
        };
        *counts.entry(key).or_default() += 1;
    };
    let mut input = io::stdin().lock();
    let mut bytes = Vec::new();
    while input.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(line) = LogLine::parse(&text) {
            let event = LogEvent::parse(&line.daemon, &line.text);
            sessions.push(&line, event).into_iter().for_each(&mut count);
        }
        bytes.clear();
    }
    sessions.finish().into_iter().for_each(&mut count);
    for (key, count) in counts {
        println!("{count:>8}  {key}");
    }
    Ok(())
}
