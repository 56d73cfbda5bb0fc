//! Transcripts of captured handshakes, whole, cut short at every byte, and with every byte changed.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use classic_tls::names::{
    AlertDescription, CipherSuite, KeyExchangeKind, NamedGroup, SignatureScheme, Version,
};
use classic_tls::wire::{AlertLevel, HandshakeType, Problem, Side, Transcript};

struct Capture {
    name: &'static str,
    client: &'static [u8],
    server: &'static [u8],
}

macro_rules! captures {
    ($($name:literal),* $(,)?) => {
        const CAPTURES: &[Capture] = &[$(Capture {
            name: $name,
            client: include_bytes!(concat!("captures/", $name, ".client")),
            server: include_bytes!(concat!("captures/", $name, ".server")),
        }),*];
    };
}

captures![
    "tls10-dhe",
    "tls10-refused",
    "tls10-rsa-cbc",
    "tls11-rsa-cbc",
    "tls12-adh-gcm",
    "tls12-aecdh",
    "tls12-client-certificate",
    "tls12-dhe-rsa",
    "tls12-ecdhe-x25519",
    "tls12-ecdhe-x448",
    "tls12-no-shared-cipher",
    "tls12-resumed",
    "tls12-rsa-cbc",
    "tls12-rsa-cbc-etm",
    "tls12-rsa-gcm",
    "tls13-ffdhe3072",
    "tls13-hybrid",
    "tls13-resumed",
    "tls13-retry-p384",
    "tls13-x25519",
];

fn transcript(name: &str) -> Transcript {
    let capture = CAPTURES
        .iter()
        .find(|capture| capture.name == name)
        .unwrap();
    let transcript = Transcript::parse(capture.client, capture.server);
    assert_eq!(transcript.problems, [], "{name}");
    transcript
}

#[test]
fn negotiated_values_are_read() {
    let rows = [
        ("tls10-dhe", Version::TLS1_0, "DHE-RSA-AES256-SHA", None),
        ("tls10-rsa-cbc", Version::TLS1_0, "AES256-SHA", None),
        ("tls11-rsa-cbc", Version::TLS1_1, "AES128-SHA", None),
        (
            "tls12-adh-gcm",
            Version::TLS1_2,
            "ADH-AES128-GCM-SHA256",
            None,
        ),
        (
            "tls12-aecdh",
            Version::TLS1_2,
            "AECDH-AES256-SHA",
            Some("x25519"),
        ),
        (
            "tls12-dhe-rsa",
            Version::TLS1_2,
            "DHE-RSA-AES256-GCM-SHA384",
            None,
        ),
        (
            "tls12-ecdhe-x25519",
            Version::TLS1_2,
            "ECDHE-RSA-AES256-GCM-SHA384",
            Some("x25519"),
        ),
        (
            "tls12-ecdhe-x448",
            Version::TLS1_2,
            "ECDHE-RSA-AES256-GCM-SHA384",
            Some("x448"),
        ),
        ("tls12-rsa-cbc", Version::TLS1_2, "AES256-SHA256", None),
        ("tls12-rsa-gcm", Version::TLS1_2, "AES256-GCM-SHA384", None),
        (
            "tls13-ffdhe3072",
            Version::TLS1_3,
            "TLS_AES_256_GCM_SHA384",
            Some("ffdhe3072"),
        ),
        (
            "tls13-hybrid",
            Version::TLS1_3,
            "TLS_AES_256_GCM_SHA384",
            Some("X25519MLKEM768"),
        ),
        (
            "tls13-retry-p384",
            Version::TLS1_3,
            "TLS_AES_256_GCM_SHA384",
            Some("secp384r1"),
        ),
        (
            "tls13-x25519",
            Version::TLS1_3,
            "TLS_AES_256_GCM_SHA384",
            Some("x25519"),
        ),
    ];
    for (name, version, suite, group) in rows {
        let transcript = transcript(name);
        assert_eq!(transcript.version(), Some(version), "{name}");
        assert_eq!(
            transcript.suite(),
            CipherSuite::from_openssl_name(suite),
            "{name}"
        );
        assert_eq!(
            transcript.group(),
            group.and_then(NamedGroup::from_name),
            "{name}"
        );
        assert!(!transcript.resumed, "{name}");
    }
}

