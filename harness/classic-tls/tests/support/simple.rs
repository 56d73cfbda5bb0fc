//! Configurations most tests start from.

use classic_tls::names::{CipherSuite, Version};
use classic_tls::{ClientConfig, DhGroup, ServerConfig};

use super::identity;

pub const VERSIONS: [Version; 3] = [Version::TLS1_0, Version::TLS1_1, Version::TLS1_2];

pub fn suite(name: &str) -> CipherSuite {
    CipherSuite::from_openssl_name(name).unwrap()
}

/// A server with an RSA and an ECDSA key and a small prime, so that tests are quick.
pub fn server() -> ServerConfig {
    ServerConfig {
        identities: vec![identity("rsa1024"), identity("p256")],
        dh: DhGroup::well_known("modp1024"),
        ..ServerConfig::default()
    }
}

pub fn client(suite: CipherSuite, version: Version) -> ClientConfig {
    ClientConfig {
        suites: vec![suite],
        versions: version..=version,
        ..ClientConfig::default()
    }
}
