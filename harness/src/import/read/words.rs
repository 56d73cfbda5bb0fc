//! Words and shapes of a report that are neither settings nor log.

use super::super::report::{Service, Versions};
use super::super::settings::assignment;
use crate::scenario::SideName;

/// Commands whose output is worth telling from text.
const COMMANDS: [&str; 26] = [
    "cat",
    "checktls",
    "docker",
    "dpkg",
    "egrep",
    "grep",
    "head",
    "journalctl",
    "kubectl",
    "less",
    "ls",
    "openssl",
    "podman",
    "posttls-finger",
    "postconf",
    "postfix",
    "postmap",
    "rpm",
    "sendmail",
    "ss",
    "sudo",
    "swaks",
    "tail",
    "telnet",
    "uname",
    "zgrep",
];

/// The command of a line with a shell's prompt: `root@mail:/# postconf -n`, `$ …`; a command alone counts where it is
/// postconf.
pub(super) fn prompt(text: &str) -> Option<&str> {
    let is_command = |command: &str| {
        let first = command.split_whitespace().next().unwrap_or_default();
        COMMANDS.contains(&first.rsplit('/').next().unwrap_or_default())
    };
    for mark in ["# ", "$ ", "% ", "> "] {
        if let Some((before, command)) = text.split_once(mark)
            && before.len() <= 80
            && (before.is_empty()
                || before.ends_with(|c: char| !c.is_whitespace())
                || before.ends_with(' '))
            && !before.contains(['=', ';'])
            && is_command(command.trim())
        {
            return Some(command.trim());
        }
    }
    let plain = text.trim_end_matches(':');
    (plain.starts_with("postconf -")
        && plain.split_whitespace().count() <= 3
        && assignment(text).is_none()
        || plain.starts_with("postmap -q "))
    .then_some(plain)
}

/// A line of master.cf: the service, and what follows the program's name.
pub(super) fn service(text: &str) -> Option<(Service, String)> {
    let mut fields = text.split_whitespace();
    let name = fields.next()?;
    let kind = fields.next()?;
    if !matches!(kind, "inet" | "unix" | "fifo" | "pass" | "unix-dgram") {
        return None;
    }
    let rest: Vec<&str> = fields.collect();
    let flags = rest.get(..3)?;
    let is_flag = |flag: &&str| matches!(*flag, "-" | "y" | "n");
    if !flags.iter().all(is_flag) {
        return None;
    }
    let daemon = rest.get(5)?;
    let service = Service {
        name: name.to_owned(),
        daemon: (*daemon).to_owned(),
    };
    Some((service, rest.get(6..).unwrap_or_default().join(" ")))
}

/// The overrides in `-o a=b -o { c = d }`.
pub(super) fn overrides(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for piece in text.split("-o").skip(1) {
        let piece = piece.trim();
        let piece = piece
            .strip_prefix('{')
            .map_or(piece, |inner| inner.trim_end().trim_end_matches('}'));
        if let Some((name, value)) = assignment(piece.trim()) {
            let value = value.split(" -").next().unwrap_or_default().trim();
            out.push((name.to_owned(), value.trim_matches('"').to_owned()));
        }
    }
    out
}

/// `submission/inet/smtpd_tls_security_level = encrypt`, as `postconf -P` prints it.
pub(super) fn override_of_postconf(text: &str) -> Option<(Service, String, String)> {
    let (place, setting) = text.split_once('/')?;
    let (kind, setting) = setting.split_once('/')?;
    if !matches!(kind, "inet" | "unix" | "pass") || place.contains(char::is_whitespace) {
        return None;
    }
    let (name, value) = assignment(setting)?;
    let daemon = match kind {
        "inet" | "pass" => "smtpd",
        _ => "smtp",
    };
    let service = Service {
        name: place.to_owned(),
        daemon: daemon.to_owned(),
    };
    Some((service, name.to_owned(), value.to_owned()))
}

/// A line that says whose configuration follows.
pub(super) fn heading(text: &str) -> Option<SideName> {
    let lower = text.to_ascii_lowercase();
    let about = ["postconf", "main.cf", "config"]
        .iter()
        .any(|word| lower.contains(word));
    if !about || text.len() > 80 || text.contains(['=', '/']) || !text.ends_with(':') {
        return None;
    }
    match (lower.contains("server"), lower.contains("client")) {
        (true, false) => Some(SideName::Server),
        (false, true) => Some(SideName::Client),
        _ => None,
    }
}

/// A setting that was tried besides what is reported.
pub(super) fn is_another_try(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = [
        "tried",
        "override",
        "instead",
        "workaround",
        "solution",
        "solved",
        "works with",
        "fixed",
        "if i set",
        "helps",
        "should",
    ];
    words.iter().any(|word| lower.contains(word))
}

