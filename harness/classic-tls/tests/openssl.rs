//! Every suite and version against OpenSSL, in both roles, as a table.
//!
//! `CLASSIC_TLS_OPENSSL=/path/to/openssl:/path/to/a/root` names the OpenSSLs; a directory is entered with chroot.

#[cfg(test)]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use classic_tls::names::{
    Authentication, CipherSuite, KeyExchangeKind, NamedGroup, SignatureScheme, Version,
};
use classic_tls::{
    ClientCertificate, ClientConfig, DhGroup, KeyDescription, Report, ServerConfig, Session,
    SessionStore, implemented_groups, implemented_signature_schemes, is_implemented,
};
use support::identity;
use support::openssl::{OpenSsl, flag};
use support::talk::{talk_as_client, talk_as_server};
use tokio::task::JoinSet;

const VERSIONS: [Version; 3] = [Version::TLS1_0, Version::TLS1_1, Version::TLS1_2];
const AT_ONCE: usize = 4;

fn client_config(suite: CipherSuite, version: Version) -> ClientConfig {
    ClientConfig {
        suites: vec![suite],
        versions: version..=version,
        signature_schemes: implemented_signature_schemes(),
        ..ClientConfig::default()
    }
}

fn server_config() -> ServerConfig {
    ServerConfig {
        identities: vec![identity("rsa2048"), identity("p256"), identity("dsa2048")],
        ..ServerConfig::default()
    }
}

fn check(report: &Report, suite: CipherSuite, version: Version) -> Result<(), String> {
    if (report.suite, report.version) != (Some(suite), Some(version)) {
        return Err(format!(
            "negotiated {:?} {:?}",
            report.suite, report.version
        ));
    }
    let dh = matches!(
        suite.key_exchange(),
        KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon
    );
    if report.dh_bits().is_some() != dh {
        return Err(format!("a prime of {:?} bits", report.dh_bits()));
    }
    Ok(())
}

