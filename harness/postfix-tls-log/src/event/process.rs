//! What master(8) says of a daemon that ended badly.

use std::fmt;

use crate::summary::number;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessEnd {
    /// `exit status N`, never 0: a `fatal:` or `panic:` line came before.
    Status(u32),
    /// `killed by signal N`: 11 is a crash.
    Signal(u32),
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// `process PROGRAM pid N exit status 1`, `process PROGRAM pid N killed by signal 11` (`master_spawn.c`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadProcess {
    /// Path of the program.
    pub program: String,
    /// Its process id.
    pub pid: u32,
    /// How it ended.
    pub end: ProcessEnd,
}

impl DeadProcess {
    /// Parses what follows `warning: `.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (program, rest) = text.strip_prefix("process ")?.split_once(" pid ")?;
        let (pid, rest) = rest.split_once(' ')?;
        let end = match rest.strip_prefix("killed by signal ") {
            Some(signal) => ProcessEnd::Signal(number(signal)?),
            None => ProcessEnd::Status(number(rest.strip_prefix("exit status ")?)?),
        };
        Some(Self {
            program: program.to_owned(),
            pid: number(pid)?,
            end,
        })
    }
}
