//! The part of a log line before its text.

mod json;
mod prefix;

use std::borrow::Cow;
use std::fmt;

use crate::summary::number;

/// A log line taken apart, as postlogd (`maillog_file`), syslog daemons and containers' logs write it.
///
/// Its text is untrusted: peers decide on part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The time as printed: `Nov 22 08:00:00`, or one word of RFC 3339; empty where there is none.
    pub time: Cow<'a, str>,
    /// The machine's name; empty where there is none.
    pub host: Cow<'a, str>,
    /// `syslog_name`, such as `postfix` or `postfix/submission`; empty if the line has none.
    pub tag: Cow<'a, str>,
    /// The program, such as `smtpd`; empty if the line is not Postfix's.
    pub daemon: Cow<'a, str>,
    /// Its process id.
    pub pid: Option<u32>,
    /// The rest, as [`LogEvent::parse`](crate::LogEvent::parse) takes it.
    pub text: Cow<'a, str>,
}

impl<'a> LogLine<'a> {
    /// Takes `line` apart, however it was wrapped: syslog of any form, RFC 5424, journald's and Docker's JSON, containers' and
    /// collectors' prefixes, quoted in a mail or a ticket; also the lines that Postfix prints before logging is set up
    /// (`postfix/master: fatal: …`). `None` if no program of Postfix is named as the line's author.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_end_matches(['\r', '\n']);
        match dated(line) {
            Shape::Postfix(found) => return Some(found),
            Shape::Other => return None,
            Shape::Unknown => {}
        }
        if line.contains('\u{1b}') {
            return LogLine::parse_plain(&without_colours(line)).map(LogLine::into_owned);
        }
        if line.trim_start().starts_with('{') {
            return json::parse(line.trim_start());
        }
        Self::parse_plain(line).or_else(|| {
            // Time and tag, then an object: fluentd and its kin.
            let object = line.trim_end().ends_with('}').then(|| line.find("{\""))?;
            json::parse(line.get(object?..)?)
        })
    }

    /// One that is not JSON and has no colours.
    fn parse_plain(line: &'a str) -> Option<Self> {
        match dated(line) {
            Shape::Postfix(found) => return Some(found),
            Shape::Other => return None,
            Shape::Unknown => {}
        }
        undated(line).or_else(|| prefix::wrapped(line))
    }

    /// The same, where a line that is not Postfix's is all text.
    #[must_use]
    pub fn parse_or_text(line: &'a str) -> Self {
        Self::parse(line).unwrap_or_else(|| Self {
            text: line.trim_end_matches(['\r', '\n']).into(),
            ..Self::default()
        })
    }

    /// The same line, on its own.
    #[must_use]
    pub fn into_owned(self) -> LogLine<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        LogLine {
            time: own(self.time),
            host: own(self.host),
            tag: own(self.tag),
            daemon: own(self.daemon),
            pid: self.pid,
            text: own(self.text),
        }
    }

    /// Tag and daemon: `postfix/submission/smtpd`.
    #[must_use]
    pub fn name(&self) -> String {
        match &*self.tag {
            "" => self.daemon.to_string(),
            tag => format!("{tag}/{}", self.daemon),
        }
    }

    /// Whether Postfix gives up on something with this line: `fatal:` or `panic:`.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.text.starts_with("fatal:") || self.text.starts_with("panic:")
    }
}

/// The line without date and host.
impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.daemon.is_empty() {
            return f.write_str(&self.text);
        }
        if !self.tag.is_empty() {
            write!(f, "{}/", self.tag)?;
        }
        f.write_str(&self.daemon)?;
        if let Some(pid) = self.pid {
            write!(f, "[{pid}]")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// What a line is in the commonest form, `TIME HOST TAG/DAEMON[PID]: TEXT`.
enum Shape<'a> {
    /// A line of Postfix.
    Postfix(LogLine<'a>),
    /// It has this form, and another program wrote it.
    Other,
    /// It has another form.
    Unknown,
}

fn dated(line: &str) -> Shape<'_> {
    match parts_of_dated(line) {
        Some(found) if !found.tag.is_empty() || found.daemon.starts_with("post") => {
            Shape::Postfix(found)
        }
        Some(_) => Shape::Other,
        None => Shape::Unknown,
    }
}

/// Terminal colours (`ESC [ … m`) go.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut parts = line.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        let rest = match end.and_then(|end| part.get(end..)) {
            Some(rest) => rest.strip_prefix(['m', 'K']).unwrap_or(rest),
            None => "",
        };
        plain.push_str(rest);
    }
    plain
}

