//! Handshakes between the two rustls peers.

use classic_tls::names::{AlertDescription, CipherSuite, NamedGroup, SignatureScheme, Version};

use super::*;

fn only(version: Version, group: &str) -> TlsOptions {
    TlsOptions {
        versions: vec![version],
        groups: vec![provider::group(group).unwrap()],
        ..TlsOptions::default()
    }
}

fn client(tls: TlsOptions) -> ClientOptions {
    ClientOptions {
        tls,
        ..ClientOptions::default()
    }
}

#[track_caller]
pub(super) fn delivered(client: &PeerReport, server: &PeerReport) {
    assert_eq!(client.error, None);
    assert_eq!(server.error, None);
    assert!(client.delivered() && server.delivered());
    let message = server.message().unwrap();
    assert_eq!(message.from, "sender@example.test");
    assert_eq!(message.to, ["recipient@example.test"]);
    assert_eq!(message.headers("subject"), ["hello"]);
}

#[tokio::test]
async fn every_version_group_and_key_agrees_on_both_sides() {
    let keys = [
        (
            "rsa2048",
            KeyKind::Rsa(2048),
            SignatureScheme::RSA_PSS_RSAE_SHA512,
            "ECDHE-RSA-",
        ),
        (
            "ecdsa-p256",
            KeyKind::EcdsaP256,
            SignatureScheme::ECDSA_SECP256R1_SHA256,
            "ECDHE-ECDSA-",
        ),
        (
            "ecdsa-p384",
            KeyKind::EcdsaP384,
            SignatureScheme::ECDSA_SECP384R1_SHA384,
            "ECDHE-ECDSA-",
        ),
        (
            "ed25519",
            KeyKind::Ed25519,
            SignatureScheme::ED25519,
            "ECDHE-ECDSA-",
        ),
    ];
    for version in provider::versions() {
        // Those over primes, which need a suite of their own in TLS 1.2, are tested by themselves.
        for group in provider::groups().into_iter().take(8) {
            let hybrid = group.to_string().contains("MLKEM");
            for (certificate, kind, scheme, prefix) in keys {
                let tls = only(version, &group.to_string());
                if hybrid && version == Version::TLS1_2 {
                    let error = PreparedServer::new(&ServerOptions {
                        tls,
                        ..server_with(certificate)
                    })
                    .unwrap_err();
                    assert!(
                        matches!(error, OptionError::NoUsableGroup { .. }),
                        "{error}"
                    );
                    continue;
                }
                let options = ClientOptions {
                    sni: Some("mail.example.test".to_owned()),
                    ..client(tls.clone())
                };
                let server = ServerOptions {
                    tls,
                    ..server_with(certificate)
                };
                let (client, server) = pair(&options, &server).await;
                delivered(&client, &server);
                let facts = client.tls.clone().unwrap();
                assert_eq!(
                    Some(&facts),
                    server.tls.as_ref(),
                    "{version} {group} {certificate}"
                );
                assert_eq!((facts.version, facts.group), (version, Some(group)));
                assert_eq!(facts.server_scheme, Some(scheme));
                assert_eq!(facts.client_scheme, None);
                assert!(!facts.resumed);
                for report in [&client, &server] {
                    assert_eq!(report.server_certificates()[0].key, Some(kind));
                    assert_eq!(report.sni(), Some("mail.example.test"));
                    // The wire agrees with what rustls says.
                    assert_eq!(report.transcript.version(), Some(version));
                    assert_eq!(report.transcript.suite(), Some(facts.suite));
                    assert_eq!(report.transcript.group(), Some(group));
                    assert_eq!(report.transcript.problems, []);
                    assert_eq!(report.client_hello().unwrap().groups, [group]);
                }
                if version == Version::TLS1_2 {
                    assert!(client.cipher().unwrap().starts_with(prefix));
                }
                assert_eq!(client.summary(), server.summary());
            }
        }
    }
}

