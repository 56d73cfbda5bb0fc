//! What the tests of this crate share: identities, and two connections wired to each other.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod fault;
pub mod openssl;
pub mod simple;
pub mod talk;

use std::sync::Arc;

use classic_tls::{ClientConfig, Connection, Error, Identity, ServerConfig};

/// The identity of one kind of key, see `tests/keys`.
pub fn identity(name: &str) -> Identity {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");
    let read = |kind: &str| std::fs::read(format!("{folder}/{name}.{kind}.der")).unwrap();
    Identity::from_der(vec![read("crt")], &read("key"))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The certificate of one kind of key.
pub fn certificate(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");
    std::fs::read(format!("{folder}/{name}.crt.der")).unwrap()
}

/// How both ends fared.
#[derive(Debug)]
pub struct Outcome {
    pub client: Connection,
    pub server: Connection,
    pub client_result: Result<(), Error>,
    pub server_result: Result<(), Error>,
}

/// Runs a handshake in memory until neither end has anything to say.
pub fn handshake(client: ClientConfig, server: ServerConfig) -> Outcome {
    let client = Connection::client(Arc::new(client)).unwrap();
    let server = Connection::server(Arc::new(server)).unwrap();
    let mut outcome = Outcome {
        client,
        server,
        client_result: Ok(()),
        server_result: Ok(()),
    };
    outcome.pump();
    outcome
}

impl Outcome {
    /// Moves bytes both ways until there are none.
    pub fn pump(&mut self) {
        loop {
            let to_server = self.client.take_output();
            let to_client = self.server.take_output();
            if to_server.is_empty() && to_client.is_empty() {
                return;
            }
            if !to_server.is_empty() && self.server_result.is_ok() {
                self.server_result = self.server.read(&to_server);
            }
            if !to_client.is_empty() && self.client_result.is_ok() {
                self.client_result = self.client.read(&to_client);
            }
        }
    }

    /// Fails the test unless both ends are content and data goes both ways.
    pub fn assert_works(&mut self, what: &str) {
        assert_eq!(self.client_result, Ok(()), "{what}: client");
        assert_eq!(self.server_result, Ok(()), "{what}: server");
        assert!(
            !self.client.is_handshaking() && !self.server.is_handshaking(),
            "{what}"
        );
        let long = vec![b'x'; 40_000];
        self.client.write(&long).unwrap();
        self.server
            .write(b"220 mail.example.test ESMTP\r\n")
            .unwrap();
        self.pump();
        assert!(
            self.server.take_received() == long,
            "{what}: client to server"
        );
        assert_eq!(
            self.client.take_received(),
            b"220 mail.example.test ESMTP\r\n",
            "{what}"
        );
        self.client.close();
        self.pump();
        assert!(self.server.report().close_notify_received, "{what}");
    }
}
