//! The log of one Postfix while a case ran.

use std::sync::Arc;

use pfs_containers::LogLine;

use crate::observe::log::LogEvent;
use crate::observe::summary::TlsSummary;

/// Lines of one side of a case, each with what it says.
#[derive(Clone, Debug, Default)]
pub struct PostfixLog {
    lines: Vec<Arc<LogLine>>,
    events: Vec<LogEvent>,
    complete: bool,
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
        }
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

    /// The summary of the last session, if one was logged.
    pub fn summary(&self) -> Option<&TlsSummary> {
        self.events.iter().rev().find_map(|event| match event {
            LogEvent::Tls(summary) => Some(summary),
            _ => None,
        })
    }
}
