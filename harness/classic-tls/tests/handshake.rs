//! Client against server, in memory: every suite, version, group, key and option.

#[cfg(test)]
mod support;

use classic_tls::names::{
    AlertDescription, Authentication, KeyExchangeKind, NamedGroup, SignatureScheme, Version,
};
use classic_tls::{
    ClientConfig, DhGroup, Error, KeyDescription, ServerConfig, anonymous_suites,
    implemented_groups, implemented_signature_schemes, implemented_suites,
};
use support::simple::{VERSIONS, client, server, suite};
use support::{handshake, identity};

#[test]
fn every_suite_in_every_version() {
    let mut combinations = 0;
    for suite in implemented_suites().into_iter().chain(anonymous_suites()) {
        for version in VERSIONS {
            if version < Version::TLS1_2 && suite.needs_tls1_2() {
                continue;
            }
            let what = format!("{suite} {version}");
            let mut outcome = handshake(client(suite, version), server());
            outcome.assert_works(&what);
            for report in [outcome.client.report(), outcome.server.report()] {
                assert_eq!(report.suite, Some(suite), "{what}");
                assert_eq!(report.version, Some(version), "{what}");
                assert!(
                    report.extended_master_secret && report.secure_renegotiation,
                    "{what}"
                );
                match suite.key_exchange() {
                    KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon => {
                        assert_eq!(report.dh_bits(), Some(1024), "{what}");
                        assert_eq!(
                            report.dh_group_name(),
                            Some("modp1024 (RFC 2409)"),
                            "{what}"
                        );
                    }
                    KeyExchangeKind::Rsa => assert_eq!(report.server_key_exchange, None, "{what}"),
                    _ => assert_eq!(report.group(), Some(NamedGroup::X25519), "{what}"),
                }
                assert_eq!(
                    report.server_certificates.is_empty(),
                    suite.authentication() == Authentication::Anonymous,
                    "{what}"
                );
            }
            combinations += 1;
        }
    }
    assert!(combinations > 150, "{combinations}");
}

#[test]
fn encrypt_then_mac_and_extended_master_secret_can_be_left_out() {
    for version in VERSIONS {
        for name in ["AES128-SHA", "DES-CBC3-SHA", "RC4-SHA"] {
            for (offered, answered) in [(true, false), (false, true), (false, false), (true, true)]
            {
                let client = ClientConfig {
                    encrypt_then_mac: offered,
                    extended_master_secret: offered,
                    renegotiation_info: offered,
                    session_tickets: offered,
                    ..client(suite(name), version)
                };
                let server = ServerConfig {
                    encrypt_then_mac: answered,
                    extended_master_secret: answered,
                    ..server()
                };
                let mut outcome = handshake(client, server);
                outcome.assert_works(&format!("{name} {version} {offered} {answered}"));
                let both = offered && answered;
                assert_eq!(outcome.client.report().extended_master_secret, both);
                assert_eq!(
                    outcome.client.report().encrypt_then_mac,
                    both && !name.contains("RC4")
                );
            }
        }
    }
}

#[test]
fn every_group() {
    for group in implemented_groups() {
        for name in ["ECDHE-RSA-AES128-SHA", "AECDH-AES256-SHA"] {
            let client = ClientConfig {
                groups: vec![NamedGroup::FFDHE2048, group],
                ..client(suite(name), Version::TLS1_2)
            };
            let mut outcome = handshake(client, server());
            outcome.assert_works(&group.to_string());
            assert_eq!(outcome.client.report().group(), Some(group));
            assert_eq!(outcome.server.report().group(), Some(group));
        }
    }
}

