//! The DHE_RSA suites of TLS 1.2.

use rustls::crypto::{CipherSuiteCommon, KeyExchangeAlgorithm};
use rustls::{CipherSuite, SupportedCipherSuite, Tls12CipherSuite};

/// The suites that are the same but for the key exchange, ECDHE_RSA and DHE_RSA (RFC 5288, RFC 7905).
const TWINS: [(CipherSuite, CipherSuite); 3] = [
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// The DHE_RSA suites whose twins are among `given`, in the order of these. Each call leaks three suites: rustls wants
/// suites that live as long as the program.
pub(crate) fn suites(given: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    given
        .iter()
        .filter_map(|suite| {
            let SupportedCipherSuite::Tls12(twin) = suite else {
                return None;
            };
            let (_, name) = TWINS.iter().find(|(ecdhe, _)| *ecdhe == suite.suite())?;
            Some(SupportedCipherSuite::Tls12(Box::leak(Box::new(
                Tls12CipherSuite {
                    common: CipherSuiteCommon {
                        suite: *name,
                        ..twin.common
                    },
                    kx: KeyExchangeAlgorithm::DHE,
                    sign: twin.sign,
                    aead_alg: twin.aead_alg,
                    prf_provider: twin.prf_provider,
                },
            ))))
        })
        .collect()
}
