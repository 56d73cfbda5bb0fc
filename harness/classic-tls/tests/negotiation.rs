//! What the two ends agree on: order, version, certificates of clients, sessions.

#[cfg(test)]
mod support;

use classic_tls::names::{AlertDescription, CipherSuite, KeyExchangeKind, Version};
use classic_tls::wire::{AlertLevel, Side};
use classic_tls::{ClientCertificate, ClientConfig, Error, ServerConfig, SessionStore};
use support::simple::{VERSIONS, client, server, suite};
use support::{Outcome, handshake, identity};

#[test]
fn client_certificates() {
    for version in VERSIONS {
        for name in ["rsa1024", "p256", "p384", "p521", "ed25519"] {
            if name == "ed25519" && version < Version::TLS1_2 {
                continue;
            }
            let client = ClientConfig {
                identity: Some(identity(name)),
                ..client(suite("ECDHE-RSA-AES128-SHA"), version)
            };
            let server = ServerConfig {
                client_certificate: ClientCertificate::Require,
                ..server()
            };
            let mut outcome = handshake(client, server);
            outcome.assert_works(&format!("{name} {version}"));
            let report = outcome.server.report();
            assert_eq!(report.client_certificates, identity(name).chain);
            assert!(report.client_signature_scheme.is_some());
            assert_eq!(
                report.client_signature_scheme,
                outcome.client.report().client_signature_scheme
            );
        }
    }
}

#[test]
fn a_client_without_certificate_is_let_in_or_refused() {
    for version in VERSIONS {
        let server_config = |client_certificate| ServerConfig {
            client_certificate,
            ..server()
        };
        let client = || client(suite("ECDHE-RSA-AES128-SHA"), version);
        let mut outcome = handshake(client(), server_config(ClientCertificate::Request));
        outcome.assert_works("request");
        assert!(outcome.client.report().certificate_request.is_some());
        let outcome = handshake(client(), server_config(ClientCertificate::Require));
        assert_eq!(outcome.server_result, Err(Error::CertificateRequired));
        assert_eq!(
            outcome.client.report().alerts,
            [(
                Side::Server,
                AlertLevel::Fatal,
                AlertDescription::HANDSHAKE_FAILURE
            )]
        );
    }
}

#[test]
fn an_ed25519_key_is_of_no_use_before_tls_1_2() {
    for version in [Version::TLS1_0, Version::TLS1_1] {
        let server_config = ServerConfig {
            identities: vec![identity("ed25519")],
            ..server()
        };
        let outcome = handshake(
            client(suite("ECDHE-ECDSA-AES128-SHA"), version),
            server_config,
        );
        assert!(matches!(
            outcome.server_result,
            Err(Error::NoCommonSuite { .. })
        ));
        let client_config = ClientConfig {
            identity: Some(identity("ed25519")),
            ..client(suite("AES128-SHA"), version)
        };
        let server_config = ServerConfig {
            client_certificate: ClientCertificate::Request,
            ..server()
        };
        let mut outcome = handshake(client_config, server_config);
        outcome.assert_works("no certificate is presented instead");
        assert!(outcome.server.report().client_certificates.is_empty());
    }
}

#[test]
fn a_server_name_has_certificates_of_its_own() {
    let leaf = |outcome: &Outcome| outcome.client.report().server_certificates[0].clone();
    let own = |name| {
        let server_config = ServerConfig {
            identities: vec![identity(name)],
            ..server()
        };
        leaf(&handshake(
            client(suite("DHE-RSA-AES128-SHA"), Version::TLS1_0),
            server_config,
        ))
    };
    for (name, expected) in [
        (Some("a.example.test"), own("rsa2048")),
        (Some("A.Example.Test"), own("rsa2048")),
        (Some("b.example.test"), own("rsa1024")),
        (None, own("rsa1024")),
    ] {
        let server_config = ServerConfig {
            identities: vec![identity("rsa1024")],
            named_identities: vec![("a.example.test".to_owned(), vec![identity("rsa2048")])],
            ..server()
        };
        let client_config = ClientConfig {
            server_name: name.map(str::to_owned),
            ..client(suite("DHE-RSA-AES128-SHA"), Version::TLS1_0)
        };
        let mut outcome = handshake(client_config, server_config);
        outcome.assert_works("a name is no obstacle");
        assert_eq!(leaf(&outcome), expected, "{name:?}");
    }
}

#[test]
fn asking_for_certificates_rules_out_anonymous_suites() {
    let server = ServerConfig {
        client_certificate: ClientCertificate::Request,
        ..server()
    };
    let outcome = handshake(ClientConfig::anonymous(), server);
    assert!(matches!(
        outcome.server_result,
        Err(Error::NoCommonSuite { .. })
    ));
}

