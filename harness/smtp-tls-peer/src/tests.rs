//! Peers against each other, in memory and over loopback.

mod classic;
mod dhe;
mod dhe_hostile;
mod forward;
mod hostile;
mod names;
mod raw_keys;
mod tls;

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use pfs_certs::Pki;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::time::Instant;

use super::*;

static PKI: LazyLock<Pki> = LazyLock::new(|| Pki::generate(SystemTime::now()).unwrap());

fn credential(name: &str) -> Credential {
    let leaf = PKI.leaf(name).unwrap();
    Credential {
        chain: leaf
            .chain_der()
            .iter()
            .map(|der| CertificateDer::from(der.clone()))
            .collect(),
        key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key_pkcs8_der().to_vec())),
    }
}

fn root(name: &str) -> CertificateDer<'static> {
    CertificateDer::from(PKI.ca(name).unwrap().certificate_der().to_vec())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn mail() -> Mail {
    Mail::new("sender@example.test", "recipient@example.test", "hello")
}

fn server_with(certificate: &str) -> ServerOptions {
    ServerOptions {
        credentials: vec![credential(certificate)],
        ..ServerOptions::default()
    }
}

/// Both reports of a client and a server that talk to each other in memory: client's, server's.
async fn pair(client: &ClientOptions, server: &ServerOptions) -> (PeerReport, PeerReport) {
    pair_until(client, soon(), server, soon()).await
}

async fn pair_until(
    client: &ClientOptions,
    client_deadline: Instant,
    server: &ServerOptions,
    server_deadline: Instant,
) -> (PeerReport, PeerReport) {
    let prepared = PreparedServer::new(server).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let mail = mail();
    tokio::join!(
        send_on(near, client, &mail, client_deadline),
        prepared.receive_on(far, server, server_deadline)
    )
}

/// Every entry point can be spawned.
#[test]
fn futures_are_send() {
    fn check<T: Send>(_: &T) {}
    let (client, server, mail) = (ClientOptions::default(), ServerOptions::default(), mail());
    let address = "127.0.0.1:1".parse().unwrap();
    check(&send(address, &client, &mail, soon()));
    check(&inject(address, "", "a@b", "", soon()));
    let with_listener = async |listener: tokio::net::TcpListener| {
        receive(&listener, &server, soon()).await;
        let _ = sink(&listener, soon()).await;
        let _ = sink_all(&listener, tokio::sync::mpsc::channel(1).0).await;
        forward(&listener, address, ForwardOptions::default(), soon()).await;
    };
    let _ = |listener| check(&with_listener(listener));
}
