//! Peers whose numbers and signatures are wrong: a typed error on this end, the right alert on the other.

#[cfg(test)]
mod support;

use classic_tls::names::{AlertDescription, NamedGroup};
use classic_tls::wire::Side;
use classic_tls::{
    ClientCertificate, ClientConfig, Error, Misbehaviour, PublicValue, ServerConfig,
    implemented_groups,
};
use support::fault::{
    assert_client_refuses, assert_server_refuses, bad_client, bad_server, client, server,
};
use support::{handshake, identity};

#[test]
fn unusable_groups() {
    for name in ["DHE-RSA-AES128-SHA", "ADH-AES128-GCM-SHA256"] {
        for (misbehaviour, what) in [
            (Misbehaviour::ZeroPrime, "the prime is zero"),
            (Misbehaviour::CompositePrime, "the prime is composite"),
            (Misbehaviour::GeneratorOne, "the generator is 0 or 1"),
        ] {
            let outcome = bad_server(name, misbehaviour);
            assert_client_refuses(
                &outcome,
                &Error::BadGroup { what },
                AlertDescription::ILLEGAL_PARAMETER,
            );
        }
    }
}

#[test]
fn tell_tale_public_values() {
    for (value, what) in [
        (PublicValue::Zero, "it is 0"),
        (PublicValue::One, "it is 1"),
        (PublicValue::PrimeMinusOne, "it is p - 1"),
    ] {
        let misbehaviour = Misbehaviour::PublicValue(value);
        for name in ["DHE-RSA-AES128-SHA", "ADH-AES128-GCM-SHA256"] {
            let error = |side| Error::BadPublicValue { side, what };
            let outcome = bad_server(name, misbehaviour);
            assert_client_refuses(
                &outcome,
                &error(Side::Server),
                AlertDescription::ILLEGAL_PARAMETER,
            );
            let outcome = bad_client(name, misbehaviour);
            assert_server_refuses(
                &outcome,
                &error(Side::Client),
                AlertDescription::ILLEGAL_PARAMETER,
            );
        }
    }
}

#[test]
fn points_off_the_curve() {
    for group in implemented_groups() {
        let name = "ECDHE-RSA-AES128-SHA";
        let what = match group {
            NamedGroup::X25519 | NamedGroup::X448 => "it is a point of small order",
            _ => "it is not a point of the curve",
        };
        let groups = vec![group];
        let outcome = handshake(
            ClientConfig {
                groups: groups.clone(),
                ..client(name)
            },
            ServerConfig {
                misbehaviour: Some(Misbehaviour::PointNotOnCurve),
                ..server()
            },
        );
        let error = |side| Error::BadPublicValue { side, what };
        assert_client_refuses(
            &outcome,
            &error(Side::Server),
            AlertDescription::ILLEGAL_PARAMETER,
        );
        let outcome = handshake(
            ClientConfig {
                groups,
                misbehaviour: Some(Misbehaviour::PointNotOnCurve),
                ..client(name)
            },
            server(),
        );
        assert_server_refuses(
            &outcome,
            &error(Side::Client),
            AlertDescription::ILLEGAL_PARAMETER,
        );
    }
}

#[test]
fn choices_that_were_not_offered() {
    let outcome = bad_server("ECDHE-RSA-AES128-SHA", Misbehaviour::UnofferedSuite);
    assert!(
        matches!(outcome.client_result, Err(Error::UnofferedSuite { .. })),
        "{:?}",
        outcome.client_result
    );
    assert_eq!(
        outcome.server.report().alerts[0].2,
        AlertDescription::ILLEGAL_PARAMETER
    );

    let outcome = handshake(
        ClientConfig {
            groups: vec![NamedGroup::SECP384R1],
            ..client("ECDHE-RSA-AES128-SHA")
        },
        ServerConfig {
            misbehaviour: Some(Misbehaviour::UnofferedGroup),
            ..server()
        },
    );
    let error = Error::UnofferedGroup {
        side: Side::Server,
        group: NamedGroup::X25519,
    };
    assert_client_refuses(&outcome, &error, AlertDescription::ILLEGAL_PARAMETER);
}

#[test]
fn bad_signatures() {
    for (name, key) in [
        ("DHE-RSA-AES128-SHA", "rsa1024"),
        ("ECDHE-ECDSA-AES128-SHA", "p256"),
    ] {
        let outcome = bad_server(name, Misbehaviour::BadSignature);
        assert!(matches!(
            outcome.client_result,
            Err(Error::BadSignature {
                side: Side::Server,
                ..
            })
        ));
        assert_eq!(
            outcome.server.report().alerts[0].2,
            AlertDescription::DECRYPT_ERROR
        );

        let outcome = handshake(
            ClientConfig {
                identity: Some(identity(key)),
                misbehaviour: Some(Misbehaviour::BadSignature),
                ..client(name)
            },
            ServerConfig {
                client_certificate: ClientCertificate::Require,
                ..server()
            },
        );
        assert!(matches!(
            outcome.server_result,
            Err(Error::BadSignature {
                side: Side::Client,
                ..
            })
        ));
        assert_eq!(
            outcome.client.report().alerts[0].2,
            AlertDescription::DECRYPT_ERROR
        );
    }
}

const ONE_OF_EACH: [&str; 6] = [
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-CCM8",
    "RC4-SHA",
    "DES-CBC3-SHA",
];

#[test]
fn bad_finished_and_bad_mac() {
    for name in ONE_OF_EACH {
        for encrypt_then_mac in [true, false] {
            let run = |client_fault, server_fault| {
                let client = ClientConfig {
                    misbehaviour: client_fault,
                    encrypt_then_mac,
                    ..client(name)
                };
                let server = ServerConfig {
                    misbehaviour: server_fault,
                    ..server()
                };
                handshake(client, server)
            };
            let outcome = run(None, Some(Misbehaviour::BadFinished));
            let error = Error::BadFinished { side: Side::Server };
            assert_client_refuses(&outcome, &error, AlertDescription::DECRYPT_ERROR);
            let outcome = run(Some(Misbehaviour::BadFinished), None);
            let error = Error::BadFinished { side: Side::Client };
            assert_server_refuses(&outcome, &error, AlertDescription::DECRYPT_ERROR);

            let outcome = run(None, Some(Misbehaviour::BadRecordMac));
            let error = Error::BadRecord { side: Side::Server };
            assert_client_refuses(&outcome, &error, AlertDescription::BAD_RECORD_MAC);
            let outcome = run(Some(Misbehaviour::BadRecordMac), None);
            let error = Error::BadRecord { side: Side::Client };
            assert_server_refuses(&outcome, &error, AlertDescription::BAD_RECORD_MAC);
        }
    }
}
