//! What a peer does that is not quite right: seen, named, and no end of the connection unless an RFC says so.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(test)]
mod support;

use std::sync::Arc;

use classic_tls::names::{AlertDescription, Version};
use classic_tls::wire::{AlertLevel, ClientHello, HandshakeType, Irregularity, Side, WireError};
use classic_tls::{ClientConfig, Connection, Error, Misbehaviour, ServerConfig, SessionStore};
use support::simple::{VERSIONS, client, server, suite};
use support::{Outcome, handshake};

/// A record in the clear.
fn record(content: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let mut record = vec![content];
    record.extend(version.to_be_bytes());
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

fn new_client() -> Connection {
    let mut client = Connection::client(Arc::new(ClientConfig::default())).unwrap();
    client.take_output();
    client
}

/// Hands `bytes` over in one piece, and one by one: the outcome must be the same.
fn both_ways(new: impl Fn() -> Connection, bytes: &[u8]) -> (Result<(), Error>, Connection) {
    let mut whole = new();
    let outcome = whole.read(bytes);
    let mut cut = new();
    let in_pieces = bytes.iter().try_for_each(|byte| cut.read(&[*byte]));
    assert_eq!(outcome, in_pieces);
    assert_eq!(whole.report().irregularities, cut.report().irregularities);
    assert_eq!(whole.report().alerts, cut.report().alerts);
    (outcome, whole)
}

#[test]
fn alerts_in_pieces_and_in_one_record() {
    let unrecognized = [1, 112];
    let fatal = [2, 40];
    let pieces = [
        record(21, 0x0303, &unrecognized[..1]),
        record(21, 0x0303, &[unrecognized[1], fatal[0], fatal[1]]),
    ]
    .concat();
    let (outcome, connection) = both_ways(new_client, &pieces);
    let failure = AlertDescription::HANDSHAKE_FAILURE;
    assert_eq!(
        outcome,
        Err(Error::AlertReceived {
            side: Side::Server,
            level: AlertLevel::Fatal,
            description: failure,
        })
    );
    assert_eq!(
        connection.report().alerts,
        [
            (
                Side::Server,
                AlertLevel::Warning,
                AlertDescription::UNRECOGNIZED_NAME
            ),
            (Side::Server, AlertLevel::Fatal, failure),
        ]
    );
    assert_eq!(
        connection.report().irregularities,
        [
            (Side::Server, Irregularity::AlertInPieces),
            (Side::Server, Irregularity::AlertsInOneRecord),
        ]
    );
}

#[test]
fn plain_text_is_named() {
    let reply = b"454 4.7.0 TLS not available due to local problem\r\n";
    let (outcome, connection) = both_ways(new_client, reply);
    let error = outcome.unwrap_err();
    assert_eq!(
        error,
        Error::Malformed {
            side: Side::Server,
            error: WireError::PlainText {
                line: "454 4.7.0 TLS not available due to local problem".to_owned(),
            },
        }
    );
    assert_eq!(
        error.to_string(),
        "malformed bytes from the server: plain text instead of TLS: \
         \"454 4.7.0 TLS not available due to local problem\""
    );
    assert!(connection.is_handshaking());

    // A line that never ends is named when the peer closes, or when time is up.
    let begun = |end: fn(&mut Connection) -> Error| {
        let mut client = new_client();
        client.read(b"HTTP").unwrap();
        end(&mut client).to_string()
    };
    let expected = "malformed bytes from the server: plain text instead of TLS: \"HTTP\"";
    assert_eq!(begun(|client| client.read_end().unwrap_err()), expected);
    assert_eq!(begun(|client| client.abort(Error::NotOpen)), expected);
}

#[test]
fn hello_requests_are_seen() {
    let hello_request = record(22, 0x0303, &[0, 0, 0, 0]);
    let (outcome, connection) = both_ways(new_client, &hello_request);
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        connection.report().irregularities,
        [(Side::Server, Irregularity::HelloRequest)]
    );
    let (outcome, _) = both_ways(new_client, &hello_request.repeat(40));
    assert!(
        matches!(&outcome, Err(Error::Unexpected { found, .. }) if found == "HelloRequest number 33"),
        "{outcome:?}"
    );
}

