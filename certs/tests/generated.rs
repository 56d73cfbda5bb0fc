//! Names of generated files and values, as scenarios write them.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::time::SystemTime;

use pfs_certs::{CertName, Digest, Error, Generated, GeneratedName, Item, Of, Pki};

fn file(pki: &Pki, text: &str) -> (String, String, bool) {
    match GeneratedName::parse(text).unwrap().make(pki).unwrap() {
        Generated::File {
            name,
            contents,
            private,
        } => (name, contents, private),
        Generated::Value(value) => panic!("{text}: no file but {value}"),
    }
}

fn value(pki: &Pki, text: &str) -> String {
    match GeneratedName::parse(text).unwrap().make(pki).unwrap() {
        Generated::Value(value) => value,
        Generated::File { name, .. } => panic!("{text}: no value but file {name}"),
    }
}

#[test]
fn files() {
    let pki = Pki::generate(SystemTime::now()).unwrap();
    let leaf = pki.leaf("ecdsa-p256").unwrap();
    let (name, contents, private) = file(&pki, "cert:ecdsa-p256");
    assert_eq!((name.as_str(), private), ("cert-ecdsa-p256.pem", false));
    assert_eq!(contents, leaf.cert_pem());
    let (name, contents, private) = file(&pki, "key:ecdsa-p256");
    assert_eq!((name.as_str(), private), ("key-ecdsa-p256.pem", true));
    assert!(contents.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let (name, contents, private) = file(&pki, "chain:ecdsa-p256");
    assert_eq!((name.as_str(), private), ("chain-ecdsa-p256.pem", true));
    let labels: Vec<_> = contents
        .lines()
        .filter_map(|line| line.strip_prefix("-----BEGIN "))
        .collect();
    assert_eq!(
        labels,
        ["PRIVATE KEY-----", "CERTIFICATE-----", "CERTIFICATE-----"]
    );
    let (name, contents, private) = file(&pki, "ca:other-root");
    assert_eq!((name.as_str(), private), ("ca-other-root.pem", false));
    assert_eq!(contents, pki.ca_pem("other-root").unwrap());
    let (name, contents, private) = file(&pki, "dh:ffdhe3072");
    assert_eq!((name.as_str(), private), ("dh-ffdhe3072.pem", false));
    assert!(contents.starts_with("-----BEGIN DH PARAMETERS-----\n"));
}

#[test]
fn values() {
    let pki = Pki::generate(SystemTime::now()).unwrap();
    let leaf = pki.leaf("ed25519").unwrap();
    assert_eq!(
        value(&pki, "fp-sha1:ed25519"),
        leaf.fingerprint(Digest::Sha1, Of::Certificate)
    );
    assert_eq!(
        value(&pki, "pkfp-sha256:ed25519"),
        leaf.fingerprint(Digest::Sha256, Of::PublicKey)
    );
    assert_eq!(
        value(&pki, "tlsa-3-1-1:ed25519").replace("3 1 1 ", ""),
        value(&pki, "pkfp-sha256:ed25519").replace(':', "")
    );
    assert_eq!(
        value(&pki, "tlsa-2-0-1:intermediate").replace("2 0 1 ", ""),
        value(&pki, "fp-sha256:intermediate").replace(':', "")
    );
}

#[test]
fn names_round_trip() {
    for text in [
        "ca:root",
        "cert:rsa2048",
        "chain:sni-two",
        "dh:x942-2048",
        "fp-md5:rsa2048",
        "key:client-rsa",
        "pkfp-sha512:wildcard",
        "tlsa-0-0-2:root",
    ] {
        let name: GeneratedName = text.parse().unwrap();
        assert_eq!(name.to_string(), text);
        assert!(GeneratedName::is_meant_by(text));
    }
    let name = GeneratedName::parse("key:client-rsa").unwrap();
    assert_eq!(name.item(), Item::Key);
    assert_eq!(name.leaf(), Some(CertName::parse("client-rsa").unwrap()));
    assert_eq!(GeneratedName::parse("dh:2048").unwrap().leaf(), None);
}

#[test]
fn mistakes_are_explained() {
    for (text, error) in [
        (
            "certs:rsa2048",
            r#"unknown kind of generated value "certs"; did you mean "cert"?"#,
        ),
        (
            "cert:rsa2084",
            r#"unknown certificate "rsa2084"; did you mean "rsa2048"?"#,
        ),
        (
            "ca:rot",
            r#"unknown certificate authority "rot"; did you mean "root"?"#,
        ),
        (
            "fp-sha:rsa2048",
            r#"unknown digest "sha"; did you mean "sha1"?"#,
        ),
        (
            "tlsa-3-1-9:rsa2048",
            "no TLSA record with matching type 9: expected 0 to 2",
        ),
        (
            "tlsa-3-1:rsa2048",
            r#"unknown kind of generated value "tlsa-3-1"; did you mean "tlsa-3-1-1"?"#,
        ),
        (
            "key:root",
            r#"unknown certificate "root"; expected one of rsa2048, "#,
        ),
        (
            "dh:auto",
            r#"unknown DH parameters "auto"; expected one of 512, "#,
        ),
    ] {
        let found = GeneratedName::parse(text).unwrap_err().to_string();
        assert!(found.starts_with(error), "{text}: {found}");
    }
}

#[test]
fn substitution_in_configuration_values() {
    let paths = |value: &str| {
        GeneratedName::substitute::<Error>(value, |name| Ok(format!("<{name}>"))).unwrap()
    };
    for (value, expected) in [
        ("", ""),
        ("chain:rsa2048", "<chain:rsa2048>"),
        (
            "chain:rsa2048, chain:ed25519",
            "<chain:rsa2048>, <chain:ed25519>",
        ),
        (
            "inline:{{sni.example.test=chain:sni-rsa}}",
            "inline:{{sni.example.test=<chain:sni-rsa>}}",
        ),
        (
            "inline:{ { [mail.example.test]:25 = fingerprint match=fp-sha256:rsa2048|AA:BB } }",
            "inline:{ { [mail.example.test]:25 = fingerprint match=<fp-sha256:rsa2048>|AA:BB } }",
        ),
        ("hash:/etc/aliases", "hash:/etc/aliases"),
        ("${data_directory}/dh.pem", "${data_directory}/dh.pem"),
        ("AA:BB:CC", "AA:BB:CC"),
    ] {
        assert_eq!(paths(value), expected);
    }
    let error = GeneratedName::substitute::<Error>("x dh:2047", |_| Ok(String::new())).unwrap_err();
    assert!(
        error.to_string().contains("did you mean \"2048\""),
        "{error}"
    );
}
