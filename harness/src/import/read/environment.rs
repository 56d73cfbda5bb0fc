//! Variables of a container's environment, where they stand for parameters, and passwords wherever they stand.

use super::super::report::{Place, Report};
use super::super::settings;
use super::Reader;

/// Takes a variable: `KEY=VALUE`, `- KEY=VALUE`, `KEY: value`, `export KEY=VALUE`, `-e KEY=VALUE`.
pub(super) fn variable(text: &str, number: usize, reader: &mut Reader) -> bool {
    let Some((key, value)) = pair(text) else {
        return false;
    };
    if is_secret(key) {
        reader.report.secret(value);
        reader.report.drop(key, "secret");
        return true;
    }
    if let Some(name) = key
        .strip_prefix("POSTFIX_")
        .or_else(|| key.strip_prefix("POSTCONF_"))
        && settings::known(name).is_some()
    {
        let place = Place::Environment(key.to_owned());
        reader.set(name.to_owned(), value.to_owned(), number, place);
        return true;
    }
    let upper = key.to_ascii_uppercase();
    let name = match upper.as_str() {
        "RELAYHOST" | "RELAY_HOST" | "DEFAULT_RELAY_HOST" | "SMTP_SERVER" | "RELAY_HOSTNAME"
        | "SMARTHOST" => "relayhost",
        "OUTBOUND_TLS_LEVEL" | "SMTP_TLS_SECURITY_LEVEL" | "RELAYHOST_TLS_LEVEL" => {
            "smtp_tls_security_level"
        }
        // docker-mailserver's; what `intermediate` allows is not the same in each of its releases.
        "TLS_LEVEL" if value == "modern" => {
            for name in [
                "smtpd_tls_mandatory_protocols",
                "smtpd_tls_protocols",
                "smtp_tls_mandatory_protocols",
                "smtp_tls_protocols",
            ] {
                let place = Place::Environment(key.to_owned());
                let protocols = "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1".to_owned();
                reader.set(name.to_owned(), protocols, number, place);
            }
            return true;
        }
        "TLS_LEVEL" => {
            reader.report.drop(
                key,
                "what the image makes of this level depends on its release",
            );
            return true;
        }
        "RELAY_PORT" | "SMTP_PORT" | "RELAYHOST_PORT" => {
            let last = reader.report.machines.last_mut();
            let host = last.and_then(|machine| {
                machine
                    .settings
                    .iter_mut()
                    .rev()
                    .find(|one| one.name == "relayhost")
            });
            if let Some(host) = host {
                let name = host.value.trim_matches(['[', ']']).to_owned();
                host.value = format!("[{name}]:{value}");
            }
            return true;
        }
        _ if upper == key => {
            reader.report.drop(
                key,
                "a variable of the image that stands for no TLS parameter",
            );
            return true;
        }
        _ => return false,
    };
    reader.set(
        name.to_owned(),
        value.to_owned(),
        number,
        Place::Environment(key.to_owned()),
    );
    true
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches("- ").trim();
    let text = text
        .strip_prefix("-e ")
        .or_else(|| text.strip_prefix("export "))
        .unwrap_or(text);
    let text = text.trim_matches(['"', '\'', '`']);
    let (key, value) = text.split_once('=').or_else(|| text.split_once(": "))?;
    let key = key.trim();
    let is_key = key.len() >= 2
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        && key.starts_with(|c: char| c.is_ascii_uppercase());
    let shouted = key
        .split('_')
        .next()
        .is_some_and(|word| word.len() > 1 && word.chars().all(|c| !c.is_ascii_lowercase()));
    (is_key && shouted).then(|| (key, value.trim().trim_matches(['"', '\''])))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "secret", "token", "api_key", "apikey"]
        .iter()
        .any(|word| key.contains(word))
        || key.ends_with("_pass")
        || key.ends_with("pass") && key.len() > 4
}

/// Notes passwords in addresses (`smtp://user:password@host`), in `static:user:password`, and behind `password:`.
pub(super) fn secrets_in(text: &str, report: &mut Report) {
    for (at, _) in text.match_indices("://") {
        let rest = &text[at + 3..];
        let authority = rest
            .split(['/', ' ', '"', '\'', '`'])
            .next()
            .unwrap_or_default();
        if let Some((login, _)) = authority.rsplit_once('@')
            && let Some((_, password)) = login.split_once(':')
        {
            report.secret(password);
            let before = text[..at].rsplit_once('=').map(|(name, _)| name.trim());
            let name = before
                .and_then(|name| name.rsplit(' ').next())
                .filter(|name| !name.is_empty());
            report.drop(name.unwrap_or("a password in an address"), "secret");
        }
    }
    if let Some((_, login)) = text.split_once("static:")
        && let Some((_, password)) = login.split_once(':')
    {
        report.secret(password);
        report.drop(
            "a password behind static:",
            "secret; replaced by one made up",
        );
    }
    if let Some((before, login)) = text.split_once(char::is_whitespace)
        && before.starts_with('[')
        && before.contains(']')
        && let Some((user, password)) = login.trim().split_once(':')
        && user.contains('@')
    {
        report.secret(password);
        report.drop("a row of passwords", "secret; replaced by one made up");
    }
    let lower = text.to_ascii_lowercase();
    for word in ["password", "passwd"] {
        let Some(at) = lower.find(word) else { continue };
        // Lower case may be longer than what it was made of.
        let Some(rest) = text.get(at + word.len()..) else {
            continue;
        };
        if let Some(value) = rest.trim_start().strip_prefix([':', '=']) {
            let value = value.trim();
            if !value.is_empty()
                && !value.contains(' ')
                && !value.contains(':')
                && !value.starts_with('/')
            {
                report.secret(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn variables_stand_for_parameters_and_passwords_are_kept_nowhere() {
        let report = read(
            b"- RELAYHOST=[smtp.example.net]:587\n- POSTFIX_smtp_tls_wrappermode=yes\n\
              RELAYPASSWORD=hunter22\nURL=smtp://me%40x:s3cr3t@smtp.example.net\nSMTP_PORT: 465\nTZ: Europe/Berlin",
        );
        let settings: Vec<_> = report.machines[0]
            .settings
            .iter()
            .map(|one| (one.name.as_str(), one.value.as_str()))
            .collect();
        assert!(
            settings.contains(&("smtp_tls_wrappermode", "yes")),
            "{settings:?}"
        );
        assert!(
            settings
                .iter()
                .any(|(name, value)| *name == "relayhost" && value.ends_with(":465")),
            "{settings:?}"
        );
        assert_eq!(report.secrets, ["hunter22", "s3cr3t"]);
        assert!(
            report.dropped.iter().any(|one| one.what == "TZ"),
            "{:?}",
            report.dropped
        );
    }
}
