//! What a report about Postfix and TLS needs of a live system, without what is nobody else's business. Pure: `pfs collect`
//! runs the commands.

use std::borrow::Cow;

/// What takes the place of a password.
const INSTEAD: &str = "(secret)";

/// Pieces of lines of a log that are about TLS, as in `collect.sh`.
const WANTED: [&str; 8] = [
    "TLS",
    "SSL_",
    "certificate",
    "TLSA",
    "STARTTLS",
    "wrappermode",
    "SASL",
    "DANE",
];

/// Most lines of a log that are taken, its last ones.
pub const LOG_LINES: usize = 60;

/// Names of settings, or ends of them, whose values are secrets (ldap_table(5), mysql_table(5), pgsql_table(5)).
const SECRET_NAMES: [&str; 7] = [
    "password",
    "passwd",
    "passphrase",
    "bind_pw",
    "_secret",
    "dbpassword",
    "_pass",
];

/// Whether a line of a log is about TLS.
pub fn is_wanted(line: &str) -> bool {
    line.contains("postfix") && WANTED.iter().any(|word| line.contains(word))
}

/// The last lines about TLS of a log; the first line of it may be cut off and is told by nothing.
pub fn log_lines(log: &str) -> Vec<&str> {
    let wanted: Vec<&str> = log.lines().filter(|line| is_wanted(line)).collect();
    let start = wanted.len().saturating_sub(LOG_LINES);
    wanted.into_iter().skip(start).collect()
}

/// `text` without passwords, keys and names of mailboxes; with `addresses`, without addresses, too. Lines stay lines.
pub fn redacted(text: &str, addresses: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_key = false;
    for line in text.lines() {
        let begins = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY");
        if begins || in_key {
            in_key = !line.contains("-----END ");
            if begins {
                out.push_str("(a private key)\n");
            }
            continue;
        }
        let line = of_setting(line);
        let line = of_maps(&line);
        let line = in_urls(&line);
        let line = in_words(&line);
        let line = mailboxes(&line);
        let line = match addresses {
            true => Cow::Owned(without_addresses(&line)),
            false => line,
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The value of a setting whose name says that it is one.
fn of_setting(line: &str) -> Cow<'_, str> {
    let Some((name, value)) = line.split_once('=') else {
        return line.into();
    };
    let word = name
        .trim()
        .rsplit([' ', '/', '{'])
        .next()
        .unwrap_or_default();
    let is_secret = SECRET_NAMES
        .iter()
        .any(|end| word.to_ascii_lowercase().ends_with(end));
    if is_secret && !value.trim().is_empty() {
        return format!("{name}= {INSTEAD}").into();
    }
    line.into()
}

/// A table of passwords within its setting: `static:USER:PASSWORD`, `inline:{ HOST = USER:PASSWORD }`.
fn of_maps(line: &str) -> Cow<'_, str> {
    if line.contains("sasl_password_maps")
        && let Some(at) = line.find("inline:")
    {
        let head = line.get(..at).unwrap_or_default();
        return format!("{head}inline:{{{INSTEAD}}}").into();
    }
    if !line.contains("static:") {
        return line.into();
    }
    replaced(line, "static:", |rest| {
        let end = rest.find([' ', '\t', ',', '}']).unwrap_or(rest.len());
        let (login, after) = rest.split_at(end);
        let (user, _) = login.split_once(':')?;
        Some((format!("{user}:{INSTEAD}"), after))
    })
}

/// `SCHEME://USER:PASSWORD@HOST`.
fn in_urls(line: &str) -> Cow<'_, str> {
    if !line.contains("://") {
        return line.into();
    }
    replaced(line, "://", |rest| {
        let end = rest.find([' ', '\t', '/', ',']).unwrap_or(rest.len());
        let (authority, _) = rest.split_at(end);
        let (login, _) = authority.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        let after = rest.get(login.len()..)?;
        Some((format!("{user}:{INSTEAD}"), after))
    })
}

/// `password=…`, `passwd: …` and the name that somebody logged in with, in the midst of a line.
fn in_words(line: &str) -> Cow<'_, str> {
    let mut line = Cow::Borrowed(line);
    for (word, instead) in [
        ("sasl_username=", "user"),
        ("password=", INSTEAD),
        ("password:", INSTEAD),
        ("passwd=", INSTEAD),
        ("Password:", INSTEAD),
    ] {
        if line.contains(word) {
            let of_word = replaced(&line, word, |rest| {
                let blanks = rest.len() - rest.trim_start().len();
                let (blank, value) = rest.split_at(blanks);
                let end = value.find([' ', '\t', ',', ';']).unwrap_or(value.len());
                let (value, after) = value.split_at(end);
                (!value.is_empty()).then(|| (format!("{blank}{instead}"), after))
            });
            line = Cow::Owned(of_word.into_owned());
        }
    }
    line
}

/// `<LOCAL@DOMAIN>`: the domain stays, since policies are looked up by it.
fn mailboxes(line: &str) -> Cow<'_, str> {
    if !line.contains('@') {
        return line.into();
    }
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.\"".contains(c);
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        let end = before.trim_end_matches(is_local).len();
        let (head, local) = before.split_at(end);
        // `to=<user@host>` and `user=a@b`: the local part begins behind the sign.
        let local_start = local.rfind('=').map_or(0, |place| place + 1);
        let is_domain = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        out.push_str(head);
        if is_domain && local.len() > local_start {
            out.push_str(local.get(..local_start).unwrap_or_default());
            out.push_str("user");
        } else {
            out.push_str(local);
        }
        out.push('@');
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

