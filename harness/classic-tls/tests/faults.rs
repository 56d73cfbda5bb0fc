//! Peers that do wrong: a typed error on this end, the right alert on the other, never a hang.

mod support;

use std::sync::Arc;
use std::time::Duration;

use classic_tls::names::{AlertDescription, CipherSuite, NamedGroup, Version};
use classic_tls::wire::{AlertLevel, HandshakeType, MAX_CIPHERTEXT, Side, WireError};
use classic_tls::{
    ClientCertificate, ClientConfig, Connection, DhGroup, Error, Misbehaviour, PublicValue,
    ServerConfig, accept, connect, implemented_groups,
};
use support::{Outcome, handshake, identity};

fn suite(name: &str) -> CipherSuite {
    CipherSuite::from_openssl_name(name).unwrap()
}

fn client(name: &str) -> ClientConfig {
    ClientConfig {
        suites: vec![suite(name)],
        ..ClientConfig::default()
    }
}

fn server() -> ServerConfig {
    ServerConfig {
        identities: vec![identity("rsa1024"), identity("p256")],
        dh: DhGroup::well_known("modp1024"),
        ..ServerConfig::default()
    }
}

/// A server that does wrong against an honest client.
fn bad_server(name: &str, misbehaviour: Misbehaviour) -> Outcome {
    let server = ServerConfig {
        misbehaviour: Some(misbehaviour),
        ..server()
    };
    handshake(client(name), server)
}

/// A client that does wrong against an honest server.
fn bad_client(name: &str, misbehaviour: Misbehaviour) -> Outcome {
    let client = ClientConfig {
        misbehaviour: Some(misbehaviour),
        ..client(name)
    };
    handshake(client, server())
}

/// The honest client found `error` and told the server so with `alert`.
fn assert_client_refuses(outcome: &Outcome, error: &Error, alert: AlertDescription) {
    assert_eq!(outcome.client_result.as_ref(), Err(error));
    assert_eq!(
        outcome.client.report().alerts.last(),
        Some(&(Side::Client, AlertLevel::Fatal, alert))
    );
    assert_eq!(
        outcome.server_result,
        Err(Error::AlertReceived {
            side: Side::Client,
            level: AlertLevel::Fatal,
            description: alert
        })
    );
}

/// The honest server found `error` and told the client so with `alert`.
fn assert_server_refuses(outcome: &Outcome, error: &Error, alert: AlertDescription) {
    assert_eq!(outcome.server_result.as_ref(), Err(error));
    assert_eq!(
        outcome.server.report().alerts.last(),
        Some(&(Side::Server, AlertLevel::Fatal, alert))
    );
    assert_eq!(
        outcome.client_result,
        Err(Error::AlertReceived {
            side: Side::Server,
            level: AlertLevel::Fatal,
            description: alert
        })
    );
}

#[test]
fn unusable_groups() {
    for name in ["DHE-RSA-AES128-SHA", "ADH-AES128-GCM-SHA256"] {
        for (misbehaviour, what) in [
            (Misbehaviour::ZeroPrime, "the prime is zero"),
            (Misbehaviour::CompositePrime, "the prime is composite"),
            (Misbehaviour::GeneratorOne, "the generator is 0 or 1"),
        ] {
            let outcome = bad_server(name, misbehaviour);
            assert_client_refuses(
                &outcome,
                &Error::BadGroup { what },
                AlertDescription::ILLEGAL_PARAMETER,
            );
        }
    }
}

#[test]
fn tell_tale_public_values() {
    for (value, what) in [
        (PublicValue::Zero, "it is 0"),
        (PublicValue::One, "it is 1"),
        (PublicValue::PrimeMinusOne, "it is p - 1"),
    ] {
        let misbehaviour = Misbehaviour::PublicValue(value);
        for name in ["DHE-RSA-AES128-SHA", "ADH-AES128-GCM-SHA256"] {
            let error = |side| Error::BadPublicValue { side, what };
            let outcome = bad_server(name, misbehaviour);
            assert_client_refuses(
                &outcome,
                &error(Side::Server),
                AlertDescription::ILLEGAL_PARAMETER,
            );
            let outcome = bad_client(name, misbehaviour);
            assert_server_refuses(
                &outcome,
                &error(Side::Client),
                AlertDescription::ILLEGAL_PARAMETER,
            );
        }
    }
}

