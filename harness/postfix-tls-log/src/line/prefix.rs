//! What stands before the text of a line where it is not plain syslog: containers, journals, collectors, mails and tickets.
//!
//! Nothing is asked of what stands before the program's name but that no other program's name is in it; so a line is found however
//! it was wrapped, and text that a peer wrote into another program's line is not.

use std::borrow::Cow;

use super::LogLine;
use crate::summary::number;

/// Longer prefixes are nobody's.
const LONGEST_PREFIX: usize = 512;

/// Programs of Postfix that log (`master.cf` and the commands); a service may have any name before the slash, the program not.
const PROGRAMS: [&str; 38] = [
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "dnsblog",
    "error",
    "flush",
    "lmtp",
    "local",
    "master",
    "nqmgr",
    "oqmgr",
    "pickup",
    "pipe",
    "postdrop",
    "postfix-script",
    "postkick",
    "postlog",
    "postlogd",
    "postmap",
    "postqueue",
    "postscreen",
    "postsuper",
    "posttls-finger",
    "proxymap",
    "qmgr",
    "qmqpd",
    "retry",
    "scache",
    "sendmail",
    "showq",
    "smtp",
    "smtpd",
    "spawn",
    "tlsmgr",
    "tlsproxy",
    "trivial-rewrite",
    "verify",
];

/// Whether `name` is a program of Postfix.
pub(super) fn is_program(name: &str) -> bool {
    PROGRAMS.contains(&name) || matches!(name, "virtual" | "postconf" | "postfix" | "postalias")
}

/// Finds the program's name and takes the line apart around it.
pub(super) fn wrapped(line: &str) -> Option<LogLine<'_>> {
    let line = line.trim_start_matches('\u{feff}');
    if let Some(found) = rfc5424(line) {
        return Some(found);
    }
    let (start, name, pid, text) = program(line)?;
    let (tag, daemon) = name.rsplit_once('/').unwrap_or(("", name));
    let known = is_program(daemon) && (!tag.is_empty() || daemon.starts_with("post"));
    let (text, known) = match text.strip_prefix("(postfix) ") {
        // macOS names the program, and in parentheses what it belongs to.
        Some(text) => (text, is_program(daemon)),
        None => (text, known),
    };
    let before = line.get(..start)?;
    // The whole line in quotes, as in tables and code.
    let text = match before.trim_start().chars().next() {
        Some(quote @ ('"' | '`' | '\'')) => text.strip_suffix(quote).unwrap_or(text),
        _ => text,
    };
    let (time, host) = before_name(before);
    known.then(|| LogLine {
        time: time.into(),
        host: host.into(),
        tag: if tag.is_empty() && !daemon.starts_with("post") {
            "postfix".into()
        } else {
            tag.into()
        },
        daemon: daemon.into(),
        pid: pid.or_else(|| macos_pid(before)),
        text: Cow::Borrowed(text),
    })
}

/// `[<22>]1 TIME HOST NAME PID MSGID [DATA] TEXT` (RFC 5424).
fn rfc5424(line: &str) -> Option<LogLine<'_>> {
    let rest = match line.strip_prefix('<') {
        Some(rest) => {
            rest.split_once('>')
                .filter(|(pri, _)| number::<u16>(pri).is_some())?
                .1
        }
        None => line,
    };
    let mut fields = rest.strip_prefix("1 ")?.splitn(6, ' ');
    let (time, host, name) = (fields.next()?, fields.next()?, fields.next()?);
    let (pid, _id, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (tag, daemon) = name.rsplit_once('/').unwrap_or(("", name));
    if !is_program(daemon) {
        return None;
    }
    let mut text = match rest.strip_prefix("- ") {
        Some(text) => text,
        None => rest,
    };
    while let Some(data) = text.strip_prefix('[') {
        text = data.split_once(']')?.1;
    }
    Some(LogLine {
        time: time.into(),
        host: host.into(),
        tag: tag.into(),
        daemon: daemon.into(),
        pid: number(pid),
        text: text.trim_start_matches([' ', '\u{feff}']).into(),
    })
}