#[test]
fn sessions_are_resumed_by_id_and_by_ticket() {
    for version in VERSIONS {
        for (tickets, extended) in [(false, true), (true, true), (true, false), (false, false)] {
            let sessions = SessionStore::default();
            let server = || ServerConfig {
                sessions: sessions.clone(),
                ..server()
            };
            let config = |resume| ClientConfig {
                session_tickets: tickets,
                extended_master_secret: extended,
                resume,
                ..client(suite("DHE-RSA-AES256-SHA"), version)
            };
            let what = format!("{version} {tickets} {extended}");
            let mut first = handshake(config(None), server());
            first.assert_works(&what);
            let session = first.client.report().session.clone().unwrap();
            assert_eq!(session.ticket.is_empty(), !tickets, "{what}");
            assert!(!first.client.report().resumed);

            let mut second = handshake(config(Some(session.clone())), server());
            second.assert_works(&what);
            for report in [second.client.report(), second.server.report()] {
                assert!(report.resumed, "{what}");
                assert_eq!(report.server_key_exchange, None);
                assert_eq!(report.extended_master_secret, extended);
            }
            let mut third = handshake(config(second.client.report().session.clone()), server());
            third.assert_works(&what);
            assert!(third.client.report().resumed, "{what}");

            sessions.clear();
            let mut forgotten = handshake(config(Some(session)), server());
            forgotten.assert_works(&what);
            assert!(!forgotten.client.report().resumed, "{what}");
        }
    }
}

#[test]
fn a_session_is_not_resumed_on_other_terms() {
    let sessions = SessionStore::default();
    let server = || ServerConfig {
        sessions: sessions.clone(),
        ..server()
    };
    let first = handshake(client(suite("AES128-SHA"), Version::TLS1_2), server());
    let resume = first.client.report().session.clone();
    for changed in [
        client(suite("AES256-SHA"), Version::TLS1_2),
        client(suite("AES128-SHA"), Version::TLS1_1),
        ClientConfig {
            extended_master_secret: false,
            ..client(suite("AES128-SHA"), Version::TLS1_2)
        },
    ] {
        let mut outcome = handshake(
            ClientConfig {
                resume: resume.clone(),
                ..changed
            },
            server(),
        );
        outcome.assert_works("changed terms");
        assert!(!outcome.server.report().resumed);
    }
}

#[test]
fn either_order_can_decide() {
    let order = [suite("AES128-SHA"), suite("ECDHE-RSA-AES256-GCM-SHA384")];
    for (server_preference, expected) in [(false, order[0]), (true, order[1])] {
        let client = ClientConfig {
            suites: order.to_vec(),
            ..ClientConfig::default()
        };
        let server = ServerConfig {
            server_preference,
            suites: order.iter().rev().copied().collect(),
            ..server()
        };
        let outcome = handshake(client, server);
        assert_eq!(outcome.client.report().suite, Some(expected));
    }
}

#[test]
fn the_highest_common_version_wins() {
    let low = ServerConfig {
        versions: Version::TLS1_0..=Version::TLS1_1,
        ..server()
    };
    let outcome = handshake(ClientConfig::default(), low.clone());
    assert_eq!(outcome.client.report().version, Some(Version::TLS1_1));

    let high = ClientConfig {
        versions: Version::TLS1_2..=Version::TLS1_2,
        ..ClientConfig::default()
    };
    let outcome = handshake(high, low.clone());
    assert!(
        matches!(outcome.client_result, Err(Error::UnofferedVersion { .. })),
        "{:?}",
        outcome.client_result
    );

    let only_high = ServerConfig {
        versions: Version::TLS1_2..=Version::TLS1_2,
        ..server()
    };
    let old_client = client(suite("AES128-SHA"), Version::TLS1_0);
    let outcome = handshake(old_client, only_high);
    assert!(matches!(
        outcome.server_result,
        Err(Error::NoCommonVersion { .. })
    ));
    assert_eq!(
        outcome.client.report().alerts[0].2,
        AlertDescription::PROTOCOL_VERSION
    );

    let mut fallback = client(suite("AES128-SHA"), Version::TLS1_1);
    fallback.suites.push(CipherSuite::FALLBACK_SCSV);
    let outcome = handshake(fallback, server());
    assert!(matches!(
        outcome.server_result,
        Err(Error::InappropriateFallback { .. })
    ));
}

#[test]
fn a_suite_can_be_offered_that_is_not_implemented() {
    let seed = suite("SEED-SHA");
    let outcome = handshake(client(seed, Version::TLS1_2), server());
    assert!(matches!(
        outcome.server_result,
        Err(Error::NoCommonSuite { offered: 1, .. })
    ));
    assert_eq!(
        outcome.client.report().alerts[0].2,
        AlertDescription::HANDSHAKE_FAILURE
    );
}

#[test]
fn a_client_without_any_extension_is_served() {
    for config in [ClientConfig::windows_xp(), ClientConfig::exchange_2003()] {
        let mut outcome = handshake(config, server());
        outcome.assert_works("Windows");
        let report = outcome.server.report();
        assert_eq!(report.client_hello.as_ref().unwrap().extensions, []);
        assert_eq!(report.key_exchange(), Some(KeyExchangeKind::Rsa));
        assert_eq!(report.version, Some(Version::TLS1_0));
    }
}