/// What other tools told of the same server.
pub(super) fn hint(text: &str) -> bool {
    let starts = [
        "Verify return code",
        "Verification error",
        "verify error",
        "depth=",
        "Server Temp Key",
        "Peer Temp Key",
        "no peer certificate available",
        "Protocol  :",
        "Protocol :",
        "Cipher    :",
        "Cipher :",
        "New, ",
        "Peer signature type",
    ];
    starts.iter().any(|start| text.starts_with(start))
}

/// Versions, wherever they stand.
pub(super) fn versions(text: &str, versions: &mut Versions) {
    let mut find = |needles: &[&str], slot: fn(&mut Versions) -> &mut Option<String>| {
        for needle in needles {
            let lower = text.to_ascii_lowercase();
            let Some(at) = lower.rfind(needle) else {
                continue;
            };
            let rest = text.get(at + needle.len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(['`', ' ', '=', ':', 'v']);
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .unwrap_or(rest.len());
            let number = rest[..end].trim_end_matches('.');
            if number.contains('.') && number.len() <= 12 {
                slot(versions).get_or_insert_with(|| number.to_owned());
            }
        }
    };
    find(
        &["mail_version", "postfix ", "postfix-", "-- version "],
        |it| &mut it.postfix,
    );
    find(&["openssl ", "openssl-"], |it| &mut it.openssl);
}

/// Where a report was published: `owner/repository#1` and addresses of such pages.
pub(super) fn sources(text: &str, sources: &mut Vec<String>) {
    for word in text.split([' ', '(', ')', '<', '>', ',']) {
        let word = word.trim_end_matches(['.', ':', ';']);
        let is_reference = word.split_once('#').is_some_and(|(repository, number)| {
            let parts: Vec<&str> = repository.split('/').collect();
            let is_part = |part: &&str| {
                !part.is_empty()
                    && part
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            };
            parts.len() == 2
                && parts.iter().all(is_part)
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        });
        if is_reference && sources.len() < 5 && !sources.iter().any(|known| known == word) {
            sources.push(word.to_owned());
        }
    }
}

/// The policy that postfix-tlspol prints as JSON: a domain, then a level under "dane" or "mta-sts".
#[derive(Default)]
pub(super) struct PolicyJson {
    domain: Option<String>,
}

impl PolicyJson {
    pub(super) fn line(&mut self, text: &str) -> Option<(String, String)> {
        let (key, value) = text.split_once(':')?;
        let value = value.trim().trim_end_matches(',');
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        match key.trim() {
            "\"domain\"" => {
                self.domain = Some(value.to_owned());
                None
            }
            "\"policy\"" if super::tables::is_level(value) => {
                Some((self.domain.clone()?, value.to_owned()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts() {
        for (text, command) in [
            ("root@mail:/# postconf -n", "postconf -n"),
            (
                "$ docker exec relay postconf -n",
                "docker exec relay postconf -n",
            ),
            ("# cat /etc/postfix/main.cf", "cat /etc/postfix/main.cf"),
            ("[root@mx ~]# postmap -q a hash:/b", "postmap -q a hash:/b"),
            ("postconf -n", "postconf -n"),
        ] {
            assert_eq!(prompt(text), Some(command), "{text}");
        }
        assert_eq!(
            prompt("# Send SNI extension when connecting to other servers."),
            None
        );
    }

    #[test]
    fn lines_of_master() {
        let (service, rest) = service("smtps inet n - y - - smtpd -o a_b=c").unwrap();
        assert_eq!(
            (service.name.as_str(), service.daemon.as_str()),
            ("smtps", "smtpd")
        );
        assert_eq!(overrides(&rest), [("a_b".to_owned(), "c".to_owned())]);
        assert_eq!(
            overrides("-o { smtpd_tls_ciphers = a, b }"),
            [("smtpd_tls_ciphers".to_owned(), "a, b".to_owned())]
        );
    }

    #[test]
    fn versions_of_all_spellings() {
        for (text, postfix, openssl) in [
            ("mail_version = 3.5.23", Some("3.5.23"), None),
            ("postfix-2.6.6-6.el6_7.1.x86_64", Some("2.6.6"), None),
            ("openssl-1.0.1e-48.el6_8.4.x86_64", None, Some("1.0.1")),
            (
                "This is with Postfix 3.7.11-0+deb12u1",
                Some("3.7.11"),
                None,
            ),
            (
                "Debian 12 with OpenSSL `3.0.11 19 Sep 2023`",
                None,
                Some("3.0.11"),
            ),
            ("nothing of postfix here", None, None),
        ] {
            let mut found = Versions::default();
            versions(text, &mut found);
            assert_eq!(
                (found.postfix.as_deref(), found.openssl.as_deref()),
                (postfix, openssl),
                "{text}"
            );
        }
    }
}
