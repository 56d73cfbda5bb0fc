//! Which daemons read a parameter: an `-o` on the line of a daemon that does not read it has no effect, and Postfix
//! says nothing of it.
//!
//! `readers.txt` has the facts, a parameter and its readers on each line. They are from Postfix's source: the
//! `CONFIG_*_TABLE`s of each daemon and of the libraries it is linked with, the variables of `mail_params.c` and
//! `tls_misc.c` by the daemons that use them, and what the defaults of those refer to (`tlsproxy_tls_cert_file =
//! $smtpd_tls_cert_file`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

static TABLE: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("readers.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect()
});

/// A daemon that serves a line of master.cf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Daemon {
    /// postscreen(8)
    Postscreen,
    /// smtp(8)
    Smtp,
    /// smtpd(8)
    Smtpd,
    /// tlsproxy(8) for smtp(8)
    TlsproxyClient,
    /// tlsproxy(8) for postscreen(8)
    TlsproxyServer,
}

impl Daemon {
    fn word(self) -> &'static str {
        match self {
            Self::Postscreen => "postscreen",
            Self::Smtp => "smtp",
            Self::Smtpd => "smtpd",
            Self::TlsproxyClient => "tlsproxy-client",
            Self::TlsproxyServer => "tlsproxy-server",
        }
    }

    /// As a manual page: `smtpd(8)`.
    #[must_use]
    pub fn page(self) -> String {
        page(self.word())
    }
}

fn page(word: &str) -> String {
    let program = word.split('-').next().unwrap_or(word);
    format!(
        "{}(8)",
        if word == "trivial-rewrite" {
            word
        } else {
            program
        }
    )
}

/// Whether one of `daemons` reads a parameter; `None` for one that no Postfix of the table has.
#[must_use]
pub fn is_read(parameter: &str, daemons: &[Daemon]) -> Option<bool> {
    let readers = TABLE.get(parameter)?;
    let reads = |daemon: &Daemon| readers.contains(&daemon.word());
    Some(readers.contains(&"*") || daemons.iter().any(reads))
}

/// The manual pages of all that read it: `lmtp(8)`, `smtp(8)`.
#[must_use]
pub fn pages(parameter: &str) -> Vec<String> {
    let mut pages: Vec<String> = TABLE
        .get(parameter)
        .into_iter()
        .flatten()
        .map(|word| page(word))
        .collect();
    pages.dedup();
    pages
}

/// Every parameter of the table.
pub fn parameters() -> impl Iterator<Item = &'static str> {
    TABLE.keys().copied()
}

/// Settings that an `-o` on a service's line does not reach, since another daemon of the instance (master, tlsmgr,
/// qmgr, cleanup, trivial-rewrite) reads them from main.cf. A trailing `*` stands for any end of the name.
const INSTANCE_WIDE: [&str; 12] = [
    "compatibility_level",
    "default_process_limit",
    "lmtp_tls_session_cache_database",
    "lmtp_tls_session_cache_timeout",
    "maximal_queue_lifetime",
    "smtp_tls_session_cache_database",
    "smtp_tls_session_cache_timeout",
    "smtpd_tls_session_cache_database",
    "smtpd_tls_session_cache_timeout",
    "tls_random_*",
    "tls_required_enable",
    "tlsmgr_*",
];

/// Whether a parameter is one of a whole instance, to be set in its main.cf.
#[must_use]
pub fn is_instance_wide(parameter: &str) -> bool {
    INSTANCE_WIDE
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => parameter.starts_with(start),
            None => *pattern == parameter,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_reads_its_own() {
        let server = [Daemon::Smtpd];
        let client = [Daemon::Smtp];
        for (name, by_server, by_client) in [
            ("smtpd_tls_security_level", true, false),
            ("smtp_tls_security_level", false, true),
            ("lmtp_tls_security_level", false, false),
            ("transport_maps", false, false),
            ("tls_preempt_cipherlist", true, false),
            ("tls_dane_digests", false, true),
            ("tls_medium_cipherlist", true, true),
            ("smtp_tls_session_cache_timeout", false, false),
            ("max_use", true, true),
        ] {
            assert_eq!(is_read(name, &server), Some(by_server), "{name}");
            assert_eq!(is_read(name, &client), Some(by_client), "{name}");
        }
        assert_eq!(is_read("lmtpd_tls_security_level", &server), None);
        assert_eq!(
            is_read("smtpd_tls_ciphers", &[Daemon::TlsproxyServer]),
            Some(true)
        );
        assert_eq!(
            is_read("smtpd_tls_ciphers", &[Daemon::TlsproxyClient]),
            Some(false)
        );
        assert_eq!(pages("lmtp_tls_security_level"), ["lmtp(8)"]);
        assert_eq!(pages("transport_maps"), ["trivial-rewrite(8)"]);
    }

    #[test]
    fn every_line_of_the_table_has_a_reader() {
        assert!(TABLE.len() > 800, "{}", TABLE.len());
        for (name, readers) in TABLE.iter() {
            assert!(!readers.is_empty(), "{name}");
        }
    }
}