#[test]
fn points_off_the_curve() {
    for group in implemented_groups() {
        let name = "ECDHE-RSA-AES128-SHA";
        let what = match group {
            NamedGroup::X25519 | NamedGroup::X448 => "it is a point of small order",
            _ => "it is not a point of the curve",
        };
        let groups = vec![group];
        let outcome = handshake(
            ClientConfig {
                groups: groups.clone(),
                ..client(name)
            },
            ServerConfig {
                misbehaviour: Some(Misbehaviour::PointNotOnCurve),
                ..server()
            },
        );
        let error = |side| Error::BadPublicValue { side, what };
        assert_client_refuses(
            &outcome,
            &error(Side::Server),
            AlertDescription::ILLEGAL_PARAMETER,
        );
        let outcome = handshake(
            ClientConfig {
                groups,
                misbehaviour: Some(Misbehaviour::PointNotOnCurve),
                ..client(name)
            },
            server(),
        );
        assert_server_refuses(
            &outcome,
            &error(Side::Client),
            AlertDescription::ILLEGAL_PARAMETER,
        );
    }
}

#[test]
fn choices_that_were_not_offered() {
    let outcome = bad_server("ECDHE-RSA-AES128-SHA", Misbehaviour::UnofferedSuite);
    assert!(
        matches!(outcome.client_result, Err(Error::UnofferedSuite { .. })),
        "{:?}",
        outcome.client_result
    );
    assert_eq!(
        outcome.server.report().alerts[0].2,
        AlertDescription::ILLEGAL_PARAMETER
    );

    let outcome = handshake(
        ClientConfig {
            groups: vec![NamedGroup::SECP384R1],
            ..client("ECDHE-RSA-AES128-SHA")
        },
        ServerConfig {
            misbehaviour: Some(Misbehaviour::UnofferedGroup),
            ..server()
        },
    );
    let error = Error::UnofferedGroup {
        side: Side::Server,
        group: NamedGroup::X25519,
    };
    assert_client_refuses(&outcome, &error, AlertDescription::ILLEGAL_PARAMETER);
}

#[test]
fn bad_signatures() {
    for (name, key) in [
        ("DHE-RSA-AES128-SHA", "rsa1024"),
        ("ECDHE-ECDSA-AES128-SHA", "p256"),
    ] {
        let outcome = bad_server(name, Misbehaviour::BadSignature);
        assert!(matches!(
            outcome.client_result,
            Err(Error::BadSignature {
                side: Side::Server,
                ..
            })
        ));
        assert_eq!(
            outcome.server.report().alerts[0].2,
            AlertDescription::DECRYPT_ERROR
        );

        let outcome = handshake(
            ClientConfig {
                identity: Some(identity(key)),
                misbehaviour: Some(Misbehaviour::BadSignature),
                ..client(name)
            },
            ServerConfig {
                client_certificate: ClientCertificate::Require,
                ..server()
            },
        );
        assert!(matches!(
            outcome.server_result,
            Err(Error::BadSignature {
                side: Side::Client,
                ..
            })
        ));
        assert_eq!(
            outcome.client.report().alerts[0].2,
            AlertDescription::DECRYPT_ERROR
        );
    }
}

const ONE_OF_EACH: [&str; 6] = [
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-CCM8",
    "RC4-SHA",
    "DES-CBC3-SHA",
];

#[test]
fn bad_finished_and_bad_mac() {
    for name in ONE_OF_EACH {
        for encrypt_then_mac in [true, false] {
            let run = |client_fault, server_fault| {
                let client = ClientConfig {
                    misbehaviour: client_fault,
                    encrypt_then_mac,
                    ..client(name)
                };
                let server = ServerConfig {
                    misbehaviour: server_fault,
                    ..server()
                };
                handshake(client, server)
            };
            let outcome = run(None, Some(Misbehaviour::BadFinished));
            let error = Error::BadFinished { side: Side::Server };
            assert_client_refuses(&outcome, &error, AlertDescription::DECRYPT_ERROR);
            let outcome = run(Some(Misbehaviour::BadFinished), None);
            let error = Error::BadFinished { side: Side::Client };
            assert_server_refuses(&outcome, &error, AlertDescription::DECRYPT_ERROR);

            let outcome = run(None, Some(Misbehaviour::BadRecordMac));
            let error = Error::BadRecord { side: Side::Server };
            assert_client_refuses(&outcome, &error, AlertDescription::BAD_RECORD_MAC);
            let outcome = run(Some(Misbehaviour::BadRecordMac), None);
            let error = Error::BadRecord { side: Side::Client };
            assert_server_refuses(&outcome, &error, AlertDescription::BAD_RECORD_MAC);
        }
    }
}