#[tokio::test]
async fn ciphers_and_schemes_are_those_asked_for() {
    for name in [
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ] {
        let suite = provider::cipher_suite(name).unwrap();
        let tls = TlsOptions {
            versions: vec![Version::TLS1_2],
            ciphers: vec![suite],
            ..TlsOptions::default()
        };
        let (client, server) = pair(&client(tls), &server_with("rsa2048")).await;
        delivered(&client, &server);
        assert_eq!(server.cipher(), Some(name));
    }
    for (certificate, name) in [
        ("rsa2048", "rsa_pss_rsae_sha256"),
        ("rsa2048", "rsa_pss_rsae_sha384"),
        ("rsa2048", "rsa_pkcs1_sha256"),
        ("rsa2048", "rsa_pkcs1_sha512"),
    ] {
        let scheme = provider::signature_scheme(name).unwrap();
        let tls = |schemes: &[SignatureScheme]| TlsOptions {
            versions: vec![if name.contains("pkcs1") {
                Version::TLS1_2
            } else {
                Version::TLS1_3
            }],
            signature_schemes: schemes.to_vec(),
            ..TlsOptions::default()
        };
        // Chosen by what the client offers, then by what the server may.
        for (offered, allowed) in [(tls(&[scheme]), tls(&[])), (tls(&[]), tls(&[scheme]))] {
            let (client, server) = pair(
                &client(offered),
                &ServerOptions {
                    tls: allowed,
                    ..server_with(certificate)
                },
            )
            .await;
            delivered(&client, &server);
            assert_eq!(client.tls.as_ref().unwrap().server_scheme, Some(scheme));
            assert_eq!(server.tls.as_ref().unwrap().server_scheme, Some(scheme));
        }
    }
    let server = ServerOptions {
        prefer_own_ciphers: true,
        ..server_with("rsa2048")
    };
    let tls = |names: &[&str]| TlsOptions {
        versions: vec![Version::TLS1_2],
        ciphers: names
            .iter()
            .map(|name| provider::cipher_suite(name).unwrap())
            .collect(),
        ..TlsOptions::default()
    };
    let (small, large) = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384");
    let server = ServerOptions {
        tls: tls(&[small, large]),
        ..server
    };
    let (client, _) = pair(&client(tls(&[large, small])), &server).await;
    assert_eq!(client.cipher(), Some(small));
    let offered = &client.client_hello().unwrap().suites;
    assert_eq!(
        offered[..2],
        [
            CipherSuite::from_name(large).unwrap(),
            CipherSuite::from_name(small).unwrap()
        ]
    );
}

#[tokio::test]
async fn the_certificate_follows_the_client_and_its_sni() {
    let two = ServerOptions {
        credentials: vec![credential("rsa2048"), credential("ecdsa-p256")],
        sni_credentials: vec![("SNI.example.test".to_owned(), credential("sni-ed25519"))],
        ..ServerOptions::default()
    };
    let kind = |report: &PeerReport| report.certificates[0].key.unwrap();
    let (seen, _) = pair(&client(TlsOptions::default()), &two).await;
    assert_eq!(kind(&seen), KeyKind::Rsa(2048));
    let ecdsa = TlsOptions {
        signature_schemes: vec![SignatureScheme::ECDSA_SECP256R1_SHA256],
        ..TlsOptions::default()
    };
    assert_eq!(
        kind(&pair(&client(ecdsa), &two).await.0),
        KeyKind::EcdsaP256
    );
    let by_suite = TlsOptions {
        versions: vec![Version::TLS1_2],
        ciphers: vec![provider::cipher_suite("ECDHE-ECDSA-AES128-GCM-SHA256").unwrap()],
        ..TlsOptions::default()
    };
    assert_eq!(
        kind(&pair(&client(by_suite), &two).await.0),
        KeyKind::EcdsaP256
    );
    for (sni, expected) in [
        ("sni.example.test", KeyKind::Ed25519),
        ("other.example.test", KeyKind::Rsa(2048)),
    ] {
        let options = ClientOptions {
            sni: Some(sni.to_owned()),
            ..ClientOptions::default()
        };
        let (client, server) = pair(&options, &two).await;
        assert_eq!(kind(&client), expected);
        assert_eq!(server.sni(), Some(sni));
    }
    assert_eq!(seen.sni(), None);
}

