//! A recording and the server's key: what opens and what does not.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(test)]
mod support;

use std::sync::Arc;

use classic_tls::names::{CipherSuite, KeyExchangeKind, Version};
use classic_tls::wire::Recording;
use classic_tls::{
    ClientCertificate, ClientConfig, Connection, DhGroup, PrivateKey, Sealed, ServerConfig,
    Session, SessionStore, anonymous_suites, disclose, implemented_suites,
};
use support::identity;

const FROM_CLIENT: &[u8] = b"MAIL FROM:<alice@client.example.test>\r\n";
const FROM_SERVER: &[u8] = b"250 2.1.0 Ok\r\n";

/// Records a conversation between our own client and server.
fn record(client: ClientConfig, server: ServerConfig) -> (Recording, Option<Session>) {
    let mut client = Connection::client(Arc::new(client)).unwrap();
    let mut server = Connection::server(Arc::new(server)).unwrap();
    let mut recording = Recording::default();
    let mut pump = |client: &mut Connection, server: &mut Connection| {
        loop {
            let (to_server, to_client) = (client.take_output(), server.take_output());
            if to_server.is_empty() && to_client.is_empty() {
                return;
            }
            recording.client.extend_from_slice(&to_server);
            recording.server.extend_from_slice(&to_client);
            server.read(&to_server).unwrap();
            client.read(&to_client).unwrap();
        }
    };
    pump(&mut client, &mut server);
    client.write(FROM_CLIENT).unwrap();
    pump(&mut client, &mut server);
    server.write(FROM_SERVER).unwrap();
    server.close();
    pump(&mut client, &mut server);
    let session = client.report().session.clone();
    (recording, session)
}

fn server() -> ServerConfig {
    ServerConfig {
        identities: vec![identity("rsa1024"), identity("p256")],
        dh: DhGroup::well_known("modp1024"),
        ..ServerConfig::default()
    }
}

fn key() -> PrivateKey {
    identity("rsa1024").key
}

#[test]
fn static_rsa_opens_and_nothing_else_does() {
    for suite in implemented_suites().into_iter().chain(anonymous_suites()) {
        for version in [Version::TLS1_0, Version::TLS1_1, Version::TLS1_2] {
            if version < Version::TLS1_2 && suite.needs_tls1_2() {
                continue;
            }
            for modern in [true, false] {
                let client = ClientConfig {
                    suites: vec![suite],
                    versions: version..=version,
                    extended_master_secret: modern,
                    encrypt_then_mac: modern,
                    ..ClientConfig::default()
                };
                let result = disclose(&record(client, server()).0, &key());
                let what = format!("{suite} {version} {modern}");
                if suite.key_exchange() == KeyExchangeKind::Rsa {
                    let plaintext = result.unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert_eq!(plaintext.client, FROM_CLIENT, "{what}");
                    assert_eq!(plaintext.server, FROM_SERVER, "{what}");
                    assert!(plaintext.complete, "{what}");
                } else {
                    let key_exchange = suite.key_exchange();
                    assert_eq!(
                        result,
                        Err(Sealed::ForwardSecret {
                            version,
                            suite,
                            key_exchange
                        }),
                        "{what}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_client_certificate_does_not_get_in_the_way() {
    let client = ClientConfig {
        suites: vec![CipherSuite::from_openssl_name("AES256-GCM-SHA384").unwrap()],
        identity: Some(identity("p256")),
        ..ClientConfig::default()
    };
    let server = ServerConfig {
        client_certificate: ClientCertificate::Require,
        ..server()
    };
    let plaintext = disclose(&record(client, server).0, &key()).unwrap();
    assert_eq!(plaintext.client, FROM_CLIENT);
}

#[test]
fn another_key_and_a_resumed_session_stay_closed() {
    let sessions = SessionStore::default();
    let server = || ServerConfig {
        sessions: sessions.clone(),
        ..server()
    };
    let client = |resume| ClientConfig {
        suites: vec![CipherSuite::from_openssl_name("AES128-SHA").unwrap()],
        resume,
        ..ClientConfig::default()
    };
    let (recording, session) = record(client(None), server());
    for name in ["rsa2048", "p256"] {
        let result = disclose(&recording, &identity(name).key);
        assert!(
            matches!(result, Err(Sealed::WrongKey { .. })),
            "{name}: {result:?}"
        );
    }
    assert!(session.is_some());
    let (resumed, _) = record(client(session), server());
    assert_eq!(disclose(&resumed, &key()), Err(Sealed::Resumed));
    assert_eq!(
        disclose(&Recording::default(), &key()),
        Err(Sealed::Incomplete {
            what: "ClientHello"
        })
    );
}

macro_rules! capture {
    ($name:literal) => {
        Recording {
            client: include_bytes!(concat!("captures/", $name, ".client")).to_vec(),
            server: include_bytes!(concat!("captures/", $name, ".server")).to_vec(),
        }
    };
}

fn captured_key() -> PrivateKey {
    PrivateKey::from_pkcs8_der(include_bytes!("captures/server-key.der")).unwrap()
}

#[test]
fn openssl_talking_to_openssl_opens_as_well() {
    for recording in [
        capture!("tls10-rsa-cbc"),
        capture!("tls11-rsa-cbc"),
        capture!("tls12-rsa-cbc"),
        capture!("tls12-rsa-cbc-etm"),
        capture!("tls12-rsa-gcm"),
    ] {
        let plaintext = disclose(&recording, &captured_key()).unwrap();
        assert_eq!(
            plaintext.client, b"EHLO client.example.test\r\nQUIT\r\n",
            "{}",
            plaintext.suite
        );
        assert!(plaintext.complete);
    }
}

#[test]
fn openssl_talking_to_openssl_stays_closed_with_an_ephemeral_exchange() {
    for recording in [
        capture!("tls10-dhe"),
        capture!("tls12-adh-gcm"),
        capture!("tls12-aecdh"),
        capture!("tls12-dhe-rsa"),
        capture!("tls12-ecdhe-x25519"),
        capture!("tls13-hybrid"),
        capture!("tls13-x25519"),
    ] {
        let result = disclose(&recording, &captured_key());
        assert!(
            matches!(result, Err(Sealed::ForwardSecret { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn a_damaged_recording_is_survived() {
    let whole = capture!("tls12-rsa-gcm");
    for index in (0..whole.client.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged.client[index] ^= 0x55;
        let _ = disclose(&damaged, &captured_key());
        damaged.client.truncate(index);
        let _ = disclose(&damaged, &captured_key());
    }
    for index in (0..whole.server.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged.server[index] ^= 0x55;
        let _ = disclose(&damaged, &captured_key());
        damaged.server.truncate(index);
        let _ = disclose(&damaged, &captured_key());
    }
}