#[test]
fn oversized_records() {
    for misbehaving in [Side::Client, Side::Server] {
        let outcome = match misbehaving {
            Side::Client => bad_client("AES128-SHA", Misbehaviour::OversizedRecord),
            Side::Server => bad_server("AES128-SHA", Misbehaviour::OversizedRecord),
        };
        let error = Error::Malformed {
            side: misbehaving,
            error: WireError::TooLarge {
                what: "the record",
                found: MAX_CIPHERTEXT + 1,
                limit: MAX_CIPHERTEXT,
            },
        };
        match misbehaving {
            Side::Client => {
                assert_server_refuses(&outcome, &error, AlertDescription::RECORD_OVERFLOW)
            }
            Side::Server => {
                assert_client_refuses(&outcome, &error, AlertDescription::RECORD_OVERFLOW)
            }
        }
    }
}

const SERVER_MESSAGES: [HandshakeType; 4] = [
    HandshakeType::SERVER_HELLO,
    HandshakeType::CERTIFICATE,
    HandshakeType::SERVER_KEY_EXCHANGE,
    HandshakeType::SERVER_HELLO_DONE,
];

#[test]
fn messages_of_the_wrong_length() {
    for kind in SERVER_MESSAGES {
        for misbehaviour in [
            Misbehaviour::ShortMessage(kind),
            Misbehaviour::LongMessage(kind),
        ] {
            if misbehaviour == Misbehaviour::ShortMessage(HandshakeType::SERVER_HELLO_DONE) {
                continue; // It has no byte to lose.
            }
            let outcome = bad_server("DHE-RSA-AES128-SHA", misbehaviour);
            assert!(
                matches!(
                    &outcome.client_result,
                    Err(Error::Malformed {
                        side: Side::Server,
                        ..
                    })
                ),
                "{misbehaviour:?}: {:?}",
                outcome.client_result
            );
            assert_eq!(
                outcome.server.report().alerts[0].2,
                AlertDescription::DECODE_ERROR,
                "{misbehaviour:?}"
            );
        }
    }
    for name in ["AES128-SHA", "DHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"] {
        for kind in [
            HandshakeType::CLIENT_HELLO,
            HandshakeType::CLIENT_KEY_EXCHANGE,
        ] {
            for misbehaviour in [
                Misbehaviour::ShortMessage(kind),
                Misbehaviour::LongMessage(kind),
            ] {
                let outcome = bad_client(name, misbehaviour);
                assert!(
                    matches!(
                        &outcome.server_result,
                        Err(Error::Malformed {
                            side: Side::Client,
                            ..
                        })
                    ),
                    "{name} {misbehaviour:?}: {:?}",
                    outcome.server_result
                );
                assert_eq!(
                    outcome.client.report().alerts[0].2,
                    AlertDescription::DECODE_ERROR,
                    "{misbehaviour:?}"
                );
            }
        }
    }
    for misbehaviour in [
        Misbehaviour::ShortMessage(HandshakeType::FINISHED),
        Misbehaviour::LongMessage(HandshakeType::FINISHED),
    ] {
        let outcome = bad_server("AES128-SHA", misbehaviour);
        let error = Error::BadFinished { side: Side::Server };
        assert_client_refuses(&outcome, &error, AlertDescription::DECRYPT_ERROR);
    }
}

#[test]
fn messages_out_of_order() {
    for kind in SERVER_MESSAGES {
        for misbehaviour in [Misbehaviour::Skip(kind), Misbehaviour::Repeat(kind)] {
            let outcome = bad_server("DHE-RSA-AES128-SHA", misbehaviour);
            if misbehaviour == Misbehaviour::Skip(HandshakeType::SERVER_HELLO_DONE) {
                // Nothing wrong has arrived: the client waits for the rest.
                assert_eq!(outcome.client_result, Ok(()));
                assert_eq!(
                    outcome.client.awaited(),
                    "CertificateRequest or ServerHelloDone"
                );
                continue;
            }
            assert!(
                matches!(
                    &outcome.client_result,
                    Err(Error::Unexpected {
                        side: Side::Server,
                        ..
                    })
                ),
                "{misbehaviour:?}: {:?}",
                outcome.client_result
            );
            let alert = outcome.client.report().alerts.last().copied();
            assert_eq!(
                alert,
                Some((
                    Side::Client,
                    AlertLevel::Fatal,
                    AlertDescription::UNEXPECTED_MESSAGE
                )),
                "{misbehaviour:?}"
            );
        }
    }
    for misbehaviour in [
        Misbehaviour::Skip(HandshakeType::CLIENT_KEY_EXCHANGE),
        Misbehaviour::Repeat(HandshakeType::CLIENT_KEY_EXCHANGE),
        Misbehaviour::Repeat(HandshakeType::CLIENT_HELLO),
    ] {
        let outcome = bad_client("DHE-RSA-AES128-SHA", misbehaviour);
        assert!(
            matches!(
                &outcome.server_result,
                Err(Error::Unexpected {
                    side: Side::Client,
                    ..
                })
            ),
            "{misbehaviour:?}: {:?}",
            outcome.server_result
        );
        assert_eq!(
            outcome.server.report().alerts.last(),
            Some(&(
                Side::Server,
                AlertLevel::Fatal,
                AlertDescription::UNEXPECTED_MESSAGE
            ))
        );
    }
}

