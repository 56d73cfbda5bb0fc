//! What snapshots leave out, in one place.
//!
//! Redacted, because it differs from run to run: the label of a case in the names it looks up, times and durations,
//! process ids, the name of the machine and the tag of a fleet's service (`postfix/c12`), IP addresses, ports, queue ids,
//! message ids, fingerprints and digests of the run's own keys, serial numbers of a session cache, the octets that a mail
//! has, and the line number (nothing else) of an OpenSSL source file; dumps of what was read and written (log levels 3 and 4);
//! pointers, random octets and the order of SASL mechanisms where logs are talkative (`redact/verbose.rs`).
//!
//! Never redacted: protocol, cipher, bits, key exchange, group, signature, digest algorithm, status word, server name, certificate
//! names, error text, error codes, reply codes, counts of commands.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::observe::LogLine;
use crate::observe::log::is_queue_id;
use crate::plan::{LABEL, LABEL_DIGITS};

/// Stands for an IP address.
pub const ADDRESS: &str = "<address>";
/// Stands for a date or a time of day.
pub const TIME: &str = "<time>";
/// Stands for a number of seconds, or several with slashes between them.
pub const SECONDS: &str = "<seconds>";
/// Stands for a port.
pub const PORT: &str = "<port>";
/// Stands for a process id.
pub const PID: &str = "<pid>";
/// Stands for a queue id.
pub const QUEUE_ID: &str = "<queue-id>";
/// Stands for a message id and its angle brackets.
pub const MESSAGE_ID: &str = "<message-id>";
/// Stands for the machine's name.
pub const HOST: &str = "<host>";
/// Stands for the tag of a fleet's service.
pub const TAG: &str = "<case>";
/// Stands for the digest of a certificate, a key or a set of parameters.
pub const DIGEST: &str = "<hex>";
/// Stands for how many octets a mail has.
pub const COUNT: &str = "<count>";
/// Stands for the octets of a ClientHello that smtpd(8) has read as a command.
pub const CLIENT_HELLO: &str = "<ClientHello>";
/// Stands for an address in memory.
pub const POINTER: &str = "<pointer>";
/// Stands for octets made at random.
pub const OCTETS: &str = "<octets>";
/// Stands for lines on end about what OpenSSL read and wrote: pointers, lengths and dumps of octets.
pub const DUMP: &str =
    "read from <pointer> [<pointer>] (<count> bytes => <count>), write to <pointer>, dumps";
/// Stands for a line number.
pub const LINE: &str = "<line>";

/// Redacts one log line, with or without the part before its text.
pub fn log_line(line: &str) -> String {
    match LogLine::parse(line) {
        Some(parsed) if parsed.pid.is_some() => format!(
            "{TIME} {HOST} {}[{PID}]: {}",
            service_name(&parsed.name()),
            log_text(&parsed.text)
        ),
        _ => log_text(line),
    }
}

/// Redacts the text of a log line, what follows `daemon[pid]: `.
pub fn log_text(text: &str) -> String {
    let (id, rest) = match text.split_once(": ") {
        Some((id, rest)) if is_queue_id(id) => (QUEUE_ID, Some(rest)),
        _ => (text, None),
    };
    match rest {
        Some(rest) => format!("{id}: {}", inline(rest)),
        None => inline(text),
    }
}

/// Redacts a `Received:` header, folded or not, and leaves its layout alone.
pub fn header(text: &str) -> String {
    let (head, date) = match text.rsplit_once(';') {
        Some((head, date)) if date.bytes().filter(|byte| *byte == b':').count() == 2 => {
            (head, Some(date))
        }
        _ => (text, None),
    };
    let mut redacted = inline(head);
    if let Some(date) = date {
        let end = &date[date.trim_end().len()..];
        redacted.push(';');
        redacted.push_str(&date[..date.len() - date.trim_start().len()]);
        redacted.push_str(TIME);
        redacted.push_str(end);
    }
    redacted
}

/// `postfix/c12/smtp` loses its tag, `postfix/submission/smtpd` does not: tags are one letter and a number.
fn service_name(name: &str) -> String {
    let parts: Vec<&str> = name
        .split('/')
        .map(|part| if is_tag(part) { TAG } else { part })
        .collect();
    parts.join("/")
}

