//! Every kind of key, in certificates of servers and clients; what is not implemented is called by its name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[cfg(test)]
mod support;

use std::sync::Arc;

use classic_tls::names::{AlertDescription, CipherSuite, NamedGroup, SignatureScheme, Version};
use classic_tls::wire::Side;
use classic_tls::{
    ClientCertificate, ClientConfig, Connection, DhGroup, Error, Identity, KeyDescription,
    Misbehaviour, Obstacle, ServerConfig, implemented_groups, implemented_signature_schemes,
};
use support::fault::assert_client_refuses;
use support::simple::{VERSIONS, client, server, suite};
use support::{certificate, handshake, identity};

fn everything(suite: CipherSuite, version: Version) -> ClientConfig {
    ClientConfig {
        groups: implemented_groups(),
        signature_schemes: implemented_signature_schemes(),
        ..client(suite, version)
    }
}

const KINDS: [(&str, &str, KeyDescription, SignatureScheme); 8] = [
    (
        "dsa1024",
        "DHE-DSS-AES128-SHA",
        KeyDescription::Dsa { bits: 1024 },
        SignatureScheme::DSA_SHA256,
    ),
    (
        "dsa2048",
        "DHE-DSS-AES256-SHA",
        KeyDescription::Dsa { bits: 2048 },
        SignatureScheme::DSA_SHA256,
    ),
    (
        "ed448",
        "ECDHE-ECDSA-AES128-SHA",
        KeyDescription::Ed448,
        SignatureScheme::ED448,
    ),
    (
        "p224",
        "ECDHE-ECDSA-AES128-SHA",
        KeyDescription::Ecdsa(NamedGroup::SECP224R1),
        SignatureScheme::ECDSA_SECP256R1_SHA256,
    ),
    (
        "secp256k1",
        "ECDHE-ECDSA-AES128-SHA",
        KeyDescription::Ecdsa(NamedGroup::SECP256K1),
        SignatureScheme::ECDSA_SECP256R1_SHA256,
    ),
    (
        "brainpoolp256r1",
        "ECDHE-ECDSA-AES128-SHA",
        KeyDescription::Ecdsa(NamedGroup::BRAINPOOL_P256R1),
        SignatureScheme::ECDSA_SECP256R1_SHA256,
    ),
    (
        "brainpoolp384r1",
        "ECDHE-ECDSA-AES128-SHA",
        KeyDescription::Ecdsa(NamedGroup::BRAINPOOL_P384R1),
        SignatureScheme::ECDSA_SECP256R1_SHA256,
    ),
    (
        "rsapss2048",
        "ECDHE-RSA-AES128-SHA",
        KeyDescription::RsaPss { bits: 2048 },
        SignatureScheme::RSA_PSS_PSS_SHA256,
    ),
];

#[test]
fn keys_sign_for_servers_and_for_clients() {
    for (name, suite_name, description, scheme) in KINDS {
        for version in VERSIONS {
            let tls12_only = matches!(name, "ed448" | "rsapss2048");
            if tls12_only && version < Version::TLS1_2 {
                continue;
            }
            let what = format!("{name} {version}");
            let mut outcome = handshake(
                everything(suite(suite_name), version),
                ServerConfig {
                    identities: vec![identity(name)],
                    ..server()
                },
            );
            outcome.assert_works(&what);
            let report = outcome.client.report();
            assert_eq!(report.server_key(), Some(description), "{what}");
            if version == Version::TLS1_2 {
                assert_eq!(report.server_signature_scheme, Some(scheme), "{what}");
            }

            let mut outcome = handshake(
                ClientConfig {
                    identity: Some(identity(name)),
                    ..everything(suite("ECDHE-RSA-AES128-SHA"), version)
                },
                ServerConfig {
                    client_certificate: ClientCertificate::Require,
                    ..server()
                },
            );
            outcome.assert_works(&format!("{what}, client's"));
            let report = outcome.server.report();
            assert_eq!(report.client_key(), Some(description), "{what}");
        }
    }
}

