//! The classic peer against itself: sessions taken up again, TLS from the first byte.

use std::sync::Arc;

use classic_tls::{ClientConfig, Identity, ServerConfig};
use tokio::net::TcpListener;

use super::super::classic::{Client, Memory, Server, receive_on, send};
use super::*;

fn server() -> Arc<ServerConfig> {
    let leaf = PKI.leaf("rsa2048").unwrap();
    let identity = Identity::from_der(leaf.chain_der().to_vec(), leaf.key_pkcs8_der()).unwrap();
    Arc::new(ServerConfig {
        identities: vec![identity],
        ..ServerConfig::default()
    })
}

/// Whether each of two connections resumed a session, by the client and by the server.
async fn two(mode: TlsMode, client: ClientConfig, memory: Memory) -> [(bool, bool); 2] {
    let client = Client {
        config: Arc::new(client),
        smtp: SmtpOptions {
            mode,
            ..SmtpOptions::client()
        },
        memory,
    };
    let server = Server {
        config: server(),
        smtp: SmtpOptions {
            mode,
            ..SmtpOptions::server()
        },
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut resumed = [(false, false); 2];
    for seen in &mut resumed {
        let receive = async {
            let (stream, _) = listener.accept().await.unwrap();
            receive_on(stream, &server, soon()).await
        };
        let mail = mail();
        let (client, server) = tokio::join!(send(address, &client, &mail, soon()), receive);
        super::tls::delivered(&client, &server);
        assert_eq!(client.transcript.resumed, server.transcript.resumed);
        *seen = (client.tls.unwrap().resumed, server.tls.unwrap().resumed);
    }
    resumed
}

#[tokio::test]
async fn the_second_session_is_the_first_one_again_where_asked_for() {
    let new = (false, false);
    for mode in [TlsMode::Starttls, TlsMode::Implicit] {
        for session_tickets in [false, true] {
            let client = ClientConfig {
                session_tickets,
                ..ClientConfig::default()
            };
            let again = [new, (true, true)];
            assert_eq!(two(mode, client.clone(), Memory::new()).await, again);
            assert_eq!(two(mode, client, Memory::none()).await, [new, new]);
        }
    }
}
