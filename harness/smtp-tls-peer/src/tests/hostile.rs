//! Other sides that are silent, rude or wrong.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::smtp::{MAX_LINE, MAX_REPLY_LINES};

/// What a client reports when the server says exactly `text`, whatever the client says, and then closes.
async fn client_hears(text: &[u8]) -> PeerError {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    far.write_all(text).await.unwrap();
    far.shutdown().await.unwrap();
    let mail = mail();
    let listen = async {
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await
    };
    let options = ClientOptions::default();
    let (report, _) = tokio::join!(send_on(near, &options, &mail, soon()), listen);
    report.error.unwrap()
}

#[tokio::test]
async fn replies_that_break_the_rules_are_refused() {
    let long = [b"220 ".as_slice(), &vec![b'x'; MAX_LINE]].concat();
    let endless = b"220-more\r\n".repeat(MAX_REPLY_LINES + 1);
    for (text, stage, expected) in [
        (
            b"".as_slice(),
            Stage::Banner,
            "the server closed the connection",
        ),
        (
            b"220 half",
            Stage::Banner,
            "the server closed the connection",
        ),
        (b"220 bare\n", Stage::Banner, "bare LF"),
        (b"hello\r\n", Stage::Banner, "expected a reply"),
        (b"\r\n", Stage::Banner, "expected a reply"),
        (b"22\r\n", Stage::Banner, "expected a reply"),
        (b"999 x\r\n", Stage::Banner, "expected a reply"),
        (b"220_x\r\n", Stage::Banner, "expected a reply"),
        (
            b"\xff\xfe\x00\x1b[31m\r\n",
            Stage::Banner,
            "\\xff\\xfe\\u{0}\\u{1b}[31m",
        ),
        (
            b"220-a\r\n250 b\r\n",
            Stage::Banner,
            "code 250 inside a reply with code 220",
        ),
        (
            b"554 5.7.1 go away\r\n",
            Stage::Banner,
            "connect was answered 554 5.7.1 go away; expected 220",
        ),
        (&long, Stage::Banner, "line of more than 4096 bytes"),
        (&endless, Stage::Banner, "more than 64 lines"),
        (
            b"220 a\r\n250 b\r\n",
            Stage::Starttls,
            "STARTTLS was not offered",
        ),
        (
            b"220 a\r\n250 STARTTLS\r\n454 later\r\n",
            Stage::Starttls,
            "454 later",
        ),
        (
            b"220 a\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n",
            Stage::Handshake,
            "received corrupt message",
        ),
    ] {
        let error = client_hears(text).await;
        assert_eq!(error.stage, stage, "{error}");
        assert!(error.text.contains(expected), "{error}");
        assert!(!error.text.chars().any(char::is_control), "{error}");
    }
}

#[tokio::test]
async fn plaintext_instead_of_tls_is_told_apart() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let server = async {
        far.write_all(b"220 a\r\n250 STARTTLS\r\n220 go\r\n")
            .await
            .unwrap();
        let mut heard = vec![0; 1 << 14];
        // The ClientHello begins with the handshake content type.
        loop {
            let count = far.read(&mut heard).await.unwrap();
            if heard[..count].contains(&0x16) {
                break;
            }
        }
        far.write_all(b"500 what is this?\r\n").await.unwrap();
        far.read_to_end(&mut heard).await
    };
    let (options, mail) = (ClientOptions::default(), mail());
    let (report, _) = tokio::join!(send_on(near, &options, &mail, soon()), server);
    let error = report.error.as_ref().unwrap();
    assert_eq!(
        (error.kind, error.stage, error.side),
        (ErrorKind::Tls, Stage::Handshake, Side::Client),
        "{error}"
    );
    assert!(report.client_hello().is_some());
    assert!(!report.transcript.problems.is_empty());
}

