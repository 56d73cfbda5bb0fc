//! Mutations that follow from the scenario as data: each thing it says is left out or said
//! differently, one at a time.

use toml::{Table, Value};

use super::Mutation;
use super::values;
use crate::scenario::SideName;

/// The default of a Postfix parameter on the target of a side, where that side is a Postfix.
pub type Defaults<'a> = dyn Fn(SideName, &str) -> Option<String> + 'a;

/// Every mutation of an expanded scenario (no matrix in it). Never empty: where nothing is set,
/// TLS is switched off.
pub fn derive(document: &Table, defaults: &Defaults<'_>) -> Vec<Mutation> {
    let mut all = Vec::new();
    for (name, side) in [("server", SideName::Server), ("client", SideName::Client)] {
        let Some(Value::Table(table)) = document.get(name) else {
            continue;
        };
        for (key, value) in table {
            let path = format!("{name}.{key}");
            match (key.as_str(), value) {
                ("postfix", Value::Table(settings)) => {
                    for (parameter, value) in settings {
                        let default = defaults(side, parameter);
                        all.extend(setting(&path, parameter, value, default.as_deref()));
                    }
                }
                ("rustls" | "classic", Value::Table(options)) => {
                    let versions = values::strings(options.get("versions"));
                    for (option, value) in options {
                        all.extend(option_of(&path, option, value, key, &versions));
                    }
                }
                ("cert", value) => all.extend(certificates(&path, value, side)),
                ("sni", Value::Table(names)) => {
                    for (host, value) in names {
                        let other = match values::strings(Some(value)).first().map(String::as_str) {
                            Some("sni-rsa") => "sni-ecdsa",
                            _ => "sni-rsa",
                        };
                        all.push(changed(format!("{path}.{host}"), text(other)));
                    }
                }
                ("exim", Value::Table(options)) => {
                    let options = options.keys();
                    all.extend(options.map(|option| dropped(format!("{path}.{option}"))));
                }
                // Without it the mail goes to the server's own name.
                ("nexthop", _) => all.push(dropped(path)),
                ("tls", Value::String(begins)) => {
                    let other = match begins.as_str() {
                        "implicit" => "starttls",
                        _ => "implicit",
                    };
                    all.push(changed(path, text(other)));
                }
                ("postscreen", Value::Boolean(on)) => {
                    all.push(changed(path, Value::Boolean(!on)));
                }
                _ => {}
            }
        }
    }
    if document.get("start").and_then(Value::as_str) == Some("as-packaged") {
        all.push(changed("start".to_owned(), text("bare")));
    }
    if let Some(Value::Table(files)) = document.get("files") {
        let said = files
            .iter()
            .filter(|(_, contents)| contents.as_str().is_some_and(|text| !text.is_empty()));
        all.extend(said.map(|(name, _)| changed(format!("files.{name}"), text(""))));
    }
    if let Some(Value::Table(message)) = document.get("message")
        && message.contains_key("count")
        && !document.contains_key("change")
    {
        all.push(dropped("message.count".to_owned()));
    }
    if let Some(Value::Table(change)) = document.get("change")
        && let Some(Value::Boolean(reload)) = change.get("reload")
    {
        all.push(changed("change.reload".to_owned(), Value::Boolean(!reload)));
    }
    if all.is_empty() {
        all.push(without_tls(document));
    }
    all
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn dropped(key: String) -> Mutation {
    Mutation {
        what: format!("{key} left out"),
        edits: vec![(key.clone(), None)],
        key,
        changes: None,
    }
}

fn changed(key: String, value: Value) -> Mutation {
    Mutation {
        what: format!("{key} = {value}"),
        edits: vec![(key.clone(), Some(value))],
        key,
        changes: None,
    }
}

/// A case that sets nothing is about defaults: at least it must notice that there is no TLS.
fn without_tls(document: &Table) -> Mutation {
    let server = document
        .get("server")
        .and_then(|server| server.get("postfix"));
    let key = match server {
        Some(_) => "server.postfix.smtpd_tls_security_level",
        None => "client.postfix.smtp_tls_security_level",
    };
    changed(key.to_owned(), text("none"))
}

/// A main.cf parameter: the default holds instead, or its opposite where it is the default.
fn setting(path: &str, name: &str, value: &Value, default: Option<&str>) -> Vec<Mutation> {
    let mut all: Vec<Mutation> = plain(path, name, value, default).into_iter().collect();
    // To trust nobody and to trust somebody else are two things.
    let written = values::parameter(value);
    if written.contains("ca:root") {
        let other = written.replace("ca:root", "ca:other-root");
        all.push(changed(format!("{path}.{name}"), text(&other)));
    }
    all
}

fn plain(path: &str, name: &str, value: &Value, default: Option<&str>) -> Option<Mutation> {
    let key = format!("{path}.{name}");
    let written = values::parameter(value);
    match name {
        "smtp_tls_security_level" | "smtpd_tls_security_level" => {
            return Some(match written.as_str() {
                "may" | "encrypt" => changed(key, text("none")),
                "none" => changed(key, text("may")),
                _ => dropped(key),
            });
        }
        "smtp_tls_fingerprint_digest" | "smtpd_tls_fingerprint_digest" => {
            let other = if written == "sha1" { "sha256" } else { "sha1" };
            return Some(changed(key, text(other)));
        }
        // What the harness itself sets where a scenario says nothing.
        "smtp_tls_loglevel" | "smtpd_tls_loglevel" if written != "0" => {
            return Some(changed(key, text("0")));
        }
        _ => {}
    }
    if Some(written.as_str()) != default {
        return Some(dropped(key));
    }
    match written.as_str() {
        "yes" => Some(changed(key, text("no"))),
        "no" => Some(changed(key, text("yes"))),
        // The default, said aloud: to leave it out is the same.
        _ => None,
    }
}

/// An option of a peer of ours.
fn option_of(
    path: &str,
    name: &str,
    value: &Value,
    peer: &str,
    versions: &[String],
) -> Option<Mutation> {
    let key = format!("{path}.{name}");
    let list = values::strings(Some(value));
    Some(match (name, value) {
        (_, Value::Boolean(yes)) => changed(key, Value::Boolean(!yes)),
        ("versions", _) => changed(key, values::list(&[values::other_version(&list, peer)?])),
        ("groups" | "ciphers", _) if list.len() > 1 => {
            let reversed: Vec<&str> = list.iter().rev().map(String::as_str).collect();
            changed(key, values::list(&reversed))
        }
        ("groups", _) if list.is_empty() => dropped(key),
        ("groups", _) => changed(key, values::list(&[values::other_group(&list)])),
        ("ciphers", _) => {
            let other = values::other_cipher(list.first()?, versions);
            changed(key, values::list(&[other]))
        }
        ("dh", Value::String(file)) => {
            changed(key, text(if file == "2048" { "3072" } else { "2048" }))
        }
        ("sni", _) => changed(key, text("unheard-of.example.test")),
        _ => dropped(key),
    })
}

/// Another certificate, or one of several left out.
fn certificates(path: &str, value: &Value, side: SideName) -> Vec<Mutation> {
    let names = values::strings(Some(value));
    if let Value::Array(_) = value
        && names.len() > 1
    {
        let without = |left_out: usize| {
            let rest: Vec<&str> = names
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != left_out)
                .map(|(_, name)| name.as_str())
                .collect();
            changed(path.to_owned(), values::list(&rest))
        };
        return (0..names.len()).map(without).collect();
    }
    let other = match (side, names.first().map_or("none", String::as_str)) {
        (SideName::Client, "none") => "client-rsa",
        (SideName::Client, _) => "none",
        (SideName::Server, name) if name.starts_with("rsa") => "ecdsa-p256",
        (SideName::Server, _) => "rsa2048",
    };
    vec![changed(path.to_owned(), text(other))]
}
