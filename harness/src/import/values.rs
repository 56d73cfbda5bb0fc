//! Values as reported into values of a scenario: files into generated ones, tables into their rows, macros expanded.

use std::collections::BTreeMap;

use super::names::Names;
use super::report::{Report, Setting, TableKind};
use super::settings::known;
use crate::scenario::SideName;

/// What becomes of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// As said.
    Same(String),
    /// Something else, and why.
    Other(String, &'static str),
    /// Nothing, and why.
    Gone(String),
}

/// What a value is made with.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    /// The side that is the report's Postfix.
    pub(super) side: SideName,
    /// The certificate of that side.
    pub(super) certificate: String,
    /// A key that is not that certificate's, where the report is about one.
    pub(super) key: String,
    /// Files of certificates stay away: the report is about that.
    pub(super) missing: bool,
    /// They hold nothing of use.
    pub(super) garbage: bool,
    /// Bits of the Diffie-Hellman prime.
    pub(super) prime: &'static str,
    /// The file of CAs stays away.
    pub(super) ca_missing: bool,
    /// The next hop as the case has it.
    pub(super) nexthop: String,
    /// The kind of SNI table: its file is missing.
    pub(super) sni_missing: bool,
    /// Lists of protocols are spelled as every target reads them.
    pub(super) rewrites_protocols: bool,
    /// The peer's certificate is the one that fingerprints name.
    pub(super) fingerprint_matches: bool,
}

/// The name a path has when it must not exist: a target may have the reported one.
fn absent(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
    };
    let (folder, file) = if is_plain(path) && !path.contains("..") {
        (folder, file)
    } else {
        ("/etc/postfix", "file.pem")
    };
    format!("{folder}/no-such-{file}")
}

/// Replaces `$name`, `${name}` and `$(name)` by what the report sets; Postfix's own names that it does not set stay, a
/// name of the reporter's own that is not set is empty (postconf(5)).
pub(super) fn expanded(value: &str, all: &BTreeMap<&str, &Setting>) -> String {
    let mut text = value.to_owned();
    // As deep as anybody nests; a name that holds itself ends here, too.
    for _ in 0..4 {
        let next = once(&text, all);
        if next == text || next.len() > 4096 {
            break;
        }
        text = next;
    }
    text
}

