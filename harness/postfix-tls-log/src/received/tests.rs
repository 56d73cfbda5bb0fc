use super::*;

const TLS13: &str = "Received: from mail.example.test (unknown [127.0.0.1])\n\
    \t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\
    \t key-exchange X25519MLKEM768 server-signature RSA-PSS (2048 bits) server-digest SHA256\n\
    \t client-signature RSA-PSS (2048 bits) client-digest SHA256)\n\
    \t(Client CN \"client.example.test\", Issuer \"Facts Test CA\" (verified OK))\n\
    \tby mail.example.test (Postfix) with ESMTPS id D7C7C104AF2\n\
    \tfor <t@box.test>; Sun, 22 Nov 2026 08:07:33 +0000 (UTC)";

#[test]
fn every_part_of_a_tls_1_3_header() {
    let received = Received::parse(TLS13).unwrap();
    assert_eq!(received.helo.as_deref(), Some("mail.example.test"));
    assert_eq!(
        received.client.as_ref().unwrap().to_string(),
        "unknown[127.0.0.1]"
    );
    let tls = received.tls.as_ref().unwrap();
    assert_eq!(tls.status, Some(Status::Trusted));
    assert_eq!(tls.client_digest.as_deref(), Some("SHA256"));
    assert_eq!(
        received.client_certificate,
        Some(ClientCertificate::Presented {
            cn: "client.example.test".into(),
            issuer: "Facts Test CA".into(),
            verified: true
        })
    );
    assert_eq!(
        (received.by.as_deref(), received.software.as_deref()),
        (Some("mail.example.test"), Some("Postfix"))
    );
    assert_eq!(
        (received.with.as_deref(), received.id.as_deref()),
        (Some("ESMTPS"), Some("D7C7C104AF2"))
    );
    assert_eq!(received.recipient.as_deref(), Some("t@box.test"));
    assert_eq!(
        received.date.as_deref(),
        Some("Sun, 22 Nov 2026 08:07:33 +0000 (UTC)")
    );
    assert_eq!(received.to_string(), TLS13);
}

#[test]
fn folding_does_not_matter() {
    let unfolded = TLS13.replace("\n\t", " ").replace("  ", " ");
    assert_eq!(Received::parse(&unfolded), Received::parse(TLS13));
    assert_eq!(
        Received::parse(&TLS13.replace('\n', "\r\n")),
        Received::parse(TLS13)
    );
}

#[test]
fn the_nth_of_a_message() {
    let message = format!(
        "Return-Path: <s@example.test>\n{TLS13}\nReceived: by old.example.test (Postfix, from userid 0)\n\
         \tid 123456; Sun, 22 Nov 2026 08:07:33 +0000 (UTC)\nSubject: x\n\nReceived: from body\n"
    );
    assert_eq!(
        Received::topmost(&message).unwrap().id.as_deref(),
        Some("D7C7C104AF2")
    );
    let oldest = Received::nth(&message, 1).unwrap();
    assert_eq!((oldest.helo, oldest.id.as_deref()), (None, Some("123456")));
    assert_eq!(Received::nth(&message, 2), None);
    assert_eq!(Received::all(&message).len(), 2);
}

#[test]
fn certificate_comments() {
    let raw = ClientCertificate::from_comment("Client RPK sha256 digest F9:B5:52").unwrap();
    assert_eq!(raw.status(), Status::Untrusted);
    assert_eq!(raw.to_string(), "Client RPK sha256 digest F9:B5:52");
    let odd = "Client CN \"we(ird) \"name\"\", Issuer \"\" (not verified)";
    assert_eq!(
        ClientCertificate::from_comment(odd).unwrap().to_string(),
        odd
    );
    assert_eq!(ClientCertificate::from_comment("Client CN \"x\""), None);
}

#[test]
fn a_raw_public_key_without_curve_or_bits_is_told_by_the_other_comment() {
    let text = TLS13
        .replace(
            "client-signature RSA-PSS (2048 bits) client-digest SHA256",
            "client-signature ED25519",
        )
        .replace(
            "Client CN \"client.example.test\", Issuer \"Facts Test CA\" (verified OK)",
            "Client RPK sha256 digest AA:BB",
        );
    let received = Received::parse(&text).unwrap();
    assert!(
        received
            .tls
            .as_ref()
            .unwrap()
            .client_signature
            .as_ref()
            .unwrap()
            .raw_public_key
    );
    assert_eq!(received.to_string(), text);
}

#[test]
fn ipv6_clients() {
    let text = TLS13.replace("[127.0.0.1]", "[IPv6:2001:db8::1]");
    let received = Received::parse(&text).unwrap();
    assert_eq!(received.client.as_ref().unwrap().address, "2001:db8::1");
    assert_eq!(received.to_string(), text);
}

#[test]
fn nonsense_is_no_header() {
    for text in [
        "",
        "Received:",
        "Received: (((",
        "from x",
        "Received: what is this; now",
        ";",
        "\u{e9}(",
    ] {
        assert_eq!(Received::parse(text), None, "{text}");
    }
}
