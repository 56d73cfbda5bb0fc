use super::*;

fn seen(target: &str, json: serde_json::Value) -> Seen {
    let mut all = serde_json::json!({
        "id": "a/b", "target": target, "outcome": "pass", "delivered": true, "session": null,
        "witnesses": {},
    });
    if let (Some(all), Some(more)) = (all.as_object_mut(), json.as_object()) {
        all.extend(more.clone());
    }
    serde_json::from_value(all).unwrap()
}

fn session(cipher: &str, group: &str, holds: bool) -> serde_json::Value {
    serde_json::json!({
        "protocol": "TLSv1.2", "cipher": cipher, "bits": {"used": 256, "algorithm": 256},
        "key_exchange": {"kind": "ECDHE", "group": group, "prime": null, "text": null},
        "server_signature": null, "client_signature": null,
        "forward_secrecy": {"holds": holds, "known_by": "cipher_name", "prefix": null},
        "sni": null, "status": null,
    })
}

#[test]
fn what_is_the_same_gives_nothing() {
    let log = serde_json::json!({"witnesses": {"server log": "on one-13: x\n"}});
    assert!(
        compare(
            &seen("one", serde_json::json!({})),
            &seen("two", serde_json::json!({}))
        )
        .is_empty()
    );
    let other = serde_json::json!({"witnesses": {"server log": "on two-13: x\n"}});
    assert!(compare(&seen("one-13", log), &seen("two-13", other)).is_empty());
}

#[test]
fn a_name_is_hidden_only_where_it_is_one() {
    assert_eq!(unnamed("other: on other", "other"), "<target>: on <target>");
    for text in [
        "other.example.test",
        "another",
        "mail-other",
        "otherother",
        "x@other",
    ] {
        assert_eq!(unnamed(text, "other"), text);
    }
}

#[test]
fn undelivered_mail_tells_its_cause_and_nothing_that_follows() {
    let failed = serde_json::json!({
        "delivered": false,
        "failures": [{"witness": "server_log", "side": "server", "cause": "unsupported protocol", "alert": "protocol_version"}],
        "witnesses": {"server log": "SSL_accept error"},
    });
    let fine = serde_json::json!({"session": session("A", "x25519", true), "witnesses": {"server log": "established"}});
    let found = compare(&seen("one", fine), &seen("two", failed));
    let [one] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(one.class, Class::Delivery);
    assert_eq!(
        one.new,
        "not delivered (server: unsupported protocol, alert protocol_version)"
    );
    assert_eq!(one.example, ["- established", "+ SSL_accept error"]);
}

#[test]
fn lost_forward_secrecy_is_as_serious_as_it_is_and_told_by_its_cause() {
    let with = |cipher: &str, group: &str, holds| serde_json::json!({"session": session(cipher, group, holds)});
    let classes = |a, b| -> Vec<(Class, String)> {
        let found = compare(&seen("one", a), &seen("two", b));
        found
            .into_iter()
            .map(|one| (one.class, one.field))
            .collect()
    };
    let told = |class, field: &str| [(class, field.to_owned())];
    let found = classes(
        with("ECDHE-A", "x25519", true),
        with("AES-A", "x25519", false),
    );
    assert_eq!(found, told(Class::ForwardSecrecy, "cipher"));
    let found = classes(with("A", "secp384r1", true), with("A", "x25519", true));
    assert_eq!(found, told(Class::Weaker, "key exchange"));
    let found = classes(with("A", "x25519", true), with("A", "secp384r1", true));
    assert_eq!(found, told(Class::Negotiated, "key exchange"));
    // The same names, and it is lost all the same.
    let found = classes(with("A", "x25519", true), with("A", "x25519", false));
    assert_eq!(found, told(Class::ForwardSecrecy, "key exchange"));
    // What follows from another protocol is no finding beside it.
    let mut old = with("A", "secp384r1", true);
    old["session"]["protocol"] = "TLSv1.3".into();
    let found = classes(old, with("B", "x25519", false));
    assert_eq!(found, told(Class::ForwardSecrecy, "protocol"));
}

