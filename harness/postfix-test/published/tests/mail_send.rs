//! mail-send with STARTTLS, against servers that it must talk to and servers that it must not.

use std::sync::Arc;
use std::time::Duration;

use mail_send::SmtpClientBuilder;
use mail_send::smtp::message::Message;
use postfix_test::{Case, Postfix, Server};
use tokio_rustls::TlsConnector;

async fn send(server: &Server) -> Result<(), Box<dyn std::error::Error>> {
    let provider = Arc::new(rustls_graviola::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(server.root_store()?)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let port = server.address().port();
    let mut client = SmtpClientBuilder::new_with_tls_connector(server.name(), port, connector)
        .implicit_tls(false)
        .timeout(Duration::from_secs(20))
        .connect()
        .await?;
    let mail = Message::new(
        "me@example.test",
        ["you@example.test"],
        b"Subject: test\r\n\r\nHello\r\n".to_vec(),
    );
    client.send(mail).await?;
    // The mail was taken, whatever comes of the goodbye.
    if let Err(error) = client.quit().await {
        println!("QUIT: {error}");
    }
    Ok(())
}

fn holds(case: &Case) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = case.run(|server| match runtime.block_on(send(server)) {
        Ok(()) => true,
        Err(error) => {
            println!("{}: {error}", case.name);
            false
        }
    });
    assert_eq!(outcome.unwrap(), Ok(()), "{}", case.name);
}

#[test]
fn every_duty_is_done() {
    if Postfix::default().server().start_or_skip().is_some() {
        Postfix::default().refusals().for_each(|case| holds(&case));
    }
}
