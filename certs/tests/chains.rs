//! What the certificates say, read back with another library.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashSet;
use std::time::SystemTime;

use pfs_certs::{CaName, CertName, CertRequest, Error, KeyKind, Pki, Purpose, Signer, Validity};
use x509_parser::prelude::*;
use x509_parser::public_key::PublicKey;

/// All of them in one PKI, as RSA keys take time to make.
#[test]
fn every_certificate_says_what_its_name_says() {
    let pki = pki();
    pki.prepare(CertName::all()).unwrap();
    let mut keys = HashSet::new();
    let mut serials = HashSet::new();
    for name in CertName::all() {
        let leaf = pki.get(name).unwrap();
        let certificate = parse(leaf.certificate_der());
        assert_eq!(certificate.version(), X509Version::V3);
        assert_eq!(common_name(certificate.subject()), leaf.common_name());
        assert_eq!(
            common_name(certificate.issuer()),
            leaf.issuer_common_name(),
            "{name}"
        );
        assert_eq!(certificate.public_key().raw, leaf.public_key_der());
        assert_eq!(dns_names(&certificate), leaf.dns_names(), "{name}");
        assert!(!certificate.is_ca());
        assert!(keys.insert(leaf.public_key_der().to_vec()), "{name}");
        assert!(serials.insert(certificate.raw_serial().to_vec()), "{name}");

        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        let client = name.as_str().starts_with("client-") && name.as_str() != "client-server-eku";
        assert_eq!(usage.client_auth, client, "{name}");
        assert_eq!(usage.server_auth, !client, "{name}");

        let validity = certificate.validity();
        let expired = name.as_str().ends_with("expired");
        let not_yet = name.as_str().ends_with("not-yet-valid");
        assert_eq!(validity.is_valid(), !expired && !not_yet, "{name}");
        assert_eq!(validity.not_before > ASN1Time::now(), not_yet, "{name}");

        let kind = match certificate.public_key().parsed().unwrap() {
            PublicKey::RSA(rsa) => format!("rsa{}", rsa.key_size()),
            PublicKey::EC(point) => format!("ecdsa-p{}", point.key_size()),
            _ => match certificate
                .public_key()
                .algorithm
                .algorithm
                .to_id_string()
                .as_str()
            {
                "1.3.101.112" => "ed25519".to_owned(),
                "1.3.101.113" => "ed448".to_owned(),
                "1.2.840.10040.4.1" => "dsa2048".to_owned(),
                other => other.to_owned(),
            },
        };
        // x509-parser derives the size from the length of the encoded point.
        assert_eq!(kind.replace("p528", "p521"), leaf.key_kind().name());
        assert_eq!(leaf.key_kind(), name.key_kind());
    }
}

#[test]
fn chains_link_up() {
    let pki = pki();
    let [root, intermediate, other] = CaName::ALL.map(|name| pki.authority(name).unwrap());
    let leaf = pki.leaf("ecdsa-p384").unwrap();
    assert_eq!(leaf.chain_der().len(), 2);
    assert_eq!(leaf.chain_der()[1], intermediate.certificate_der());

    let [root_certificate, middle, end] = [
        root.certificate_der(),
        intermediate.certificate_der(),
        leaf.certificate_der(),
    ]
    .map(parse);
    assert_eq!(
        middle.issuer().as_raw(),
        root_certificate.subject().as_raw()
    );
    assert_eq!(end.issuer().as_raw(), middle.subject().as_raw());
    let constraints = middle.basic_constraints().unwrap().unwrap().value;
    assert!(constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(0));

    let foreign = pki.leaf("other-ca").unwrap();
    assert_eq!(foreign.chain_der().len(), 1, "a root is never sent");
    assert_eq!(foreign.issuer_common_name(), other.common_name());
    let own = pki.leaf("self-signed").unwrap();
    assert_eq!(own.chain_der().len(), 1);
    assert_eq!(own.issuer_common_name(), own.common_name());
}