/// A server that prefers its own ciphers takes forward secrecy from one client, and gives another one a stronger cipher.
#[test]
fn another_preference_is_one_finding_whatever_it_costs_each_client() {
    let with = |cipher: &str, kind: &str, signature: &str, bits: u32, holds: bool| {
        let mut session = session(cipher, "x25519", holds);
        session["bits"] = serde_json::json!({"used": bits, "algorithm": bits});
        session["key_exchange"]["kind"] = kind.into();
        if kind == "RSA" {
            session["key_exchange"]["group"] = serde_json::Value::Null;
        }
        session["server_signature"] = serde_json::json!({"algorithm": signature, "curve": null, "bits": null, "digest": null});
        serde_json::json!({"session": session})
    };
    let aes256 = || with("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE", "RSA", 256, true);
    let aes128 = || with("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE", "RSA", 128, true);
    let ecdsa = || with("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE", "ECDSA", 256, true);
    let fixed = || with("AES256-GCM-SHA384", "RSA", "RSA", 256, false);
    let all: Vec<_> = [
        ("a", aes256(), fixed()),
        ("b", aes256(), aes128()),
        ("c", aes128(), aes256()),
        ("d", aes256(), ecdsa()),
        ("e", fixed(), aes256()),
    ]
    .into_iter()
    .flat_map(|(case, a, b)| {
        let found = compare(&seen("one", a), &seen("two", b));
        found.into_iter().map(move |one| (case, one))
    })
    .collect();
    let findings = fold(all.iter().map(|(case, one)| (*case, one)));
    let [one] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(one.key, "forward secrecy lost: cipher");
    assert_eq!(one.cases, ["a", "b", "c", "d", "e"]);
    assert_eq!(one.ways[0].new, "AES256-GCM-SHA384");
    let classes: Vec<Class> = one.ways.iter().map(|way| way.class).collect();
    assert!(classes.is_sorted());
}

#[test]
fn text_that_says_what_is_known_already_is_no_finding() {
    let with = |cipher: &str, word: &str| {
        serde_json::json!({
            "session": session(cipher, "x25519", true),
            "witnesses": {"server log": format!("smtpd: {word} TLS connection established from x with cipher {cipher} (256/256 bits)")},
        })
    };
    let found = compare(
        &seen("one", with("AES-A", "Anonymous")),
        &seen("two", with("AES-B", "Nameless")),
    );
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.class, one.new.as_str()))
        .collect();
    assert_eq!(
        told,
        [(Class::Negotiated, "AES-B"), (Class::LogText, "Nameless")]
    );
    assert!(found[0].example[1].contains("AES-B"));
}

/// What is called by a word of every line, and by the name of the other target.
#[test]
fn a_target_may_have_the_name_of_any_word() {
    let log = |text: &str| serde_json::json!({"witnesses": {"server log": text}});
    let line = "smtpd: TLSv1.3 with cipher AES on";
    let (a, b) = (format!("{line} debian-13"), format!("{line} cipher"));
    assert!(compare(&seen("debian-13", log(&a)), &seen("cipher", log(&b))).is_empty());
    let other = b.replace("AES", "CHACHA20");
    let found = compare(&seen("debian-13", log(&a)), &seen("cipher", log(&other)));
    let [one] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((one.old.as_str(), one.new.as_str()), ("AES", "CHACHA20"));
}

#[test]
fn each_target_has_its_own_addresses_and_ports() {
    assert_eq!(
        plain("cannot reach mail.example.test[127.10.5.2]:2525: by 127.0.0.9: x ::1 [a]"),
        "cannot reach mail.example.test[<address>]:<port>: by <address>: x <address> [a]"
    );
}

#[test]
fn what_follows_from_another_choice_stands_behind_it() {
    let one = |class, field: &str, new: &str| Difference {
        class,
        field: field.to_owned(),
        old: "A".to_owned(),
        new: new.to_owned(),
        example: Vec::new(),
    };
    let all = [
        ("a", one(Class::Weaker, "key exchange", "B")),
        ("a", one(Class::Negotiated, "cipher", "B")),
        ("b", one(Class::Negotiated, "cipher", "B")),
        ("c", one(Class::Status, "status (client log)", "B")),
        ("d", one(Class::Negotiated, "protocol", "B")),
    ];
    let findings = fold(all.iter().map(|(case, one)| (*case, one)));
    let fields: Vec<&str> = findings.iter().map(|one| one.field.as_str()).collect();
    // The other protocol was seen in a case of its own: nothing that is more serious follows from it.
    assert_eq!(
        fields,
        ["cipher", "key exchange", "protocol", "status (client log)"]
    );
}

