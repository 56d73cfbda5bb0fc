//! Rows of lookup tables, told by their shape.

use super::super::report::TableKind;

/// Levels of `smtp_tls_policy_maps` (TLS_README).
const LEVELS: [&str; 9] = [
    "none",
    "may",
    "encrypt",
    "dane",
    "dane-only",
    "half-dane",
    "fingerprint",
    "verify",
    "secure",
];

/// Does the text begin with a level, and go on with nothing but attributes?
pub(super) fn is_level(text: &str) -> bool {
    let text = text.trim();
    let (level, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.split('{').next().unwrap_or_default();
    LEVELS.contains(&level) && rest.split_whitespace().all(|word| word.contains('='))
}

/// Key and value of a row whose kind its shape tells.
pub(super) fn row(text: &str) -> Option<(TableKind, String, String)> {
    let (key, value) = text.split_once(char::is_whitespace)?;
    let value = value.trim();
    let found = |kind| Some((kind, key.to_owned(), value.to_owned()));
    let is_destination =
        key.contains(['.', '[', '*']) && !key.contains('=') && !key.ends_with([':', ',']);
    if is_destination && is_level(value) {
        return found(TableKind::Policy);
    }
    if is_fingerprint(key) {
        return found(TableKind::Fingerprints);
    }
    let is_file = |path: &str| path.starts_with('/') && path.contains("pem");
    let mut files = value
        .split([' ', ','])
        .filter(|path| !path.is_empty())
        .peekable();
    if is_destination && !key.starts_with('/') && files.peek().is_some() && files.all(is_file) {
        return found(TableKind::Sni);
    }
    let is_transport = ["smtp:", "relay:", "lmtp:", "smtps:"]
        .iter()
        .any(|start| value.starts_with(start));
    if is_destination && is_transport && !value.contains(' ') {
        return found(TableKind::Transport);
    }
    None
}

/// `AB:CD:…`, 16 octets of MD5 or more.
fn is_fingerprint(key: &str) -> bool {
    let octets: Vec<&str> = key.split(':').collect();
    octets.len() >= 16
        && octets
            .iter()
            .all(|octet| octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_their_shape() {
        let kind = |text| row(text).map(|(kind, _, _)| kind);
        assert_eq!(
            kind("partner-a.example    secure ciphers=high"),
            Some(TableKind::Policy)
        );
        assert_eq!(
            kind("[mail.example.test]:587 encrypt"),
            Some(TableKind::Policy)
        );
        assert_eq!(
            kind("5D:41:40:2A:BC:4B:2A:76:B9:71:9D:91:10:17:C5:92 client.example.com"),
            Some(TableKind::Fingerprints)
        );
        assert_eq!(
            kind("mail.example.com /etc/ssl/key.pem /etc/ssl/cert.pem"),
            Some(TableKind::Sni)
        );
        assert_eq!(
            kind("example.com smtp:[mail.example.com]:26"),
            Some(TableKind::Transport)
        );
        assert_eq!(kind("This may. be none"), None);
        assert!(is_level(
            "secure match=a { policy_string = version: STSv1 }"
        ));
    }
}
