//! Another value of the same kind, with which the case can still be run.

use toml::Value;

/// The strings of a list, or the one.
pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

pub(super) fn list(names: &[&str]) -> Value {
    Value::Array(
        names
            .iter()
            .map(|name| Value::String((*name).to_owned()))
            .collect(),
    )
}

/// A main.cf value as Postfix would see it.
pub(super) fn parameter(value: &Value) -> String {
    match value {
        Value::Boolean(true) => "yes".to_owned(),
        Value::Boolean(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A version that is not among these; rustls knows two.
pub(super) fn other_version(versions: &[String], peer: &str) -> Option<&'static str> {
    let known: &[&str] = match peer {
        "rustls" => &["TLSv1.2", "TLSv1.3"],
        _ => &["TLSv1.1", "TLSv1.2", "TLSv1"],
    };
    known
        .iter()
        .copied()
        .find(|known| versions.iter().all(|version| version != known))
}

/// A group that every peer knows, other than these.
pub(super) fn other_group(groups: &[String]) -> &'static str {
    if groups.iter().any(|group| group == "P-384") {
        "P-256"
    } else {
        "P-384"
    }
}

/// Another cipher for one of these versions, from another family.
pub(super) fn other_cipher(cipher: &str, versions: &[String]) -> &'static str {
    if cipher.starts_with("TLS_") {
        return if cipher == "TLS_AES_256_GCM_SHA384" {
            "TLS_AES_128_GCM_SHA256"
        } else {
            "TLS_AES_256_GCM_SHA384"
        };
    }
    let newest = versions.is_empty() || versions.iter().any(|one| one == "TLSv1.2");
    let known = if newest {
        ["ECDHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256"]
    } else {
        ["AES128-SHA", "DHE-RSA-AES256-SHA"]
    };
    if cipher == known[0] {
        known[1]
    } else {
        known[0]
    }
}