#[tokio::test]
async fn client_certificates_are_asked_for_sent_and_judged() {
    for version in provider::versions() {
        let tls = TlsOptions {
            versions: vec![version],
            ..TlsOptions::default()
        };
        let with = ClientOptions {
            credential: Some(credential("client-rsa")),
            ..client(tls.clone())
        };
        let without = client(tls.clone());
        let ask = |client_certificate, ca: &str, reject_untrusted| ServerOptions {
            client_certificate,
            client_roots: vec![root(ca)],
            reject_untrusted,
            ..server_with("ecdsa-p256")
        };

        let (seen, server) = pair(&with, &ask(ClientCertificate::None, "root", false)).await;
        delivered(&seen, &server);
        assert!(!seen.certificate_requested && server.certificates.is_empty());

        let (seen, server) = pair(&with, &ask(ClientCertificate::Request, "root", false)).await;
        delivered(&seen, &server);
        assert!(seen.certificate_requested);
        assert_eq!(server.chain, Some(Ok(())));
        assert_eq!(server.certificates, seen.own_certificates);
        assert_eq!(seen.tls, server.tls);
        assert!(server.client_signature().is_some());
        assert_eq!(seen.summary(), server.summary());

        let (seen, server) =
            pair(&with, &ask(ClientCertificate::Request, "other-root", false)).await;
        delivered(&seen, &server);
        assert!(server.chain.unwrap().unwrap_err().contains("UnknownIssuer"));

        let (seen, server) = pair(&without, &ask(ClientCertificate::Request, "root", false)).await;
        delivered(&seen, &server);
        assert!(seen.certificate_requested && server.certificates.is_empty());

        let (seen, server) = pair(&without, &ask(ClientCertificate::Require, "root", false)).await;
        refused(&seen, &server, "certificate_required");

        let (seen, server) =
            pair(&with, &ask(ClientCertificate::Require, "other-root", true)).await;
        refused(&seen, &server, "unknown_ca");
    }
}

/// The server has sent the fatal alert and both sides know.
#[track_caller]
pub(super) fn refused(client: &PeerReport, server: &PeerReport, alert: &str) {
    let description = AlertDescription::from_name(alert).unwrap();
    let theirs = client.error.as_ref().unwrap();
    assert_eq!(
        theirs.alert,
        Some(Alert {
            direction: Direction::Received,
            description
        }),
        "{theirs}"
    );
    let ours = server.error.as_ref().unwrap();
    assert_eq!(
        ours.alert,
        Some(Alert {
            direction: Direction::Sent,
            description
        }),
        "{ours}"
    );
    for error in [theirs, ours] {
        assert_eq!(
            (error.kind, error.side),
            (ErrorKind::Tls, Side::Server),
            "{error}"
        );
    }
    assert_eq!(ours.stage, Stage::Handshake);
    assert!(!client.delivered() && !server.delivered());
}

#[tokio::test]
async fn what_is_not_in_common_is_refused_by_the_server() {
    let of = |version: Version, group: &str| only(version, group);
    for (theirs, ours, alert) in [
        (
            of(Version::TLS1_2, "X25519"),
            of(Version::TLS1_3, "X25519"),
            "protocol_version",
        ),
        (
            of(Version::TLS1_3, "X25519"),
            of(Version::TLS1_2, "X25519"),
            "protocol_version",
        ),
        (
            of(Version::TLS1_3, "X448"),
            of(Version::TLS1_3, "P-521"),
            "handshake_failure",
        ),
        (
            of(Version::TLS1_2, "P-256"),
            of(Version::TLS1_2, "P-384"),
            "handshake_failure",
        ),
        (
            TlsOptions {
                signature_schemes: vec![SignatureScheme::ED25519],
                ..of(Version::TLS1_3, "X25519")
            },
            TlsOptions::default(),
            "handshake_failure",
        ),
    ] {
        let server = ServerOptions {
            tls: ours,
            ..server_with("rsa2048")
        };
        let (client, server) = pair(&client(theirs), &server).await;
        refused(&client, &server, alert);
        assert!(server.client_hello().is_some());
    }
}

#[tokio::test]
async fn certificates_are_checked_but_never_refused() {
    for (certificate, name, chain_ok, name_ok) in [
        ("ecdsa-p256", "mail.example.test", true, true),
        ("ecdsa-p256", "elsewhere.example.test", true, false),
        ("wrong-name", "mail.example.test", true, false),
        ("expired", "mail.example.test", false, true),
        ("not-yet-valid", "mail.example.test", false, true),
        ("self-signed", "mail.example.test", false, true),
        ("other-ca", "mail.example.test", false, true),
    ] {
        let options = ClientOptions {
            roots: vec![root("root")],
            verify_name: Some(name.to_owned()),
            ..ClientOptions::default()
        };
        let (client, server) = pair(&options, &server_with(certificate)).await;
        delivered(&client, &server);
        assert_eq!(
            client.chain.as_ref().map(Result::is_ok),
            Some(chain_ok),
            "{certificate}: {:?}",
            client.chain
        );
        assert_eq!(
            client.name.as_ref().map(Result::is_ok),
            Some(name_ok),
            "{certificate}: {:?}",
            client.name
        );
    }
}