/// Addresses by one of those that belong to nobody (RFC 5737, RFC 3849); loopback and unspecified ones stay.
fn without_addresses(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let (head, tail) = rest.split_at(start);
        out.push_str(head);
        let end = tail.find(|c: char| !is_part(c)).unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        // A name, a number or a time with letters around it is no address.
        let stands_alone = !head.ends_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_')
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
        out.push_str(&match stands_alone {
            true => address(word),
            false => word.to_owned(),
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn address(word: &str) -> String {
    use std::net::{IpAddr, SocketAddrV4};
    let known = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    let trimmed = word.trim_end_matches([':', '.']);
    let end = word.get(trimmed.len()..).unwrap_or_default();
    if let Ok(socket) = trimmed.parse::<SocketAddrV4>()
        && !known((*socket.ip()).into())
    {
        return format!("192.0.2.1:{}{end}", socket.port());
    }
    // Eight octets in hexadecimal look like an address, too.
    if trimmed.len() > 6 && trimmed.split(':').all(|group| group.len() == 2) {
        return word.to_owned();
    }
    match trimmed.parse::<IpAddr>() {
        Ok(address) if known(address) => word.to_owned(),
        Ok(IpAddr::V4(_)) => format!("192.0.2.1{end}"),
        Ok(IpAddr::V6(_)) => format!("2001:db8::1{end}"),
        Err(_) => word.to_owned(),
    }
}

/// What follows each `mark` put through `with`, which returns what takes the place of its beginning, and what is left.
fn replaced<'a>(
    line: &'a str,
    mark: &str,
    with: impl Fn(&str) -> Option<(String, &str)>,
) -> Cow<'a, str> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(mark) {
        let (head, tail) = rest.split_at(at + mark.len());
        out.push_str(head);
        rest = tail;
        if let Some((instead, after)) = with(rest) {
            out.push_str(&instead);
            rest = rest.get(rest.len() - after.len()..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, expected) in [
            (
                "smtp_sasl_password_maps = static:me:Hunter2, hash:/etc/postfix/sasl",
                "smtp_sasl_password_maps = static:me:(secret), hash:/etc/postfix/sasl",
            ),
            (
                "smtp_sasl_password_maps = inline:{ { [a.example]:587 = me:Hun ter2 } }",
                "smtp_sasl_password_maps = inline:{(secret)}",
            ),
            (
                "relayhost = [mail.example.org]:587",
                "relayhost = [mail.example.org]:587",
            ),
            (
                "virtual_alias_maps = proxy:mysql:/etc/a.cf",
                "virtual_alias_maps = proxy:mysql:/etc/a.cf",
            ),
            (
                "x = socketmap:unix:/a; ldap://cn:Hunter2@ldap.example.org/",
                "x = socketmap:unix:/a; ldap://cn:(secret)@ldap.example.org/",
            ),
            ("ldap_bind_pw = Hunter2 x", "ldap_bind_pw = (secret)"),
            (
                "    -o {ldap_bind_pw=Hunter2 x}",
                "    -o {ldap_bind_pw= (secret)",
            ),
            (
                "mx postfix/smtp[1]: A: to=<jane.doe+x@example.org>, orig_to=<root>, status=sent",
                "mx postfix/smtp[1]: A: to=<user@example.org>, orig_to=<root>, status=sent",
            ),
            (
                "smtpd[1]: A: client=x[192.0.2.7], sasl_method=PLAIN, sasl_username=jane@example.org",
                "smtpd[1]: A: client=x[192.0.2.7], sasl_method=PLAIN, sasl_username=user",
            ),
            (
                "smtpd_tls_mandatory_ciphers = high",
                "smtpd_tls_mandatory_ciphers = high",
            ),
            (
                "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd",
                "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd",
            ),
            (
                "smtpd_tls_key_file = /etc/ssl/private/a.key",
                "smtpd_tls_key_file = /etc/ssl/private/a.key",
            ),
        ] {
            assert_eq!(redacted(text, false).trim_end(), expected);
        }
        let key = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb\n";
        assert_eq!(redacted(key, false), "a\n(a private key)\nb\n");
    }

    #[test]
    fn addresses_go_if_asked_to() {
        for (text, expected) in [
            ("x[203.0.113.9]:25: TLSv1.3", "x[192.0.2.1]:25: TLSv1.3"),
            ("x[2a01:4f8::25]: a", "x[2001:db8::1]: a"),
            (
                "mynetworks = 127.0.0.0/8 [::1]/128 10.1.2.0/24",
                "mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.1/24",
            ),
            (
                "Nov 22 08:00:01 mx postfix/smtp[1]: 4F1B: a",
                "Nov 22 08:00:01 mx postfix/smtp[1]: 4F1B: a",
            ),
            (
                "OpenSSL 3.0.20, Postfix 3.7.11",
                "OpenSSL 3.0.20, Postfix 3.7.11",
            ),
            (
                "fingerprint AB:CD:EF:01:23:45:67:89",
                "fingerprint AB:CD:EF:01:23:45:67:89",
            ),
        ] {
            assert_eq!(redacted(text, true).trim_end(), expected);
        }
    }

    #[test]
    fn of_a_log_the_last_lines_about_tls_are_taken() {
        let line =
            |n: usize| format!("mx postfix/smtp[{n}]: Untrusted TLS connection established\n");
        let log: String = (0..100).map(line).collect();
        let log = format!("{log}mx sshd[1]: TLS\nmx postfix/qmgr[2]: A: removed\n");
        let lines = log_lines(&log);
        assert_eq!(lines.len(), LOG_LINES);
        assert!(lines.last().is_some_and(|last| last.contains("smtp[99]")));
    }
}
