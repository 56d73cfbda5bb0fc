//! The log of one Postfix while a case ran.

use std::sync::Arc;

use pfs_containers::{HowEnded, LogLine, ProcessEnd};

use crate::observe::log::LogEvent;
use crate::observe::summary::TlsSummary;
use crate::peer::Beginning;

/// Lines of one side of a case, each with what it says.
#[derive(Clone, Debug, Default)]
pub struct PostfixLog {
    lines: Vec<Arc<LogLine>>,
    events: Vec<LogEvent>,
    complete: bool,
    ends: Vec<Arc<LogLine>>,
}

/// With which a panic ends (`msg_panic` in Postfix's `msg.c` calls abort(3)).
const SIGABRT: i32 = 6;

/// A process of Postfix that did not end well while a case ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// What master(8) said of it.
    pub end: ProcessEnd,
    /// That line.
    pub line: String,
    /// The process is known to have served this case. Where it is not, it may have served another one that ran then.
    pub own: bool,
}

impl PostfixLog {
    /// Parses `lines`, in the order they were logged; `complete` if the side's last word was heard before the deadline.
    pub fn new(lines: Vec<Arc<LogLine>>, complete: bool) -> Self {
        let events = lines
            .iter()
            .map(|line| LogEvent::parse(&line.daemon, &line.text))
            .collect();
        Self {
            lines,
            events,
            complete,
            ends: Vec::new(),
        }
    }

    /// The same, with what master(8) said of processes.
    #[must_use]
    pub fn with_ends(self, ends: Vec<Arc<LogLine>>) -> Self {
        Self { ends, ..self }
    }

    /// What master(8) said of processes that did not end well.
    pub fn ends(&self) -> &[Arc<LogLine>] {
        &self.ends
    }

    /// The processes that did not end well, but those that have said why in a line with `fatal:` or `panic:`.
    pub fn crashes(&self) -> impl Iterator<Item = Crash> + '_ {
        let said = |pid, severity: &str| {
            let of_process = |line: &&Arc<LogLine>| line.pid == Some(pid);
            let mut lines = self.lines.iter().filter(of_process);
            lines.any(|line| line.text.starts_with(severity))
        };
        self.ends.iter().filter_map(move |line| {
            let end = ProcessEnd::parse(&line.text)?;
            let explained = match end.how {
                HowEnded::Status(_) => said(end.pid, "fatal:") || said(end.pid, "panic:"),
                HowEnded::Signal(SIGABRT) => said(end.pid, "panic:"),
                HowEnded::Signal(_) => false,
            };
            (!explained).then(|| Crash {
                own: self.lines.iter().any(|line| line.pid == Some(end.pid)),
                line: format!("{}: {}", line.daemon, line.text),
                end,
            })
        })
    }

    /// The lines, in the order they were logged; those of one process stay together.
    pub fn lines(&self) -> &[Arc<LogLine>] {
        &self.lines
    }

    /// What each line says, in the same order.
    pub fn events(&self) -> &[LogEvent] {
        &self.events
    }

    /// Whether this side's last word was heard before the deadline.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// How TLS began in the last session, as smtpd(8) counts its client's commands at the end: from Postfix 3.0, and where
    /// its own line says that there was TLS (not tlsproxy's, behind postscreen).
    pub fn began(&self) -> Option<Beginning> {
        let events = self.lines.iter().zip(&self.events).rev();
        let mut of_smtpd = events
            .filter(|(line, _)| line.daemon == "smtpd")
            .map(|(_, event)| event);
        let commands = of_smtpd.find_map(|event| match event {
            LogEvent::Disconnect { commands, .. } => Some(commands),
            _ => None,
        })?;
        let of_session = of_smtpd.take_while(|event| !matches!(event, LogEvent::Connect { .. }));
        let with_tls = of_session
            .into_iter()
            .any(|event| matches!(event, LogEvent::Tls(_)));
        let given = commands.iter().any(|one| one.name == "starttls");
        (with_tls && !commands.is_empty()).then_some(match given {
            true => Beginning::Starttls,
            false => Beginning::FirstByte,
        })
    }

    /// The summary of the last session, if one was logged.
    pub fn summary(&self) -> Option<&TlsSummary> {
        self.events.iter().rev().find_map(|event| match event {
            LogEvent::Tls(summary) => Some(summary),
            _ => None,
        })
    }
}
