//! What can be left out of a scenario, or put more simply.

use std::fmt;

use toml::{Table, Value};

/// One key that is left out, or an item of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reduction {
    /// The keys that lead to it.
    path: Vec<String>,
    /// The item of the list at `path`, where not all of it is left out.
    item: Option<Value>,
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("."))?;
        match &self.item {
            Some(item) => write!(f, " {item}"),
            None => Ok(()),
        }
    }
}

/// Keys without which it is no scenario, or another one: the claim and what is expected.
const FIXED: [&str; 4] = ["why", "expect", "server", "client"];

/// All that can be left out of `document`, the larger pieces first.
pub(super) fn reductions(document: &Table) -> Vec<Reduction> {
    let mut out = Vec::new();
    for key in document.keys().filter(|key| !FIXED.contains(&key.as_str())) {
        out.push(Reduction {
            path: vec![key.clone()],
            item: None,
        });
    }
    for side in ["server", "client"] {
        let Some(Value::Table(table)) = document.get(side) else {
            continue;
        };
        for (key, value) in table {
            let path = vec![side.to_owned(), key.clone()];
            let is_peer =
                ["postfix", "rustls", "classic", "exim", "command"].contains(&key.as_str());
            if !is_peer {
                out.push(Reduction {
                    path: path.clone(),
                    item: None,
                });
            }
            if let Value::Table(inner) = value {
                for name in inner.keys() {
                    let mut path = path.clone();
                    path.push(name.clone());
                    out.push(Reduction { path, item: None });
                }
            }
        }
    }
    items(document, &mut Vec::new(), &mut out);
    out
}

/// Items of lists of two or more, but for those that are expected.
fn items(table: &Table, path: &mut Vec<String>, out: &mut Vec<Reduction>) {
    for (key, value) in table {
        if path.is_empty() && matches!(key.as_str(), "expect" | "departure" | "matrix" | "spec") {
            continue;
        }
        path.push(key.clone());
        match value {
            Value::Table(inner) => items(inner, path, out),
            Value::Array(list) if list.len() > 1 => {
                let each = list.iter().map(|item| Reduction {
                    path: path.clone(),
                    item: Some(item.clone()),
                });
                out.extend(each);
            }
            _ => {}
        }
        path.pop();
    }
}

/// The document without all of these; a list that would be empty goes.
pub(super) fn apply(document: &Table, reductions: &[Reduction]) -> Table {
    let mut document = document.clone();
    for reduction in reductions {
        let Some((last, parents)) = reduction.path.split_last() else {
            continue;
        };
        let mut place = Some(&mut document);
        for parent in parents {
            place = match place.and_then(|table| table.get_mut(parent)) {
                Some(Value::Table(inner)) => Some(inner),
                _ => None,
            };
        }
        let Some(table) = place else { continue };
        match (&reduction.item, table.get_mut(last)) {
            (Some(item), Some(Value::Array(list))) if list.len() > 1 => {
                list.retain(|known| known != item)
            }
            (None, Some(_)) => {
                table.remove(last);
            }
            _ => {}
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_claim_can_be_left_out() {
        let document: Table = r#"
            why = "a"
            targets = ["postfix >= 3.6", "openssl < 3"]
            server = { postfix = { smtpd_tls_loglevel = "1" }, cert = "rsa2048" }
            client = { rustls = { versions = ["TLSv1.2"] } }
            expect = { tls = true }
        "#
        .parse()
        .unwrap();
        let names: Vec<String> = reductions(&document)
            .iter()
            .map(ToString::to_string)
            .collect();
        for name in [
            "targets",
            "server.cert",
            "server.postfix.smtpd_tls_loglevel",
            "client.rustls.versions",
            "targets \"openssl < 3\"",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
        assert!(
            !names
                .iter()
                .any(|name| name.starts_with("expect") || name == "why"),
            "{names:?}"
        );
        let all = reductions(&document);
        let smallest = apply(&document, &all);
        let left: Table = "why = 'a'\nserver = { postfix = {} }\nclient = { rustls = {} }\nexpect = { tls = true }"
            .parse()
            .unwrap();
        assert_eq!(smallest, left);
    }
}