#[test]
fn what_is_not_implemented_is_named_and_nobody_is_blamed() {
    let identity = Identity {
        chain: vec![certificate("brainpoolp512r1")],
        key: identity("p256").key,
    };
    let outcome = handshake(
        client(suite("ECDHE-ECDSA-AES128-SHA"), Version::TLS1_2),
        ServerConfig {
            identities: vec![identity],
            ..server()
        },
    );
    let error = Error::UnspokenKey {
        side: Side::Server,
        key: "ECDSA on brainpoolP512r1".to_owned(),
    };
    assert_client_refuses(&outcome, &error, AlertDescription::UNSUPPORTED_CERTIFICATE);
    assert_eq!(
        outcome.client.report().server_key(),
        Some(KeyDescription::Ecdsa(NamedGroup::BRAINPOOL_P512R1))
    );

    // A server that chooses a group which was offered, but which only its code point is known of.
    let unspoken = NamedGroup::BRAINPOOL_P512R1;
    let mut offering = Connection::client(Arc::new(ClientConfig {
        groups: vec![unspoken],
        ..client(suite("AECDH-AES128-SHA"), Version::TLS1_2)
    }))
    .unwrap();
    offering.take_output();
    let mut server_hello = vec![2, 0, 0, 38, 3, 3];
    server_hello.extend([9; 32]);
    server_hello.extend([0, 0xc0, 0x18, 0]);
    let mut exchange = vec![12, 0, 0, 4 + 129, 3, 0, 28, 129, 4];
    exchange.extend([1; 128]);
    let mut record = vec![22, 3, 3, 0, (server_hello.len() + exchange.len()) as u8];
    record.extend(server_hello);
    record.extend(exchange);
    let error = offering.read(&record).unwrap_err();
    assert_eq!(error, Error::UnspokenGroup { group: unspoken });
    assert_eq!(
        error.to_string(),
        "the server chose group brainpoolP512r1, which was offered but is not implemented here"
    );
    assert_eq!(error.alert(), Some(AlertDescription::HANDSHAKE_FAILURE));
}

#[test]
fn a_certificate_for_rsassa_pss_neither_encrypts_nor_signs_otherwise() {
    let pss = || identity("rsapss2048");
    let outcome = handshake(
        client(suite("AES128-SHA"), Version::TLS1_2),
        ServerConfig {
            identities: vec![pss()],
            ..server()
        },
    );
    assert_eq!(
        outcome.server_result,
        Err(Error::NoCommonSuite {
            offered: 1,
            configured: server().suites.len(),
            last: Some((suite("AES128-SHA"), Obstacle::NoCertificate)),
        })
    );
    // The chain alone says PSS; the key is one of another certificate and signs as it would there.
    let forged = || Identity {
        chain: pss().chain,
        key: identity("rsa2048").key,
    };
    let run = |name: &str| {
        handshake(
            client(suite(name), Version::TLS1_2),
            ServerConfig {
                identities: vec![forged()],
                ..server()
            },
        )
    };
    let error = Error::UnofferedScheme {
        side: Side::Server,
        scheme: SignatureScheme::RSA_PSS_RSAE_SHA256,
    };
    assert_client_refuses(
        &run("ECDHE-RSA-AES128-SHA"),
        &error,
        AlertDescription::ILLEGAL_PARAMETER,
    );
    assert!(matches!(
        run("AES128-SHA").client_result,
        Err(Error::BadCertificate { what, .. }) if what.contains("RSASSA-PSS")
    ));
}

#[test]
fn a_scheme_too_large_for_the_key_is_passed_over() {
    let schemes = vec![
        SignatureScheme::RSA_PSS_RSAE_SHA512,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
        SignatureScheme::RSA_PKCS1_SHA256,
    ];
    for (key, scheme) in [
        ("rsa1024", SignatureScheme::RSA_PSS_RSAE_SHA384),
        ("rsa512", SignatureScheme::RSA_PKCS1_SHA256),
        ("rsa2048", SignatureScheme::RSA_PSS_RSAE_SHA512),
    ] {
        let mut outcome = handshake(
            ClientConfig {
                signature_schemes: schemes.clone(),
                ..client(suite("ECDHE-RSA-AES128-SHA"), Version::TLS1_2)
            },
            ServerConfig {
                identities: vec![identity(key)],
                signature_schemes: schemes.clone(),
                ..server()
            },
        );
        outcome.assert_works(key);
        assert_eq!(
            outcome.client.report().server_signature_scheme,
            Some(scheme),
            "{key}"
        );
    }
}

#[test]
fn every_group_is_spoken() {
    for group in implemented_groups() {
        let mut outcome = handshake(
            ClientConfig {
                groups: vec![group],
                ..client(suite("ECDHE-RSA-AES128-SHA"), Version::TLS1_2)
            },
            server(),
        );
        outcome.assert_works(&group.to_string());
        assert_eq!(outcome.client.report().group(), Some(group));
    }
}

