//! Fixed values for what was redacted: addresses of RFC 5737, one time, one queue id.

use crate::redact;

/// Before the text of each log line: time, host, daemon, process id.
pub(super) fn prefix(daemon: &str) -> String {
    format!("Nov 22 08:00:00 mail postfix/{daemon}[1234]: ")
}

/// Redacted text with a value in each place.
pub(super) fn fill(redacted: &str) -> String {
    let mut text = redacted.to_owned();
    // Those that stand for several forms, told by the words before them, come first.
    for (from, to) in [
        ("delays=<seconds>", "delays=0.01/0.02/0.05/0.02"),
        ("key expiration: <seconds>", "key expiration: 1795334400"),
        (
            "fingerprint=<hex>",
            concat!(
                "fingerprint=",
                "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89"
            ),
        ),
        (
            "digest <hex>",
            concat!("digest ", "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89"),
        ),
        ("; <time>", "; Sun, 22 Nov 2026 08:00:00 +0000 (UTC)"),
        (redact::ADDRESS, "192.0.2.1"),
        (redact::PORT, "25"),
        (redact::QUEUE_ID, "5A1B2C3D4E"),
        (redact::SECONDS, "0.1"),
        (redact::TIME, "08:00:00"),
        (redact::PID, "1234"),
        (
            redact::MESSAGE_ID,
            "<20261122080000.5A1B2C3D4E@mail.example.test>",
        ),
        (redact::TAG, "case"),
        (redact::HOST, "mail"),
        (
            redact::DIGEST,
            "ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789",
        ),
        (redact::LINE, "1000"),
    ] {
        text = text.replace(from, to);
    }
    cache_key(text)
}

/// The key of a session cache starts with the name of the service, here a case's.
fn cache_key(text: String) -> String {
    for label in [
        "looking for session ",
        "save session ",
        "reloaded session ",
        "remove session ",
    ] {
        if let Some((before, key)) = text.split_once(label)
            && let Some((_, rest)) = key.split_once('&')
        {
            return format!("{before}{label}smtp&{rest}");
        }
    }
    text
}