#[test]
fn impostor_differs_by_key_alone() {
    let pki = pki();
    let [real, impostor] = ["ecdsa-p256", "impostor"].map(|name| pki.leaf(name).unwrap());
    assert_eq!(real.common_name(), impostor.common_name());
    assert_eq!(real.dns_names(), impostor.dns_names());
    assert_ne!(real.public_key_der(), impostor.public_key_der());
}

#[test]
fn own_requests() {
    let pki = pki();
    let request = CertRequest::new("mx", KeyKind::EcdsaP256)
        .names("mx.example.test", &["mx.example.test", "127.0.0.1"])
        .signer(Signer::Ca(CaName::OtherRoot))
        .validity(Validity::Expired)
        .purpose(Purpose::Both);
    let leaf = pki.issue(&request).unwrap();
    let certificate = parse(leaf.certificate_der());
    assert_eq!(common_name(certificate.subject()), "mx.example.test");
    assert_eq!(dns_names(&certificate), ["mx.example.test"]);
    assert!(!certificate.validity().is_valid());
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && usage.server_auth);

    let renewed = pki
        .issue(&request.clone().validity(Validity::Current))
        .unwrap();
    assert_eq!(renewed.public_key_der(), leaf.public_key_der());
    assert_ne!(renewed.certificate_der(), leaf.certificate_der());
    let unrestricted = pki.issue(&request.purpose(Purpose::Unrestricted)).unwrap();
    let certificate = parse(unrestricted.certificate_der());
    assert!(certificate.extended_key_usage().unwrap().is_none());
}

#[test]
fn requests_that_cannot_be_met() {
    let pki = pki();
    for name in ["", "rsa2048", "../escape", "A", "a/b"] {
        let error = pki
            .issue(&CertRequest::new(name, KeyKind::Ed25519))
            .unwrap_err();
        assert!(matches!(error, Error::RequestName(_)), "{name}: {error}");
    }
    let request = CertRequest::new("own", KeyKind::EcdsaP521).signer(Signer::Itself);
    let error = pki.issue(&request).unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
    let request = CertRequest::new("umlaut", KeyKind::Ed25519).names("x", &["münchen.test"]);
    let error = pki.issue(&request).unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
    assert!(matches!(
        pki.leaf("rsa2047").unwrap_err(),
        Error::Unknown { .. }
    ));
    assert!(matches!(
        pki.ca("roots").unwrap_err(),
        Error::Unknown { .. }
    ));
}

#[test]
fn graviola_loads_what_it_is_said_to_load() {
    let pki = pki();
    let names = ["rsa2048", "rsa3072", "rsa4096", "rsa1024", "ecdsa-p256"];
    for name in names
        .iter()
        .chain(&["ecdsa-p384", "ecdsa-p521", "ed25519", "ed448", "dsa2048"])
    {
        let leaf = pki.leaf(name).unwrap();
        let key = leaf.key_pkcs8_der().to_vec();
        let loaded = rustls_graviola::default_provider()
            .key_provider
            .load_private_key(rustls::pki_types::PrivatePkcs8KeyDer::from(key).into());
        assert_eq!(
            loaded.is_ok(),
            leaf.key_kind().loads_in_graviola(),
            "{name}"
        );
        if let Ok(key) = loaded {
            assert_eq!(&*key.public_key().unwrap(), leaf.public_key_der());
        }
    }
}

fn pki() -> Pki {
    Pki::generate(SystemTime::now()).unwrap()
}

fn parse(der: &[u8]) -> X509Certificate<'_> {
    let (rest, certificate) = X509Certificate::from_der(der).unwrap();
    assert!(rest.is_empty());
    certificate
}

fn common_name<'a>(name: &'a X509Name<'_>) -> &'a str {
    name.iter_common_name().next().unwrap().as_str().unwrap()
}

fn dns_names<'a>(certificate: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let names = names.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(*name),
            _ => None,
        })
        .collect()
}
