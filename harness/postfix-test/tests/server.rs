//! The crate as its users have it: a client of theirs against a Postfix.

#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod strict;

use std::net::SocketAddr;
use std::time::Duration;

use postfix_test::{Case, Postfix, Server};
use smtp_tls_peer::{ClientOptions, Mail, MailClient, PeerReport, TlsMode};
use tokio::time::Instant;

fn options(server: &Server) -> ClientOptions {
    ClientOptions {
        sni: Some(server.name().to_owned()),
        roots: vec![server.ca_der().unwrap().into()],
        verify_name: Some(server.name().to_owned()),
        ..ClientOptions::default()
    }
}

async fn send(options: &ClientOptions, address: SocketAddr) -> PeerReport {
    let mail = Mail::new("me@example.test", "you@example.test", "Hello");
    let deadline = Instant::now() + Duration::from_secs(30);
    options.send(address, &mail, deadline).await
}

fn block<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

#[test]
fn a_session_has_all_witnesses() {
    for postfix in Postfix::targets() {
        let Some(server) = postfix.server().start_or_skip() else {
            return;
        };
        assert!(server.address().ip().is_loopback());
        assert_eq!(server.name(), "localhost");
        let pem = std::fs::read_to_string(server.ca_pem_path()).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
        let report = block(send(&options(&server), server.address()));
        assert!(report.delivered(), "{:?}", report.error);
        let session = server.next_session().unwrap();
        let tls = session.tls().unwrap();
        assert_eq!(tls.protocol.to_string(), "TLSv1.3");
        assert!(tls.forward_secrecy().holds());
        let received = session.received().unwrap();
        assert_eq!(received.tls.as_ref().unwrap().cipher, tls.cipher);
        assert_eq!(received.with.as_deref(), Some("ESMTPS"));
        let hello = session.client_hello().unwrap();
        assert_eq!(hello.sni.as_deref(), Some("localhost"));
        let [message] = session.messages() else {
            panic!("{:?}", session.messages());
        };
        assert_eq!(message.from, "me@example.test");
        assert_eq!(message.to, ["you@example.test"]);
        assert!(session.log().any(|line| line.starts_with("connect from ")));
        assert!(session.evidence().disagreements().is_empty());
    }
}

#[tokio::test]
async fn sessions_at_a_time_are_told_apart() {
    let Some(server) = Postfix::default().server().start_or_skip() else {
        return;
    };
    let other = Postfix::default().server().start_async().await.unwrap();
    assert_ne!(server.address(), other.address());
    let client = options(&server);
    let old = ClientOptions {
        tls: smtp_tls_peer::TlsOptions {
            versions: vec![smtp_tls_peer::provider::version("TLSv1.2").unwrap()],
            ..Default::default()
        },
        ..client.clone()
    };
    let (one, two, three) = tokio::join!(
        send(&client, server.address()),
        send(&old, server.address()),
        send(&old, other.address()),
    );
    assert!(one.delivered() && two.delivered() && three.delivered());
    let mut protocols = Vec::new();
    for _ in 0..2 {
        let session = server.next_session_async().await.unwrap();
        let logged = session.tls().unwrap().protocol;
        // Of one connection: the log, the wire and the mail.
        assert_eq!(session.evidence().wire().unwrap().version(), Some(logged));
        let received = session.received().unwrap().tls.clone().unwrap();
        assert_eq!(received.protocol, logged);
        protocols.push(logged.to_string());
    }
    protocols.sort();
    assert_eq!(protocols, ["TLSv1.2", "TLSv1.3"]);
    let session = other.next_session_async().await.unwrap();
    assert_eq!(session.messages().len(), 1);
}

#[test]
fn parameters_and_tls_from_the_first_byte() {
    // As with the level `encrypt`, Postfix then reads the mandatory list.
    let builder = Postfix::default().server().implicit_tls();
    let builder = builder.parameter("smtpd_tls_mandatory_protocols", "TLSv1.2");
    let Some(server) = builder.certificate("rsa2048").start_or_skip() else {
        return;
    };
    assert_eq!(server.name(), "mail.example.test");
    let client = ClientOptions {
        mode: TlsMode::Implicit,
        ..options(&server)
    };
    let report = block(send(&client, server.address()));
    assert!(report.delivered(), "{:?}", report.error);
    let session = server.next_session().unwrap();
    assert_eq!(session.tls().unwrap().protocol.to_string(), "TLSv1.2");
    assert!(session.clear().is_empty());
}

#[test]
fn what_cannot_be_is_said() {
    let start = |name: &str, value: &str| {
        let server = Postfix::default().server().parameter(name, value);
        server
            .start()
            .err()
            .map(|error| (error.is_unavailable(), error.to_string()))
    };
    let (unavailable, text) = start("smtpd_tls_protocol", "TLSv1.2").unwrap();
    if !unavailable {
        assert!(
            text.contains("did you mean `smtpd_tls_protocols`?"),
            "{text}"
        );
    }
    let (unavailable, text) = start("smtpd_tls_chain_files", "chain:rsa2049").unwrap();
    assert!(unavailable || text.contains("rsa2048"), "{text}");
    let error = Postfix::target("debian-99").server().start().err().unwrap();
    assert!(error.to_string().contains("debian-99"), "{error}");
}

#[test]
fn a_client_that_does_not_come_is_told_of() {
    let Some(server) = Postfix::default().server().start_or_skip() else {
        return;
    };
    let error = server.next_session_within(Duration::from_millis(50));
    let text = error.unwrap_err().to_string();
    assert!(text.contains("no client has connected"), "{text}");
}

/// What is said of a client that does its duty: rustls, blocking, and nothing else.
#[test]
fn a_client_that_verifies_does_its_duty() {
    for postfix in Postfix::targets() {
        if postfix.server().start_or_skip().is_none() {
            return;
        }
        let judged = postfix.refusals().map(|case| {
            let judged = case.run(|server| match strict::send(server) {
                Ok(()) => true,
                Err(error) => {
                    println!("{}: {error}", case.name);
                    false
                }
            });
            judged.unwrap_or_else(|error| panic!("{}: {error}", case.name))
        });
        let violations: Vec<String> = judged
            .filter_map(|judged| judged.err())
            .map(|violation| violation.to_string())
            .collect();
        assert!(
            violations.is_empty(),
            "{postfix:?}\n{}",
            violations.join("\n")
        );
    }
}

/// The peer of this workspace looks at certificates and takes them all.
#[test]
fn a_client_that_does_not_verify_is_found_out() {
    if Postfix::default().server().start_or_skip().is_none() {
        return;
    }
    let violated = |case: &Case| {
        let said = case.run(|server| block(send(&options(server), server.address())).delivered());
        said.unwrap_or_else(|error| panic!("{}: {error}", case.name))
            .is_err()
    };
    let postfix = Postfix::default();
    let found = postfix.refusals().filter(violated).map(|case| case.name);
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            "wrong-name",
            "expired",
            "not-yet-valid",
            "untrusted",
            "self-signed"
        ]
    );
}
