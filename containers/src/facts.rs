//! What a target says of itself, asked once and kept beside its image.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Error, Packaged, Result, Target, Version};

/// Answers of a target's own `postconf` and OpenSSL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFacts {
    /// Name of the target.
    pub target: String,
    /// Names the root or image it is made of: another key, another Postfix.
    pub key: String,
    /// Version of Postfix.
    pub postfix: Version,
    /// Version of the OpenSSL its programs are linked with.
    pub openssl: Version,
    /// `mail_version` as Postfix writes it, such as `3.10.13`.
    pub mail_version: String,
    /// The OpenSSL version as it writes it, such as `OpenSSL 1.1.1w  11 Sep 2023`.
    pub openssl_text: String,
    /// Where main.cf is, such as `/etc/postfix`.
    pub config_directory: String,
    /// Where the daemons are, such as `/usr/lib/postfix/sbin`.
    pub daemon_directory: String,
    /// Where the commands are, such as `/usr/sbin`.
    pub command_directory: String,
    /// Directories it writes to: queue and data.
    pub written: Vec<String>,
    /// Programs beside Postfix that some scenarios need: those of the name servers, `openssl`, `exim`.
    pub programs: BTreeSet<String>,
    /// `compatibility_level` of the main.cf the distribution ships.
    pub compatibility_level: String,
    /// Lookup table types (`postconf -m`).
    pub map_types: BTreeSet<String>,
    /// Every parameter and its default (`postconf -d`).
    pub defaults: BTreeMap<String, String>,
    /// Where this Postfix is installed, as far as its own main.cf says so: kept in every fleet's.
    pub install: BTreeMap<String, String>,
    /// What the package ships as its configuration.
    pub packaged: Packaged,
}

/// Parameters that say where a Postfix is and as whom it runs, not how it behaves.
const INSTALL: [&str; 10] = [
    "command_directory",
    "daemon_directory",
    "data_directory",
    "mail_owner",
    "meta_directory",
    "queue_directory",
    "setgid_group",
    "shlib_directory",
    "sendmail_path",
    "default_privs",
];

