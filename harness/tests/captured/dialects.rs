//! One fact, spelt four ways.

use harness::observe::{ClientCertificate, LogEvent, Received, TlsSummary};

use crate::{TARGETS, capture, headers, lines};

/// The first summary of a service.
fn summary(target: &str, tag: &str) -> TlsSummary {
    let log = capture(target, "maillog.txt");
    lines(&log)
        .find_map(|(line, event)| match event {
            LogEvent::Tls(summary) if line.tag.strip_prefix("postfix/") == Some(tag) => {
                Some(summary)
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("{target} {tag}"))
}

#[test]
fn one_group_in_four_dialects() {
    for (tag, canonical, spellings) in [
        (
            "c-prime256v1",
            "secp256r1",
            [
                "ECDHE (P-256)",
                "ECDHE (prime256v1)",
                "secp256r1",
                "secp256r1",
            ],
        ),
        (
            "c-secp384r1",
            "secp384r1",
            [
                "ECDHE (P-384)",
                "ECDHE (secp384r1)",
                "secp384r1",
                "secp384r1",
            ],
        ),
        (
            "c-secp521r1",
            "secp521r1",
            [
                "ECDHE (P-521)",
                "ECDHE (secp521r1)",
                "secp521r1",
                "secp521r1",
            ],
        ),
        ("c-X448", "x448", ["X448", "X448", "x448", "x448"]),
    ] {
        for (target, spelling) in TARGETS.into_iter().zip(spellings) {
            let exchange = summary(target, tag).key_exchange.unwrap();
            assert_eq!(exchange.text, spelling, "{target}");
            assert_eq!(exchange.group.unwrap().to_string(), canonical, "{target}");
            assert_eq!(exchange.bits, None);
        }
    }
    let default = TARGETS.map(|target| summary(target, "c-may").key_exchange.unwrap().text);
    assert_eq!(default, ["X25519", "X25519", "x25519", "X25519MLKEM768"]);
    for target in ["debian-13", "debian-testing"] {
        let exchange = summary(target, "c-ffdhe3").key_exchange.unwrap();
        assert_eq!(
            (exchange.text.as_str(), exchange.bits),
            ("ffdhe3072", Some(3072))
        );
    }
}

#[test]
fn signatures_in_every_dialect() {
    for (target, curve) in
        TARGETS
            .into_iter()
            .zip(["P-256", "prime256v1", "prime256v1", "prime256v1"])
    {
        let rsa = summary(target, "c-3072");
        let signature = rsa.server_signature.unwrap();
        assert_eq!(
            (signature.algorithm.as_str(), signature.bits),
            ("RSA-PSS", Some(3072))
        );
        assert_eq!(rsa.server_digest.as_deref(), Some("SHA256"));

        let ecdsa = summary(target, "c-verify").server_signature.unwrap();
        assert_eq!(ecdsa.text, format!("ECDSA ({curve})"), "{target}");
        assert_eq!(ecdsa.curve.unwrap().to_string(), "secp256r1");

        let ed25519 = summary(target, "c-ed");
        assert_eq!(ed25519.server_signature.unwrap().text, "ED25519");
        assert_eq!(ed25519.server_digest, None);

        let client = summary(target, "c-cec");
        assert_eq!(client.client_signature.unwrap().algorithm, "ECDSA");
        assert_eq!(client.client_digest.as_deref(), Some("SHA256"));
    }
    for target in ["debian-13", "debian-testing"] {
        let raw = summary(target, "c-rpk");
        let (server, client) = (raw.server_signature.unwrap(), raw.client_signature.unwrap());
        assert_eq!(server.text, "RSA-PSS (2048 bit raw public key)");
        assert_eq!((server.bits, server.raw_public_key), (Some(2048), true));
        assert_eq!(client.text, "ECDSA (prime256v1 raw public key)");
        assert!(client.raw_public_key && client.curve.is_some());
        assert_eq!(
            summary(target, "c-rpked2").server_signature.unwrap().text,
            "ED25519 (raw public key)"
        );
    }
}

#[test]
fn server_names_and_reuse() {
    for target in TARGETS {
        let log = capture(target, "maillog.txt");
        let events: Vec<LogEvent> = lines(&log).map(|(_, event)| event).collect();
        let any = |wanted: &dyn Fn(&LogEvent) -> bool| events.iter().any(wanted);
        assert!(any(
            &|event| matches!(event, LogEvent::Tls(summary) if summary.sni.as_deref() == Some("sni.example.test"))
        ));
        assert!(any(
            &|event| matches!(event, LogEvent::SniNotMatched { name, .. } if name == "nomatch.example.test")
        ));
        assert!(any(
            &|event| matches!(event, LogEvent::SniInvalid { name, .. } if name == "bad_name..x")
        ));
        assert!(any(
            &|event| matches!(event, LogEvent::Tls(summary) if summary.reused_connection)
        ));
        assert!(any(
            &|event| matches!(event, LogEvent::Delivery(delivery) if delivery.connection_use == Some(2))
        ));
        let feature =
            any(&|event| matches!(event, LogEvent::Delivery(delivery) if delivery.tls.is_some()));
        assert_eq!(feature, target == "debian-testing");
    }
}

#[test]
fn client_certificates_in_headers() {
    for target in TARGETS {
        let found: Vec<ClientCertificate> = headers(target)
            .iter()
            .filter_map(|text| Received::parse(text)?.client_certificate)
            .collect();
        let any = |wanted: &dyn Fn(&ClientCertificate) -> bool| found.iter().any(wanted);
        assert!(any(&|it| *it == ClientCertificate::NotRequested));
        assert!(any(&|it| *it == ClientCertificate::NotPresented));
        assert!(any(
            &|it| matches!(it, ClientCertificate::Presented { verified: true, issuer, .. } if issuer == "Test CA")
        ));
        assert!(any(
            &|it| matches!(it, ClientCertificate::Presented { verified: false, cn, .. } if cn == "selfsigned.test")
        ));
        assert!(any(
            &|it| matches!(it, ClientCertificate::Presented { cn, .. } if cn == "we(ird) \"name\"x")
        ));
        let raw = any(
            &|it| matches!(it, ClientCertificate::RawPublicKey { digest, .. } if digest == "sha256"),
        );
        assert_eq!(
            raw,
            matches!(target, "debian-13" | "debian-testing"),
            "{target}"
        );
    }
}
