use super::*;

const LOG: &str = "smtpd: connect from unknown[<address>]\n\
    smtpd: Anonymous TLS connection established from unknown[<address>]: TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange ECDHE (P-256) server-signature RSA-PSS (2048 bits) server-digest SHA256\n\
    smtpd: <queue-id>: client=unknown[<address>]\n\
    smtpd: disconnect from unknown[<address>] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7\n";

fn seen(id: &str, log: &str) -> Seen {
    Seen {
        id: id.to_owned(),
        target: "debian-11".to_owned(),
        sides: Sides {
            client: None,
            server: Some("debian-11".to_owned()),
            fixed: false,
        },
        sections: vec![(Section::ServerLog, log.to_owned())],
    }
}

fn texts(seen: &[Seen]) -> Vec<String> {
    let target = TargetVersions {
        name: "debian-11".to_owned(),
        postfix: "3.5.25".parse().unwrap(),
        openssl: "1.1.1".parse().unwrap(),
    };
    let corpus = Corpus::of(&target, seen);
    assert_eq!(
        (corpus.postfix.as_str(), corpus.openssl.as_str()),
        ("3.5", "1.1.1")
    );
    corpus.examples.into_iter().map(|one| one.text).collect()
}

#[test]
fn one_example_for_each_shape_and_each_value() {
    let curve = LOG.replace("P-256", "P-384");
    let group = LOG.replace("ECDHE (P-256)", "X25519");
    let size = LOG.replace("128/128", "256/256");
    let chosen = texts(&[
        seen("b/group", &group),
        seen("a/first", LOG),
        seen("b/curve", &curve),
        seen("b/size", &size),
    ]);
    let exchanges: Vec<&str> = chosen
        .iter()
        .filter_map(|line| line.split("key-exchange ").nth(1)?.split(" server-").next())
        .collect();
    // Another number is neither a shape nor a value of an enumeration.
    assert_eq!(exchanges, ["ECDHE (P-256)", "ECDHE (P-384)", "X25519"]);
    assert!(
        chosen[0].starts_with("Nov 22 08:00:00 mail postfix/smtpd[1234]: Anonymous TLS connection established from unknown[192.0.2.1]: "),
        "{}",
        chosen[0]
    );
}

#[test]
fn lines_of_another_target_are_left_to_it() {
    let mut pair = seen("pairs/one", LOG);
    pair.sides.server = Some("debian-12".to_owned());
    assert!(texts(&[pair]).is_empty());
}

#[test]
fn nothing_redacted_is_left() {
    for text in [
        "<queue-id>: to=<recipient@<case>.pfs.test>, relay=mail.example.test[<address>]:<port>, delay=<seconds>, delays=<seconds>, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as <queue-id>)",
        "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:<line>:",
    ] {
        let filled = fill::fill(text);
        let event = LogEvent::parse("smtp", &filled);
        assert!(
            !matches!(event, LogEvent::Other(_) | LogEvent::Warning(_)),
            "{filled}"
        );
        assert_eq!(
            crate::redact::log_line(&filled).replace("case.pfs", "<case>.pfs"),
            text
        );
    }
}

/// Lines of the snapshots that speak of TLS and that the grammar leaves as they are: each with the reason.
const LEFT: [(&str, &str); 2] = [
    (
        "/no-such.pem",
        "A table says that a file cannot be read; only the name of the file speaks of TLS.",
    ),
    (
        "discarding EHLO keywords: STARTTLS",
        "The keywords that smtpd_discard_ehlo_keywords leaves out, one of them STARTTLS; there is no TLS.",
    ),
];

#[test]
fn every_line_of_every_snapshot_is_known_or_named() {
    let scenarios = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let (mut lines, mut unknown) = (0, BTreeSet::new());
    let mut used = BTreeSet::new();
    for topic in std::fs::read_dir(&scenarios).unwrap() {
        let Ok(files) = std::fs::read_dir(topic.unwrap().path().join("snapshots")) else {
            continue;
        };
        for file in files {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let logs = crate::snapshot::sections(&text)
                .into_iter()
                .filter(|(name, _)| {
                    matches!(
                        name,
                        crate::evidence::Section::ClientLog | crate::evidence::Section::ServerLog
                    )
                });
            for (_, log) in logs {
                for line in log.lines() {
                    let Some((daemon, text)) = line.split_once(": ") else {
                        continue;
                    };
                    lines += 1;
                    let left = match LogEvent::parse(daemon, &fill::fill(text)) {
                        LogEvent::Other(text) | LogEvent::Warning(text) if speaks_of_tls(&text) => {
                            text
                        }
                        _ => continue,
                    };
                    match LEFT.iter().find(|(start, _)| left.contains(start)) {
                        Some((start, _)) => {
                            used.insert(*start);
                        }
                        None => {
                            unknown.insert(format!("{daemon}: {left}"));
                        }
                    }
                }
            }
        }
    }
    assert!(lines > 10_000, "{lines}");
    assert!(
        unknown.is_empty(),
        "{:#?}",
        unknown.into_iter().collect::<Vec<_>>()
    );
    assert_eq!(used.len(), LEFT.len(), "{used:?}");
}