#[test]
fn record_versions_that_change() {
    let warning = |version| record(21, version, &[1, 112]);
    let (_, connection) = both_ways(new_client, &[warning(0x0303), warning(0x0301)].concat());
    assert_eq!(
        connection.report().irregularities,
        [(
            Side::Server,
            Irregularity::RecordVersion {
                found: Version::TLS1_0,
                expected: Version::TLS1_2,
            }
        )]
    );
    // A client that ends the handshake instead of reading the ServerHello does so in the version it began with.
    let mut greeted = new_server();
    greeted.read(&hello_record(&[])).unwrap();
    let refused = greeted.read(&record(21, 0x0301, &[2, 22]));
    assert!(matches!(refused, Err(Error::AlertReceived { .. })));
    assert_eq!(
        greeted.report().irregularities,
        [(Side::Client, Irregularity::EmptyExtensionBlock)]
    );
    for version in VERSIONS {
        let outcome = handshake(client(suite("AES128-SHA"), version), server());
        assert_eq!(outcome.client.report().irregularities, [], "{version}");
        assert_eq!(outcome.server.report().irregularities, [], "{version}");
    }
}

/// A ClientHello of TLS 1.2 with an extension block.
fn hello(block: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    body.extend((block.len() as u16).to_be_bytes());
    body.extend(block);
    body
}

fn hello_record(block: &[u8]) -> Vec<u8> {
    let body = hello(block);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    record(22, 0x0301, &message)
}

fn new_server() -> Connection {
    Connection::server(Arc::new(server())).unwrap()
}

#[test]
fn empty_and_doubled_lists() {
    let cases: [(&[u8], Irregularity); 8] = [
        (&[], Irregularity::EmptyExtensionBlock),
        (
            &[0, 10, 0, 2, 0, 0],
            Irregularity::EmptyList { extension: 10 },
        ),
        (
            &[0, 0, 0, 2, 0, 0],
            Irregularity::EmptyList { extension: 0 },
        ),
        (
            &[0, 0, 0, 5, 0, 3, 0, 0, 0],
            Irregularity::EmptyList { extension: 0 },
        ),
        (
            &[0, 0, 0, 10, 0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b'],
            Irregularity::DoubledEntry {
                extension: 0,
                value: 0,
            },
        ),
        (
            &[0, 16, 0, 2, 0, 0],
            Irregularity::EmptyList { extension: 16 },
        ),
        (
            &[0, 13, 0, 2, 0, 0],
            Irregularity::EmptyList { extension: 13 },
        ),
        (
            &[0, 10, 0, 6, 0, 4, 0, 23, 0, 23],
            Irregularity::DoubledEntry {
                extension: 10,
                value: 23,
            },
        ),
    ];
    for (block, irregularity) in cases {
        let (outcome, connection) = both_ways(new_server, &hello_record(block));
        assert_eq!(outcome, Ok(()));
        assert_eq!(
            connection.report().irregularities,
            [(Side::Client, irregularity)]
        );
    }
    let doubled = [0, 23, 0, 0, 0, 23, 0, 0];
    let (outcome, _) = both_ways(new_server, &hello_record(&doubled));
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "malformed bytes from the client: the extension extended_master_secret is sent twice"
    );
    assert_eq!(
        ClientHello::parse(&hello(&doubled)),
        Err(WireError::DoubledExtension { code: 23 })
    );
}

/// Two handshakes with the same memory, the second with a changed client.
fn resume(change: impl Fn(&mut ClientConfig)) -> Outcome {
    let sessions = SessionStore::default();
    let server = || ServerConfig {
        sessions: sessions.clone(),
        ..server()
    };
    let config = || ClientConfig {
        server_name: Some("mail.example.test".to_owned()),
        ..client(suite("DHE-RSA-AES128-SHA"), Version::TLS1_2)
    };
    let first = handshake(config(), server());
    let mut second = ClientConfig {
        resume: first.client.report().session.clone(),
        ..config()
    };
    change(&mut second);
    handshake(second, server())
}

#[test]
fn sessions_presented_under_other_terms() {
    let same = resume(|_| {});
    assert!(same.server.report().resumed);
    assert_eq!(same.server.report().irregularities, []);

    let mut other = resume(|config| config.server_name = Some("other.example.test".to_owned()));
    other.assert_works("another name");
    assert!(!other.server.report().resumed);
    assert_eq!(
        other.server.report().irregularities,
        [(
            Side::Client,
            Irregularity::ResumptionWithOtherName {
                first: Some("mail.example.test".to_owned()),
                now: Some("other.example.test".to_owned()),
            }
        )]
    );

    let mut without = resume(|config| config.extended_master_secret = false);
    without.assert_works("without extended master secret");
    assert!(!without.server.report().resumed);
    assert_eq!(
        without.server.report().irregularities,
        [(
            Side::Client,
            Irregularity::ResumptionWithoutExtendedMasterSecret
        )]
    );
}