type Cell = (CipherSuite, Version, &'static str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_suite_and_version() {
    let mut failures = Vec::new();
    for openssl in OpenSsl::all().await {
        let mut cells: Vec<(CipherSuite, Version)> = Vec::new();
        for version in VERSIONS {
            let suites = openssl.suites(version).await;
            let usable = suites.into_iter().filter(|suite| {
                is_implemented(*suite)
                    && suite.cipher_bits() != Some(0)
                    && (version == Version::TLS1_2 || !suite.needs_tls1_2())
            });
            cells.extend(usable.map(|suite| (suite, version)));
        }
        assert!(
            cells.len() >= 100,
            "{} has only {} suites in common with us",
            openssl.version,
            cells.len()
        );
        let arguments = [
            openssl.identity("", "rsa2048"),
            openssl.identity("d", "p256"),
        ]
        .concat();
        let (_server, port) = openssl.server(&arguments).await;
        let (_dss_server, dss_port) = openssl.server(&openssl.identity("", "dsa2048")).await;

        let mut results: BTreeMap<Cell, Result<(), String>> = BTreeMap::new();
        let mut tasks: JoinSet<(Cell, Result<(), String>)> = JoinSet::new();
        for (suite, version) in cells {
            while tasks.len() >= AT_ONCE {
                results.extend(tasks.join_next().await.map(Result::unwrap));
            }
            let openssl = openssl.clone();
            tasks.spawn(async move {
                let cipher = format!("{suite}:@SECLEVEL=0");
                let arguments = [flag(version), "-cipher", &cipher].map(str::to_owned);
                let result = talk_as_server(&openssl, server_config(), &arguments).await;
                let result = result.and_then(|report| check(&report, suite, version));
                ((suite, version, "server"), result)
            });
            // `s_server -rev` takes one connection at a time, so there is no use in asking for more.
            let port = match suite.authentication() {
                Authentication::Dss => dss_port,
                _ => port,
            };
            let result = talk_as_client(port, client_config(suite, version)).await;
            let result = result.and_then(|report| check(&report, suite, version));
            results.insert((suite, version, "client"), result);
        }
        while let Some(result) = tasks.join_next().await {
            results.extend([result.unwrap()]);
        }
        print(&table(&openssl, &results));
        failures.extend(
            results
                .into_iter()
                .filter_map(|((suite, version, role), result)| {
                    let error = result.err()?;
                    Some(format!(
                        "{}, we as {role}, {suite} {version}: {error}",
                        openssl.version
                    ))
                }),
        );
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn table(openssl: &OpenSsl, results: &BTreeMap<Cell, Result<(), String>>) -> String {
    let mut text = format!(
        "\n{:32}{:^18}{:^18}{:^18}\n",
        openssl.version, "TLSv1", "TLSv1.1", "TLSv1.2"
    );
    let _ = writeln!(
        text,
        "{:32}{}",
        "classic-tls is",
        " client  server   ".repeat(3)
    );
    let suites: std::collections::BTreeSet<CipherSuite> =
        results.keys().map(|(suite, _, _)| *suite).collect();
    for suite in suites {
        let _ = write!(text, "{:32}", suite.to_string());
        for version in VERSIONS {
            for role in ["client", "server"] {
                let word = match results.get(&(suite, version, role)) {
                    Some(Ok(())) => "ok",
                    Some(Err(_)) => "FAIL",
                    None => "-",
                };
                let _ = write!(text, " {word:^8}");
            }
        }
        text.push('\n');
    }
    let good = results.values().filter(|result| result.is_ok()).count();
    let _ = writeln!(text, "{good} of {} work", results.len());
    text
}

/// Past the capture of the test harness: the table is meant to be seen.
#[expect(
    clippy::disallowed_methods,
    reason = "names of suites and versions are the crate's own"
)]
fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_keys_and_client_certificates() {
    for openssl in OpenSsl::all().await {
        let name = &openssl.version;
        for group in implemented_groups() {
            // Its own list of groups leaves the rare ones out.
            let mut arguments = openssl.identity("", "rsa2048");
            arguments.extend(["-groups", openssl_name(group)].map(str::to_owned));
            let (_server, port) = openssl.server(&arguments).await;
            let config = ClientConfig {
                groups: vec![group],
                ..ClientConfig::default()
            };
            let report = talk_as_client(port, config)
                .await
                .unwrap_or_else(|error| panic!("{name} {group}: {error}"));
            assert_eq!(report.group(), Some(group), "{name}");
            assert_eq!(
                report.server_key(),
                Some(KeyDescription::Rsa { bits: 2048 }),
                "{name}"
            );

            let arguments = [
                "-tls1_2".to_owned(),
                "-groups".to_owned(),
                openssl_name(group).to_owned(),
            ];
            let report = talk_as_server(&openssl, server_config(), &arguments).await;
            let report = report.unwrap_or_else(|error| panic!("{name} {group}: {error}"));
            assert_eq!(report.group(), Some(group), "{name}");
        }
        for (key, expected) in [
            ("p384", SignatureScheme::ECDSA_SECP384R1_SHA384),
            ("p521", SignatureScheme::ECDSA_SECP521R1_SHA512),
            ("ed25519", SignatureScheme::ED25519),
            ("ed448", SignatureScheme::ED448),
            ("rsapss2048", SignatureScheme::RSA_PSS_PSS_SHA384),
            ("rsa2048", SignatureScheme::RSA_PSS_RSAE_SHA512),
        ] {
            let (_server, port) = openssl.server(&openssl.identity("", key)).await;
            let config = ClientConfig {
                signature_schemes: vec![expected, SignatureScheme::RSA_PKCS1_SHA256],
                ..ClientConfig::default()
            };
            let report = talk_as_client(port, config)
                .await
                .unwrap_or_else(|error| panic!("{name} {key}: {error}"));
            assert_eq!(report.server_signature_scheme, Some(expected), "{name}");

            let config = ServerConfig {
                identities: vec![identity(key)],
                signature_schemes: vec![expected],
                ..ServerConfig::default()
            };
            let arguments = ["-tls1_2".to_owned()];
            let report = talk_as_server(&openssl, config, &arguments).await;
            let report = report.unwrap_or_else(|error| panic!("{name} {key}: {error}"));
            assert_eq!(report.server_signature_scheme, Some(expected), "{name}");
        }
        // Only OpenSSL has the private key of one with so large an exponent.
        let (_server, port) = openssl
            .server(&openssl.identity("", "rsa-exponent-64"))
            .await;
        let talk = async |suite| {
            let suite = CipherSuite::from_openssl_name(suite).unwrap();
            talk_as_client(port, client_config(suite, Version::TLS1_2)).await
        };
        talk("DHE-RSA-AES128-SHA")
            .await
            .unwrap_or_else(|error| panic!("{name} rsa-exponent-64: {error}"));
        assert_eq!(
            talk("AES128-SHA").await.unwrap_err(),
            "the server's certificate has a key that is not implemented here: RSA with a public exponent of 64 bits, to \
             encrypt to"
        );
        // A client that would rather have TLS 1.3 takes what it is given.
        let report = talk_as_server(&openssl, server_config(), &[]).await;
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.version, Some(Version::TLS1_2), "{name}");
        assert_eq!(
            report.client_hello.unwrap().highest_version(),
            Version::TLS1_3,
            "{name}"
        );
        for version in VERSIONS {
            for key in ["rsa2048", "p256", "p521", "ed25519", "ed448", "dsa2048"] {
                if key.starts_with("ed") && version < Version::TLS1_2 {
                    continue;
                }
                let what = format!("{name} {version} {key}");
                let mut arguments = openssl.identity("", "rsa2048");
                arguments.extend(["-Verify".to_owned(), "1".to_owned()]);
                let (_server, port) = openssl.server(&arguments).await;
                let config = ClientConfig {
                    versions: version..=version,
                    identity: Some(identity(key)),
                    ..ClientConfig::default()
                };
                talk_as_client(port, config)
                    .await
                    .unwrap_or_else(|error| panic!("{what}: {error}"));

                let config = ServerConfig {
                    client_certificate: ClientCertificate::Require,
                    ..server_config()
                };
                let mut arguments = openssl.identity("", key);
                arguments
                    .extend([flag(version), "-cipher", "DEFAULT:@SECLEVEL=0"].map(str::to_owned));
                let report = talk_as_server(&openssl, config, &arguments).await;
                let report = report.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(report.client_certificates, identity(key).chain, "{what}");
            }
        }
    }
}