/// The first program's name in `line`: where it starts, the name, the process id, and the text behind it.
fn program(line: &str) -> Option<(usize, &str, Option<u32>, &str)> {
    let mut from = 0;
    // A name ends in `[PID]:`, `[PID] ` or, without a process id, in `: `.
    while let Some(found) = line.get(from..)?.find(['[', ':']) {
        let at = from + found;
        if at > LONGEST_PREFIX {
            return None;
        }
        let before = line.get(..at)?;
        let start = before
            .rfind(|c: char| c.is_whitespace() || matches!(c, '|' | '>' | '"' | '`' | '*' | '('))
            .map_or(0, |gap| {
                gap + before[gap..].chars().next().map_or(1, char::len_utf8)
            });
        let name = &before[start..];
        // `file.log:postfix/smtp[1]:` of grep.
        let (start, name) = match name.rfind(':') {
            Some(colon) => (start + colon + 1, &name[colon + 1..]),
            None => (start, name),
        };
        let behind = line.get(at..)?;
        if let Some(rest) = behind.strip_prefix('[') {
            if let Some((digits, rest)) = rest.split_once(']')
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && !name.is_empty()
            {
                let (colon, text) = match rest.strip_prefix(": ") {
                    Some(text) => (true, text),
                    None => (
                        false,
                        // Collectors leave the blank out or put a tab there.
                        rest.strip_prefix([' ', ':'])
                            .unwrap_or(rest)
                            .trim_start_matches('\t'),
                    ),
                };
                let ours = name.contains('/') && is_program(name.rsplit('/').next()?);
                if colon || ours && rest.starts_with([' ', ':']) {
                    return Some((start, name, number(digits), solaris(text)));
                }
            }
        } else if let Some(text) = behind.strip_prefix(": ") {
            let daemon = name.rsplit('/').next()?;
            let ours = name.contains('/') && is_program(daemon)
                || name == "posttls-finger"
                || is_program(name) && text.starts_with("(postfix) ");
            if ours {
                return Some((start, name, None, solaris(text)));
            }
        }
        from = at + 1;
    }
    None
}

/// Without `[ID 197553 mail.info] `.
fn solaris(text: &str) -> &str {
    text.strip_prefix("[ID ")
        .and_then(|rest| rest.split_once("] "))
        .map_or(text, |(_, text)| text)
}

/// `… 0x1a2b Info 0x0 123 0 smtp: (postfix)`: activity, process id, seconds to live.
fn macos_pid(before: &str) -> Option<u32> {
    let mut words = before.split_whitespace().rev();
    let (_ttl, pid, activity) = (words.next()?, words.next()?, words.next()?);
    activity.starts_with("0x").then(|| number(pid))?
}

/// Time and host in what stands before the name, as far as they can be told.
fn before_name(before: &str) -> (&str, &str) {
    let Some((start, end)) = time(before) else {
        return ("", "");
    };
    let rest = before.get(end..).unwrap_or_default();
    let host = rest
        .split_whitespace()
        .rfind(|word| !word.starts_with(['<', '{', '|', '[']) && !is_level(word))
        .unwrap_or_default();
    (before.get(start..end).unwrap_or_default(), host)
}

pub(super) fn is_level(word: &str) -> bool {
    matches!(
        word,
        "DEBUG"
            | "INFO"
            | "NOTICE"
            | "WARN"
            | "WARNING"
            | "ERR"
            | "ERROR"
            | "CRIT"
            | "Info"
            | "Default"
            | "Error"
    )
}

/// The last time of day in `text`, with the date before it and the zone behind it.
fn time(text: &str) -> Option<(usize, usize)> {
    const CLOCK: &[u8] = b"00:00:00";
    let bytes = text.as_bytes();
    let at = (0..bytes.len().saturating_sub(CLOCK.len() - 1))
        .rev()
        .find(|at| {
            let fits = bytes[*at..]
                .iter()
                .zip(CLOCK)
                .all(|(byte, pattern)| match pattern {
                    b'0' => byte.is_ascii_digit(),
                    other => byte == other,
                });
            fits && (*at == 0 || !bytes[at - 1].is_ascii_digit() && bytes[at - 1] != b':')
        })?;
    let end = bytes[at..]
        .iter()
        .position(|byte| !(byte.is_ascii_digit() || b":.,+-Z".contains(byte)))
        .map_or(bytes.len(), |length| at + length);
    let date = text.get(..at)?.trim_end_matches([' ', 'T']);
    let word = |text: &str| text.rfind(char::is_whitespace).map_or(0, |gap| gap + 1);
    let mut start = word(date);
    let last = date.get(start..)?;
    // `Nov 25`: the month is one word more.
    if !last.is_empty() && last.len() <= 2 && last.bytes().all(|byte| byte.is_ascii_digit()) {
        start = word(date.get(..start)?.trim_end());
    }
    // `file:Nov 25`, `1234:Nov 25`.
    if let Some(colon) = text.get(start..at)?.rfind(':') {
        start += colon + 1;
    }
    Some((start, end))
}