fn parts_of_dated(line: &str) -> Option<LogLine<'_>> {
    let end_of_time = if line.starts_with(|first: char| first.is_ascii_digit()) {
        line.find(' ')?
    } else {
        time_length(line)?
    };
    let (time, rest) = line.split_at_checked(end_of_time)?;
    let (host, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (name, rest) = rest.split_once('[')?;
    let (pid, text) = rest.split_once("]: ")?;
    let (tag, daemon) = split_name(name)?;
    let sound = !host.is_empty() && !host.contains('[') && !text.starts_with("[ID ");
    sound.then_some(LogLine {
        time: time.into(),
        // Some collectors have the level there.
        host: if prefix::is_level(host) { "" } else { host }.into(),
        tag: tag.into(),
        daemon: daemon.into(),
        pid: Some(number(pid)?),
        text: text.into(),
    })
}

/// `postfix/submission/smtpd` is the `syslog_name` `postfix/submission` and the program `smtpd`.
fn split_name(name: &str) -> Option<(&str, &str)> {
    let (tag, daemon) = name.rsplit_once('/').unwrap_or(("", name));
    let sound = !daemon.is_empty() && !name.contains(char::is_whitespace);
    sound.then_some((tag, daemon))
}

/// `postfix/master: fatal: …` or `master: fatal: …`, printed before logging is set up.
fn undated(line: &str) -> Option<LogLine<'_>> {
    let (name, text) = line.split_once(": ")?;
    let severity = ["fatal: ", "panic: ", "warning: ", "error: "];
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c));
    if !plain || !severity.iter().any(|word| text.starts_with(word)) {
        return None;
    }
    let (tag, daemon) = split_name(name)?;
    Some(LogLine {
        tag: tag.into(),
        daemon: daemon.into(),
        text: text.into(),
        ..LogLine::default()
    })
}

/// The length of `Mmm dd hh:mm:ss` at the start of `line`; the day is padded with a space.
fn time_length(line: &str) -> Option<usize> {
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
                time: "Nov  2 08:07:33".into(),
                host: "mail".into(),
                tag: "postfix/c12".into(),
                daemon: "smtp".into(),
                pid: Some(835),
                text: "connect: to x".into()
            }
        );
        assert_eq!(line.name(), "postfix/c12/smtp");
        let line = LogLine::parse("2026-11-22T08:07:33.123456+00:00 mail postfix/smtpd[1]: x\r\n")
            .unwrap();
        assert_eq!(
            (&*line.host, &*line.daemon, &*line.tag, &*line.text),
            ("mail", "smtpd", "postfix", "x")
        );
    }

    #[test]
    fn what_postfix_3_5_to_3_11_wrote() {
        let lines: Vec<LogLine> = include_str!("../tests/data/start.log")
            .lines()
            .map(LogLine::parse_or_text)
            .collect();
        assert_eq!(lines.len(), 20);
        for line in &lines {
            assert!(
                line.pid.is_some() && line.tag.starts_with("postfix"),
                "{line:?}"
            );
        }
        let started = |line: &&LogLine<'_>| {
            line.daemon == "master" && line.text.starts_with("daemon started -- version 3.")
        };
        assert_eq!(lines.iter().filter(started).count(), 4);
        let inject = |line: &&LogLine<'_>| line.tag == "postfix/inject" && line.daemon == "smtpd";
        assert_eq!(lines.iter().filter(inject).count(), 13);
        assert_eq!(lines[17].tag, "postfix/sink");
        assert!(lines[17].text.ends_with("initial server greeting)"));
        assert!(lines[18].is_fatal() && !lines[19].is_fatal());
    }

    #[test]
    fn lines_of_others_are_text() {
        for line in [
            "",
            "x",
            "Nov",
            "Nov 22 08:00:01",
            "Nov 22 08:00:01 mail kernel: oops",
            "Nov 22 08:00:01 mail sshd[1]: oops",
            "pfs: master exited with 1",
            "é: fatal: x",
            "é",
            "2026",
            "Nov 22 08:00:01 ü",
        ] {
            assert_eq!(LogLine::parse(line), None, "{line}");
            assert_eq!(LogLine::parse_or_text(line).text, line);
        }
    }

    #[test]
    fn before_logging_is_set_up() {
        let text = "postfix/master: fatal: open lock file pid/master.pid: File exists";
        let line = LogLine::parse(text).unwrap();
        assert_eq!(
            (&*line.tag, &*line.daemon, line.pid),
            ("postfix", "master", None)
        );
        assert!(line.is_fatal());
        assert_eq!(line.to_string(), text);
    }

    #[test]
    fn shown_without_date_and_host() {
        let line = LogLine::parse("Nov 22 08:00:01 mail postfix/master[1]: warning: x").unwrap();
        assert_eq!(line.to_string(), "postfix/master[1]: warning: x");
        assert_eq!(line.clone().into_owned(), line);
    }
}
