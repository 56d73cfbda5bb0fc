//! Raw public keys (RFC 7250).

use super::*;

/// The credential of a certificate without the certificate.
fn raw(name: &str) -> Credential {
    let leaf = PKI.leaf(name).unwrap();
    Credential {
        chain: vec![CertificateDer::from(leaf.public_key_der().to_vec())],
        ..credential(name)
    }
}

fn tls(raw_server_key: bool, raw_client_key: bool) -> TlsOptions {
    TlsOptions {
        raw_server_key,
        raw_client_key,
        ..TlsOptions::default()
    }
}

#[tokio::test]
async fn both_sides_know_whose_key_came_without_a_certificate() {
    for (server_key, client_key) in [(true, false), (false, true), (true, true)] {
        let pick = |raw_key, name| if raw_key { raw(name) } else { credential(name) };
        let client = ClientOptions {
            tls: tls(server_key, client_key),
            credential: Some(pick(client_key, "client-ecdsa")),
            ..ClientOptions::default()
        };
        let server = ServerOptions {
            tls: tls(server_key, client_key),
            credentials: vec![pick(server_key, "ed25519")],
            client_certificate: ClientCertificate::Request,
            ..ServerOptions::default()
        };
        let (client, server) = pair(&client, &server).await;
        super::tls::delivered(&client, &server);
        for report in [&client, &server] {
            let (theirs, ours) = (
                report.server_signature().unwrap(),
                report.client_signature().unwrap(),
            );
            assert_eq!(
                (theirs.raw_public_key, ours.raw_public_key),
                (server_key, client_key)
            );
            assert_eq!(theirs.key, Some(KeyKind::Ed25519));
            assert_eq!(ours.key, Some(KeyKind::EcdsaP256));
            let shown = &report.server_certificates()[0];
            let leaf = PKI.leaf("ed25519").unwrap();
            let expected = if server_key {
                leaf.public_key_der()
            } else {
                leaf.certificate_der()
            };
            assert_eq!(shown.der, expected);
        }
    }
}

#[tokio::test]
async fn who_insists_on_a_raw_key_takes_no_certificate() {
    let client = ClientOptions {
        tls: tls(true, false),
        ..ClientOptions::default()
    };
    let (client, server) = pair(&client, &server_with("rsa2048")).await;
    assert!(client.tls.is_none() && server.tls.is_none());
    let text = format!("{:?} {:?}", client.error, server.error);
    assert!(text.contains("IncorrectCertificateTypeExtension"), "{text}");
}
