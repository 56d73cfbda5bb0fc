//! What master(8) says of a process that did not end well.

/// A process of Postfix that ended as it should not have (`master_reap_child` in Postfix's `master_spawn.c`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEnd {
    /// The program, without its directory: `smtpd`.
    pub program: String,
    /// Its process id, in the process id namespace of the fleet.
    pub pid: u32,
    /// How it ended.
    pub how: HowEnded,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowEnded {
    /// `killed by signal N`: it crashed, or was killed.
    Signal(i32),
    /// `exit status N`: it gave up, most often after a line with `fatal:`.
    Status(i32),
}

impl ProcessEnd {
    /// Parses the text of a line of master(8), such as
    /// `warning: process /usr/lib/postfix/sbin/smtpd pid 77 killed by signal 11`.
    #[must_use]
    pub fn parse(text: &str) -> Option<ProcessEnd> {
        let (path, rest) = text
            .strip_prefix("warning: process ")?
            .rsplit_once(" pid ")?;
        let (pid, how) = rest.split_once(' ')?;
        let how = if let Some(signal) = how.strip_prefix("killed by signal ") {
            HowEnded::Signal(signal.parse().ok()?)
        } else {
            HowEnded::Status(how.strip_prefix("exit status ")?.parse().ok()?)
        };
        Some(ProcessEnd {
            program: path.rsplit('/').next().unwrap_or(path).to_owned(),
            pid: pid.parse().ok()?,
            how,
        })
    }
}

impl std::fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.how {
            HowEnded::Signal(signal) => write!(f, "{} was killed by signal {signal}", self.program),
            HowEnded::Status(status) => {
                write!(f, "{} ended with exit status {status}", self.program)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_master_says_it() {
        let end = |text| ProcessEnd::parse(text).map(|end| (end.pid, end.to_string()));
        assert_eq!(
            end("warning: process /usr/lib/postfix/sbin/smtpd pid 1234 killed by signal 11"),
            Some((1234, "smtpd was killed by signal 11".to_owned()))
        );
        assert_eq!(
            end("warning: process /usr/lib/postfix/sbin/smtp pid 7 exit status 1"),
            Some((7, "smtp ended with exit status 1".to_owned()))
        );
        for other in [
            "warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
            "warning: process /usr/lib/postfix/sbin/smtpd pid x exit status 1",
            "reload -- version 3.10.13, configuration /etc/postfix",
        ] {
            assert_eq!(ProcessEnd::parse(other), None, "{other}");
        }
    }
}
