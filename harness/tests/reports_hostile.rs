//! Reports made to break `pfs import`: whatever comes in, what goes out is a scenario that loads, and nothing of the report
//! gets out of its string or comment. `PFS_FUZZ_SECONDS` says how long; without it, two seconds.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use harness::import::import;
use harness::scenario;

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

/// What TOML, the scenario format, Markdown, HTML, Postfix or a terminal might take for something of their own.
const TOKENS: [&[u8]; 44] = [
    b"\"",
    b"'''",
    b"\"\"\"",
    b"\\",
    b"\n[server]\n",
    b"\n[[departure]]\n",
    b"# ",
    b"=",
    b"{",
    b"}",
    b"{{",
    b"}}",
    b"<level>",
    b"<",
    b">",
    b"> ",
    b">> ",
    b"&lt;",
    b"&#0;",
    b"&#x202e;",
    b"```\n",
    b"\0",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x92\xa9",
    b"\x1b[31m",
    b"\x1b]0;x\x07",
    b"\r",
    b"\r\n",
    b"\t",
    b"$x",
    b"${",
    b"${a?{b}:{c}}",
    b"file:../../etc/passwd",
    b"run:reboot",
    b"cert:nothing",
    b"inline:{{a=b}}",
    b"[",
    b"]",
    b"postfix/smtpd[1]: ",
    b"postfix/smtp[1]: warning: ",
    b"smtpd_tls_cert_file = ",
    b"smtp_tls_policy_maps = ",
];

fn seeds() -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "txt") {
            seeds.push(std::fs::read(path).unwrap());
        }
    }
    seeds.sort();
    seeds
}

fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text = seeds[random.next(seeds.len())].clone();
    for _ in 0..=random.next(12) {
        let at = random.next(text.len());
        match random.next(7) {
            0..=2 => {
                let token = TOKENS[random.next(TOKENS.len())];
                text.splice(at..at, token.iter().copied());
            }
            3 => {
                let end = (at + random.next(200)).min(text.len());
                text.drain(at..end);
            }
            4 => {
                let other = &seeds[random.next(seeds.len())];
                let from = random.next(other.len());
                let end = (from + random.next(600)).min(other.len());
                text.splice(at..at, other[from..end].iter().copied());
            }
            5 => {
                let end = (at + random.next(60)).min(text.len());
                let piece = text[at..end].to_vec();
                for _ in 0..random.next(300) {
                    text.splice(at..at, piece.iter().copied());
                }
            }
            _ => {
                if let Some(byte) = text.get_mut(at) {
                    *byte = u8::try_from(random.next(256)).unwrap_or(0);
                }
            }
        }
        text.truncate(200_000);
    }
    text
}

/// No word of Postfix, of this program or of a report.
const UNKNOWN: &str = "Zq7xUnheard9";

/// What goes out is a scenario, and holds no secret; nothing of it would move a terminal's cursor.
fn check(text: &[u8]) {
    let show = || String::from_utf8_lossy(text).into_owned();
    let imported = match import(text, "report") {
        Ok(imported) => imported,
        Err(harness::import::ImportError::Nothing { .. }) => return,
        Err(error) => panic!("{error}\n{}", show()),
    };
    let out = &imported.scenario;
    if let Err(error) = scenario::parse(Path::new("reports/imported.toml"), out) {
        panic!("{error}\n{out}\n---\n{}", show());
    }
    // A password may be a word that is said anyway: whether it would get out shows with another in its place.
    for secret in imported.report.secrets.iter().take(3) {
        let other = show().replace(secret.as_str(), UNKNOWN);
        let Ok(other) = import(other.as_bytes(), "report") else {
            continue;
        };
        if other.report.secrets.iter().any(|known| known == UNKNOWN) {
            let is_word = |(at, _): (usize, &str)| {
                let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                let text = &other.scenario;
                !inside(text[..at].chars().next_back())
                    && !inside(text[at + UNKNOWN.len()..].chars().next())
            };
            assert!(
                !other.scenario.match_indices(UNKNOWN).any(is_word),
                "{secret}\n{}\n---\n{}",
                other.scenario,
                show()
            );
        }
    }
    let odd = out
        .chars()
        .find(|c| c.is_control() && *c != '\n' || matches!(*c, '\u{202a}'..='\u{202e}'));
    assert_eq!(odd, None, "{out}\n---\n{}", show());
}

