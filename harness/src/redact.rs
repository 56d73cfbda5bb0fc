//! What snapshots leave out, in one place.
//!
//! Redacted, because it differs from run to run: the label of a case in the names it looks up, times and durations, process ids, the name of the machine and the tag of a
//! fleet's service (`postfix/c12`), IP addresses, ports, queue ids, message ids, fingerprints and digests of the run's own keys,
//! serial numbers of a session cache, and the line number (nothing else) of an OpenSSL source file.
//!
//! Never redacted: protocol, cipher, bits, key exchange, group, signature, digest algorithm, status word, server name, certificate
//! names, error text, error codes, reply codes, counts of commands.
//!
//! Also here, because both are about showing untrusted text: [`printable`] makes control characters visible.

use std::fmt::Write as _;
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
/// Stands for a line number.
pub const LINE: &str = "<line>";

/// Redacts one log line, with or without the part before its text.
pub fn log_line(line: &str) -> String {
    match LogLine::parse(line) {
        Some(parsed) => format!(
            "{TIME} {HOST} {}[{PID}]: {}",
            service_name(parsed.name),
            log_text(parsed.text)
        ),
        None => log_text(line),
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

/// `text` with every control character and every character that rearranges or hides text made visible; newlines and tabs
/// stay. For everything that came from a log, a message or a peer and goes to a terminal.
pub fn printable(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            let code = u32::from(c);
            // Writing to a string does not fail.
            let _ = match u8::try_from(code) {
                Ok(byte) => write!(escaped, "\\x{byte:02x}"),
                Err(_) => write!(escaped, "\\u{{{code:x}}}"),
            };
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn is_unsafe(c: char) -> bool {
    let moves_or_hides = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    moves_or_hides || c.is_control() && !matches!(c, '\n' | '\t')
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
    let text = own_names(&own_recipients(text));
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
    } else {
        None
    };
    if let Some(length) = transport {
        return Some((TAG, length));
    }
    let length = word_length(rest);
    let place = before.ends_with("postfix/")
        || before.ends_with("session ") && rest[length..].starts_with('&');
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

#[cfg(test)]
mod tests {
    #[test]
    fn own_recipients_lose_their_case() {
        let line = "for <recipient@eecdh.grade.ultra-12ab34.pfs.test>; recipient@else.where";
        let redacted = "for <recipient@<case>.pfs.test>; recipient@else.where";
        assert_eq!(super::own_recipients(line), redacted);
    }

    #[test]
    fn words_of_pipe_and_of_exim() {
        for (text, redacted) in [
            (
                "728B99BCABE: to=<recipient@exim.client.pfs.test>, relay=exim.client, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, \
                 status=sent (delivered via exim.client service (X=TLS1.2:DHE_CUSTOM1024__RSA_SHA256__AES_256_GCM:256 CV=no))",
                "<queue-id>: to=<recipient@<case>.pfs.test>, relay=<case>, delay=<seconds>, delays=<seconds>, dsn=2.0.0, \
                 status=sent (delivered via <case> service (X=TLS1.2:DHE_CUSTOM1024__RSA_SHA256__AES_256_GCM:256 CV=no))",
            ),
            (
                "728B99BCABE: to=<a@b.test>, relay=none, delay=0.1, delays=0/0/0/0.1, dsn=4.4.1, status=deferred (x)",
                "<queue-id>: to=<a@b.test>, relay=none, delay=<seconds>, delays=<seconds>, dsn=4.4.1, status=deferred (x)",
            ),
            (
                "status=sent (250 OK id=1xV6E5-0000rG-Pf)",
                "status=sent (250 OK id=<queue-id>)",
            ),
            (
                "status=sent (250 OK id=1xV6E6-000000000vV-1lYA)",
                "status=sent (250 OK id=<queue-id>)",
            ),
        ] {
            assert_eq!(log_text(text), redacted);
        }
        assert_eq!(
            header(
                "from x\n\tby mail.example.test (Exim) with esmtps;\n\tSun, 22 Nov 2026 11:58:30 +0000"
            ),
            "from x\n\tby mail.example.test (Exim) with esmtps;\n\t<time>"
        );
    }

    #[test]
    fn names_lose_the_label_of_their_case() {
        for (text, redacted) in [
            (
                "TLSA lookup error for mail.case-0123456789.example.test:10001",
                "TLSA lookup error for mail.example.test:<port>",
            ),
            (
                "name=_10001._tcp.case-0123456789.example.test type=TLSA",
                "name=_<port>._tcp.example.test type=TLSA",
            ),
            ("case-0123.example.test", "case-0123.example.test"),
            ("in case-x or case-", "in case-x or case-"),
        ] {
            assert_eq!(log_text(text), redacted);
        }
    }

    use super::*;

    #[test]
    fn a_whole_line() {
        let line = "Nov 22 08:07:33 mail postfix/c12/smtp[835]: Verified TLS connection established to \
                    mail.example.test[127.20.3.1]:2501: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) \
                    key-exchange x25519 server-signature RSA-PSS (2048 bits) server-digest SHA256";
        assert_eq!(
            log_line(line),
            "<time> <host> postfix/<case>/smtp[<pid>]: Verified TLS connection established to \
             mail.example.test[<address>]:<port>: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) \
             key-exchange x25519 server-signature RSA-PSS (2048 bits) server-digest SHA256"
        );
    }

    #[test]
    fn only_the_line_number_of_an_openssl_source_goes() {
        for (text, redacted) in [
            (
                "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:",
                "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:<line>:",
            ),
            (
                "warning: TLS library problem: error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:918:SSL alert number 70:",
                "warning: TLS library problem: error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:<line>:SSL alert number 70:",
            ),
        ] {
            assert_eq!(log_line(text), redacted);
        }
    }

    #[test]
    fn ids_times_and_ports() {
        for (text, redacted) in [
            (
                "728B99BCABE: to=<t@a.test>, relay=mail.example.test[127.20.3.1]:3000, conn_use=2, delay=0.04, \
                 delays=0.01/0.03/0/0, tls=may:none, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 34F799A2C4E)",
                "<queue-id>: to=<t@a.test>, relay=mail.example.test[<address>]:<port>, conn_use=2, delay=<seconds>, \
                 delays=<seconds>, tls=may:none, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as <queue-id>)",
            ),
            ("3D1vR24dK0z9Xx4: removed", "<queue-id>: removed"),
            (
                "728B99BCABE: message-id=<20261122080733.5CFA79D66EB@mail.example.test>",
                "<queue-id>: message-id=<message-id>",
            ),
            (
                "DBF9F9A2B61: sender non-delivery notification: 435249A2B4E",
                "<queue-id>: sender non-delivery notification: <queue-id>",
            ),
            (
                "HANGUP after 0.41 from [127.0.0.1]:60886 in tests",
                "HANGUP after <seconds> from [<address>]:<port> in tests",
            ),
            (
                "PREGREET 12 after 0.01 from [127.0.0.1]:6: EHLO early",
                "PREGREET 12 after <seconds> from [<address>]:<port>: EHLO early",
            ),
            (
                "TLSA lookup error for dane.example.test:2566",
                "TLSA lookup error for dane.example.test:<port>",
            ),
            (
                "_2566._tcp.dane.example.test unsupported",
                "_<port>._tcp.dane.example.test unsupported",
            ),
            ("connect from a[2001:db8::1]", "connect from a[<address>]"),
            (
                "process /usr/lib/postfix/sbin/smtp pid 812 exit status 1",
                "process /usr/lib/postfix/sbin/smtp pid <pid> exit status 1",
            ),
            (
                "a[192.0.2.1]: Issuing session ticket, key expiration: 1795336568",
                "a[<address>]: Issuing session ticket, key expiration: <seconds>",
            ),
            (
                "looking for session c12&[mail.example.test]:2502&mail.example.test&127.20.2.1&&CBC95C9402C5D1CD3648E6E23196047C4F4255ED15B22199AA002DED4003787B in smtp cache",
                "looking for session <case>&[mail.example.test]:<port>&mail.example.test&<address>&&<hex> in smtp cache",
            ),
            (
                "a[192.0.2.1]:25: raw public key fingerprint=71:65:2E:80:0E:02:EB:22:76:BA:0E:1B:D6:A1:2B:5D",
                "a[<address>]:<port>: raw public key fingerprint=<hex>",
            ),
            (
                "TA cert as TLSA record: /cfg/ca.crt: 2 0 0 30820315308201FDA00302010202143D36AA32...55065BAC3451E9306390",
                "TA cert as TLSA record: /cfg/ca.crt: 2 0 0 <hex>",
            ),
        ] {
            assert_eq!(log_line(text), redacted);
        }
    }

    #[test]
    fn what_must_stay() {
        for text in [
            "Anonymous TLS connection established from unknown[x] to sni.example.test: TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits)",
            "certificate verification failed for mail.example.test[x]: untrusted issuer /CN=Facts Test CA",
            "NOQUEUE: abort: TLS from unknown[x]: No client certificate presented",
            "disconnect from unknown[x] ehlo=1 starttls=0/1 commands=1/2",
            "warning: ignoring unknown ECDHE curve \"X25519MLKEM768\"",
            "unusable TLSA RR: 3 1 1 616263",
            "warning: non-default OpenSSL 3.5.7 parameters at 10:30",
        ] {
            assert_eq!(log_line(text), text);
        }
    }

    #[test]
    fn only_tags_of_a_fleet_are_tags() {
        assert_eq!(service_name("postfix/s3/smtpd"), "postfix/<case>/smtpd");
        for name in [
            "postfix/smtpd",
            "postfix/submission/smtpd",
            "postfix/ps/postscreen",
            "postfix/c-12/smtp",
        ] {
            assert_eq!(service_name(name), name);
        }
    }

    #[test]
    fn headers_keep_their_layout() {
        let text = "Received: from mail.example.test (unknown [127.0.0.1])\n\
                    \t(using TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits))\n\
                    \t(Client RPK sha256 digest F9:B5:52:F1:31:11:98:34:F9:B5:52:F1)\n\
                    \tby mail.example.test (Postfix) with ESMTPS id D7C7C104AF2\n\
                    \tfor <t@box.test>; Sun, 22 Nov 2026 08:07:33 +0000 (UTC)\n";
        let redacted = "Received: from mail.example.test (unknown [<address>])\n\
                    \t(using TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits))\n\
                    \t(Client RPK sha256 digest <hex>)\n\
                    \tby mail.example.test (Postfix) with ESMTPS id <queue-id>\n\
                    \tfor <t@box.test>; <time>\n";
        assert_eq!(header(text), redacted);
    }

    #[test]
    fn redacting_twice_changes_nothing_more() {
        let line = "Nov 22 08:07:33 mail postfix/c12/smtp[835]: 728B99BCABE: to=<t@a.test>, relay=m[127.20.3.1]:3000, delay=0.04, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)";
        let once = log_text(LogLine::parse(line).unwrap().text);
        assert_eq!(log_text(&once), once);
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(printable("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(
            printable("\x1b[31mred\r\x07\x7f\u{9b}"),
            "\\x1b[31mred\\x0d\\x07\\x7f\\x9b"
        );
        assert_eq!(printable("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(printable("Grüße"), "Grüße");
    }
}