/// The reason why the last suite in common is not chosen.
fn obstacle(client_config: ClientConfig, server_config: ServerConfig) -> (Obstacle, String) {
    let error = handshake(client_config, server_config)
        .server_result
        .unwrap_err();
    match &error {
        Error::NoCommonSuite {
            last: Some((_, obstacle)),
            ..
        } => (*obstacle, error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_common_suite_says_why_the_last_fell_out() {
    let ecdhe = || client(suite("ECDHE-RSA-AES128-SHA"), Version::TLS1_2);
    let (found, text) = obstacle(
        ClientConfig {
            groups: vec![NamedGroup::X448],
            ..ecdhe()
        },
        ServerConfig {
            groups: vec![NamedGroup::X25519],
            ..server()
        },
    );
    assert_eq!(found, Obstacle::NoCommonGroup);
    assert!(
        text.ends_with(
            "the last in common, ECDHE-RSA-AES128-SHA, falls out because client and server have no group in common"
        ),
        "{text}"
    );
    let cases = [
        (
            ClientConfig {
                signature_schemes: vec![SignatureScheme::ED25519],
                ..ecdhe()
            },
            server(),
            Obstacle::NoCommonScheme,
        ),
        (
            client(suite("DHE-RSA-AES128-SHA"), Version::TLS1_2),
            ServerConfig {
                dh: None,
                ..server()
            },
            Obstacle::NoDhParameters,
        ),
        (
            client(suite("ADH-AES128-SHA"), Version::TLS1_2),
            ServerConfig {
                client_certificate: ClientCertificate::Request,
                ..server()
            },
            Obstacle::ClientCertificateAsked,
        ),
        (
            client(suite("AES128-GCM-SHA256"), Version::TLS1_1),
            server(),
            Obstacle::NeedsTls12,
        ),
        (
            client(suite("DHE-DSS-AES128-SHA"), Version::TLS1_2),
            server(),
            Obstacle::NoCertificate,
        ),
        (
            ClientConfig {
                groups: vec![NamedGroup::SECP384R1],
                ..client(suite("ECDHE-ECDSA-AES128-SHA"), Version::TLS1_2)
            },
            server(),
            Obstacle::CurveNotOffered(NamedGroup::SECP256R1),
        ),
    ];
    for (client_config, server_config, expected) in cases {
        assert_eq!(obstacle(client_config, server_config).0, expected);
    }
    let none = handshake(
        client(suite("AES128-SHA"), Version::TLS1_2),
        ServerConfig {
            suites: vec![suite("AES256-SHA")],
            ..server()
        },
    );
    assert_eq!(
        none.server_result.unwrap_err().to_string(),
        "no common cipher suite: the client offers 1, the server has 1"
    );
}

#[test]
fn a_server_takes_the_groups_of_rfc_7919_that_a_client_offers() {
    let run = |groups: Vec<NamedGroup>| {
        handshake(
            ClientConfig {
                groups,
                ..client(suite("DHE-RSA-AES128-SHA"), Version::TLS1_2)
            },
            ServerConfig {
                groups: vec![NamedGroup::FFDHE3072, NamedGroup::FFDHE2048],
                ..server()
            },
        )
    };
    let name = |groups| run(groups).client.report().dh_group_name();
    assert_eq!(
        name(vec![NamedGroup::FFDHE2048]),
        Some("ffdhe2048 (RFC 7919)")
    );
    assert_eq!(
        name(vec![NamedGroup::FFDHE2048, NamedGroup::FFDHE3072]),
        Some("ffdhe3072 (RFC 7919)")
    );
    // A client that offers none takes the server's own.
    assert_eq!(
        name(vec![NamedGroup::X25519]),
        server()
            .dh
            .and_then(|dh| classic_tls::primes::identify(&dh.p, &dh.g))
    );
    assert!(matches!(
        run(vec![NamedGroup::FFDHE4096]).server_result,
        Err(Error::NoCommonSuite {
            last: Some((_, Obstacle::NoFfdheGroup)),
            ..
        })
    ));
}

#[test]
fn a_client_that_does_not_look_completes_over_a_composite() {
    let run = |check_primes| {
        handshake(
            ClientConfig {
                check_primes,
                ..client(suite("DHE-RSA-AES128-SHA"), Version::TLS1_2)
            },
            ServerConfig {
                dh: DhGroup::well_known("modp1024"),
                misbehaviour: Some(Misbehaviour::CompositePrime),
                ..server()
            },
        )
    };
    let mut outcome = run(false);
    outcome.assert_works("a composite");
    assert_eq!(outcome.client.report().dh_bits(), Some(1024));
    assert_client_refuses(
        &run(true),
        &Error::BadGroup {
            what: "the prime is composite",
        },
        AlertDescription::ILLEGAL_PARAMETER,
    );
}