#[test]
fn an_ssl2_hello_begins_a_handshake() {
    for version in VERSIONS {
        let config = || ClientConfig {
            misbehaviour: Some(Misbehaviour::Sslv2Hello),
            ..client(suite("AES128-SHA"), version)
        };
        let mut outcome = handshake(config(), server());
        outcome.assert_works(&version.to_string());
        assert_eq!(
            outcome.server.report().irregularities,
            [(Side::Client, Irregularity::Sslv2Hello)]
        );
        let mut hello = Connection::client(Arc::new(config())).unwrap();
        let (result, _) = both_ways(new_server, &hello.take_output());
        assert_eq!(result, Ok(()));
    }
}

/// Empty records: as a TLS 1.0 peer sends them before each record with data, and without end.
#[test]
fn idle_messages_are_counted_one_after_the_other() {
    let run = |count| {
        let config = ClientConfig {
            misbehaviour: Some(Misbehaviour::EmptyRecords(count)),
            ..client(suite("AES128-SHA"), Version::TLS1_0)
        };
        handshake(config, server())
    };
    let mut outcome = run(1);
    for _ in 0..100 {
        outcome.client.write(b"x").unwrap();
        outcome.pump();
        assert_eq!(outcome.server_result, Ok(()));
    }
    assert_eq!(outcome.server.take_received(), [b'x'; 100]);
    assert_eq!(
        outcome.server.report().irregularities,
        [(Side::Client, Irregularity::EmptyRecord)]
    );
    let mut outcome = run(33);
    outcome.client.write(b"x").unwrap();
    outcome.pump();
    assert!(
        matches!(&outcome.server_result, Err(Error::Unexpected { found, .. }) if found == "empty record number 33"),
        "{:?}",
        outcome.server_result
    );
}

#[test]
fn misbehaviours_below_the_handshake_are_survived_and_seen() {
    let version = Version::TLS1_2;
    let by_client = |suite_name: &str, misbehaviour| {
        let config = ClientConfig {
            misbehaviour: Some(misbehaviour),
            ..client(suite(suite_name), version)
        };
        handshake(config, server())
    };
    let by_server = |misbehaviour| {
        let config = ServerConfig {
            misbehaviour: Some(misbehaviour),
            ..server()
        };
        handshake(client(suite("DHE-RSA-AES128-SHA"), version), config)
    };
    let finished = HandshakeType::FINISHED;
    let mut outcome = by_client("AES128-SHA", Misbehaviour::AlertInPieces(finished));
    outcome.assert_works("an alert in pieces");
    assert_eq!(
        outcome.server.report().irregularities,
        [(Side::Client, Irregularity::AlertInPieces)]
    );
    let mut outcome = by_server(Misbehaviour::OneByteRecords);
    outcome.assert_works("records of one byte");
    let mut outcome = by_server(Misbehaviour::HelloRequest(HandshakeType::SERVER_HELLO_DONE));
    outcome.assert_works("a HelloRequest");
    assert_eq!(
        outcome.client.report().irregularities,
        [(Side::Server, Irregularity::HelloRequest)]
    );
    let mut outcome = by_server(Misbehaviour::RecordVersion(Version::TLS1_0));
    outcome.assert_works("another record version");
    assert_eq!(
        outcome.client.report().irregularities,
        [(
            Side::Server,
            Irregularity::RecordVersion {
                found: Version::TLS1_0,
                expected: version,
            }
        )]
    );

    let outcome = by_client(
        "AES128-SHA",
        Misbehaviour::PremasterVersion(Version::TLS1_0),
    );
    assert_eq!(
        outcome.server_result,
        Err(Error::BadRecord { side: Side::Client })
    );
    assert_eq!(
        outcome.server.report().irregularities,
        [(
            Side::Client,
            Irregularity::PremasterVersion {
                found: Version::TLS1_0,
                offered: version,
            }
        )]
    );
    let outcome = by_client("AES128-SHA", Misbehaviour::DoubledExtension);
    assert_eq!(
        outcome.server_result,
        Err(Error::Malformed {
            side: Side::Client,
            error: WireError::DoubledExtension { code: 0xff01 },
        })
    );
    let outcome = by_client("AES128-SHA", Misbehaviour::UnknownContentType(finished));
    assert!(
        matches!(
            &outcome.server_result,
            Err(Error::Malformed {
                side: Side::Client,
                error: WireError::Illegal { found: 99, .. }
            })
        ),
        "{:?}",
        outcome.server_result
    );
}
