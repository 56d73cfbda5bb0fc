use super::*;
use crate::names::CipherSuite;
use crate::schedule::Prf;

fn pair(suite: CipherSuite, version: Version, encrypt_then_mac: bool) -> (Protection, Protection) {
    let layout = Layout::new(suite, version, encrypt_then_mac);
    let (keys, _) = layout.keys(Prf::of(version, suite), &[7; 48], &[1; 32], &[2; 32]);
    (
        Protection::new(&layout, keys.clone()),
        Protection::new(&layout, keys),
    )
}

fn every_protection() -> impl Iterator<Item = (CipherSuite, Version, bool)> {
    let suites = CipherSuite::all().filter(|suite| implemented(suite.cipher(), suite.mac()));
    suites.flat_map(|suite| {
        [Version::TLS1_0, Version::TLS1_1, Version::TLS1_2]
            .into_iter()
            .filter(move |version| *version == Version::TLS1_2 || !suite.needs_tls1_2())
            .flat_map(move |version| [false, true].map(|etm| (suite, version, etm)))
    })
}

#[test]
fn what_is_protected_opens_again() {
    for (suite, version, etm) in every_protection() {
        let (mut writer, mut reader) = pair(suite, version, etm);
        for length in [0, 1, 11, 12, 15, 16, 17, 500] {
            let plain = vec![0x5a; length];
            let bytes = writer
                .protect(ContentType::ApplicationData, version, &plain)
                .unwrap();
            let opened = reader.open(ContentType::ApplicationData, version, &bytes);
            assert_eq!(
                opened.as_ref(),
                Ok(&plain),
                "{suite} {version} {etm} {length}"
            );
        }
    }
}

#[test]
fn no_changed_bit_goes_unnoticed() {
    for (suite, version, etm) in every_protection() {
        if suite.cipher() == CipherKind::Other || version != Version::TLS1_2 {
            continue;
        }
        let (mut writer, _) = pair(suite, version, etm);
        let bytes = writer
            .protect(ContentType::ApplicationData, version, b"250 ok")
            .unwrap();
        for index in 0..bytes.len() {
            let (_, mut reader) = pair(suite, version, etm);
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            let opened = reader.open(ContentType::ApplicationData, version, &changed);
            assert_eq!(opened, Err(Unopenable), "{suite} {etm} byte {index}");
        }
        for length in 0..bytes.len() {
            let (_, mut reader) = pair(suite, version, etm);
            let opened = reader.open(ContentType::ApplicationData, version, &bytes[..length]);
            assert_eq!(opened, Err(Unopenable), "{suite} {etm} {length} bytes");
        }
    }
}

#[test]
fn type_version_and_order_are_authenticated() {
    let suite = CipherSuite::from_openssl_name("AES128-SHA").unwrap();
    let (mut writer, mut reader) = pair(suite, Version::TLS1_2, false);
    let first = writer
        .protect(ContentType::ApplicationData, Version::TLS1_2, b"one")
        .unwrap();
    let second = writer
        .protect(ContentType::ApplicationData, Version::TLS1_2, b"two")
        .unwrap();
    assert_eq!(
        reader.open(ContentType::ApplicationData, Version::TLS1_2, &second),
        Err(Unopenable)
    );
    let (_, mut reader) = pair(suite, Version::TLS1_2, false);
    assert_eq!(
        reader.open(ContentType::Handshake, Version::TLS1_2, &first),
        Err(Unopenable)
    );
    let (_, mut reader) = pair(suite, Version::TLS1_2, false);
    assert_eq!(
        reader.open(ContentType::ApplicationData, Version::TLS1_1, &first),
        Err(Unopenable)
    );
}