#[test]
fn findings_are_folded_and_ordered() {
    let text = |old: &str, new: &str| Difference {
        class: Class::LogText,
        field: "log".to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
        example: vec![format!("- {old}")],
    };
    let cipher = |new: &str| Difference {
        class: Class::Negotiated,
        field: "cipher".to_owned(),
        ..text("A", new)
    };
    let all = [
        ("a", text("X25519", "x25519")),
        ("b", text("X25519", "x25519")),
        ("b", cipher("B")),
        ("c", cipher("C")),
        ("d", cipher("C")),
    ];
    let findings = fold(all.iter().map(|(case, one)| (*case, one)));
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[0].class, Class::Negotiated);
    assert_eq!(findings[0].cases, ["b", "c", "d"]);
    assert_eq!(findings[0].ways[0].new, "C");
    assert_eq!(findings[1].key, "log text: log: X25519 -> x25519");
    assert_eq!(findings[1].cases, ["a", "b"]);
}

#[test]
fn accepted_differences_are_taken_out_and_stale_ones_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("accepted.toml");
    let write = |key: &str, expires: &str| {
        let text = format!(
            "[[accepted]]\nfinding = \"{key}\"\nreason = \"upstream\"\nexpires = {expires}\n"
        );
        std::fs::write(&path, text).unwrap();
        Accepted::read(&path)
    };
    let finding = |key: &str| Finding {
        key: key.to_owned(),
        class: Class::LogText,
        field: String::new(),
        ways: Vec::new(),
        cases: Vec::new(),
    };
    let today = (2026, 11, 25);
    let mut findings = vec![finding("x"), finding("y")];
    let taken = write("x", "2027-01-01")
        .unwrap()
        .take_from(&path, &mut findings, today);
    assert_eq!((taken.unwrap(), findings.len()), (1, 1));
    let error = |key, expires| {
        let mut findings = vec![finding("x")];
        let read = write(key, expires).unwrap();
        read.take_from(&path, &mut findings, today)
            .unwrap_err()
            .to_string()
    };
    assert!(error("x", "2026-11-24").contains("has expired"));
    assert!(error("z", "2027-01-01").contains("remove it"));
    assert!(write("x", "12:00:00").is_err());
}

#[test]
fn markdown_fits_and_says_what_it_leaves_out() {
    let side = |name: &str| Side {
        name: name.to_owned(),
        versions: "Postfix 3.10.13".to_owned(),
        argument: name.to_owned(),
    };
    let way = Way {
        class: Class::LogText,
        old: "a".to_owned(),
        new: "b`".to_owned(),
        cases: vec!["c".to_owned()],
        example: vec!["- ``` \u{1b}[31m".to_owned()],
    };
    let findings = (0..2000).map(|n| Finding {
        key: format!("k{n}"),
        class: Class::LogText,
        field: "server log".to_owned(),
        ways: vec![way.clone()],
        cases: vec!["c".to_owned()],
    });
    let comparison = Comparison {
        a: side("one"),
        b: side("two"),
        compared: 1,
        same: 0,
        findings: findings.collect(),
        unstable: Vec::new(),
        broken: Vec::new(),
        accepted: 0,
        reproduce: String::new(),
    };
    let markdown = comparison.markdown();
    assert!(markdown.len() <= 60 * 1024);
    assert!(markdown.contains("less serious findings are left out"));
    assert!(!markdown.contains('\u{1b}'));
    assert_eq!(
        comparison.json()["findings"].as_array().unwrap().len(),
        2000
    );
}

#[test]
fn an_expectation_is_missed_because_of_words_or_for_itself() {
    let with = |outcome: &str, word: &str| {
        serde_json::json!({
            "outcome": outcome, "differences": ["client status: expected Trusted, found none"],
            "witnesses": {"server log": format!("a b c {word}"), "client log": format!("a b c {word}")},
        })
    };
    let classes = |one, other| -> Vec<Class> {
        let found = compare(&seen("one", one), &seen("two", other));
        found.into_iter().map(|one| one.class).collect()
    };
    assert_eq!(
        classes(with("pass", "x"), with("fail", "y")),
        [Class::LogText]
    );
    assert_eq!(
        classes(with("pass", "x"), with("fail", "x")),
        [Class::Expectation]
    );
    assert!(classes(with("fail", "x"), with("fail", "x")).is_empty());
}
