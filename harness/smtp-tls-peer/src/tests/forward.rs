//! The tap, the sink and the injection, over loopback.

use std::time::{SystemTime, UNIX_EPOCH};

use classic_tls::wire::Transcript;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_tap_sees_what_both_sides_see() {
    for (mode, began) in [
        (TlsMode::Starttls, Beginning::Starttls),
        (TlsMode::Implicit, Beginning::FirstByte),
    ] {
        for version in provider::versions() {
            let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let back = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (address, upstream) = (front.local_addr().unwrap(), back.local_addr().unwrap());
            let tls = TlsOptions {
                versions: vec![version],
                ..TlsOptions::default()
            };
            let client = ClientOptions {
                tls,
                mode,
                sni: Some("sni.example.test".to_owned()),
                ..ClientOptions::default()
            };
            let server = ServerOptions {
                mode,
                ..server_with("rsa2048")
            };
            let options = ForwardOptions::default();
            let implicit = mode == TlsMode::Implicit;
            let mail = mail();
            let (client, tap, server) = tokio::join!(
                send(address, &client, &mail, soon()),
                forward(&front, upstream, options, soon()),
                receive(&back, &server, soon()),
            );
            assert_eq!(
                (client.error, tap.error.clone(), server.error),
                (None, None, None)
            );
            assert_eq!(tap.began, Some(began));
            assert_eq!([client.began, server.began], [Some(began); 2]);
            assert_eq!(tap.recording, client.recording);
            assert_eq!(tap.recording, server.recording);
            assert_eq!(tap.sni(), Some("sni.example.test"));
            assert_eq!(tap.transcript.version(), Some(version));
            assert_eq!(tap.transcript.group(), client.tls.unwrap().group);
            assert!(tap.from_client > tap.recording.client.len() as u64 || implicit);
            if implicit {
                assert_eq!(tap.clear, []);
            } else {
                let last: Vec<&str> = tap
                    .clear
                    .iter()
                    .rev()
                    .take(2)
                    .map(|(_, line)| line.as_str())
                    .collect();
                assert_eq!(last, ["220 2.0.0 Ready to start TLS", "STARTTLS"]);
            }
        }
    }
}

/// Lets `lines` pass, each from its side, and returns the tap's report.
async fn passing(lines: &[(Side, &[u8])]) -> ForwardReport {
    let (mut client, near) = tokio::io::duplex(1 << 16);
    let (mut server, far) = tokio::io::duplex(1 << 16);
    let script = async {
        for (side, bytes) in lines {
            let (from, to) = match side {
                Side::Client => (&mut client, &mut server),
                Side::Server => (&mut server, &mut client),
            };
            from.write_all(bytes).await.unwrap();
            let mut heard = vec![0; bytes.len()];
            to.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, bytes);
        }
        client.shutdown().await.unwrap();
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        server.shutdown().await.unwrap();
    };
    tokio::join!(forward_between(near, far, soon()), script).0
}

#[tokio::test]
async fn the_recording_begins_after_the_reply() {
    use Side::{Client, Server};
    let report = passing(&[
        (Server, b"220-two\r\n220 lines\r\n"),
        (Client, b"EHLO x\r\n"),
        (Server, b"250-y\r\n250 STARTTLS\r\n"),
        (Client, b"start"),
        (Client, b"tls\r\n"),
        (Server, b"220"),
        (Server, b"-wait\r\n220 go\r\nS1"),
        (Client, b"C1"),
        (Server, b"S2\r\n"),
    ])
    .await;
    assert_eq!(
        (
            report.recording.client.as_slice(),
            report.recording.server.as_slice()
        ),
        (&b"C1"[..], &b"S1S2\r\n"[..])
    );
    assert_eq!(report.began, Some(Beginning::Starttls));
    assert_eq!(report.clear.len(), 8);

    // Refused, then agreed upon; what came with the second STARTTLS counts as TLS.
    let report = passing(&[
        (Client, b"STARTTLS\r\n"),
        (Server, b"454 not now\r\n"),
        (Client, b"STARTTLS\r\nearly"),
        (Server, b"220 go\r\n"),
    ])
    .await;
    assert_eq!(report.recording.client, b"early");

    // A line of a message that happens to read so.
    let report = passing(&[
        (Client, b"STARTTLS\r\n.\r\n"),
        (Server, b"250 queued\r\n"),
        (Client, b"QUIT\r\n"),
        (Server, b"221 bye\r\n"),
    ])
    .await;
    assert_eq!(report.began, None);
    assert_eq!(report.transcript, Transcript::parse(&[], &[]));
    assert_eq!(report.closed_first, Some(Client));
}

#[tokio::test]
async fn a_tap_without_a_server_says_so() {
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, upstream) = (front.local_addr().unwrap(), gone.local_addr().unwrap());
    drop(gone);
    let (options, mail) = (ClientOptions::default(), mail());
    let (client, tap) = tokio::join!(
        send(address, &options, &mail, soon()),
        forward(&front, upstream, ForwardOptions::default(), soon())
    );
    assert_eq!(tap.error.unwrap().kind, ErrorKind::Connection);
    assert_eq!(client.error.unwrap().kind, ErrorKind::Connection);
}

#[tokio::test]
async fn an_old_message_is_whole_when_the_clock_shows_a_later_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let begun = clock();
    let (message, injected) = tokio::join!(
        sink(&listener, soon()),
        inject_aged(address, "", "a@example.test", "old\n", 1, soon())
    );
    assert!(clock() > begun);
    assert_eq!(message.unwrap().text(), "old\n");
    injected.unwrap();
}

#[tokio::test]
async fn what_is_injected_arrives_in_the_sink() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let body = "Subject: dots\nX-Long: one\n\ttwo\n\n.\n..\n.end\n";
    let (message, injected) = tokio::join!(
        sink(&listener, soon()),
        inject(address, "", "a@example.test", body, soon())
    );
    let message = message.unwrap();
    assert_eq!(message.text(), body);
    assert_eq!(message.headers("x-long"), ["one\n\ttwo"]);
    assert_eq!(injected.unwrap().queue_id.as_deref(), Some("PFS1"));

    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Message>(4);
    let many = async {
        let mut seen = Vec::new();
        while seen.len() < 20 {
            seen.push(receiver.recv().await.unwrap().from);
        }
        drop(receiver);
        seen.sort();
        seen
    };
    let senders = async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 10..30 {
            tasks.spawn(async move {
                inject(address, &format!("{number}@x"), "a@x", "hi", soon())
                    .await
                    .unwrap()
            });
        }
        tasks.join_all().await
    };
    let (ended, seen, _) = tokio::join!(sink_all(&listener, sender), many, senders);
    ended.unwrap();
    assert_eq!(
        seen,
        (10..30)
            .map(|number| format!("{number}@x"))
            .collect::<Vec<_>>()
    );
}