/// Feeds `bytes` to a fresh server and returns its error and alert.
fn server_says(bytes: &[u8]) -> (Option<Error>, Option<AlertDescription>) {
    let mut connection = Connection::server(Arc::new(server())).unwrap();
    let error = connection.read(bytes).err();
    if let Some(error) = &error {
        assert_eq!(
            connection.read(b"more").as_ref(),
            Err(error),
            "a dead connection stays dead"
        );
    }
    (
        error,
        connection.report().alerts.last().map(|alert| alert.2),
    )
}

#[test]
fn records_that_do_not_belong() {
    let unexpected = Some(AlertDescription::UNEXPECTED_MESSAGE);
    let decode = Some(AlertDescription::DECODE_ERROR);
    let cases: [(&[u8], Option<AlertDescription>, &str); 10] = [
        (b"EHLO client.example.test\r\n", decode, "plain SMTP"),
        (
            &[0x80, 0x2e, 1, 3, 1, 0, 9, 0, 0, 0, 0x20],
            decode,
            "an SSL 2.0 hello",
        ),
        (&[22, 2, 0, 0, 1, 0], decode, "a major version of 2"),
        (&[22, 3, 1, 0, 0], decode, "an empty handshake record"),
        (
            &[20, 3, 1, 0, 1, 1],
            unexpected,
            "an early change_cipher_spec",
        ),
        (&[20, 3, 1, 0, 1, 2], decode, "a change_cipher_spec of 2"),
        (&[23, 3, 1, 0, 1, 0], unexpected, "early application data"),
        (&[24, 3, 1, 0, 3, 1, 0, 1], unexpected, "a heartbeat"),
        (
            &[21, 3, 1, 0, 3, 2, 40, 0],
            decode,
            "an alert of three bytes",
        ),
        (
            &[22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff],
            decode,
            "a message of 16 MiB",
        ),
    ];
    for (bytes, alert, what) in cases {
        let (error, sent) = server_says(bytes);
        assert!(error.is_some(), "{what}");
        assert_eq!(sent, alert, "{what}: {error:?}");
    }
    let interleaved = [&[22, 3, 1, 0, 2, 1, 0][..], &[21, 3, 1, 0, 2, 1, 90]].concat();
    assert_eq!(
        server_says(&interleaved).1,
        unexpected,
        "an alert within a message"
    );
}

#[test]
fn warnings_do_not_go_on_forever() {
    let warning = [21, 3, 1, 0, 2, 1, 90];
    let (error, alert) = server_says(&warning.repeat(10));
    assert_eq!(error, None);
    assert_eq!(alert, Some(AlertDescription::USER_CANCELED));
    let (error, alert) = server_says(&warning.repeat(1000));
    assert!(matches!(error, Some(Error::Unexpected { .. })), "{error:?}");
    assert_eq!(alert, Some(AlertDescription::UNEXPECTED_MESSAGE));
}

#[test]
fn an_alert_during_the_handshake_names_its_side_and_meaning() {
    let (error, _) = server_says(&[21, 3, 1, 0, 2, 2, 48]);
    assert_eq!(
        error,
        Some(Error::AlertReceived {
            side: Side::Client,
            level: AlertLevel::Fatal,
            description: AlertDescription::UNKNOWN_CA
        })
    );
    assert_eq!(
        error.unwrap().to_string(),
        "the client sent the fatal alert unknown_ca"
    );
    let (error, _) = server_says(&[21, 3, 1, 0, 2, 1, 0]);
    assert!(
        matches!(
            error,
            Some(Error::Closed {
                side: Side::Client,
                awaited: "ClientHello"
            })
        ),
        "{error:?}"
    );
}

const DEADLINE: Duration = Duration::from_millis(300);

