//! One line of a maillog.

/// One line of a maillog, as postlogd(8), syslogd or a container's log writes it.
///
/// Its text is untrusted: peers decide on part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `syslog_name`, such as `postfix/c12`; empty if the line is not Postfix's.
    pub tag: String,
    /// The program, such as `smtpd`; empty if the line is not Postfix's.
    pub daemon: String,
    /// Its process id.
    pub pid: Option<u32>,
    /// What follows `]: `, or the whole line if it is not Postfix's.
    pub text: String,
}

impl LogLine {
    /// Reads a line. One that is not of the form `DATE HOST TAG/DAEMON[PID]: TEXT` becomes all text.
    ///
    /// Both kinds of dates are known: `Nov 22 08:00:01` and RFC 3339's `2026-11-22T08:00:01.123456+01:00`. A line
    /// without date and host, as programs print to a terminal (`smtpd: fatal: …`), has no process id.
    #[must_use]
    pub fn parse(line: &str) -> LogLine {
        let line = line.trim_end_matches(['\n', '\r']);
        dated(line)
            .or_else(|| undated(line))
            .unwrap_or_else(|| LogLine {
                tag: String::new(),
                daemon: String::new(),
                pid: None,
                text: line.to_owned(),
            })
    }

    /// Whether Postfix gives up on something with this line: `fatal:` or `panic:`.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.text.starts_with("fatal:") || self.text.starts_with("panic:")
    }
}

impl std::fmt::Display for LogLine {
    /// The line without date and host.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

fn dated(line: &str) -> Option<LogLine> {
    let (program, text) = after_date(line)?.split_once(' ')?.1.split_once(": ")?;
    let (name, pid) = program.strip_suffix(']')?.split_once('[')?;
    let pid = pid.parse().ok()?;
    let (tag, daemon) = name.rsplit_once('/')?;
    let plain = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    (plain(tag) && plain(daemon)).then(|| LogLine {
        tag: tag.to_owned(),
        daemon: daemon.to_owned(),
        pid: Some(pid),
        text: text.to_owned(),
    })
}

/// What follows the date: host, program and text.
fn after_date(line: &str) -> Option<&str> {
    let bytes = line.as_bytes();
    if bytes.first()?.is_ascii_digit() {
        let (date, rest) = line.split_once(' ')?;
        return (date.len() >= 19 && date.as_bytes()[10] == b'T').then_some(rest);
    }
    // "Nov  2 08:00:01 "
    let shaped = bytes.len() > 16
        && line.is_char_boundary(16)
        && bytes[..3].iter().all(u8::is_ascii_alphabetic)
        && [3, 6, 15].iter().all(|at| bytes[*at] == b' ')
        && [9, 12].iter().all(|at| bytes[*at] == b':');
    shaped.then(|| &line[16..])
}

/// `postfix/master: fatal: …` or `master: fatal: …`, printed before logging is set up.
fn undated(line: &str) -> Option<LogLine> {
    let (name, text) = line.split_once(": ")?;
    let severity = ["fatal: ", "panic: ", "warning: ", "error: "];
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c))
        && !name.is_empty();
    if !plain || !severity.iter().any(|word| text.starts_with(word)) {
        return None;
    }
    let (tag, daemon) = name.rsplit_once('/').unwrap_or(("", name));
    Some(LogLine {
        tag: tag.to_owned(),
        daemon: daemon.to_owned(),
        pid: None,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (String, String, Option<u32>, String) {
        let LogLine {
            tag,
            daemon,
            pid,
            text,
        } = LogLine::parse(line);
        (tag, daemon, pid, text)
    }

    #[test]
    fn both_dates() {
        let expected = |text: &str| {
            (
                "postfix/c12".to_owned(),
                "smtpd".to_owned(),
                Some(77),
                text.to_owned(),
            )
        };
        assert_eq!(
            parts("Nov  2 08:00:01 mail postfix/c12/smtpd[77]: connect from unknown[127.0.0.1]"),
            expected("connect from unknown[127.0.0.1]")
        );
        assert_eq!(
            parts("2026-11-22T08:00:01.123456+01:00 mail postfix/c12/smtpd[77]: a: b\r\n"),
            expected("a: b")
        );
    }

    #[test]
    fn what_postfix_3_5_to_3_11_wrote() {
        let lines: Vec<LogLine> = include_str!("captured.log")
            .lines()
            .map(LogLine::parse)
            .collect();
        assert_eq!(lines.len(), 20);
        for line in &lines {
            assert!(
                line.pid.is_some() && line.tag.starts_with("postfix"),
                "{line:?}"
            );
        }
        let started = |line: &&LogLine| {
            line.daemon == "master" && line.text.starts_with("daemon started -- version 3.")
        };
        assert_eq!(lines.iter().filter(started).count(), 4);
        let inject = |line: &&LogLine| line.tag == "postfix/inject" && line.daemon == "smtpd";
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
            "Nov 22 08:00:01 mail kernel: oops",
            "pfs: master exited with 1",
            "é: fatal: x",
            "Nov 22 08:00:01 ü",
        ] {
            assert_eq!(
                parts(line),
                (String::new(), String::new(), None, line.to_owned()),
                "{line}"
            );
        }
    }

    #[test]
    fn before_logging_is_set_up() {
        let line =
            LogLine::parse("postfix/master: fatal: open lock file pid/master.pid: File exists");
        assert_eq!(
            (line.tag.as_str(), line.daemon.as_str(), line.pid),
            ("postfix", "master", None)
        );
        assert!(line.is_fatal());
        assert_eq!(
            line.to_string(),
            "postfix/master: fatal: open lock file pid/master.pid: File exists"
        );
    }

    #[test]
    fn shown_without_date_and_host() {
        let line = LogLine::parse("Nov 22 08:00:01 mail postfix/master[1]: warning: x");
        assert_eq!(line.to_string(), "postfix/master[1]: warning: x");
    }
}