#[test]
fn client_hello_is_read_in_order() {
    let hello = transcript("tls13-hybrid").client_hello.unwrap();
    assert_eq!(hello.legacy_version, Version::TLS1_2);
    assert_eq!(hello.highest_version(), Version::TLS1_3);
    assert_eq!(hello.sni.as_deref(), Some("mail.example.test"));
    assert_eq!(hello.groups.first(), Some(&NamedGroup::X25519MLKEM768));
    assert_eq!(
        hello.key_shares,
        [NamedGroup::X25519MLKEM768, NamedGroup::X25519]
    );
    assert_eq!(
        hello.suites.first(),
        CipherSuite::from_openssl_name("TLS_AES_256_GCM_SHA384").as_ref()
    );
    assert!(hello.session_ticket && hello.extended_master_secret && hello.encrypt_then_mac);
    assert!(
        hello
            .signature_schemes
            .contains(&SignatureScheme::RSA_PSS_RSAE_SHA256)
    );
    assert!(hello.extensions.contains(&51));
}

#[test]
fn hello_retry_request_is_told_from_a_server_hello() {
    let transcript = transcript("tls13-retry-p384");
    assert_eq!(transcript.hello_retry_group, Some(NamedGroup::SECP384R1));
    assert_eq!(
        transcript.client_hello.unwrap().key_shares,
        [NamedGroup::X25519]
    );
    assert_eq!(
        transcript.retried_client_hello.unwrap().key_shares,
        [NamedGroup::SECP384R1]
    );
}

#[test]
fn primes_are_measured_and_named() {
    let dhe = transcript("tls12-dhe-rsa");
    let exchange = dhe.server_key_exchange.as_ref().unwrap();
    assert_eq!(exchange.dh().unwrap().bits(), 2048);
    assert_eq!(exchange.dh().unwrap().name(), Some("modp2048 (RFC 3526)"));
    assert_eq!(
        dhe.server_signature_scheme(),
        Some(SignatureScheme::RSA_PSS_RSAE_SHA256)
    );

    let anonymous = transcript("tls12-adh-gcm");
    assert_eq!(
        anonymous.suite().unwrap().key_exchange(),
        KeyExchangeKind::DhAnon
    );
    let exchange = anonymous.server_key_exchange.as_ref().unwrap();
    assert_eq!(exchange.dh().unwrap().bits(), 1024);
    assert_eq!(exchange.dh().unwrap().name(), Some("modp1024 (RFC 2409)"));
    assert_eq!(exchange.signature(), None);
    assert!(anonymous.server_certificates.is_empty());

    let old = transcript("tls10-dhe");
    assert_eq!(old.server_signature_scheme(), None);
    assert!(old.server_key_exchange.unwrap().signature().is_some());
}

#[test]
fn certificates_and_requests_are_read() {
    let transcript = transcript("tls12-client-certificate");
    assert_eq!(transcript.server_certificates.len(), 1);
    assert_eq!(transcript.client_certificates.len(), 1);
    assert!(
        transcript
            .certificate_request
            .unwrap()
            .certificate_types
            .contains(&64)
    );
    assert_eq!(
        transcript.client_signature_scheme,
        Some(SignatureScheme::ECDSA_SECP256R1_SHA256)
    );
}

#[test]
fn resumption_is_noticed() {
    assert!(transcript("tls12-resumed").resumed);
    assert!(transcript("tls13-resumed").resumed);
}

#[test]
fn alerts_name_their_side() {
    for (name, alert) in [
        ("tls10-refused", AlertDescription::PROTOCOL_VERSION),
        (
            "tls12-no-shared-cipher",
            AlertDescription::HANDSHAKE_FAILURE,
        ),
    ] {
        let transcript = transcript(name);
        assert_eq!(
            transcript.alerts,
            [(Side::Server, AlertLevel::Fatal, alert)],
            "{name}"
        );
        assert_eq!(transcript.server_hello, None);
    }
}