#[tokio::test]
async fn commands_that_break_the_rules_are_survived() {
    let options = ServerOptions {
        mode: TlsMode::Off,
        ..ServerOptions::default()
    };
    let prepared = PreparedServer::new(&options).unwrap();
    let hears = |text: Vec<u8>| {
        let (options, prepared) = (options.clone(), prepared.clone());
        async move {
            let (mut near, far) = tokio::io::duplex(4 << 20);
            near.write_all(&text).await.unwrap();
            near.shutdown().await.unwrap();
            let mut heard = Vec::new();
            let (report, _) = tokio::join!(
                prepared.receive_on(far, &options, soon()),
                near.read_to_end(&mut heard)
            );
            (report, String::from_utf8(heard).unwrap())
        }
    };
    let envelope = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n";
    let (report, heard) =
        hears([envelope.as_slice(), b"..dot\r\n\r\n.\r\nQUIT\r\n"].concat()).await;
    assert_eq!(report.message().unwrap().data, b".dot\r\n\r\n");
    assert_eq!(report.error, None);
    assert!(heard.ends_with("221 2.0.0 Bye\r\n"));

    let (report, heard) =
        hears(b"DATA\r\nRCPT TO:<x>\r\nMAIL x\r\nSTARTTLS\r\nQUIT\r\n".to_vec()).await;
    assert_eq!(report.messages, []);
    assert_eq!(heard.matches("\r\n50").count(), 4, "{heard}");

    let (report, _) = hears(b"\x1b]0;boo\x07\r\n".repeat(40)).await;
    let error = report.error.unwrap();
    assert_eq!((error.kind, error.side), (ErrorKind::Smtp, Side::Server));
    assert!(
        !report
            .dialogue
            .commands
            .iter()
            .any(|line| line.chars().any(char::is_control))
    );

    let big = [
        envelope.as_slice(),
        &b"0123456789abcde\r\n".repeat(70_000),
        b".\r\n",
    ]
    .concat();
    let (report, _) = hears(big).await;
    assert!(
        report
            .error
            .unwrap()
            .text
            .contains("message of more than 1048576 bytes")
    );

    let (report, _) = hears([envelope.as_slice(), b"cut off"].concat()).await;
    let error = report.error.unwrap();
    assert_eq!(
        (error.kind, error.stage, error.side),
        (ErrorKind::Connection, Stage::Message, Side::Client)
    );
}

