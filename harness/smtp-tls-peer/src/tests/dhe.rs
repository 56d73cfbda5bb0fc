//! Diffie-Hellman over primes, between the two rustls peers.

use classic_tls::names::{CipherSuite, NamedGroup, Version};
use pfs_certs::dh::Parameters;

use super::tls::{delivered, refused};
use super::*;

const SUITES: [&str; 3] = [
    "DHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
];

const GROUPS: [(&str, u32); 5] = [
    ("ffdhe2048", 2048),
    ("ffdhe3072", 3072),
    ("ffdhe4096", 4096),
    ("ffdhe6144", 6144),
    ("ffdhe8192", 8192),
];

pub(super) fn tls(version: Version, ciphers: &[&str], groups: &[&str]) -> TlsOptions {
    TlsOptions {
        versions: vec![version],
        groups: groups
            .iter()
            .map(|name| provider::group(name).unwrap())
            .collect(),
        ciphers: ciphers
            .iter()
            .map(|name| provider::cipher_suite(name).unwrap())
            .collect(),
        ..TlsOptions::default()
    }
}

fn client(tls: TlsOptions) -> ClientOptions {
    ClientOptions {
        tls,
        ..ClientOptions::default()
    }
}

fn server(tls: TlsOptions, dh: Option<DhParameters>) -> ServerOptions {
    ServerOptions {
        tls,
        dh,
        ..server_with("rsa2048")
    }
}

pub(super) fn parameters(name: &str) -> DhParameters {
    let file = Parameters::named(name).unwrap();
    let group = file.group().unwrap();
    DhParameters::new(&group.p, &group.g).unwrap()
}

/// The name in full, as of `ffdhe2048 (RFC 7919)`.
fn full(name: &str) -> Option<&'static str> {
    classic_tls::primes::by_name(name).map(|group| group.name)
}

/// No code point that is ours alone has left the process.
#[track_caller]
fn nothing_private(report: &PeerReport) {
    let hello = report.client_hello().unwrap();
    assert!(hello.groups.iter().all(|group| group.name().is_some()));
    assert!(hello.key_shares.iter().all(|group| group.name().is_some()));
}

/// Both sides name the same prime, and so does the wire.
#[track_caller]
fn agreed(client: &PeerReport, server: &PeerReport, bits: u32, name: Option<&'static str>) {
    delivered(client, server);
    let facts = client.tls.clone().unwrap();
    assert_eq!(Some(&facts), server.tls.as_ref());
    assert_eq!(facts.prime, Some(PrimeFacts { bits, name }));
    assert_eq!(client.summary(), server.summary());
    for report in [client, server] {
        assert_eq!(report.prime(), facts.prime);
        assert_eq!(report.transcript.version(), Some(facts.version));
        assert_eq!(report.transcript.suite(), Some(facts.suite));
        assert_eq!(report.transcript.problems, []);
        nothing_private(report);
        let sent = report.transcript.server_key_exchange.as_ref();
        match facts.version {
            Version::TLS1_2 => {
                let sent = sent.unwrap().dh().unwrap();
                assert_eq!(Some(PrimeFacts::of(&sent.p, &sent.g)), facts.prime);
            }
            _ => assert_eq!(report.transcript.group(), facts.group),
        }
    }
}

