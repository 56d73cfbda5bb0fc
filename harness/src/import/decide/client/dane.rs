//! Zones, and what DANE makes of them.

use toml::{Table, Value};

use super::super::super::draft::{Draft, list};
use super::super::super::symptom::Kind;
use super::super::Matter;
use super::super::level::at_least;
use super::CLIENT;

pub(super) fn zones(matter: &Matter<'_>, draft: &mut Draft) {
    if !matter.names.zones {
        return;
    }
    draft
        .client
        .keys
        .insert("nexthop".to_owned(), Value::from("example.test"));
    let records: &[&str] = match matter.kind {
        Kind::NotDnssec => &[
            "example.test MX 10 mail.hosting.test",
            "mail.hosting.test A",
            "mail.hosting.test TLSA tlsa-3-1-1:rsa2048",
        ],
        Kind::TlsaLookup | Kind::NoTlsa | Kind::NameMismatch => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
        ],
        Kind::TlsaUnusable => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
            "mail.example.test TLSA 3 1 255 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ],
        Kind::NoTlsaMatch => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
            "mail.example.test TLSA tlsa-3-1-1:ecdsa-p256",
        ],
        _ => &[
            "example.test MX 10 mail.example.test",
            "mail.example.test A",
            "mail.example.test TLSA tlsa-3-1-1:rsa2048",
        ],
    };
    draft.dns.insert("records".to_owned(), list(records));
    if matter.kind == Kind::NotDnssec {
        let states = Table::from_iter([("example.test".to_owned(), Value::from("unsigned"))]);
        draft.dns.insert("zones".to_owned(), Value::Table(states));
    }
    if matter.kind == Kind::TlsaLookup {
        draft
            .dns
            .insert("refused".to_owned(), list(&["mail.example.test TLSA"]));
    }
}

pub(super) fn dane(matter: &Matter<'_>, draft: &mut Draft) {
    let level = matter.level();
    let needed = match matter.kind {
        Kind::NotDnssec | Kind::NoTlsa => "dane-only",
        _ => "dane",
    };
    if needed == "dane-only" || !level.contains("dane") {
        at_least(needed, matter, draft);
    }
    let pieces: &[&str] = match matter.kind {
        Kind::NotDnssec => &["status=deferred (non DNSSEC destination)"],
        Kind::TlsaLookup => &["TLSA lookup error for ", "status=deferred ("],
        Kind::NoTlsa => &["no TLSA records found"],
        Kind::TlsaUnusable => &["unusable"],
        Kind::DaneWithoutDnssec => &["configured with dnssec lookups disabled"],
        _ => &["Server certificate not verified"],
    };
    draft.expect_log(CLIENT, pieces);
    match matter.kind {
        Kind::DaneWithoutDnssec => {
            draft.client.replace(
                "smtp_dns_support_level",
                "enabled",
                "without it the harness would set dnssec",
            );
            draft.expect("delivered", level != "dane-only");
        }
        Kind::TlsaUnusable => {
            draft.expect("delivered", level != "dane-only");
        }
        _ => draft.expect("delivered", false),
    }
    if matter.kind == Kind::NoTlsaMatch {
        draft.notes.push(
            "Postfix before 3.6 has no line of its own for a record that does not match".to_owned(),
        );
    }
}