#[tokio::test]
async fn addresses_cannot_smuggle_commands() {
    for to in ["a@b>\r\nQUIT", "a b", "<a@b>", ""] {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(b"220 a\r\n250 b\r\n").await.unwrap();
        let options = ClientOptions {
            mode: TlsMode::Off,
            ..ClientOptions::default()
        };
        let report = send_on(near, &options, &Mail::new("x@y", to, "s"), soon()).await;
        assert_eq!(report.error.unwrap().kind, ErrorKind::Options);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert!(!String::from_utf8_lossy(&heard).contains("MAIL"));
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_names_its_stage() {
    let shortly = || Instant::now() + Duration::from_millis(300);
    for (misbehaviour, stage) in [
        (Misbehaviour::SilentAtBanner, Stage::Banner),
        (Misbehaviour::SilentAfterStarttls, Stage::Handshake),
    ] {
        let server = ServerOptions {
            misbehaviour,
            ..server_with("ecdsa-p256")
        };
        let (client, _) = pair_until(&ClientOptions::default(), shortly(), &server, soon()).await;
        let error = client.error.unwrap();
        assert_eq!(
            (error.kind, error.stage, error.side),
            (ErrorKind::Deadline, stage, Side::Server),
            "{error}"
        );
    }
    for (misbehaviour, stage) in [
        (Misbehaviour::SilentAtBanner, Stage::Banner),
        (Misbehaviour::SilentAfterStarttls, Stage::Handshake),
    ] {
        let client = ClientOptions {
            misbehaviour,
            ..ClientOptions::default()
        };
        let (_, server) = pair_until(&client, soon(), &server_with("ecdsa-p256"), shortly()).await;
        let error = server.error.unwrap();
        assert_eq!(
            (error.kind, error.stage, error.side),
            (ErrorKind::Deadline, stage, Side::Client),
            "{error}"
        );
    }
    // Who is silent on purpose knows that the other side is not to blame.
    let server = ServerOptions {
        misbehaviour: Misbehaviour::SilentAfterStarttls,
        ..server_with("ecdsa-p256")
    };
    let (_, server) = pair_until(&ClientOptions::default(), soon(), &server, shortly()).await;
    let error = server.error.as_ref().unwrap();
    assert_eq!(
        (error.kind, error.side),
        (ErrorKind::Deliberate, Side::Server),
        "{error}"
    );
    assert!(server.client_hello().is_some());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let report = receive(&listener, &server_with("ecdsa-p256"), shortly()).await;
    let error = report.error.unwrap();
    assert_eq!(
        (error.kind, error.stage),
        (ErrorKind::Deadline, Stage::Connect)
    );
    assert_eq!(
        sink(&listener, shortly()).await.unwrap_err().kind,
        ErrorKind::Deadline
    );
}

#[tokio::test]
async fn misbehaviour_is_deliberate_here_and_a_fault_there() {
    use Misbehaviour::{
        CloseAfterHandshake, CloseAfterStarttls, GarbageAfterStarttls, NoCloseNotify,
        RefuseStarttls,
    };
    for (misbehaviour, kind, stage) in [
        (CloseAfterStarttls, ErrorKind::Connection, Stage::Handshake),
        (GarbageAfterStarttls, ErrorKind::Tls, Stage::Handshake),
        (RefuseStarttls, ErrorKind::Smtp, Stage::Starttls),
        (CloseAfterHandshake, ErrorKind::Connection, Stage::EhloTls),
    ] {
        let server = ServerOptions {
            misbehaviour,
            ..server_with("ecdsa-p256")
        };
        let (client, server) = pair(&ClientOptions::default(), &server).await;
        let error = client.error.unwrap();
        assert_eq!(
            (error.kind, error.stage),
            (kind, stage),
            "{misbehaviour:?}: {error}"
        );
        assert!(server.error.is_some(), "{misbehaviour:?}");
    }
    for (misbehaviour, kind) in [
        (CloseAfterStarttls, ErrorKind::Connection),
        (GarbageAfterStarttls, ErrorKind::Tls),
        (CloseAfterHandshake, ErrorKind::Connection),
    ] {
        let client = ClientOptions {
            misbehaviour,
            ..ClientOptions::default()
        };
        let (client, server) = pair(&client, &server_with("ecdsa-p256")).await;
        let error = server.error.unwrap();
        assert_eq!(error.kind, kind, "{misbehaviour:?}: {error}");
        assert!(client.error.is_some(), "{misbehaviour:?}");
    }
    // Without close_notify the mail is there all the same.
    let server = ServerOptions {
        misbehaviour: NoCloseNotify,
        ..server_with("ecdsa-p256")
    };
    let (client, server) = pair(&ClientOptions::default(), &server).await;
    assert_eq!((client.error, server.error), (None, None));
}

#[tokio::test]
async fn a_refused_mail_ends_with_quit() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    far.write_all(b"220 a\r\n250 b\r\n250 ok\r\n550 5.7.1 no\r\n221 bye\r\n")
        .await
        .unwrap();
    far.shutdown().await.unwrap();
    let options = ClientOptions {
        mode: TlsMode::Off,
        ..ClientOptions::default()
    };
    let report = send_on(near, &options, &mail(), soon()).await;
    let error = report.error.as_ref().unwrap();
    assert_eq!(
        (error.kind, error.stage, error.side),
        (ErrorKind::Smtp, Stage::Rcpt, Side::Server),
        "{error}"
    );
    assert!(!report.delivered() && !report.dialogue.quit);
    let mut heard = String::new();
    far.read_to_string(&mut heard).await.unwrap();
    assert!(heard.ends_with("QUIT\r\n"), "{heard}");
}

#[tokio::test]
async fn nobody_there_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let report = send(address, &ClientOptions::default(), &mail(), soon()).await;
    let error = report.error.unwrap();
    assert_eq!(
        (error.kind, error.stage),
        (ErrorKind::Connection, Stage::Connect)
    );
    assert!(error.text.contains(&address.to_string()), "{error}");
    assert_eq!(
        inject(address, "a@b", "c@d", "x", soon())
            .await
            .unwrap_err()
            .stage,
        Stage::Connect
    );
}
