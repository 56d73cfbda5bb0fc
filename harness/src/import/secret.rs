//! Passwords of a report. What is quoted of it is without them; what this program says itself is never touched, nor are the
//! words of Postfix that somebody may have for a password.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::report::{Report, TableKind};
use super::settings::{Use, default_words, use_of};
use crate::scenario::SideName;

const INSTEAD: &str = "(secret)";

/// How much of a line is looked at, in bytes: more than is ever shown.
const LONGEST: usize = 8192;

/// Words that settings are made of, besides their defaults (postconf(5)). That a setting has such a value tells nothing of a
/// password, be it the same.
const KEYWORDS: [&str; 58] = [
    "yes",
    "no",
    "none",
    "may",
    "encrypt",
    "verify",
    "secure",
    "fingerprint",
    "dane",
    "dane-only",
    "half-dane",
    "enabled",
    "disabled",
    "dnssec",
    "auto",
    "high",
    "medium",
    "low",
    "export",
    "null",
    "strong",
    "ultra",
    "nexthop",
    "hostname",
    "dot-nexthop",
    "match",
    "protocols",
    "ciphers",
    "exclude",
    "tafile",
    "servername",
    "connection_reuse",
    "enable_rpk",
    "policy_type",
    "policy_domain",
    "policy_ttl",
    "policy_string",
    "mx_host_pattern",
    "policy_failure",
    "sts",
    "SSLv2",
    "SSLv3",
    "TLSv1",
    "TLSv1.1",
    "TLSv1.2",
    "TLSv1.3",
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "native",
    "plain",
    "login",
    "noplaintext",
    "noanonymous",
    "permit_sasl_authenticated",
];

static VOCABULARY: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| KEYWORDS.into_iter().chain(default_words()).collect());

impl Report {
    /// `text` of the report without its passwords, as words of their own.
    pub fn without_secrets(&self, text: &str) -> String {
        let text = beginning(text);
        let mut here: Vec<&str> = self
            .secrets
            .iter()
            .map(String::as_str)
            .filter(|secret| !secret.is_empty() && text.contains(secret))
            .collect();
        // The longest first: a password may begin like another.
        here.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut out = String::new();
        let mut at = 0;
        while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let found = here.iter().find(|secret| is_word(text, at, secret));
            match found {
                Some(secret) => {
                    out.push_str(INSTEAD);
                    at += secret.len();
                }
                None => {
                    out.push(next);
                    at += next.len_utf8();
                }
            }
        }
        out
    }

    /// A value that has a password in it.
    pub(super) fn tells_secret(&self, value: &str) -> bool {
        self.secrets
            .iter()
            .filter(|secret| !VOCABULARY.contains(secret.as_str()))
            .any(|secret| {
                let mut places = value.match_indices(secret.as_str());
                places.any(|(at, _)| is_word(value, at, secret))
            })
    }

    /// Takes out the settings and rows that would carry a password into a scenario; the table of passwords itself has a
    /// login made up in its place. They are named among what was dropped.
    pub(super) fn withhold(&mut self) {
        const WHY: &str = "secret: its value holds a password of the report";
        let mut names = Vec::new();
        let report = self.clone();
        for machine in &mut self.machines {
            machine.settings.retain(|setting| {
                let name = setting.name.as_str();
                let written = [SideName::Client, SideName::Server]
                    .into_iter()
                    .any(|side| matches!(use_of(name, side), Use::Keep | Use::Only(_)));
                let tells = written
                    && name != "smtp_sasl_password_maps"
                    && report.tells_secret(&setting.value);
                if tells {
                    names.push(setting.name.clone());
                }
                !tells
            });
        }
        for table in &mut self.tables {
            let what = match table.kind {
                TableKind::Policy => "a row of smtp_tls_policy_maps",
                _ => "a row of a table",
            };
            table.rows.retain(|(_, value, _)| {
                let tells = report.tells_secret(value);
                if tells {
                    names.push(what.to_owned());
                }
                !tells
            });
        }
        let sources = std::mem::take(&mut self.sources);
        self.sources = sources
            .into_iter()
            .filter(|source| !report.tells_secret(source))
            .collect();
        for name in names {
            self.drop(name, WHY);
        }
    }
}

/// What `name` of a setting or program was dropped, or `name = value`: the names of Postfix's parameters stay.
pub(super) fn dropped(what: &str, report: &Report) -> String {
    match what.split_once(" = ") {
        Some((name, value)) => format!("{name} = {}", report.without_secrets(value)),
        // This program's own words are several, or a parameter.
        None if what.contains(' ') || super::settings::known(what).is_some() => what.to_owned(),
        None => report.without_secrets(what),
    }
}

/// As much as is looked at, up to a word's end.
fn beginning(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
    let cut = &text[..end.unwrap_or(0)];
    cut.rsplit_once(char::is_whitespace)
        .map_or(cut, |(before, _)| before)
}

/// `secret` stands at `at`, and is no part of a longer word.
fn is_word(text: &str, at: usize, secret: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(secret)) else {
        return false;
    };
    let before = inside(text[..at].chars().next_back()) && inside(secret.chars().next());
    let after = inside(rest.chars().next()) && inside(secret.chars().next_back());
    !before && !after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(secrets: &[&str]) -> Report {
        Report {
            secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
            ..Report::default()
        }
    }

    #[test]
    fn passwords_are_words() {
        for (secrets, text, expected) in [
            (
                &["word"][..],
                "a password, a word",
                "a password, a (secret)",
            ),
            (&["abc", "abc-def"], "abc-def abc", "(secret) (secret)"),
            (&["secret", "x1y"], "x1y secret", "(secret) (secret)"),
            (&["a.*b"], "axxb a.*b", "axxb (secret)"),
            (&["\"]]'''"], "x\"]]'''y", "x(secret)y"),
            (&["hünter"], "ühünter hünter:", "ühünter (secret):"),
            (&["me:"], "me:x", "(secret)x"),
        ] {
            assert_eq!(report(secrets).without_secrets(text), expected, "{text}");
        }
    }

    #[test]
    fn words_of_postfix_tell_nothing() {
        let report = report(&["may", "yes", "TLSv1.2", "HIGH", "hunter22"]);
        assert!(!report.tells_secret("may"));
        assert!(!report.tells_secret("!SSLv3, TLSv1.2"));
        assert!(!report.tells_secret("aNULL:-aNULL:HIGH"));
        assert!(report.tells_secret("may match=hunter22"));
        assert_eq!(dropped("relayhost", &report), "relayhost");
        assert_eq!(dropped("hunter22", &report), "(secret)");
        assert_eq!(dropped("smtp_x = hunter22", &report), "smtp_x = (secret)");
    }
}