fn is_tag(part: &str) -> bool {
    let digits = part
        .strip_prefix(|c: char| c.is_ascii_lowercase())
        .unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The redactions that need no more context than the words before them.
/// The recipients of the harness's own mails carry the tag of their case: `recipient@TAG.pfs.test`.
fn own_recipients(text: &str) -> String {
    const START: &str = "recipient@";
    const END: &str = ".pfs.test";
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(START) {
        redacted.push_str(before);
        redacted.push_str(START);
        let tag = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-')
            .unwrap_or(after.len());
        rest = match after[..tag].strip_suffix(END) {
            Some(_) => {
                redacted.push_str(TAG);
                redacted.push_str(END);
                &after[tag..]
            }
            None => after,
        };
    }
    redacted.push_str(rest);
    redacted
}

/// Names in the zones of a case have a label of its own (`plan/dns.rs`), which goes with its dot.
pub fn own_names(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(LABEL) {
        redacted.push_str(before);
        let label = after
            .split_once('.')
            .filter(|(digits, _)| digits.len() == LABEL_DIGITS)
            .filter(|(digits, _)| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        rest = match label {
            Some((_, domain)) => domain,
            None => {
                redacted.push_str(LABEL);
                after
            }
        };
    }
    redacted.push_str(rest);
    redacted
}

fn inline(text: &str) -> String {
    let text = verbose::client_hello(text).unwrap_or_else(|| text.to_owned());
    let text = verbose::mechanisms(&text).unwrap_or(text);
    let text = own_names(&own_recipients(&text));
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let boundary = redacted
            .chars()
            .next_back()
            .is_none_or(|last| !is_word(last));
        let replaced = boundary.then(|| replacement(&redacted, rest)).flatten();
        match replaced {
            Some((placeholder, length)) => {
                redacted.push_str(placeholder);
                rest = &rest[length..];
            }
            None => {
                // A word is taken or left as a whole.
                let length = if is_word(first) {
                    word_length(rest)
                } else {
                    first.len_utf8()
                };
                let (taken, left) = rest.split_at(length);
                redacted.push_str(taken);
                rest = left;
            }
        }
    }
    redacted
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !is_word(c)).unwrap_or(text.len())
}

/// What stands for the start of `rest`, and the bytes it replaces; `before` is what the redacted text already holds.
fn replacement(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    digest(rest)
        .or_else(|| address(before, rest))
        .or_else(|| port(before, rest))
        .or_else(|| time(before, rest))
        .or_else(|| id(before, rest))
        .or_else(|| source_line(before, rest))
        .or_else(|| tag(before, rest))
        .or_else(|| count(before, rest))
        .or_else(|| verbose::pointer(rest))
        .or_else(|| verbose::answer(before, rest))
}

/// The octets of a mail, whose header has an address: `Read 437 chars: `, `Write 437 chars: ` (log level 4), `SIZE=434`.
fn count(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    let digits = digits(rest);
    let logged =
        (before == "Read " || before == "Write ") && rest[digits..].starts_with(" chars: ");
    (digits > 0 && (logged || before.ends_with(" SIZE="))).then_some((COUNT, digits))
}

/// Hexadecimal pairs with colons, eight or more, or at least 32 hexadecimal digits on end; with `...` in between, as Postfix cuts
/// long TLSA data. Shorter ones, such as an error code, stay.
fn digest(rest: &str) -> Option<(&'static str, usize)> {
    let length = rest
        .find(|c: char| !c.is_ascii_hexdigit() && c != ':')
        .unwrap_or(rest.len());
    let run = rest[..length].trim_end_matches(':');
    let pairs = run.split(':').all(|pair| pair.len() == 2) && run.len() >= "00:".len() * 8 - 1;
    if pairs {
        return Some((DIGEST, run.len()));
    }
    let digits = rest
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(rest.len());
    let tail = rest[digits..].strip_prefix("...").map(|tail| {
        let more = tail
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(tail.len());
        "...".len() + more
    });
    let whole = digits + tail.unwrap_or_default();
    let ends = rest[whole..]
        .chars()
        .next()
        .is_none_or(|next| !is_word(next));
    (digits >= 32 && ends).then_some((DIGEST, whole))
}

fn address(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    let length = rest
        .find(|c: char| !c.is_ascii_hexdigit() && !matches!(c, ':' | '.'))
        .unwrap_or(rest.len());
    let bracketed = before.ends_with(['[', '/', '&']) || before.ends_with("[IPv6:");
    if bracketed && rest[..length].contains(':') && rest[..length].parse::<Ipv6Addr>().is_ok() {
        return Some((ADDRESS, length));
    }
    let length = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let run = rest[..length].trim_end_matches('.');
    run.parse::<Ipv4Addr>()
        .is_ok()
        .then_some((ADDRESS, run.len()))
}