fn once(value: &str, all: &BTreeMap<&str, &Setting>) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        let (before, macro_) = rest.split_at(at);
        out.push_str(before);
        let inner = &macro_[1..];
        let (name, after) = match inner.chars().next() {
            Some(open @ ('{' | '(')) => {
                let close = if open == '{' { '}' } else { ')' };
                match inner[1..].split_once(close) {
                    Some((name, after)) => (name, after),
                    None => (&inner[1..], ""),
                }
            }
            _ => {
                let end = inner
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(inner.len());
                inner.split_at(end)
            }
        };
        match all.get(name) {
            Some(setting) => out.push_str(&setting.value),
            None if known(name).is_some() => out.push_str(&format!("${{{name}}}")),
            None => {}
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What `setting` is in a scenario.
pub(super) fn value_of(
    name: &str,
    value: &str,
    stock: &Stock,
    report: &Report,
    names: &mut Names,
) -> Value {
    let same = || Value::Same(value.to_owned());
    let role = match stock.side {
        SideName::Server => "smtpd_tls_",
        SideName::Client => "smtp_tls_",
    };
    if value.is_empty() {
        return same();
    }
    if let Some(end) = name.strip_prefix(role) {
        match end {
            "cert_file" | "eccert_file" | "dcert_file" | "key_file" | "eckey_file"
            | "dkey_file" | "chain_files" => {
                return certificate(end, value, stock);
            }
            "CAfile" if stock.ca_missing => {
                return Value::Other(absent(value), "a file that is not there");
            }
            "CAfile" | "trust_anchor_file" => {
                return Value::Other("ca:root".to_owned(), "the root of the test PKI");
            }
            "CApath" if stock.side == SideName::Client => {
                return Value::Gone(
                    "smtp_tls_CAfile = ca:root stands in for the directory".to_owned(),
                );
            }
            "CApath" => {
                return Value::Gone(
                    "a directory of the reporter's; clients are not asked for a CA of it"
                        .to_owned(),
                );
            }
            "dh1024_param_file" if value == "auto" => return same(),
            "dh1024_param_file" => {
                return Value::Other(format!("dh:{}", stock.prime), "parameters of the same kind");
            }
            "dh512_param_file" => {
                return Value::Gone("export ciphers are gone from every target".to_owned());
            }
            "policy_maps" => return policy(stock, report, names),
            "fingerprint_cert_match" => {
                let digest = if value.len() > 60 {
                    "sha256"
                } else if value.len() > 50 {
                    "sha1"
                } else {
                    "md5"
                };
                let whose = if stock.fingerprint_matches {
                    "rsa2048"
                } else {
                    "rsa3072"
                };
                return Value::Other(
                    format!("fp-{digest}:{whose}"),
                    "a fingerprint of the test PKI",
                );
            }
            "protocols" | "mandatory_protocols" if stock.rewrites_protocols => {
                if let Some(excluded) = exclusions(value) {
                    return Value::Other(excluded, "as Postfix before 3.6 spells it");
                }
            }
            "per_site" => return Value::Gone("its table is not in the report".to_owned()),
            _ => {}
        }
    }
    match name {
        "smtp_sasl_password_maps" => {
            return Value::Other(
                format!(
                    "inline:{{{{{} = some.user:not-a-password}}}}",
                    stock.nexthop
                ),
                "a login made up",
            );
        }
        "relay_clientcerts" => {
            return Value::Other(
                "inline:{{CERTIFICATE=relay}}".to_owned(),
                "the listed fingerprint is that of client-rsa",
            );
        }
        "tls_server_sni_maps" if stock.sni_missing => {
            return Value::Other(
                "inline:{{sni.example.test=/etc/postfix/pfs/no-such.pem}}".to_owned(),
                "a file that is not there",
            );
        }
        "tls_server_sni_maps" => {
            return Value::Other(
                "inline:{{sni.example.test=chain:sni-rsa}}".to_owned(),
                "one name, of the test PKI",
            );
        }
        "tls_config_file" | "openssl_path" => {
            return Value::Gone("a file that is not in the report".to_owned());
        }
        "smtp_tlsrpt_socket_name" if value.starts_with('/') || value.contains("..") => {
            return Value::Gone("a socket of the reporter's".to_owned());
        }
        "smtp_tls_servername" if !matches!(value, "hostname" | "nexthop") => {
            return Value::Other(names.host(value), "the name in the test network");
        }
        "smtp_tls_secure_cert_match" | "smtp_tls_verify_cert_match" => {
            let mapped: Vec<String> = value
                .split([',', ' ', ':'])
                .filter(|word| !word.is_empty())
                .map(|word| names.pattern(word))
                .collect();
            let mapped = mapped.join(", ");
            return if mapped == value {
                same()
            } else {
                Value::Other(mapped, "the names in the test network")
            };
        }
        _ => {}
    }
    let is_table = value.split([',', ' ']).any(|word| {
        let kind = word.split(':').next().unwrap_or_default();
        word.contains(':')
            && [
                "cdb",
                "hash",
                "btree",
                "lmdb",
                "dbm",
                "texthash",
                "regexp",
                "pcre",
                "cidr",
                "mysql",
                "pgsql",
                "ldap",
                "sqlite",
                "memcache",
                "tcp",
                "socketmap",
                "proxy",
                "static",
                "unix",
                "unionmap",
                "pipemap",
            ]
            .contains(&kind)
    });
    if is_table {
        return Value::Gone("a table that is not in the report".to_owned());
    }
    if value.starts_with('/') {
        return Value::Gone("a file that is not in the report".to_owned());
    }
    same()
}

/// `>=TLSv1.2` in the words of Postfix 3.5: what is below is excluded. Nothing for any other list.
fn exclusions(value: &str) -> Option<String> {
    const ALL: [&str; 6] = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let least = value.trim().strip_prefix(">=")?.trim();
    let place = ALL.iter().position(|one| *one == least)?;
    let excluded: Vec<String> = ALL
        .iter()
        .take(place)
        .map(|one| format!("!{one}"))
        .collect();
    Some(excluded.join(", "))
}

fn certificate(end: &str, value: &str, stock: &Stock) -> Value {
    if value == "none" {
        return Value::Same(value.to_owned());
    }
    // `$smtpd_tls_cert_file`: one file for both.
    if value.starts_with('$') {
        return Value::Same(value.to_owned());
    }
    if stock.garbage {
        return Value::Other(
            "file:empty.pem".to_owned(),
            "a file without anything of use in it",
        );
    }
    if stock.missing {
        return Value::Other(
            absent(value.split([',', ' ']).next().unwrap_or(value)),
            "a path that does not exist here either",
        );
    }
    let word = match end {
        "cert_file" => format!("cert:{}", stock.certificate),
        "key_file" => format!("key:{}", stock.key),
        "eccert_file" => "cert:ecdsa-p256".to_owned(),
        "eckey_file" => "key:ecdsa-p256".to_owned(),
        "chain_files" => format!("chain:{}", stock.certificate),
        _ => return Value::Gone("no target knows DSA certificates".to_owned()),
    };
    Value::Other(word, "of the test PKI")
}

/// `smtp_tls_policy_maps` with the one row that is about the reported session.
fn policy(stock: &Stock, report: &Report, names: &mut Names) -> Value {
    let rows: Vec<_> = report.rows(TableKind::Policy).collect();
    let Some((key, value, _)) = names.row(&rows) else {
        return Value::Gone(
            "its rows are not in the report, or not about this destination".to_owned(),
        );
    };
    let value = names.attributes(value);
    // In the harness' `inline:` a row stands between braces; a value that closes them would end it.
    let depth_ok = balanced(&value);
    if !depth_ok || key.contains(['{', '}']) {
        return Value::Gone("a row that cannot be written within one line".to_owned());
    }
    Value::Other(
        format!("inline:{{{{{} = {}}}}}", stock.nexthop, value),
        "the row about this destination, in the test network's names",
    )
}

/// Every brace that is opened is closed, and none before.
pub(super) fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::report::Place;

    #[test]
    fn macros_are_those_of_the_report() {
        let setting = |name: &str, value: &str| Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            number: 1,
            place: Place::Main,
        };
        let (a, b) = (setting("my_level", "encrypt"), setting("loop", "x$loop"));
        let all = BTreeMap::from([("my_level", &a), ("loop", &b)]);
        for (value, expected) in [
            ("$my_level", "encrypt"),
            ("${my_level}s", "encrypts"),
            ("$nobody_set_this,a", ",a"),
            ("$smtpd_tls_cert_file", "${smtpd_tls_cert_file}"),
            ("a$", "a"),
            ("${open", ""),
        ] {
            assert_eq!(expanded(value, &all), expected, "{value}");
        }
        assert!(expanded("$loop", &all).len() < 100);
        assert!(balanced("a { b } c") && !balanced("} {") && !balanced("{"));
        assert_eq!(
            exclusions(">=TLSv1.2").unwrap(),
            "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
        );
        assert_eq!(exclusions("!SSLv2"), None);
        assert_eq!(
            absent("/etc/ssl/certs/snakeoil.pem"),
            "/etc/ssl/certs/no-such-snakeoil.pem"
        );
    }
}
