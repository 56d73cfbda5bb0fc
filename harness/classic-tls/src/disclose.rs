//! What a recording is worth to somebody who gets hold of the server's private key afterwards.
//!
//! With static RSA the client sends the premaster secret encrypted to that key, and it stands in the recording; with an
//! ephemeral key exchange the key only signs, and the secret was never sent. This is the difference forward secrecy makes.

use rsa::traits::PublicKeyParts as _;

use crate::config::is_implemented;
use crate::core::Keys;
use crate::exchange;
use crate::keys::{PrivateKey, PublicKey};
use crate::names::{CipherSuite, KeyExchangeKind, Version};
use crate::protection::Protection;
use crate::report::Report;
use crate::schedule::Prf;
use crate::wire::{
    ContentType, Flow, HandshakeMessage, HandshakeType, Reader, Recording, Side, Transcript,
};

/// What both ends said under the protection of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plaintext {
    /// Application data of the client.
    pub client: Vec<u8>,
    /// Application data of the server.
    pub server: Vec<u8>,
    /// The version negotiated.
    pub version: Version,
    /// The suite negotiated.
    pub suite: CipherSuite,
    /// Whether every protected record could be opened.
    pub complete: bool,
}

/// Why a recording stays closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Sealed {
    /// The key exchange is ephemeral: the private key only signed.
    #[error(
        "{version} with {suite}: the key exchange is ephemeral, the private key does not open it"
    )]
    ForwardSecret {
        /// The version negotiated.
        version: Version,
        /// The suite negotiated.
        suite: CipherSuite,
        /// Its key exchange.
        key_exchange: KeyExchangeKind,
    },
    /// A message is missing from the recording.
    #[error("the recording holds no {what}")]
    Incomplete {
        /// What is missing.
        what: &'static str,
    },
    /// An earlier session was taken up; only its recording holds the secret.
    #[error("the session was resumed: its secret was exchanged in an earlier connection")]
    Resumed,
    /// The suite's records cannot be opened by this crate.
    #[error("{suite} is not implemented")]
    UnspokenSuite {
        /// The suite negotiated.
        suite: CipherSuite,
    },
    /// The key does not go with the recording.
    #[error("the private key does not go with the recording: {what}")]
    WrongKey {
        /// How that shows.
        what: &'static str,
    },
}

/// Recovers what was said in `recording` with the server's private `key`, or says why that cannot be done.
///
/// # Errors
/// A key exchange with forward secrecy, the wrong key, or a recording that lacks its beginning.
pub fn disclose(recording: &Recording, key: &PrivateKey) -> Result<Plaintext, Sealed> {
    let (client, server) = Flow::read_both(&recording.client, &recording.server);
    let transcript = Transcript::parse(&recording.client, &recording.server);
    let missing = |what| Sealed::Incomplete { what };
    let hello = transcript
        .client_hello
        .as_ref()
        .ok_or(missing("ClientHello"))?;
    let server_hello = transcript
        .server_hello
        .as_ref()
        .ok_or(missing("ServerHello"))?;
    let (version, suite) = (server_hello.version, server_hello.suite);
    let key_exchange = suite.key_exchange();
    if version >= Version::TLS1_3 || key_exchange.ephemeral() {
        return Err(Sealed::ForwardSecret {
            version,
            suite,
            key_exchange,
        });
    }
    if transcript.resumed {
        return Err(Sealed::Resumed);
    }
    if key_exchange != KeyExchangeKind::Rsa || !is_implemented(suite) {
        return Err(Sealed::UnspokenSuite { suite });
    }
    let premaster = premaster(&transcript, key)?;

    let mut report = Report::new(Side::Client);
    report.version = Some(version);
    report.suite = Some(suite);
    report.client_hello = Some(hello.clone());
    report.server_hello = Some(server_hello.clone());
    report.encrypt_then_mac = server_hello.encrypt_then_mac;
    let prf = Prf::of(version, suite);
    let master = if server_hello.extended_master_secret {
        prf.extended_master_secret(&premaster, &messages(&client.messages, &server.messages))
    } else {
        prf.master_secret(&premaster, &hello.random, &server_hello.random)
    };
    let keys = Keys::new(&report, master).ok_or(missing("ServerHello"))?;
    let (client_data, client_complete) = open(&client, keys.protection(Side::Client))?;
    let (server_data, server_complete) = open(&server, keys.protection(Side::Server))?;
    Ok(Plaintext {
        client: client_data,
        server: server_data,
        version,
        suite,
        complete: client_complete && server_complete,
    })
}

fn premaster(transcript: &Transcript, key: &PrivateKey) -> Result<Vec<u8>, Sealed> {
    let key = key.rsa().ok_or(Sealed::WrongKey {
        what: "the suite needs an RSA key",
    })?;
    let certificate = transcript
        .server_certificates
        .first()
        .map(|der| PublicKey::of_certificate(der));
    if let Some(Ok(PublicKey::Rsa(certified))) = certificate
        && certified.n() != key.n()
    {
        return Err(Sealed::WrongKey {
            what: "the server's certificate is for another one",
        });
    }
    let body = transcript
        .client_key_exchange
        .as_deref()
        .ok_or(Sealed::Incomplete {
            what: "ClientKeyExchange",
        })?;
    let encrypted = Reader::new(body)
        .vec16("the encrypted premaster secret")
        .map_err(|_| Sealed::Incomplete {
            what: "well-formed ClientKeyExchange",
        })?;
    exchange::rsa::open(key, encrypted)
        .filter(|premaster| premaster.len() == exchange::rsa::PREMASTER)
        .ok_or(Sealed::WrongKey {
            what: "the premaster secret does not decrypt",
        })
}

/// Both ends' messages up to the ClientKeyExchange, in the order in which they were sent.
fn messages(client: &[HandshakeMessage], server: &[HandshakeMessage]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (hello, answer) = client.split_at(client.len().min(1));
    let mut take = |messages: &[HandshakeMessage], last: HandshakeType| {
        for message in messages {
            if message.kind != HandshakeType::HELLO_REQUEST {
                bytes.extend_from_slice(&message.bytes);
            }
            if message.kind == last {
                break;
            }
        }
    };
    take(hello, HandshakeType::CLIENT_HELLO);
    take(server, HandshakeType::SERVER_HELLO_DONE);
    take(answer, HandshakeType::CLIENT_KEY_EXCHANGE);
    bytes
}

/// One direction's application data, and whether every record opened.
fn open(flow: &Flow<'_>, mut protection: Protection) -> Result<(Vec<u8>, bool), Sealed> {
    let mut data = Vec::new();
    for (index, record) in flow.protected.iter().enumerate() {
        match protection.open(record.content, record.version, record.bytes) {
            Ok(plain) if record.content == ContentType::ApplicationData => data.extend(plain),
            Ok(_) => {}
            Err(_) if index == 0 => {
                return Err(Sealed::WrongKey {
                    what: "the first protected record does not open",
                });
            }
            Err(_) => return Ok((data, false)),
        }
    }
    Ok((data, true))
}
