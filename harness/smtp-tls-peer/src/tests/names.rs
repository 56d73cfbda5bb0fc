//! Options that are refused, and names that are looked up.

use super::*;

#[test]
fn unknown_names_point_to_the_nearest() {
    let error = provider::group("X25591").unwrap_err().to_string();
    assert_eq!(error, "unknown group \"X25591\"; did you mean \"x25519\"?");
    let error = provider::cipher_suite("ECDHE-RSA-AES256-GCM-SHA348")
        .unwrap_err()
        .to_string();
    assert!(error.contains("ECDHE-RSA-AES256-GCM-SHA384"), "{error}");
    let error = provider::cipher_suite("AES256-GCM-SHA384")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the rustls peer has no cipher suite AES256-GCM-SHA384; it has "),
        "{error}"
    );
    let error = provider::version("TLSv1.1").unwrap_err().to_string();
    assert_eq!(
        error,
        "the rustls peer has no protocol version TLSv1.1; it has TLSv1.2, TLSv1.3"
    );
    assert!(provider::signature_scheme("rsa_pkcs1_sha1").is_err());
    assert!(provider::group("brainpoolP256r1").is_err());
}

#[tokio::test]
async fn impossible_options_are_reported_not_tried() {
    let report = |options: ClientOptions| async move {
        let (near, _far) = tokio::io::duplex(64);
        send_on(near, &options, &mail(), soon()).await
    };
    let bad_name = ClientOptions {
        sni: Some("not a name".to_owned()),
        ..ClientOptions::default()
    };
    let error = report(bad_name).await.error.unwrap();
    assert_eq!(
        (error.kind, error.stage),
        (ErrorKind::Options, Stage::Options)
    );
    let version = classic_tls::names::Version::TLS1_0;
    let old = TlsOptions {
        versions: vec![version],
        ..TlsOptions::default()
    };
    let error = report(ClientOptions {
        tls: old,
        ..ClientOptions::default()
    })
    .await
    .error
    .unwrap();
    assert_eq!(error.kind, ErrorKind::Options);
    assert!(matches!(
        PreparedServer::new(&ServerOptions::default()),
        Err(OptionError::NoCredential)
    ));
    let small = PreparedServer::new(&server_with("rsa1024")).unwrap_err();
    assert!(matches!(&small, OptionError::Credential { .. }), "{small}");
}

#[test]
fn a_credential_comes_from_postfix_chain_files() {
    let leaf = PKI.leaf("ecdsa-p256").unwrap();
    let read = Credential::from_pem(&leaf.chain_pem()).unwrap();
    assert_eq!(read.chain, credential("ecdsa-p256").chain);
    assert!(Credential::from_pem(&leaf.key_pem()).is_err());
    assert!(Credential::from_pem(&leaf.cert_pem()).is_err());
    assert!(Credential::from_pem("").is_err());
}

#[test]
fn certificates_are_read_or_left_alone() {
    let seen = SeenCertificate::parse(&credential("ecdsa-p384").chain[0]);
    let leaf = PKI.leaf("ecdsa-p384").unwrap();
    assert_eq!(seen.subject_cn.as_deref(), Some(leaf.common_name()));
    assert_eq!(seen.issuer_cn.as_deref(), Some(leaf.issuer_common_name()));
    assert_eq!(seen.dns_names, leaf.dns_names());
    assert_eq!(seen.key, Some(KeyKind::EcdsaP384));
    for (name, bits) in [
        ("rsa1024", 1024),
        ("rsa2048", 2048),
        ("ecdsa-p521", 521),
        ("ed25519", 253),
    ] {
        let der = CertificateDer::from(PKI.leaf(name).unwrap().certificate_der().to_vec());
        assert_eq!(
            SeenCertificate::parse(&der).key.unwrap().bits(),
            bits,
            "{name}"
        );
    }
    let garbage = SeenCertificate::parse(&CertificateDer::from(vec![0x30, 0x82, 0xff]));
    assert_eq!((garbage.subject_cn, garbage.key), (None, None));
}
