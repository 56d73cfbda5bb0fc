//! Peers that fall silent or hang up: an error in time, and what was seen up to then.
#![expect(clippy::expect_used, reason = "helpers of tests")]

#[cfg(test)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use classic_tls::names::{AlertDescription, Version};
use classic_tls::wire::{AlertLevel, HandshakeType, Side};
use classic_tls::{ClientConfig, Connection, Error, Misbehaviour, ServerConfig, accept, connect};
use support::fault::{client, server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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

/// The message at which an end falls silent, and what the other then waits for.
const SILENCES: [(Side, HandshakeType, &str); 8] = [
    (Side::Server, HandshakeType::SERVER_HELLO, "ServerHello"),
    (
        Side::Server,
        HandshakeType::CERTIFICATE,
        "the server's Certificate",
    ),
    (
        Side::Server,
        HandshakeType::SERVER_KEY_EXCHANGE,
        "ServerKeyExchange",
    ),
    (
        Side::Server,
        HandshakeType::SERVER_HELLO_DONE,
        "CertificateRequest or ServerHelloDone",
    ),
    (
        Side::Server,
        HandshakeType::FINISHED,
        "the server's Finished",
    ),
    (Side::Client, HandshakeType::CLIENT_HELLO, "ClientHello"),
    (
        Side::Client,
        HandshakeType::CLIENT_KEY_EXCHANGE,
        "ClientKeyExchange",
    ),
    (
        Side::Client,
        HandshakeType::FINISHED,
        "the client's Finished",
    ),
];

#[tokio::test]
async fn silence_and_truncated_records_end_at_the_deadline() {
    let mut tasks = tokio::task::JoinSet::new();
    for (side, kind, awaited) in SILENCES {
        for misbehaviour in [
            Misbehaviour::Silence(kind),
            Misbehaviour::TruncatedRecord(kind),
        ] {
            tasks.spawn(async move {
                let fault = |at| (side == at).then_some(misbehaviour);
                let client = ClientConfig {
                    misbehaviour: fault(Side::Client),
                    ..client("ECDHE-RSA-AES128-SHA")
                };
                let server = ServerConfig {
                    misbehaviour: fault(Side::Server),
                    session_tickets: false,
                    ..server()
                };
                let (client, server) = over_a_stream(client, server).await;
                let honest = match side {
                    Side::Client => server,
                    Side::Server => client,
                };
                match honest {
                    // The silent end may reach its own deadline first and close.
                    Some(Error::Closed {
                        side: closed,
                        awaited: found,
                    }) => assert_eq!((closed, found), (side, awaited)),
                    other => assert_eq!(
                        other,
                        Some(Error::Deadline {
                            after: DEADLINE,
                            awaited
                        }),
                        "{misbehaviour:?}"
                    ),
                }
            });
        }
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("a wrong end");
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

/// What comes behind the end of a handshake is read data first, however it was cut.
#[tokio::test]
async fn data_and_an_alert_in_one_segment() {
    for together in [true, false] {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let mut peer = Connection::server(Arc::new(support::simple::server())).unwrap();
        let server = async move {
            let mut buffer = vec![0; 1 << 14];
            while peer.is_handshaking() {
                let count = far.read(&mut buffer).await.unwrap();
                peer.read(&buffer[..count]).unwrap();
                if peer.is_handshaking() {
                    far.write_all(&peer.take_output()).await.unwrap();
                }
            }
            // The Finished, a line, and a fatal alert.
            let mut rest = peer.take_output();
            peer.write(b"421 closing\r\n").unwrap();
            rest.extend(peer.take_output());
            peer.abort(Error::CertificateRequired);
            let alert = peer.take_output();
            match together {
                true => far.write_all(&[rest, alert].concat()).await.unwrap(),
                false => {
                    for byte in [rest, alert].concat() {
                        far.write_all(&[byte]).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                }
            }
            far
        };
        let client = async {
            let mut stream = connect(near, Arc::new(ClientConfig::default()))
                .await
                .unwrap();
            let mut line = [0; 13];
            stream.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"421 closing\r\n");
            let error = stream.read(&mut line).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "the server sent the fatal alert handshake_failure"
            );
        };
        tokio::join!(server, client);
    }
}
