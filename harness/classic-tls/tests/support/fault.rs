//! A client and a server of which one does wrong, and what the honest one must say.

use classic_tls::names::AlertDescription;
use classic_tls::wire::{AlertLevel, Side};
use classic_tls::{ClientConfig, Error, Misbehaviour, ServerConfig};

pub use super::simple::server;
use super::simple::suite;
use super::{Outcome, handshake};

pub fn client(name: &str) -> ClientConfig {
    ClientConfig {
        suites: vec![suite(name)],
        ..ClientConfig::default()
    }
}

/// A server that does wrong against an honest client.
pub fn bad_server(name: &str, misbehaviour: Misbehaviour) -> Outcome {
    let server = ServerConfig {
        misbehaviour: Some(misbehaviour),
        ..server()
    };
    handshake(client(name), server)
}

/// A client that does wrong against an honest server.
pub fn bad_client(name: &str, misbehaviour: Misbehaviour) -> Outcome {
    let client = ClientConfig {
        misbehaviour: Some(misbehaviour),
        ..client(name)
    };
    handshake(client, server())
}

/// The honest client found `error` and told the server so with `alert`.
pub fn assert_client_refuses(outcome: &Outcome, error: &Error, alert: AlertDescription) {
    assert_eq!(outcome.client_result.as_ref(), Err(error));
    assert_eq!(
        outcome.client.report().alerts.last(),
        Some(&(Side::Client, AlertLevel::Fatal, alert))
    );
    assert_eq!(
        outcome.server_result,
        Err(Error::AlertReceived {
            side: Side::Client,
            level: AlertLevel::Fatal,
            description: alert
        })
    );
}

/// The honest server found `error` and told the client so with `alert`.
pub fn assert_server_refuses(outcome: &Outcome, error: &Error, alert: AlertDescription) {
    assert_eq!(outcome.server_result.as_ref(), Err(error));
    assert_eq!(
        outcome.server.report().alerts.last(),
        Some(&(Side::Server, AlertLevel::Fatal, alert))
    );
    assert_eq!(
        outcome.client_result,
        Err(Error::AlertReceived {
            side: Side::Server,
            level: AlertLevel::Fatal,
            description: alert
        })
    );
}
