//! Postfix parameters by name: which there are, since when, and which of them a scenario keeps.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::scenario::SideName;

/// `postconf -d` of Postfix 3.5, 3.7 and 3.10 as Debian has them: name, the version it came with if later than 3.5, and,
/// where it is about TLS, the defaults it has had.
const PARAMETERS: &str = include_str!("parameters.tsv");

/// What is known of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The Postfix it came with, `3.10`; nothing where 3.5 has it.
    pub(super) since: Option<&'static str>,
    /// The values it has without being set, where it is about TLS.
    pub(super) defaults: Vec<&'static str>,
}

static KNOWN: LazyLock<BTreeMap<&'static str, Known>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let mut fields = line.split('\t');
        let name = fields.next()?;
        let since = fields.next().filter(|since| !since.is_empty());
        Some((
            name,
            Known {
                since,
                defaults: fields.collect(),
            },
        ))
    };
    PARAMETERS.lines().filter_map(entry).collect()
});

/// What is known of `name`; nothing if Postfix 3.5 to 3.10 do not have it.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.get(name)
}

/// The words of all defaults.
pub(super) fn default_words() -> impl Iterator<Item = &'static str> {
    let values = KNOWN.values().flat_map(|known| &known.defaults);
    values.flat_map(|value| value.split([' ', ',', ':', '!', '>', '<', '=']))
}

/// `NAME = VALUE`, as in main.cf and in what `postconf` prints. NAME is one of Postfix's, or looks like one.
pub(super) fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let looks = name.contains('_') && name.chars().any(|c| c.is_ascii_lowercase());
    (is_name(name) && (looks || known(name).is_some())).then(|| (name, value.trim()))
}

/// Letters, digits, `_` and `-`, a letter first.
fn is_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// Assignments of Postfix's own parameters within a sentence: `main.cf: a = b, c=d`.
pub(super) fn assignments_in(text: &str) -> Vec<(String, String)> {
    let mut starts: Vec<(usize, usize, &str)> = Vec::new();
    for (at, _) in text.match_indices('=') {
        let before = text[..at].trim_end();
        let from = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(0, |end| {
                end + before[end..].chars().next().map_or(1, char::len_utf8)
            });
        let name = &before[from..];
        if known(name).is_some() && name.contains('_') {
            starts.push((from, at + 1, name));
        }
    }
    let mut out = Vec::new();
    for (index, (_, value, name)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len(), |next| next.0);
        let value = text.get(*value..end).unwrap_or_default();
        let value = value.split(['`', '"']).next().unwrap_or_default();
        let value = value.split(". ").next().unwrap_or_default();
        // A sentence goes on behind the word that is the value.
        let value = value
            .trim()
            .trim_end_matches(['.', ',', ';', ')'])
            .trim_end();
        let value = match value.split_once(char::is_whitespace) {
            Some((first, rest)) if is_sentence(rest) => first.trim_end_matches(','),
            _ => value,
        };
        out.push(((*name).to_owned(), value.to_owned()));
    }
    out
}

fn is_sentence(rest: &str) -> bool {
    let words = [
        "and", "in", "is", "or", "but", "so", "with", "does", "did", "not", "on", "for", "to",
        "then", "which",
    ];
    rest.split_whitespace()
        .any(|word| words.contains(&word.trim_matches(',')))
}

/// What becomes of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is about TLS in this role, and stays.
    Keep,
    /// It only counts where the report is about this.
    Only(Topic),
    /// It says where the mail goes.
    NextHop,
    /// It goes, and why.
    Drop(&'static str),
}

/// What parameters besides those of TLS may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// SMTP AUTH.
    Sasl,
    /// What the server lets a client with a certificate do.
    Access,
    /// DNSSEC for DANE.
    Dnssec,
    /// Sessions that are taken up again.
    Resumption,
}

const OTHER_ROLE: &str = "the other role of this machine";

