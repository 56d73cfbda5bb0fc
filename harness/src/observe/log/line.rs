//! The part of a log line before its text.

use crate::observe::summary::number;

/// A log line taken apart, as postlogd (`maillog_file`) and syslog daemons write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The time as printed: `Nov 22 08:00:00`, or one word of RFC 3339.
    pub time: &'a str,
    /// The machine's name.
    pub host: &'a str,
    /// The `syslog_name` and the daemon: `postfix/smtpd`, `postfix/c12/smtp`.
    pub name: &'a str,
    /// The process.
    pub pid: u32,
    /// The rest, as [`LogEvent::parse`](super::LogEvent::parse) takes it.
    pub text: &'a str,
}

impl<'a> LogLine<'a> {
    /// Takes `line` apart; `None` if it is not `TIME HOST NAME[PID]: TEXT`.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_end_matches(['\r', '\n']);
        let end_of_time = if line.starts_with(|first: char| first.is_ascii_digit()) {
            line.find(' ')?
        } else {
            time_length(line)?
        };
        let (time, rest) = line.split_at_checked(end_of_time)?;
        let (host, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
        let (name, rest) = rest.split_once('[')?;
        let (pid, text) = rest.split_once("]: ")?;
        let sound = !host.is_empty() && !name.is_empty() && !name.contains(char::is_whitespace);
        sound.then_some(Self {
            time,
            host,
            name,
            pid: number(pid)?,
            text,
        })
    }

    /// The last part of the name: `smtpd`.
    pub fn daemon(&self) -> &'a str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// The part of the name between the first and the daemon: `c12` of `postfix/c12/smtp`.
    pub fn tag(&self) -> Option<&'a str> {
        let (_, rest) = self.name.split_once('/')?;
        rest.rsplit_once('/').map(|(tag, _)| tag)
    }
}

/// The length of `Mmm dd hh:mm:ss` at the start of `line`; the day is padded with a space.
pub(in crate::observe) fn time_length(line: &str) -> Option<usize> {
    const PATTERN: &[u8] = b"Aaa _0 00:00:00";
    let head = line.as_bytes().get(..PATTERN.len())?;
    let fits = head
        .iter()
        .zip(PATTERN)
        .all(|(byte, pattern)| match pattern {
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'0' => byte.is_ascii_digit(),
            b'_' => byte.is_ascii_digit() || *byte == b' ',
            other => byte == other,
        });
    fits.then_some(PATTERN.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_of_time() {
        let line =
            LogLine::parse("Nov  2 08:07:33 mail postfix/c12/smtp[835]: connect: to x").unwrap();
        assert_eq!(
            line,
            LogLine {
                time: "Nov  2 08:07:33",
                host: "mail",
                name: "postfix/c12/smtp",
                pid: 835,
                text: "connect: to x"
            }
        );
        assert_eq!(line.daemon(), "smtp");
        assert_eq!(line.tag(), Some("c12"));

        let line =
            LogLine::parse("2026-11-22T08:07:33.123456+00:00 mail postfix/smtpd[1]: x\n").unwrap();
        assert_eq!(
            (line.host, line.daemon(), line.tag(), line.text),
            ("mail", "smtpd", None, "x")
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "",
            "Nov",
            "Nov 22 08:07:33",
            "Nov 22 08:07:33 mail postfix/smtpd: x",
            "é",
            "2026",
        ] {
            assert_eq!(LogLine::parse(line), None, "{line}");
        }
    }
}