/// How s_client spells a group.
fn openssl_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::SECP256R1 => "P-256",
        NamedGroup::SECP384R1 => "P-384",
        NamedGroup::SECP521R1 => "P-521",
        NamedGroup::X448 => "X448",
        NamedGroup::SECP224R1 => "P-224",
        NamedGroup::SECP256K1 => "secp256k1",
        NamedGroup::BRAINPOOL_P256R1 => "brainpoolP256r1",
        NamedGroup::BRAINPOOL_P384R1 => "brainpoolP384r1",
        _ => "X25519",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumption_and_options() {
    for openssl in OpenSsl::all().await {
        let name = &openssl.version;
        let (_server, port) = openssl.server(&openssl.identity("", "rsa2048")).await;
        for version in VERSIONS {
            for (session_tickets, extended_master_secret, encrypt_then_mac) in [
                (true, true, true),
                (false, true, false),
                (true, false, true),
                (false, false, false),
            ] {
                let what = format!("{name} {version} {session_tickets} {extended_master_secret}");
                let config = |resume: Option<Session>| ClientConfig {
                    session_tickets,
                    extended_master_secret,
                    encrypt_then_mac,
                    resume,
                    ..client_config(
                        CipherSuite::from_openssl_name("DHE-RSA-AES256-SHA").unwrap(),
                        version,
                    )
                };
                let first = talk_as_client(port, config(None))
                    .await
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(
                    first.extended_master_secret, extended_master_secret,
                    "{what}"
                );
                assert_eq!(first.encrypt_then_mac, encrypt_then_mac, "{what}");
                let session = first.session.clone().unwrap();
                assert_eq!(!session.ticket.is_empty(), session_tickets, "{what}");
                let second = talk_as_client(port, config(Some(session))).await;
                assert!(
                    second
                        .unwrap_or_else(|error| panic!("{what}: {error}"))
                        .resumed,
                    "{what}"
                );
            }
        }
        let folder = std::env::temp_dir().join(format!("classic-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for tickets in [true, false] {
            let sessions = SessionStore::default();
            let config = || ServerConfig {
                sessions: sessions.clone(),
                session_tickets: tickets,
                ..server_config()
            };
            let file = format!(
                "/tmp/classic-tls-session-{}-{tickets}.pem",
                std::process::id()
            );
            let run = |option: &str| ["-tls1_2", option, &file].map(str::to_owned);
            let first = talk_as_server(&openssl, config(), &run("-sess_out")).await;
            assert!(
                !first
                    .unwrap_or_else(|error| panic!("{name}: {error}"))
                    .resumed
            );
            let second = talk_as_server(&openssl, config(), &run("-sess_in")).await;
            assert!(
                second
                    .unwrap_or_else(|error| panic!("{name}: {error}"))
                    .resumed,
                "{name} {tickets}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primes_of_many_sizes() {
    for openssl in OpenSsl::all().await {
        for prime in ["modp1024", "dh_2048_224", "ffdhe3072", "modp8192"] {
            let config = ServerConfig {
                dh: DhGroup::well_known(prime),
                ..server_config()
            };
            let arguments =
                ["-tls1_2", "-cipher", "ADH-AES256-GCM-SHA384:@SECLEVEL=0"].map(str::to_owned);
            let report = talk_as_server(&openssl, config, &arguments).await;
            report.unwrap_or_else(|error| panic!("{} {prime}: {error}", openssl.version));
        }
    }
}