/// Runs both ends over an in-memory stream; a fault must end within the deadline and the second for parting.
async fn over_a_stream(
    client: ClientConfig,
    server: ServerConfig,
) -> (Option<Error>, Option<Error>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let client = ClientConfig {
        handshake_timeout: DEADLINE,
        ..client
    };
    let server = ServerConfig {
        handshake_timeout: DEADLINE,
        ..server
    };
    let both = async {
        tokio::join!(
            connect(near, Arc::new(client)),
            accept(far, Arc::new(server))
        )
    };
    let limit = Duration::from_secs(5);
    let (client, server) = tokio::time::timeout(limit, both).await.expect("a hang");
    (
        client.err().map(|failure| failure.error),
        server.err().map(|failure| failure.error),
    )
}

#[tokio::test]
async fn silence_and_truncated_records_end_at_the_deadline() {
    let expected = [
        (HandshakeType::SERVER_HELLO, "ServerHello"),
        (HandshakeType::CERTIFICATE, "the server's Certificate"),
        (HandshakeType::SERVER_KEY_EXCHANGE, "ServerKeyExchange"),
        (
            HandshakeType::SERVER_HELLO_DONE,
            "CertificateRequest or ServerHelloDone",
        ),
        (HandshakeType::FINISHED, "the server's Finished"),
    ];
    for (kind, awaited) in expected {
        for misbehaviour in [
            Misbehaviour::Silence(kind),
            Misbehaviour::TruncatedRecord(kind),
        ] {
            let server = ServerConfig {
                misbehaviour: Some(misbehaviour),
                session_tickets: false,
                ..server()
            };
            let (client, _) = over_a_stream(client("ECDHE-RSA-AES128-SHA"), server).await;
            let after = DEADLINE;
            match client {
                // The silent server may reach its own deadline first and close.
                Some(Error::Closed {
                    side: Side::Server,
                    awaited: found,
                }) => assert_eq!(found, awaited),
                other => assert_eq!(
                    other,
                    Some(Error::Deadline { after, awaited }),
                    "{misbehaviour:?}"
                ),
            }
        }
    }
    for (kind, awaited) in [
        (HandshakeType::CLIENT_HELLO, "ClientHello"),
        (HandshakeType::CLIENT_KEY_EXCHANGE, "ClientKeyExchange"),
        (HandshakeType::FINISHED, "the client's Finished"),
    ] {
        for misbehaviour in [
            Misbehaviour::Silence(kind),
            Misbehaviour::TruncatedRecord(kind),
        ] {
            let client = ClientConfig {
                misbehaviour: Some(misbehaviour),
                ..client("ECDHE-RSA-AES128-SHA")
            };
            let (_, server) = over_a_stream(client, server()).await;
            let after = DEADLINE;
            match server {
                Some(Error::Closed {
                    side: Side::Client,
                    awaited: found,
                }) => assert_eq!(found, awaited),
                other => assert_eq!(
                    other,
                    Some(Error::Deadline { after, awaited }),
                    "{misbehaviour:?}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_peer_that_closes_is_said_to_have_closed() {
    for misbehaving in [true, false] {
        let (near, far) = tokio::io::duplex(1 << 16);
        drop(far);
        let error = if misbehaving {
            connect(near, Arc::new(client("AES128-SHA")))
                .await
                .err()
                .map(|failure| failure.error)
        } else {
            accept(near, Arc::new(server()))
                .await
                .err()
                .map(|failure| failure.error)
        };
        assert!(
            matches!(error, Some(Error::Closed { .. } | Error::Io { .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_report_of_a_failure_keeps_what_was_seen() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let bad = ServerConfig {
        misbehaviour: Some(Misbehaviour::CompositePrime),
        ..server()
    };
    let (client, server) = tokio::join!(
        connect(near, Arc::new(client("DHE-RSA-AES256-SHA256"))),
        accept(far, Arc::new(bad))
    );
    let (client, server) = (client.unwrap_err(), server.unwrap_err());
    assert_eq!(
        client.to_string(),
        "the server's Diffie-Hellman group is unusable: the prime is composite"
    );
    assert_eq!(client.report.version, Some(Version::TLS1_2));
    assert_eq!(client.report.dh_bits(), Some(1024));
    assert_eq!(client.report.dh_group_name(), None);
    assert_eq!(
        server.error,
        Error::AlertReceived {
            side: Side::Client,
            level: AlertLevel::Fatal,
            description: AlertDescription::ILLEGAL_PARAMETER
        }
    );
}
