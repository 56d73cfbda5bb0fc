//! A client as it should be: requires TLS, trusts one CA, verifies the name.

use std::io::{BufRead, BufReader, Error, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use postfix_test::Server;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Sends one mail; an error if it was not taken.
pub(crate) fn send(server: &Server) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    roots
        .add(server.ca_der().map_err(Error::other)?.into())
        .map_err(Error::other)?;
    let provider = Arc::new(rustls_graviola::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut clear = BufReader::new(stream);
    reply(&mut clear, "220")?;
    command(&mut clear, "EHLO client.example.test", "250")?;
    command(&mut clear, "STARTTLS", "220")?;
    if !clear.buffer().is_empty() {
        return Err(Error::other("the server has sent more than its reply"));
    }
    let name = server.name().to_owned().try_into().map_err(Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(Error::other)?;
    let mut secure = BufReader::new(StreamOwned::new(connection, clear.into_inner()));
    command(&mut secure, "EHLO client.example.test", "250")?;
    command(&mut secure, "MAIL FROM:<me@example.test>", "250")?;
    command(&mut secure, "RCPT TO:<you@example.test>", "250")?;
    command(&mut secure, "DATA", "354")?;
    command(&mut secure, "Subject: test\r\n\r\nHello\r\n.", "250")?;
    // The mail has been taken: what comes after changes nothing of it.
    let _ = command(&mut secure, "QUIT", "221");
    Ok(())
}

fn command<S: Read + Write>(
    stream: &mut BufReader<S>,
    line: &str,
    expected: &str,
) -> Result<(), Error> {
    write!(stream.get_mut(), "{line}\r\n")?;
    stream.get_mut().flush()?;
    reply(stream, expected)
}

fn reply<S: Read>(stream: &mut BufReader<S>, expected: &str) -> Result<(), Error> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(Error::other("the server has closed the connection"));
        }
        if line.get(3..4) == Some("-") {
            continue;
        }
        return match line.starts_with(expected) {
            true => Ok(()),
            false => Err(Error::other(line)),
        };
    }
}