#[test]
fn whatever_comes_in_a_scenario_goes_out() {
    let seconds = std::env::var("PFS_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(2));
    let seed = std::env::var("PFS_FUZZ_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut random = Random(seed.unwrap_or(0x5eed_1234_5678_9abc));
    let seeds = seeds();
    let mut tried = 0_u64;
    while Instant::now() < end {
        check(&mutated(&seeds, &mut random));
        tried += 1;
    }
    assert!(tried > 20, "only {tried} reports in the time");
    println!("{tried} reports");
}

#[test]
fn a_value_is_data() {
    for value in [
        "x\" # y",
        "'''",
        "a\\",
        "]] [server]",
        "high # <level>",
        "\u{202e}hgih",
        "{ a = \"b\" }",
    ] {
        let report =
            format!("smtpd_tls_security_level = may\nsmtpd_tls_mandatory_ciphers = {value}\n");
        let imported = import(report.as_bytes(), "report\n[server]").unwrap();
        let table: toml::Table = imported
            .scenario
            .parse()
            .unwrap_or_else(|error| panic!("{error}\n{}", imported.scenario));
        let kept = table["server"]["postfix"].get("smtpd_tls_mandatory_ciphers");
        assert_eq!(
            kept.and_then(toml::Value::as_str),
            Some(value),
            "{}",
            imported.scenario
        );
    }
}

/// A report whose password is `password`.
fn with_password(password: &str) -> String {
    format!(
        "relayhost = [smtp.example.org]:587\n\
         smtp_tls_security_level = may\n\
         smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n\
         smtp_tls_mandatory_ciphers = high\n\
         smtp_sasl_auth_enable = yes\n\
         smtp_sasl_password_maps = static:user:{password}\n\n\
         RELAY_PASSWORD={password}\n\n\
         Nov 22 08:00:01 mx postfix/smtp[1]: warning: SASL authentication failure: No worthy mechs found\n\
         Nov 22 08:00:01 mx postfix/smtp[1]: 4F1: to=<me@example.org>, relay=smtp.example.org[192.0.2.1]:587, \
         status=deferred (SASL authentication failed; cannot authenticate to server smtp.example.org[192.0.2.1]: \
         no mechanism available with {password} so)\n"
    )
}

/// The scenario without what it quotes of the report.
fn said_by_us(scenario: &str) -> Vec<&str> {
    let own = |line: &&str| !line.starts_with("#  ") && !line.starts_with("why ");
    scenario.lines().filter(own).collect()
}

#[test]
fn a_password_is_no_word_of_ours() {
    let import_with = |password: &str| {
        let imported = import(with_password(password).as_bytes(), "report").unwrap();
        let secrets = &imported.report.secrets;
        assert!(
            secrets.iter().any(|known| known == password),
            "{password}: {secrets:?}"
        );
        imported.scenario
    };
    let plain = import_with(UNKNOWN);
    assert!(!plain.contains(UNKNOWN), "{plain}");
    assert!(plain.contains("with (secret) so"), "{plain}");
    for password in [
        "word",
        "yes",
        "may",
        "high",
        "encrypt",
        "password",
        "not-a-password",
        "user",
        "login",
        "secret",
        "report",
        "made",
        "why",
        "client",
        "server",
        "postfix",
        "inline",
        "delivered",
        "rustls",
        "relayhost",
        "smtp_sasl_password_maps",
        "smtp_tls_security_level",
        "mail.example.test",
        ".*x",
        "(.+)",
        "[server]",
        "]]x",
        "a'''b",
        "x\"\"\"y",
        "a\\b",
        "#{x}",
        "$1a",
    ] {
        let scenario = import_with(password);
        assert_eq!(said_by_us(&scenario), said_by_us(&plain), "{password}");
        assert!(
            scenario.contains("with (secret) so"),
            "{password}\n{scenario}"
        );
    }
}

#[test]
fn a_setting_that_holds_a_password_is_named_and_not_written() {
    for setting in [
        "smtp_tls_servername = hunter22",
        "smtp_tls_CAfile = hunter22",
        "my_own = hunter22\nsmtp_tls_servername = $my_own",
        "smtp_tls_policy_maps = inline:{x=may match=hunter22}",
    ] {
        let report = format!("smtp_tls_security_level = may\n{setting}\nSASL_PASSWORD=hunter22\n");
        let scenario = import(report.as_bytes(), "report").unwrap().scenario;
        assert!(!scenario.contains("hunter22"), "{scenario}");
        assert!(
            scenario.contains("# NOTE: the report has passwords"),
            "{scenario}"
        );
        assert!(scenario.contains("\"may\""), "{scenario}");
    }
}

#[test]
fn the_largest_and_the_deepest() {
    check(&b"smtpd_tls_ciphers = ".repeat(1_000_000)[..9_000_000]);
    check(&[b"smtpd_tls_ciphers = ".to_vec(), b"x".repeat(9_000_000)].concat());
    check(
        &[
            b"postfix/smtpd[1]: SSL_accept error from ".to_vec(),
            b"(".repeat(500_000),
        ]
        .concat(),
    );
    check(&b"> ".repeat(500_000));
    check(&b"{\"MESSAGE\":".repeat(100_000));
    check(&b"&amp;".repeat(200_000));
    check(&b"a\n ".repeat(300_000));
    check(
        "smtpd_tls_ciphers = $a\na_b = ${a_b}${a_b}\n"
            .repeat(1000)
            .as_bytes(),
    );
    check(&vec![0_u8; 100_000]);
    check(&(0..=255_u8).cycle().take(100_000).collect::<Vec<_>>());
}