impl TargetFacts {
    /// Every parameter's name.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.defaults.keys().map(String::as_str)
    }

    /// Whether this Postfix knows a parameter.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        self.defaults.contains_key(name)
    }

    /// Reads what `images/prepare.sh` printed: sections headed by `== NAME`.
    ///
    /// # Errors
    /// [`Error::Facts`] naming what is missing.
    pub fn parse(target: &Target, key: &str, text: &str) -> Result<TargetFacts> {
        let wrong = |why: String| Error::Facts {
            target: target.name().to_owned(),
            why,
        };
        let sections = sections(text);
        let section = |name: &str| sections.get(name).map(Vec::as_slice).unwrap_or_default();
        let defaults: BTreeMap<_, _> = section("defaults")
            .iter()
            .filter_map(|line| setting(line))
            .collect();
        let mail_version = defaults.get("mail_version").cloned().ok_or_else(|| {
            wrong(
                "`postconf -d` does not tell mail_version: is Postfix installed in it?".to_owned(),
            )
        })?;
        let postfix = Version::parse(&mail_version).ok_or_else(|| {
            wrong(format!(
                "mail_version is `{mail_version}`, expected a version"
            ))
        })?;
        if !defaults.contains_key("maillog_file") {
            return Err(wrong(format!(
                "Postfix {mail_version} cannot log to a file of its own: 3.4 or newer can"
            )));
        }
        let openssl_text = section("openssl")
            .first()
            .map(|line| line.trim().to_owned())
            .unwrap_or_default();
        let openssl = openssl_text
            .split_whitespace()
            .find_map(Version::parse)
            .ok_or_else(|| {
                wrong(format!(
                    "its OpenSSL says `{openssl_text}`, expected a version: is it built with TLS?"
                ))
            })?;
        let shipped: BTreeMap<_, _> = section("shipped")
            .iter()
            .filter_map(|line| setting(line))
            .collect();
        let install: BTreeMap<String, String> = INSTALL
            .into_iter()
            .filter_map(|name| shipped.get_key_value(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let directory = |name: &str| {
            install
                .get(name)
                .or_else(|| defaults.get(name))
                .cloned()
                .ok_or_else(|| wrong(format!("`postconf -d` does not tell {name}")))
        };
        let (config_directory, daemon_directory, command_directory, written) = (
            directory("config_directory")?,
            directory("daemon_directory")?,
            directory("command_directory")?,
            vec![directory("queue_directory")?, directory("data_directory")?],
        );
        let words = |name: &str| {
            let lines = section(name).iter();
            lines.map(|line| line.trim().to_owned()).collect()
        };
        Ok(TargetFacts {
            target: target.name().to_owned(),
            key: key.to_owned(),
            postfix,
            openssl,
            mail_version,
            openssl_text,
            config_directory,
            daemon_directory,
            command_directory,
            written,
            programs: words("programs"),
            compatibility_level: shipped
                .get("compatibility_level")
                .cloned()
                .unwrap_or_default(),
            map_types: words("maps"),
            defaults,
            install,
            packaged: Packaged::parse(section("master"), section("overrides"), shipped),
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(parameters: &[&str]) -> TargetFacts {
        TargetFacts {
            target: "debian-13".to_owned(),
            key: String::new(),
            postfix: Version::new(3, 10),
            openssl: Version::new(3, 5),
            mail_version: "3.10.13".to_owned(),
            openssl_text: "OpenSSL 3.5.7".to_owned(),
            config_directory: "/etc/postfix".to_owned(),
            daemon_directory: "/usr/lib/postfix/sbin".to_owned(),
            command_directory: "/usr/sbin".to_owned(),
            written: vec![
                "/var/spool/postfix".to_owned(),
                "/var/lib/postfix".to_owned(),
            ],
            programs: BTreeSet::new(),
            compatibility_level: "3.9".to_owned(),
            map_types: BTreeSet::new(),
            defaults: parameters
                .iter()
                .map(|name| ((*name).to_owned(), String::new()))
                .collect(),
            install: BTreeMap::new(),
            packaged: Packaged::default(),
        }
    }
}

fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        match line.strip_prefix("== ") {
            Some(name) => current = name.trim(),
            None => sections.entry(current).or_default().push(line),
        }
    }
    sections
}

pub(crate) fn setting(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &str = "== defaults\ncommand_directory = /usr/sbin\n\
        config_directory = /etc/postfix\ndaemon_directory = /usr/lib/postfix/sbin\ndata_directory = /var/lib/postfix\n\
        queue_directory = /var/spool/postfix\nmail_version = 3.5.25\nmaillog_file =\n\
        smtpd_banner = $myhostname ESMTP $mail_name\nempty =\n== shipped\ncompatibility_level = 2\nmyhostname = vm\n\
        setgid_group = postdrop\n== master\n\
        smtp inet n - y - - smtpd\n== openssl\nOpenSSL 1.1.1w  11 Sep 2023\n== maps\nbtree\ninline\n== programs\nexim\n";

    #[test]
    fn reads_what_prepare_prints() {
        let facts =
            TargetFacts::parse(&Target::parse("debian-11").unwrap(), "k", CAPTURED).unwrap();
        assert_eq!(facts.postfix.to_string(), "3.5.25");
        assert_eq!(facts.openssl.to_string(), "1.1.1w");
        assert_eq!(facts.compatibility_level, "2");
        assert_eq!(facts.defaults["empty"], "");
        assert_eq!(facts.install.len(), 1);
        assert!(facts.has_parameter("smtpd_banner"));
        assert!(facts.map_types.contains("inline"));
        assert_eq!(facts.packaged.main_cf["myhostname"], "vm");
        assert!(facts.packaged.is_chrooted("smtpd"));
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<TargetFacts>(&json).unwrap(), facts);
    }

    #[test]
    fn says_what_is_missing() {
        let target = Target::parse("mine=image:x").unwrap();
        let error = TargetFacts::parse(&target, "", "").unwrap_err();
        assert!(
            error.to_string().contains("is Postfix installed"),
            "{error}"
        );
        let error =
            TargetFacts::parse(&target, "", "== defaults\nmail_version = 3.3.1\n").unwrap_err();
        assert!(error.to_string().contains("3.4 or newer"), "{error}");
        let error = TargetFacts::parse(
            &target,
            "",
            "== defaults\nmail_version = 3.9.1\nmaillog_file =\n",
        )
        .unwrap_err();
        assert!(error.to_string().contains("built with TLS"), "{error}");
    }
}
