//! What two lines have in common when one parser rule should fit both.

use super::example::{Example, Parsed};
use crate::observe::log::LogEvent;
use crate::observe::summary::TlsSummary;

/// The line with its variable parts reduced.
pub(super) fn shape(example: &Example) -> String {
    match &example.parsed {
        Parsed::Log {
            event: LogEvent::Tls(summary),
            daemon,
        } => {
            let peer = if summary.sni.is_some() {
                "peer to name"
            } else {
                "peer"
            };
            format!("{daemon} {peer} {}", session(summary))
        }
        Parsed::Log { daemon, .. } => format!("{daemon} {}", reduced(&example.text)),
        Parsed::Received(header) => {
            let session = header.tls.as_ref().map(session).unwrap_or_default();
            let comment = header.client_certificate.as_ref().map(ToString::to_string);
            format!("{session} {}", reduced(&comment.unwrap_or_default()))
        }
    }
}

/// The words of a session that are there, without their values.
fn session(summary: &TlsSummary) -> String {
    let mut out = summary
        .status
        .map(|status| status.to_string())
        .unwrap_or_default();
    let mut say = |label: &str, text: Option<&str>| {
        if let Some(text) = text {
            out.push_str(&format!(" {label} {}", form(text)));
        }
    };
    say(
        "key-exchange",
        summary.key_exchange.as_ref().map(|one| one.text.as_str()),
    );
    say(
        "server-signature",
        summary
            .server_signature
            .as_ref()
            .map(|one| one.text.as_str()),
    );
    say("server-digest", summary.server_digest.as_deref());
    say(
        "client-signature",
        summary
            .client_signature
            .as_ref()
            .map(|one| one.text.as_str()),
    );
    say("client-digest", summary.client_digest.as_deref());
    out
}

/// `RSA-PSS (2048 bits)` → `word (n bits)`; `ECDSA (P-256)` → `word (name)`; `X25519` → `word`.
fn form(text: &str) -> String {
    let Some((_, inner)) = text.split_once(" (") else {
        return "word".to_owned();
    };
    let inner = inner.trim_end_matches(')');
    let (first, rest) = inner.split_once(' ').unwrap_or((inner, ""));
    let first = match first {
        "raw" => "raw",
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => "n",
        _ => "name",
    };
    format!("word ({first} {rest})").replace(" )", ")")
}

/// Numbers become `n`, names of the reserved domain `name`, ciphers and groups stay.
fn reduced(text: &str) -> String {
    let mut out = String::new();
    // The reply of a server that is not Postfix has another kind of id.
    let text = text.split("queued as ").next().unwrap_or(text);
    for word in text.split_inclusive([' ', '[', ']', '(', ')', '=', '/', ',', '"', ':']) {
        let (body, end) = match word.char_indices().next_back() {
            Some((at, c)) if !c.is_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        if body.ends_with(".test") {
            out.push_str("name");
        } else {
            let mut in_number = false;
            for c in body.chars() {
                let digit = c.is_ascii_digit();
                if !digit {
                    out.push(c);
                } else if !in_number {
                    out.push('n');
                }
                in_number = digit;
            }
        }
        out.push_str(end);
    }
    out
}

/// Each value of an enumeration that the line has, under its field's name.
pub(super) fn values(example: &Example) -> Vec<String> {
    let (place, summary) = match &example.parsed {
        Parsed::Log {
            event: LogEvent::Tls(summary),
            ..
        } => ("log", Some(summary)),
        Parsed::Log { .. } => return Vec::new(),
        Parsed::Received(header) => ("received", header.tls.as_ref()),
    };
    let Some(summary) = summary else {
        return Vec::new();
    };
    let signature = summary
        .server_signature
        .as_ref()
        .map(|one| one.text.clone());
    let fields = [
        ("protocol", Some(summary.protocol.to_string())),
        ("cipher", Some(summary.cipher.clone())),
        (
            "key-exchange",
            summary.key_exchange.as_ref().map(|one| one.text.clone()),
        ),
        ("server-signature", signature),
        ("server-digest", summary.server_digest.clone()),
        (
            "client-signature",
            summary
                .client_signature
                .as_ref()
                .map(|one| one.text.clone()),
        ),
        ("client-digest", summary.client_digest.clone()),
    ];
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{place} {name} {}", value?)));
    known.collect()
}
