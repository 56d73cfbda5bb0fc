//! lettre, told to require TLS, against servers that it must talk to and servers that it must not.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use postfix_test::{Case, Postfix, Server};

fn send(server: &Server) -> Result<(), Box<dyn std::error::Error>> {
    // Whichever test is first installs it.
    let _ = rustls_graviola::default_provider().install_default();
    let ca = Certificate::from_pem(&std::fs::read(server.ca_pem_path())?)?;
    let tls = TlsParameters::builder(server.name().to_owned())
        .certificate_store(CertificateStore::None)
        .add_root_certificate(ca)
        .build_rustls()?;
    let mailer = SmtpTransport::builder_dangerous("localhost")
        .port(server.address().port())
        .tls(Tls::Required(tls))
        // A test that hangs should not hang for the minute that is the default.
        .timeout(Some(Duration::from_secs(5)))
        .build();
    let envelope = Envelope::new(
        Some("me@example.test".parse()?),
        vec!["you@example.test".parse()?],
    )?;
    mailer.send_raw(&envelope, b"Subject: test\r\n\r\nHello\r\n")?;
    Ok(())
}

fn holds(case: &Case) {
    let outcome = case.run(|server| match send(server) {
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
