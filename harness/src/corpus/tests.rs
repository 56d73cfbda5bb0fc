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