#[test]
fn records_cut_to_one_byte_say_the_same() {
    for capture in CAPTURES {
        let whole = Transcript::parse(capture.client, capture.server);
        let cut = Transcript::parse(&refragment(capture.client), &refragment(capture.server));
        assert_eq!(cut.client_hello, whole.client_hello, "{}", capture.name);
        assert_eq!(cut.server_hello, whole.server_hello, "{}", capture.name);
        assert_eq!(
            cut.server_key_exchange, whole.server_key_exchange,
            "{}",
            capture.name
        );
        assert_eq!(
            cut.server_certificates, whole.server_certificates,
            "{}",
            capture.name
        );
    }
}

/// Puts every byte of a handshake record in a record of its own, up to the first change_cipher_spec.
fn refragment(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    let mut plain = true;
    while let [kind, major, minor, high, low, after @ ..] = rest {
        let (content, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        plain &= *kind != 20;
        if *kind == 22 && plain {
            for byte in content {
                out.extend_from_slice(&[22, *major, *minor, 0, 1, *byte]);
            }
        } else {
            out.extend_from_slice(&rest[..5 + content.len()]);
        }
        rest = next;
    }
    out
}

#[test]
fn every_prefix_is_survived() {
    for capture in CAPTURES {
        for end in 0..capture.client.len() {
            Transcript::parse(&capture.client[..end], capture.server);
        }
        for end in 0..capture.server.len() {
            Transcript::parse(capture.client, &capture.server[..end]);
        }
    }
}

#[test]
fn every_changed_byte_is_survived() {
    for capture in CAPTURES {
        let mut client = capture.client.to_vec();
        let mut server = capture.server.to_vec();
        for index in 0..client.len() {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff, !client[index]] {
                let before = std::mem::replace(&mut client[index], value);
                Transcript::parse(&client, &server);
                client[index] = before;
            }
        }
        for index in 0..server.len() {
            for value in [0x00, 0xff, !server[index]] {
                let before = std::mem::replace(&mut server[index], value);
                Transcript::parse(&client, &server);
                server[index] = before;
            }
        }
    }
}

#[test]
fn what_is_not_tls_is_said_to_be_so() {
    let transcript = Transcript::parse(b"EHLO client.example.test\r\n", b"\x16\x03\x01\xff\xff");
    assert!(
        matches!(&transcript.problems[0], Problem::NotARecord { side: Side::Client, offset: 0, found, .. } if found == b"EHLO ")
    );
    assert!(matches!(
        &transcript.problems[1],
        Problem::NotARecord {
            side: Side::Server,
            ..
        }
    ));
}

#[test]
fn an_ssl2_hello_is_noted() {
    let mut hello = vec![
        0x80, 0x2e, 1, 3, 1, 0, 9, 0, 0, 0, 0x20, 0, 0, 0x35, 0, 0, 0x0a, 1, 0, 0x80,
    ];
    hello.resize(48, 0x5a);
    hello.extend_from_slice(b"\x15\x03\x01\x00\x02\x02\x28");
    let transcript = Transcript::parse(&hello, &[]);
    assert_eq!(
        transcript.problems,
        [Problem::Sslv2Hello {
            side: Side::Client,
            version: Version::TLS1_0,
            suites: vec![CipherSuite(0x35), CipherSuite(0x0a)],
        }]
    );
    assert_eq!(
        transcript.alerts,
        [(
            Side::Client,
            AlertLevel::Fatal,
            AlertDescription::HANDSHAKE_FAILURE
        )]
    );
}

#[test]
fn an_unreadable_message_is_a_problem_with_a_name() {
    let capture = CAPTURES
        .iter()
        .find(|capture| capture.name == "tls12-dhe-rsa")
        .unwrap();
    let mut server = capture.server.to_vec();
    // The session id's length, behind record header, handshake header, version and random.
    server[5 + 4 + 2 + 32] = 33;
    let transcript = Transcript::parse(capture.client, &server);
    assert!(transcript.problems.iter().any(|problem| matches!(
        problem,
        Problem::Malformed {
            side: Side::Server,
            message: HandshakeType::SERVER_HELLO,
            ..
        }
    )));
    assert!(
        transcript.problems[0]
            .to_string()
            .starts_with("server: malformed ServerHello: ")
    );
}
