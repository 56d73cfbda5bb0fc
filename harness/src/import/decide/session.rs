//! A session as a line tells it, into options of a peer that negotiates the same.

use toml::Table;

use super::super::draft::list;
use super::super::report::Report;
use crate::observe::summary::TlsSummary;

/// The part of a line or header from the protocol on.
pub(super) fn summary_in(text: &str) -> Option<TlsSummary> {
    let start = text.find("TLSv1").or_else(|| text.find("SSLv3"))?;
    let rest = text.get(start..)?;
    rest.get(..rest.len().min(40))?
        .contains(" with cipher ")
        .then_some(())?;
    // A header of several lines, joined by single blanks, ends in the parenthesis it began with.
    let mut depth = 0_i32;
    let end = rest
        .char_indices()
        .find_map(|(at, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth < 0).then_some(at)
        })
        .unwrap_or(rest.len());
    TlsSummary::from_session(rest.get(..end)?.trim_end())
}

/// A certificate whose key makes such a signature.
pub(super) fn certificate_for(signature: &str) -> Option<&'static str> {
    Some(match signature {
        text if text.starts_with("ECDSA") && (text.contains("384")) => "ecdsa-p384",
        text if text.starts_with("ECDSA") && (text.contains("521")) => "ecdsa-p521",
        text if text.starts_with("ECDSA") => "ecdsa-p256",
        text if text.starts_with("ED25519") => "ed25519",
        text if text.starts_with("ED448") => "ed448",
        text if text.contains("4096") => "rsa4096",
        text if text.contains("3072") => "rsa3072",
        text if text.contains("2048") => "rsa2048",
        _ => return None,
    })
}

/// The group of the key exchange, in the spelling of scenarios.
fn group(summary: &TlsSummary) -> Option<String> {
    let group = summary.key_exchange.as_ref()?.group?.to_string();
    Some(match group.as_str() {
        "x25519" => "X25519".to_owned(),
        "x448" => "X448".to_owned(),
        "secp256r1" => "P-256".to_owned(),
        "secp384r1" => "P-384".to_owned(),
        "secp521r1" => "P-521".to_owned(),
        _ => group,
    })
}

/// Which of our peers can negotiate it, and its options.
pub(super) fn peer(summary: &TlsSummary) -> (&'static str, Table) {
    let protocol = summary.protocol.to_string();
    let modern = protocol == "TLSv1.3"
        || protocol == "TLSv1.2"
            && summary.cipher.starts_with("ECDHE")
            && (summary.cipher.contains("GCM") || summary.cipher.contains("CHACHA"));
    let mut options = Table::new();
    options.insert("versions".to_owned(), list(&[&protocol]));
    options.insert("ciphers".to_owned(), list(&[&summary.cipher]));
    if let Some(group) = group(summary) {
        options.insert("groups".to_owned(), list(&[&group]));
    }
    (if modern { "rustls" } else { "classic" }, options)
}

/// What is expected of the session: the fields that the line has.
pub(super) fn facts(summary: &TlsSummary, expect: &mut Table) {
    expect.insert("protocol".to_owned(), summary.protocol.to_string().into());
    expect.insert("cipher".to_owned(), summary.cipher.clone().into());
    if let Some(group) = group(summary) {
        expect.insert("key-exchange".to_owned(), group.into());
    }
    if let Some(signature) = &summary.client_signature {
        expect.insert(
            "client-signature".to_owned(),
            signature.algorithm.clone().into(),
        );
    }
}

/// What a header says of the client's certificate, in the words of `received-client`.
pub(super) fn received_client(report: &Report) -> Option<&'static str> {
    report.received.iter().find_map(|header| {
        let words = [
            ("(not verified))", "not-verified"),
            ("(verified OK))", "verified-ok"),
            ("No client certificate requested", "not-requested"),
            ("Client did not present a certificate", "not-presented"),
        ];
        words
            .iter()
            .find(|(text, _)| header.text.contains(text))
            .map(|(_, word)| *word)
    })
}