#[tokio::test]
async fn sessions_are_resumed_only_where_asked_for() {
    for version in provider::versions() {
        for kept in [true, false] {
            let server = ServerOptions {
                resumption: kept,
                accept: Accept::Exactly(2),
                ..server_with("ecdsa-p256")
            };
            let tls = TlsOptions {
                versions: vec![version],
                ..TlsOptions::default()
            };
            let options = ClientOptions {
                sni: Some("mail.example.test".to_owned()),
                sessions: Some(Sessions::default()),
                ..client(tls)
            };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mail = mail();
            let (second, (one, two)) = tokio::join!(receive(&listener, &server, soon()), async {
                let one = send(address, &options, &mail, soon()).await;
                (one, send(address, &options, &mail, soon()).await)
            });
            delivered(&one, &second.earlier[0]);
            delivered(&two, &second);
            let resumed = |report: &PeerReport| report.tls.as_ref().unwrap().resumed;
            assert!(!resumed(&one) && !resumed(&second.earlier[0]));
            assert_eq!((resumed(&two), resumed(&second)), (kept, kept), "{version}");
            assert_eq!(two.transcript.resumed, kept);
            assert_eq!(two.server_signature().is_some(), !kept);
        }
    }
}

#[tokio::test]
async fn tls_may_begin_at_once_or_not_at_all() {
    for mode in [TlsMode::Implicit, TlsMode::Off] {
        let server = ServerOptions {
            mode,
            ..server_with("ecdsa-p256")
        };
        let (client, server) = pair(
            &ClientOptions {
                mode,
                ..ClientOptions::default()
            },
            &server,
        )
        .await;
        delivered(&client, &server);
        assert_eq!(client.tls.is_some(), mode == TlsMode::Implicit);
        assert_eq!(server.tls, client.tls);
    }
    // A client that does not care for STARTTLS.
    let options = ClientOptions {
        mode: TlsMode::Off,
        ..ClientOptions::default()
    };
    let (client, server) = pair(&options, &server_with("ecdsa-p256")).await;
    delivered(&client, &server);
    assert_eq!(server.tls, None);
    // A server that does not offer it.
    let server = ServerOptions {
        mode: TlsMode::Off,
        ..ServerOptions::default()
    };
    let (client, _) = pair(&ClientOptions::default(), &server).await;
    let error = client.error.unwrap();
    assert_eq!(
        (error.kind, error.side, error.stage),
        (ErrorKind::Smtp, Side::Server, Stage::Starttls)
    );
}

#[tokio::test]
async fn two_that_begin_differently_are_told() {
    let at_once = ClientOptions {
        mode: TlsMode::Implicit,
        ..ClientOptions::default()
    };
    let (client, server) = pair(&at_once, &server_with("ecdsa-p256")).await;
    assert_eq!(client.began, Some(Beginning::FirstByte));
    assert_eq!(server.began, None);
    let told = server.error.unwrap();
    assert_eq!(
        (told.stage, told.text.as_str()),
        (
            Stage::Banner,
            "the client began TLS where a command was expected"
        )
    );
    assert_eq!(client.error.unwrap().stage, Stage::Handshake);
}

#[tokio::test]
async fn what_never_comes_to_pass_is_refused() {
    let server = ServerOptions {
        mode: TlsMode::Implicit,
        misbehaviour: Misbehaviour::RefuseToTalk,
        ..server_with("ecdsa-p256")
    };
    let client = ClientOptions {
        mode: TlsMode::Implicit,
        ..ClientOptions::default()
    };
    let (_, server) = pair(&client, &server).await;
    let told = server.error.unwrap();
    assert_eq!(told.kind, ErrorKind::Options);
    assert!(
        told.text.contains("RefuseToTalk never comes to pass"),
        "{told}"
    );
}

#[test]
fn a_group_has_one_name_everywhere() {
    assert_eq!(
        provider::group("prime256v1").unwrap(),
        NamedGroup::SECP256R1
    );
    assert_eq!(provider::groups().len(), 13);
    assert!(
        provider::groups()
            .iter()
            .all(|group| group.name().is_some())
    );
}
