//! smtp(8) against a server of the user's, here that of `smtp-tls-peer`.

#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::net::SocketAddr;
use std::time::Duration;

use postfix_test::{Postfix, log};
use smtp_tls_peer::{Credential, MailServer, PeerReport, RustlsServer, ServerOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A server with this certificate, that takes one connection.
async fn server(certificate: &str) -> Option<(SocketAddr, JoinHandle<PeerReport>)> {
    let files = match Postfix::default().certificate(certificate) {
        Ok(files) => files,
        Err(error) if error.is_unavailable() => {
            Postfix::default().server().start_or_skip();
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let read = |path| std::fs::read_to_string(path).unwrap();
    let pem = read(files.key_pem_path) + &read(files.chain_pem_path);
    let options = ServerOptions {
        credentials: vec![Credential::from_pem(&pem).unwrap()],
        ..ServerOptions::default()
    };
    let server = RustlsServer::new(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        server.receive(stream, deadline).await
    });
    Some((address, task))
}

#[tokio::test]
async fn a_mail_is_delivered_to_a_server_that_is_verified() {
    let Some((address, server)) = server("localhost").await else {
        return;
    };
    let client = Postfix::default().client();
    let client = client.parameter("smtp_tls_security_level", "secure");
    let client = client.message("Subject: over there\n\nText\n");
    let delivery = client.deliver_to_async(address).await.unwrap();
    let text: Vec<&str> = delivery.log().collect();
    assert!(delivery.is_sent(), "{text:?}");
    let tls = delivery.tls().unwrap();
    assert_eq!(tls.status, Some(log::Status::Verified), "{text:?}");
    assert_eq!(
        delivery.client_hello().unwrap().sni.as_deref(),
        Some("localhost")
    );
    assert_eq!(delivery.connections(), 1);
    let report = server.await.unwrap();
    let message = report.message().unwrap();
    assert!(
        message.text().contains("Subject: over there"),
        "{}",
        message.text()
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let Some((address, _server)) = server("wrong-name").await else {
        return;
    };
    let client = Postfix::default().client();
    let client = client.parameter("smtp_tls_security_level", "secure");
    let delivery = client.deliver_to_async(address).await.unwrap();
    assert!(!delivery.is_sent());
    assert_eq!(
        delivery.result().status,
        log::event::DeliveryStatus::Deferred
    );
    assert_eq!(delivery.result().text, "Server certificate not verified");
}

#[test]
fn where_it_must_not_go() {
    let deliver = |address: &str| {
        let client = Postfix::default().client();
        client.deliver_to(address.parse().unwrap()).unwrap_err()
    };
    let error = deliver("192.0.2.1:25");
    let text = error.to_string();
    assert!(
        error.is_unavailable() || text.contains("is not a loopback address"),
        "{text}"
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let error = deliver(&address);
    let text = error.to_string();
    assert!(
        error.is_unavailable() || text.contains("connecting to the server at"),
        "{text}"
    );
}
