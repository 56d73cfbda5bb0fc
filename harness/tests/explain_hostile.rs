//! Logs made to break `pfs explain`: whatever comes in, nothing of it moves a terminal's cursor, and no version or cipher is
//! named that does not stand there. `PFS_FUZZ_SECONDS` says how long; without it, two seconds.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, Instant};

use harness::explain::{self, About, Explanation, Item, Reader, Shown, Summary};

/// xorshift64: the same sequence for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % below.max(1)
    }
}

/// What a syslog, JSON, a header, Postfix or a terminal might take for something of their own.
const TOKENS: [&[u8]; 34] = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\t",
    b" ",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x92\xa9",
    b"\x1b[31m",
    b"\x1b]0;x\x07",
    b"\"",
    b"\\",
    b"\\n",
    b"{\"MESSAGE\":\"",
    b"{\"log\":\"",
    b"\"}\n",
    b"<",
    b"&lt;",
    b"(",
    b")",
    b"[",
    b"]",
    b": ",
    b"postfix/smtpd[1]: ",
    b"postfix/smtp[1]: ",
    b"postfix/tlsproxy[1]: ",
    b"Received: from ",
    b" TLS connection established from ",
    b"TLSv1.3 with cipher ",
    b"key-exchange ",
    b"SSL_accept error from ",
    b"warning: TLS library problem: ",
];

/// Reports, and lines that real Postfixes printed.
fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    let mut directories = vec![
        root.join("tests/data/reports"),
        root.join("../scenarios/corpus"),
    ];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path
                .extension()
                .is_some_and(|end| end == "txt" || end == "log")
            {
                seeds.push(std::fs::read(path).unwrap());
            }
        }
    }
    assert!(seeds.len() >= 15, "{} seeds", seeds.len());
    seeds.sort();
    seeds
}

/// A piece of one of the seeds with a few things done to it.
fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let seed = &seeds[random.next(seeds.len())];
    let from = random.next(seed.len());
    let end = (from + 200 + random.next(4000)).min(seed.len());
    let mut text = seed[from..end].to_vec();
    for _ in 0..=random.next(12) {
        let at = random.next(text.len() + 1);
        match random.next(6) {
            0..=2 => {
                let token = TOKENS[random.next(TOKENS.len())];
                text.splice(at..at, token.iter().copied());
            }
            3 => {
                let end = (at + random.next(80)).min(text.len());
                text.drain(at..end);
            }
            4 => {
                let other = &seeds[random.next(seeds.len())];
                let from = random.next(other.len());
                let end = (from + random.next(400)).min(other.len());
                text.splice(at..at, other[from..end].iter().copied());
            }
            _ => {
                if let Some(byte) = text.get_mut(at) {
                    *byte = u8::try_from(random.next(256)).unwrap_or(0);
                }
            }
        }
    }
    text
}

fn explained(item: &Item) -> Explanation {
    match item {
        Item::Session(session) => explain::session(session),
        Item::Header(header) => explain::header(header),
        Item::Line { event, .. } => explain::line(event),
    }
}

fn check(text: &[u8]) {
    let input = String::from_utf8_lossy(text).into_owned();
    let mut items = Vec::new();
    let mut reader = Reader::new();
    let mut found = |item| items.push(item);
    // Read in small pieces, as a pipe gives them.
    let mut pieces = BufReader::with_capacity(61, text);
    reader.read(&mut pieces, &mut found).unwrap();
    reader.finish(&mut found);
    let (mut shown, mut summary) = (Shown::default(), Summary::default());
    for item in &items {
        let explanation = explained(item);
        for statement in explanation.about(About::Negotiated) {
            named_there(statement, &input);
        }
        let json = explain::json(item, &explanation);
        assert!(json.is_object(), "{json}\n---\n{input}");
        summary.count(item);
        shown.add(item, explanation);
    }
    for out in [shown.text(), summary.text()] {
        let odd = out
            .chars()
            .find(|c| c.is_control() && *c != '\n' || matches!(*c, '\u{202a}'..='\u{202e}'));
        assert_eq!(odd, None, "{out}\n---\n{input}");
    }
}

/// A protocol and a cipher that are said to have been negotiated stand in the input.
fn named_there(statement: &str, input: &str) {
    let Some((protocol, rest)) = statement.split_once(", cipher ") else {
        return;
    };
    let cipher = rest.split([' ', ',', '.']).next().unwrap_or_default();
    // A header that was made by another program spells it otherwise.
    let digits: String = protocol.chars().filter(|c| c.is_ascii_digit()).collect();
    for digit in digits.chars() {
        assert!(input.contains(digit), "{statement}\n---\n{input}");
    }
    assert!(input.contains(cipher), "{statement}\n---\n{input}");
}

#[test]
fn whatever_comes_in_is_explained_without_a_word_that_is_not_there() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(variable("PFS_FUZZ_SECONDS").unwrap_or(2));
    let mut random = Random(variable("PFS_FUZZ_SEED").unwrap_or(0x5eed_1234_5678_9abc));
    let seeds = seeds();
    let mut tried = 0_u64;
    while Instant::now() < end {
        check(&mutated(&seeds, &mut random));
        tried += 1;
    }
    assert!(tried > 20, "only {tried} texts in the time");
    println!("{tried} texts");
}