/// A number after `]:` or after an address, or the label of a TLSA name: `_2566._tcp`.
fn port(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    if let Some(label) = rest.strip_prefix('_') {
        let digits = digits(label);
        return (digits > 0 && label[digits..].starts_with("._tcp"))
            .then_some((concat!("_", "<port>"), digits + 1));
    }
    let after_host = before.ends_with("]:") || before.ends_with(&format!("{ADDRESS}:"));
    let tlsa = before.strip_suffix(':').is_some_and(|host| {
        // `TLSA lookup error for HOST:PORT`.
        let start = host.rfind(' ').map_or(0, |space| space + 1);
        host[..start].ends_with("lookup error for ")
    });
    let length = digits(rest);
    (length > 0 && length <= 5 && (after_host || tlsa)).then_some((PORT, length))
}

fn time(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    let decimal = rest
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '/'))
        .unwrap_or(rest.len());
    let seconds = ["delay=", "delays=", "HANGUP after ", "key expiration: "]
        .iter()
        .any(|label| before.ends_with(label));
    if seconds && decimal > 0 {
        return Some((SECONDS, decimal));
    }
    // `PREGREET 12 after 0.01 from`: the first number counts bytes.
    let pregreet = before.ends_with(" after ") && before.starts_with("PREGREET ");
    if pregreet && decimal > 0 {
        return Some((SECONDS, decimal));
    }
    let clock = rest.as_bytes().get(..8)?;
    let fits = clock.iter().enumerate().all(|(index, byte)| match index {
        2 | 5 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    fits.then_some((TIME, clock.len()))
}

fn id(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    if ends_with_label(before, "message-id=") || ends_with_label(before, "message-id: ") {
        let length = rest.strip_prefix('<')?.find('>')?;
        return Some((MESSAGE_ID, length + "<>".len()));
    }
    if before.ends_with(" pid ") || before.ends_with("pid=") {
        let length = digits(rest);
        return (length > 0).then_some((PID, length));
    }
    if before.ends_with(" id=") {
        return exim_id(rest).map(|length| (QUEUE_ID, length));
    }
    let length = word_length(rest);
    let word = &rest[..length];
    let context = ["queued as ", " id ", "\tid ", "notification: "]
        .iter()
        .any(|label| before.ends_with(label));
    (context && is_queue_id(word)).then_some((QUEUE_ID, length))
}

/// The length of an Exim message id, `1xV6E5-0000rG-Pf`, or since Exim 4.97 `1xV6E6-000000000vV-1lYA`.
fn exim_id(rest: &str) -> Option<usize> {
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(rest.len());
    let parts: Vec<usize> = rest[..length].split('-').map(str::len).collect();
    matches!(parts[..], [6, 6, 2] | [6, 11, 4]).then_some(length)
}

/// The number in `../ssl/statem/statem_srvr.c:2361:`.
fn source_line(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    let length = digits(rest);
    let place = before.ends_with(".c:") || before.ends_with(".h:") || before.ends_with(".inc:");
    (place && length > 0 && rest[length..].starts_with(':')).then_some((LINE, length))
}

/// The tag of a service within a text: `postfix/c12`, and the key of a session cache, `session c12&[…`; where pipe(8)
/// names its transport, `relay=TAG,` and `delivered via TAG service`, all of it.
fn tag(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    let end = |stop: &str| {
        rest.find(stop)
            .filter(|end| !rest[..*end].contains(['[', ' ']))
    };
    let transport = if before.ends_with("delivered via ") {
        end(" service")
    } else if before.ends_with(", relay=") && !rest.starts_with("none,") {
        end(",")
    } else if before.ends_with("session ") {
        // The key of a session cache begins with the service.
        end("&[")
    } else {
        None
    };
    if let Some(length) = transport {
        return Some((TAG, length));
    }
    let length = word_length(rest);
    let place = before.ends_with("postfix/");
    (place && is_tag(&rest[..length])).then_some((TAG, length))
}

/// Whether `text` ends with `label`, whatever the case.
fn ends_with_label(text: &str, label: &str) -> bool {
    let start = text.len().checked_sub(label.len());
    start
        .and_then(|start| text.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(label))
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len())
}

mod verbose;

#[cfg(test)]
mod tests;
