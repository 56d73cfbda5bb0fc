//! Records and messages that are too long, too short, or not due: a typed error here, the right alert there.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(test)]
mod support;

use std::sync::Arc;

use classic_tls::names::AlertDescription;
use classic_tls::wire::{AlertLevel, HandshakeType, MAX_CIPHERTEXT, Side, WireError};
use classic_tls::{Connection, Error, Misbehaviour};
use support::fault::{
    assert_client_refuses, assert_server_refuses, bad_client, bad_server, server,
};

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
            &[0x80, 12, 1, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0x2f],
            decode,
            "an SSL 2.0 hello without a challenge",
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