#[test]
fn every_key_with_every_scheme_it_can_use() {
    let mut seen = Vec::new();
    for name in ["rsa1024", "rsa2048", "p256", "p384", "p521", "ed25519"] {
        for scheme in implemented_signature_schemes() {
            let client = ClientConfig {
                signature_schemes: vec![scheme],
                ..ClientConfig::default()
            };
            let server = ServerConfig {
                identities: vec![identity(name)],
                ..server()
            };
            let mut outcome = handshake(client, server);
            let signed = outcome.client.report().server_signature_scheme;
            if outcome.server.report().suite.is_none() {
                let none = matches!(outcome.server_result, Err(Error::NoCommonSuite { .. }));
                assert!(none, "{name} {scheme}: {:?}", outcome.server_result);
                continue;
            }
            outcome.assert_works(&format!("{name} {scheme}"));
            if let Some(signed) = signed {
                assert_eq!(signed, scheme, "{name}");
                assert_eq!(
                    outcome.server.report().server_signature_scheme,
                    Some(scheme)
                );
                seen.push((name, scheme));
            }
        }
    }
    assert!(
        seen.contains(&("ed25519", SignatureScheme::ED25519)),
        "{seen:?}"
    );
    assert!(
        seen.contains(&("p521", SignatureScheme::ECDSA_SECP521R1_SHA512)),
        "{seen:?}"
    );
    assert!(
        seen.contains(&("p521", SignatureScheme::ECDSA_SHA1)),
        "{seen:?}"
    );
    assert!(
        seen.contains(&("rsa2048", SignatureScheme::RSA_PSS_RSAE_SHA512)),
        "{seen:?}"
    );
    assert!(seen.len() >= 25, "{}: {seen:?}", seen.len());
}

#[test]
fn keys_sign_in_the_old_versions() {
    for version in [Version::TLS1_0, Version::TLS1_1] {
        for (name, cipher) in [
            ("rsa1024", "ECDHE-RSA-AES128-SHA"),
            ("p256", "ECDHE-ECDSA-AES128-SHA"),
            ("p384", "ECDHE-ECDSA-AES128-SHA"),
            ("p521", "ECDHE-ECDSA-AES128-SHA"),
        ] {
            let server = ServerConfig {
                identities: vec![identity(name)],
                ..server()
            };
            handshake(client(suite(cipher), version), server)
                .assert_works(&format!("{name} {version}"));
        }
    }
}

#[test]
fn primes_of_all_sizes_and_a_minimum() {
    for (name, bits) in [
        ("modp768", 768),
        ("ffdhe2048", 2048),
        ("modp4096", 4096),
        ("postfix512 (Postfix 3.0.14 to 3.5)", 512),
    ] {
        let server = || ServerConfig {
            dh: DhGroup::well_known(name),
            ..server()
        };
        let client = |minimum_dh_bits| ClientConfig {
            minimum_dh_bits,
            ..client(suite("ADH-AES128-GCM-SHA256"), Version::TLS1_2)
        };
        let mut outcome = handshake(client(0), server());
        outcome.assert_works(name);
        assert_eq!(outcome.client.report().dh_bits(), Some(bits));
        let outcome = handshake(client(bits + 1), server());
        assert_eq!(
            outcome.client_result,
            Err(Error::PrimeTooSmall {
                bits,
                minimum: bits + 1
            })
        );
        assert_eq!(
            outcome.server.report().alerts[0].2,
            AlertDescription::INSUFFICIENT_SECURITY
        );
        assert_eq!(
            outcome.client.report().dh_bits(),
            Some(bits),
            "the report keeps what was refused"
        );
    }
}

#[test]
fn server_name_and_keys_are_reported() {
    let client = ClientConfig {
        server_name: Some("mail.example.test".to_owned()),
        ..ClientConfig::default()
    };
    let outcome = handshake(client, server());
    let hello = outcome.server.report().client_hello.clone().unwrap();
    assert_eq!(hello.sni.as_deref(), Some("mail.example.test"));
    assert_eq!(hello, outcome.client.report().client_hello.clone().unwrap());
    assert_eq!(
        outcome.client.report().server_key(),
        Some(KeyDescription::Ecdsa(NamedGroup::SECP256R1))
    );
}

#[test]
fn bytes_may_come_one_by_one() {
    let mut outcome = handshake(ClientConfig::default(), server());
    let mut client = classic_tls::Connection::client(std::sync::Arc::new(client(
        suite("DHE-RSA-AES128-SHA"),
        Version::TLS1_0,
    )))
    .unwrap();
    let mut server = classic_tls::Connection::server(std::sync::Arc::new(server())).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        for byte in client.take_output() {
            server.read(&[byte]).unwrap();
        }
        for byte in server.take_output() {
            client.read(&[byte]).unwrap();
        }
    }
    outcome.assert_works("whole");
}

#[test]
fn renegotiation_is_declined() {
    // HelloRequest cannot be sent by this crate's server: the record is made by hand before the first key change.
    let mut client =
        classic_tls::Connection::client(std::sync::Arc::new(ClientConfig::default())).unwrap();
    client.take_output();
    assert_eq!(client.read(&[22, 3, 1, 0, 4, 0, 0, 0, 0]), Ok(()));
    assert_eq!(client.take_output(), []);
}