/// What becomes of `name` on the `side` that is a Postfix of the report.
pub(super) fn use_of(name: &str, side: SideName) -> Use {
    let (own, other) = match side {
        SideName::Client => ("smtp_", ["smtpd_", "postscreen_"]),
        SideName::Server => ("smtpd_", ["smtp_", "lmtp_"]),
    };
    match name {
        "relayhost"
        | "transport_maps"
        | "default_transport"
        | "sender_dependent_relayhost_maps" => {
            return match side {
                SideName::Client => Use::NextHop,
                SideName::Server => Use::Drop("the server relays nothing here"),
            };
        }
        "relay_clientcerts"
        | "smtpd_relay_restrictions"
        | "smtpd_recipient_restrictions"
        | "smtpd_client_restrictions"
        | "smtpd_sender_restrictions"
        | "smtpd_helo_restrictions" => {
            return match side {
                SideName::Client => Use::Drop(OTHER_ROLE),
                SideName::Server => Use::Only(Topic::Access),
            };
        }
        "smtp_dns_support_level" if side == SideName::Client => return Use::Only(Topic::Dnssec),
        "smtp_tls_session_cache_database"
        | "smtp_tls_session_cache_timeout"
        | "smtpd_tls_session_cache_database"
        | "smtpd_tls_session_cache_timeout"
            if name.starts_with(own) =>
        {
            return Use::Only(Topic::Resumption);
        }
        "smtpd_upstream_proxy_protocol"
        | "smtpd_upstream_proxy_timeout"
        | "smtpd_client_new_tls_session_rate_limit"
        | "smtpd_enforce_tls"
        | "smtpd_use_tls"
        | "smtpd_starttls_timeout"
            if side == SideName::Server =>
        {
            return Use::Keep;
        }
        "smtp_enforce_tls" | "smtp_use_tls" | "smtp_starttls_timeout"
            if side == SideName::Client =>
        {
            return Use::Keep;
        }
        _ => {}
    }
    if name.contains("_sasl_") {
        return match name.starts_with(own) {
            true => Use::Only(Topic::Sasl),
            false => Use::Drop(OTHER_ROLE),
        };
    }
    if name.starts_with("tls_random_")
        || name.starts_with("tls_daemon_random")
        || name.starts_with("tlsmgr_")
    {
        return Use::Drop("of the instance, not of a session");
    }
    if name.starts_with("tls_") {
        return Use::Keep;
    }
    let about_tls = name.contains("_tls_") || name.contains("_tlsrpt_") || name.ends_with("_tls");
    if other.iter().any(|start| name.starts_with(start)) && (about_tls || name.starts_with("smtp"))
    {
        return Use::Drop(OTHER_ROLE);
    }
    if about_tls && name.starts_with(own) {
        return Use::Keep;
    }
    match () {
        () if name.contains("milter") => Use::Drop("milters are not part of a scenario"),
        () if name == "content_filter" => Use::Drop("a content filter is not part of a scenario"),
        () if name == "compatibility_level" => Use::Drop("the target's own"),
        () if known(name).is_none() && !about_tls => {
            Use::Drop("no parameter of Postfix 3.5 to 3.10")
        }
        () if about_tls => Use::Drop("of another daemon"),
        () => Use::Drop("not about TLS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_known_by_name() {
        assert_eq!(known("smtp_tlsrpt_enable").unwrap().since, Some("3.10"));
        assert_eq!(
            known("smtpd_tls_protocols").unwrap().defaults,
            ["!SSLv2, !SSLv3", ">=TLSv1"]
        );
        assert_eq!(known("smtp_tls_CAfile").unwrap().defaults, [""]);
        assert_eq!(known("key-exchange"), None);
    }

    #[test]
    fn sentences_hold_assignments() {
        let found = |text| assignments_in(text);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            found(
                "main.cf: smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8642:query, smtp_tls_security_level=dane"
            ),
            [
                pair(
                    "smtp_tls_policy_maps",
                    "socketmap:inet:127.0.0.1:8642:query"
                ),
                pair("smtp_tls_security_level", "dane")
            ]
        );
        assert_eq!(
            found("The only setting here is smtpd_tls_security_level = may."),
            [pair("smtpd_tls_security_level", "may")]
        );
        assert_eq!(
            found("I set `smtp_tls_security_level=encrypt` and it fails"),
            [pair("smtp_tls_security_level", "encrypt")]
        );
        assert_eq!(found("delay=0.1, dsn=4.7.5"), []);
    }

    #[test]
    fn roles_are_kept_apart() {
        use SideName::{Client, Server};
        assert_eq!(use_of("smtpd_tls_security_level", Server), Use::Keep);
        assert_eq!(
            use_of("smtp_tls_security_level", Server),
            Use::Drop(OTHER_ROLE)
        );
        assert_eq!(use_of("smtpd_tls_cert_file", Client), Use::Drop(OTHER_ROLE));
        assert_eq!(use_of("tls_preempt_cipherlist", Server), Use::Keep);
        assert_eq!(use_of("smtpd_use_tls", Server), Use::Keep);
        assert_eq!(use_of("relayhost", Client), Use::NextHop);
        assert!(matches!(use_of("mynetworks", Server), Use::Drop(_)));
    }
}
