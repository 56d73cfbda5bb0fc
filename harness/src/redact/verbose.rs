//! What only talkative logs have: a peer in `debug_peer_list`, log levels 3 and 4, and a ClientHello read as a command.

use super::{CLIENT_HELLO, COUNT, OCTETS, POINTER, QUEUE_ID, digits, is_word};
use crate::observe::log::is_queue_id;

/// A client that begins with TLS where a command is expected: `improper command pipelining after CONNECT from PEER: \026\003\001…`.
/// Postfix escapes what is not printable in octal; how much of the hello it shows depends on what had arrived.
pub(super) fn client_hello(text: &str) -> Option<String> {
    let (before, octets) = text
        .starts_with("improper command pipelining ")
        .then(|| text.rsplit_once("]: "))??;
    octets
        .starts_with("\\026\\003")
        .then(|| format!("{before}]: {CLIENT_HELLO}"))
}

/// Sorts the mechanisms of a reply to EHLO, `250-AUTH PLAIN LOGIN`: Cyrus SASL has them in the order in which it found its
/// modules in a directory.
pub(super) fn mechanisms(text: &str) -> Option<String> {
    let start = ["250-AUTH ", "250 AUTH ", "250-AUTH=", "250 AUTH="]
        .iter()
        .find_map(|label| Some(text.find(label)? + label.len()))?;
    let rest = &text[start..];
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_ ".contains(c);
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let list = rest[..length].trim_end();
    let mut names: Vec<&str> = list.split(' ').collect();
    names.sort_unstable();
    let after = &text[start + list.len()..];
    Some(format!("{}{}{after}", &text[..start], names.join(" ")))
}

/// A pointer, `0x56329d64c240`. Masks and code points are shorter.
pub(super) fn pointer(rest: &str) -> Option<(&'static str, usize)> {
    let number = rest.strip_prefix("0x")?;
    let length = number
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(number.len());
    let ends = number[length..].chars().next().is_none_or(|c| !is_word(c));
    (length >= 8 && ends).then_some((POINTER, "0x".len() + length))
}

/// What tlsmgr(8) and cleanup(8) answer, `input attribute value: `: seeds and keys of session tickets in base64, queue ids; and
/// the free blocks of the disk.
pub(super) fn answer(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    if before.ends_with("blocks free ") || before.ends_with(" avail ") && before.contains("blocks ")
    {
        let length = digits(rest);
        return (length > 0).then_some((COUNT, length));
    }
    if !before.ends_with("input attribute value: ") {
        return None;
    }
    if is_queue_id(rest) {
        return Some((QUEUE_ID, rest.len()));
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    // 32 octets, those of the seed, are 44 digits.
    (rest.len() >= 44 && rest.len().is_multiple_of(4) && rest.chars().all(is_base64))
        .then_some((OCTETS, rest.len()))
}

#[cfg(test)]
mod tests {
    use super::super::log_text;

    #[test]
    fn what_talkative_logs_have() {
        for (text, redacted) in [
            (
                r"improper command pipelining after CONNECT from unknown[192.0.2.1]: \026\003\001\005\233",
                "improper command pipelining after CONNECT from unknown[<address>]: <ClientHello>",
            ),
            (
                "improper command pipelining after EHLO from unknown[192.0.2.1]: STARTTLS\\r\\n",
                "improper command pipelining after EHLO from unknown[<address>]: STARTTLS\\r\\n",
            ),
            ("watchdog_pat: 0x56329d64c240", "watchdog_pat: <pointer>"),
            (
                "server features: 0x20901f size 10240000",
                "server features: 0x20901f size 10240000",
            ),
            (
                "input attribute value: 9PekgRAZQ3dklGLexLe3TL3UmX8oBzhliLJ8ZxjKf3g=",
                "input attribute value: <octets>",
            ),
            (
                "input attribute value: E38CB83E399",
                "input attribute value: <queue-id>",
            ),
            (
                "input attribute value: internal",
                "input attribute value: internal",
            ),
            (
                "fsspace: .: block size 4096, blocks free 11018285",
                "fsspace: .: block size 4096, blocks free <count>",
            ),
            (
                "smtpd_check_queue: blocks 4096 avail 11018285 min_free 0 msg_size_limit 10240000",
                "smtpd_check_queue: blocks 4096 avail <count> min_free 0 msg_size_limit 10240000",
            ),
            (
                "> unknown[192.0.2.1]: 250-AUTH PLAIN DIGEST-MD5 LOGIN",
                "> unknown[<address>]: 250-AUTH DIGEST-MD5 LOGIN PLAIN",
            ),
            (
                "Read 90 chars: 250-AUTH PLAIN LOGIN?250-SIZE",
                "Read <count> chars: 250-AUTH LOGIN PLAIN?250-SIZE",
            ),
        ] {
            assert_eq!(log_text(text), redacted);
        }
    }
}
