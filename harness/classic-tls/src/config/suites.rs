use std::cmp::Reverse;

use crate::names::{Authentication, CipherSuite, KeyExchangeKind, MacKind};
use crate::protection;

/// Whether a connection can run `suite`; any other can still be offered, to see whether the server chooses it.
pub fn is_implemented(suite: CipherSuite) -> bool {
    let exchange = suite.key_exchange();
    let key_exchange = exchange.ephemeral() || exchange == KeyExchangeKind::Rsa;
    let authentication = matches!(
        suite.authentication(),
        Authentication::Rsa
            | Authentication::Ecdsa
            | Authentication::Dss
            | Authentication::Anonymous
    );
    let export = suite
        .iana_name()
        .is_some_and(|name| name.contains("EXPORT"));
    key_exchange
        && authentication
        && !export
        && protection::implemented(suite.cipher(), suite.mac())
}

/// Every suite a connection can run that vouches for the server: forward secrecy first, then AEADs, then longer keys.
///
/// Suites without encryption and those with DSA are left out; name them if you want them.
pub fn implemented_suites() -> Vec<CipherSuite> {
    sorted(|suite| {
        !matches!(
            suite.authentication(),
            Authentication::Anonymous | Authentication::Dss
        )
    })
}

/// Every suite with a DSA certificate that a connection can run, in the same order.
pub fn dss_suites() -> Vec<CipherSuite> {
    sorted(|suite| suite.authentication() == Authentication::Dss)
}

/// Every anonymous suite a connection can run, in the same order.
pub fn anonymous_suites() -> Vec<CipherSuite> {
    sorted(|suite| suite.authentication() == Authentication::Anonymous)
}

fn sorted(filter: impl Fn(CipherSuite) -> bool) -> Vec<CipherSuite> {
    let mut suites: Vec<CipherSuite> = CipherSuite::all()
        .filter(|suite| is_implemented(*suite) && suite.cipher_bits() != Some(0) && filter(*suite))
        .collect();
    suites.sort_by_key(|suite| {
        let exchange = match suite.key_exchange() {
            KeyExchangeKind::Ecdhe | KeyExchangeKind::EcdhAnon => 0,
            KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon => 1,
            _ => 2,
        };
        (
            exchange,
            suite.mac() != MacKind::Aead,
            Reverse(suite.cipher_bits()),
            suite.0,
        )
    });
    suites
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_and_nothing_else() {
        let authenticated = implemented_suites();
        let anonymous = anonymous_suites();
        for name in [
            "ECDHE-ECDSA-CHACHA20-POLY1305",
            "DHE-RSA-AES256-CCM8",
            "AES128-SHA",
            "RC4-MD5",
            "DES-CBC3-SHA",
        ] {
            assert!(
                authenticated.contains(&CipherSuite::from_openssl_name(name).unwrap()),
                "{name}"
            );
        }
        for name in [
            "ADH-AES256-GCM-SHA384",
            "AECDH-AES128-SHA",
            "ADH-CAMELLIA256-SHA256",
        ] {
            assert!(
                anonymous.contains(&CipherSuite::from_openssl_name(name).unwrap()),
                "{name}"
            );
        }
        for name in [
            "EXP-RC4-MD5",
            "DHE-DSS-SEED-SHA",
            "ECDH-RSA-AES128-SHA",
            "SEED-SHA",
            "TLS_AES_128_GCM_SHA256",
        ] {
            assert!(
                !is_implemented(CipherSuite::from_openssl_name(name).unwrap()),
                "{name}"
            );
        }
        assert!(!is_implemented(CipherSuite::FALLBACK_SCSV));
        assert_eq!(authenticated[0].key_exchange(), KeyExchangeKind::Ecdhe);
        assert_eq!(authenticated[0].cipher_bits(), Some(256));
    }
}