#[tokio::test]
async fn every_suite_and_group_of_tls12_in_both_ways_of_knowing_the_group() {
    for (name, bits) in GROUPS {
        let group = provider::group(name).unwrap();
        for suite in SUITES {
            let ours = server(tls(Version::TLS1_2, &[suite], &[name]), None);
            // A client that lists the group, and one that learns its prime.
            for theirs in [
                tls(Version::TLS1_2, &[], &[name]),
                tls(Version::TLS1_2, &[suite], &[]),
            ] {
                let listed = theirs.groups.clone();
                let (client, server) = pair(&client(theirs), &ours).await;
                agreed(&client, &server, bits, full(name));
                assert_eq!(client.cipher(), Some(suite));
                assert_eq!(client.tls.as_ref().unwrap().group, Some(group));
                assert_eq!(client.key_exchange(), Some(name));
                if !listed.is_empty() {
                    assert_eq!(client.client_hello().unwrap().groups, listed);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_suite_and_group_of_tls13() {
    for (name, bits) in GROUPS {
        let group = provider::group(name).unwrap();
        let ours = server(tls(Version::TLS1_3, &[], &[name]), None);
        for suite in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
        ] {
            let theirs = client(tls(Version::TLS1_3, &[suite], &[name]));
            let (client, server) = pair(&theirs, &ours).await;
            agreed(&client, &server, bits, full(name));
            assert_eq!(client.cipher(), Some(suite));
            assert_eq!(client.tls.as_ref().unwrap().group, Some(group));
        }
        // By way of a HelloRetryRequest.
        let theirs = client(tls(Version::TLS1_3, &[], &["x25519", name]));
        let (client, server) = pair(&theirs, &ours).await;
        agreed(&client, &server, bits, full(name));
        assert!(client.transcript.hello_retry_group.is_some());
    }
}

#[tokio::test]
async fn every_key_but_rsa_goes_with_groups_of_tls13_only() {
    for certificate in ["ecdsa-p256", "ed25519"] {
        let ours = |version| ServerOptions {
            tls: tls(version, &[], &["ffdhe2048"]),
            ..server_with(certificate)
        };
        let theirs = |version| client(tls(version, &[], &["ffdhe2048"]));
        let (client, server) = pair(&theirs(Version::TLS1_3), &ours(Version::TLS1_3)).await;
        agreed(&client, &server, 2048, full("ffdhe2048"));
        let (client, server) = pair(&theirs(Version::TLS1_2), &ours(Version::TLS1_2)).await;
        refused(&client, &server, "handshake_failure");
    }
}

#[tokio::test]
async fn a_server_sends_its_own_prime_whatever_the_client_lists() {
    let files = Parameters::all().filter(|file| file.group().is_some());
    for file in files {
        let dh = parameters(file.name());
        let facts = dh.facts();
        let ours = server(tls(Version::TLS1_2, &[], &[]), Some(dh.clone()));
        for groups in [&[][..], &["x25519", "ffdhe4096", "ffdhe2048"]] {
            let theirs = ClientOptions {
                minimum_prime_bits: Some(512),
                ..client(tls(Version::TLS1_2, &[SUITES[1]], groups))
            };
            let (client, server) = pair(&theirs, &ours).await;
            agreed(&client, &server, facts.bits, facts.name);
            let sent = client.transcript.server_key_exchange.as_ref().unwrap();
            assert_eq!(sent.dh().unwrap().p, dh.p(), "{}", file.name());
            assert_eq!(sent.dh().unwrap().g, dh.g(), "{}", file.name());
            // Only the primes of RFC 7919 have a code point.
            let code_point = NamedGroup::from_name(file.name());
            assert_eq!(client.tls.as_ref().unwrap().group, code_point);
        }
    }
}

#[tokio::test]
async fn a_server_without_a_prime_takes_one_the_client_lists() {
    let ours = server(tls(Version::TLS1_2, &[SUITES[0]], &[]), None);
    for (groups, expected, bits) in [
        (&[][..], "ffdhe2048", 2048),
        (&["x25519"], "ffdhe2048", 2048),
        (&["x25519", "ffdhe4096", "ffdhe3072"], "ffdhe4096", 4096),
    ] {
        let theirs = client(tls(Version::TLS1_2, &[SUITES[0]], groups));
        let (client, server) = pair(&theirs, &ours).await;
        agreed(&client, &server, bits, full(expected));
    }
    // It has only the one, and the client knows it by number.
    let ours = server(tls(Version::TLS1_2, &[], &["ffdhe3072"]), None);
    let theirs = client(tls(Version::TLS1_2, &[], &["ffdhe2048"]));
    let (client, server) = pair(&theirs, &ours).await;
    refused(&client, &server, "handshake_failure");
}

#[tokio::test]
async fn an_own_prime_is_for_tls12_and_named_groups_then_for_tls13() {
    let both = |groups: &[&str]| TlsOptions {
        versions: Vec::new(),
        ..tls(Version::TLS1_3, &[], groups)
    };
    let ours = server(both(&["ffdhe3072", "x25519"]), Some(parameters("1024")));
    let theirs = client(tls(Version::TLS1_3, &[], &["ffdhe3072"]));
    let (seen, report) = pair(&theirs, &ours).await;
    agreed(&seen, &report, 3072, full("ffdhe3072"));
    let theirs = client(tls(Version::TLS1_2, &[], &["ffdhe3072"]));
    let (seen, report) = pair(&theirs, &ours).await;
    agreed(&seen, &report, 1024, None);
    // Without anything in common for TLS 1.3, an own prime is nothing to fall back to.
    let theirs = client(tls(Version::TLS1_3, &[], &["ffdhe2048"]));
    let (seen, report) = pair(&theirs, &ours).await;
    refused(&seen, &report, "handshake_failure");
}

#[tokio::test]
async fn a_client_refuses_primes_below_its_minimum() {
    for (name, minimum, bits, expected) in [
        ("768", None, 768, DEFAULT_MINIMUM_PRIME_BITS),
        ("512", Some(768), 512, 768),
        ("1024", Some(1025), 1024, 1025),
        ("1024", Some(2048), 1024, 2048),
        ("2048", Some(3072), 2048, 3072),
        ("ffdhe2048", Some(2049), 2048, 2049),
    ] {
        let theirs = ClientOptions {
            minimum_prime_bits: minimum,
            ..client(tls(Version::TLS1_2, &[SUITES[1]], &[]))
        };
        let ours = server(TlsOptions::default(), Some(parameters(name)));
        let (client, server) = pair(&theirs, &ours).await;
        let handshake_failure = Alert {
            direction: Direction::Sent,
            description: classic_tls::names::AlertDescription::HANDSHAKE_FAILURE,
        };
        let error = client.error.as_ref().unwrap();
        assert_eq!((error.kind, error.side), (ErrorKind::Tls, Side::Client));
        assert_eq!(error.alert, Some(handshake_failure), "{error}");
        let minimum = expected;
        assert_eq!(error.dhe, Some(DheError::PrimeTooSmall { bits, minimum }));
        assert_eq!(
            error.text,
            format!("Diffie-Hellman prime of {bits} bits; expected at least {minimum}")
        );
        let error = server.error.as_ref().unwrap();
        assert_eq!((error.kind, error.side), (ErrorKind::Tls, Side::Client));
        assert_eq!(error.dhe, None);
        assert_eq!(
            error.alert,
            Some(Alert {
                direction: Direction::Received,
                ..handshake_failure
            })
        );
        // What was refused is known to both.
        let facts = Some(parameters(name).facts());
        assert_eq!((client.tls.as_ref(), client.prime()), (None, facts));
        assert_eq!((server.tls.as_ref(), server.prime()), (None, facts));
    }
    for (name, minimum) in [("1024", None), ("1024", Some(1024)), ("2048", Some(0))] {
        let theirs = ClientOptions {
            minimum_prime_bits: minimum,
            ..client(tls(Version::TLS1_2, &[SUITES[1]], &[]))
        };
        let ours = server(TlsOptions::default(), Some(parameters(name)));
        let (client, server) = pair(&theirs, &ours).await;
        delivered(&client, &server);
    }
}

#[tokio::test]
async fn nobody_who_does_not_ask_gets_any_of_it() {
    let is_dhe = |suite: &CipherSuite| suite.openssl_name().unwrap_or("").starts_with("DHE-");
    let (client_report, _) = pair(&ClientOptions::default(), &server_with("rsa2048")).await;
    let hello = client_report.client_hello().unwrap();
    assert!(!hello.suites.iter().any(is_dhe));
    assert!(!hello.groups.iter().any(|group| group.0 >> 8 == 1));
    // Nor does a server have it.
    let theirs = client(tls(Version::TLS1_2, &SUITES, &["ffdhe2048"]));
    let (client_report, report) = pair(&theirs, &server_with("rsa2048")).await;
    refused(&client_report, &report, "handshake_failure");
    // With a choice, elliptic curves come first.
    let theirs = client(tls(Version::TLS1_2, &[], &["x25519", "ffdhe2048"]));
    let ours = server(
        tls(Version::TLS1_2, &[], &["ffdhe2048", "x25519"]),
        Some(parameters("2048")),
    );
    let (client_report, report) = pair(&theirs, &ours).await;
    delivered(&client_report, &report);
    assert_eq!(client_report.key_exchange(), Some("x25519"));
    assert_eq!(client_report.prime(), None);
}

#[tokio::test]
async fn sessions_are_resumed_and_primes_learned_anew() {
    let options = ClientOptions {
        sni: Some("mail.example.test".to_owned()),
        sessions: Some(Sessions::default()),
        ..client(tls(Version::TLS1_2, &[SUITES[0]], &[]))
    };
    for name in ["2048", "second-2048"] {
        let ours = ServerOptions {
            resumption: true,
            ..server(TlsOptions::default(), Some(parameters(name)))
        };
        let prepared = PreparedServer::new(&ours).unwrap();
        for resumed in [false, true] {
            let (near, far) = tokio::io::duplex(1 << 16);
            let mail = mail();
            let (seen, report) = tokio::join!(
                send_on(near, &options, &mail, soon()),
                prepared.receive_on(far, &ours, soon())
            );
            delivered(&seen, &report);
            assert_eq!(seen.tls, report.tls);
            assert_eq!(seen.tls.as_ref().unwrap().resumed, resumed, "{name}");
            assert_eq!(
                seen.prime().map(|prime| prime.bits),
                (!resumed).then_some(2048)
            );
        }
    }
}

#[tokio::test]
async fn client_certificates_go_with_it() {
    let theirs = ClientOptions {
        credential: Some(credential("client-rsa")),
        ..client(tls(Version::TLS1_2, &[SUITES[2]], &[]))
    };
    let ours = ServerOptions {
        client_certificate: ClientCertificate::Require,
        client_roots: vec![root("root")],
        ..server(TlsOptions::default(), Some(parameters("modp2048")))
    };
    let (client, server) = pair(&theirs, &ours).await;
    agreed(&client, &server, 2048, full("modp2048"));
    assert_eq!(server.chain, Some(Ok(())));
}

#[tokio::test]
async fn many_clients_at_a_time_keep_their_primes_apart() {
    let names = [
        "1024",
        "2048",
        "second-2048",
        "3072",
        "modp2048",
        "ffdhe2048",
    ];
    let connections = (0..24).map(|number| {
        let name = names[number % names.len()];
        tokio::spawn(async move {
            let theirs = client(tls(Version::TLS1_2, &[SUITES[1]], &[]));
            let ours = server(TlsOptions::default(), Some(parameters(name)));
            let (client, server) = pair(&theirs, &ours).await;
            let facts = parameters(name).facts();
            agreed(&client, &server, facts.bits, facts.name);
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await.unwrap();
    }
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    let error = |options: ServerOptions| PreparedServer::new(&options).unwrap_err().to_string();
    let ecdhe = "ECDHE-RSA-AES256-GCM-SHA384";
    assert_eq!(
        error(server(tls(Version::TLS1_2, &[ecdhe], &["ffdhe2048"]), None)),
        "none of the groups ffdhe2048 can be used with ECDHE-RSA-AES256-GCM-SHA384; name one that can, or another \
         cipher suite"
    );
    assert_eq!(provider::cipher_suites().len(), 12);
    for name in SUITES {
        assert_eq!(
            provider::cipher_suite(name).unwrap().to_string(),
            name,
            "known by OpenSSL's name"
        );
    }
}

#[test]
fn parameters_that_are_none_are_refused() {
    let p = parameters("2048").p().to_vec();
    let minus_one = [&p[..255], &[p[255] - 1]].concat();
    let even = minus_one.clone();
    let generator = |found| Err(DheError::Generator { found });
    let padded = [&[0, 0], &p[..]].concat();
    for (p, g, expected) in [
        (&p, &[2][..], Ok(())),
        (&padded, &[0, 2], Ok(())),
        (&p, &[], generator(PublicValue::Zero)),
        (&p, &[0], generator(PublicValue::Zero)),
        (&p, &[1], generator(PublicValue::One)),
        (&p, &minus_one, generator(PublicValue::MinusOne)),
        (&p, &p, generator(PublicValue::NotBelowPrime)),
        (&p, &[0xff; 300], generator(PublicValue::NotBelowPrime)),
        (&even, &[2], Err(DheError::PrimeEven { bits: 2048 })),
        (
            &vec![0xff; 63],
            &[2],
            Err(DheError::PrimeTooSmall {
                bits: 504,
                minimum: 512,
            }),
        ),
        (
            &vec![0xff; 1025],
            &[2],
            Err(DheError::PrimeTooLarge {
                bits: 8200,
                maximum: 8192,
            }),
        ),
        (
            &Vec::new(),
            &[2],
            Err(DheError::PrimeTooSmall {
                bits: 0,
                minimum: 512,
            }),
        ),
    ] {
        assert_eq!(DhParameters::new(p, g).map(drop), expected);
    }
    assert_eq!(
        DhParameters::new(&padded, &[0, 2]),
        DhParameters::new(&p, &[2])
    );
    assert_eq!(
        format!("{:?}", parameters("modp3072")),
        "DhParameters(3072 bits, modp3072 (RFC 3526))"
    );
}
