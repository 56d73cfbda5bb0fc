//! The log lines of one side of a case, until that side has said its last word.

use std::sync::Arc;

use pfs_containers::{LogLine, LogReceiver};
use tokio::time::{Instant, timeout_at};

/// Which side's last word to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// smtp(8) ends a delivery attempt with a line that has `status=`.
    Client,
    /// smtpd(8) ends a session with `disconnect from`.
    Server,
}

/// Lines of one side.
#[derive(Clone, Debug, Default)]
pub struct SideLog {
    /// In the order they were logged.
    pub lines: Vec<Arc<LogLine>>,
    /// The last word was heard before the deadline.
    pub complete: bool,
}

impl SideLog {
    /// The line with which a daemon gave up, if it did.
    pub fn fatal(&self) -> Option<&str> {
        self.lines
            .iter()
            .map(|line| line.text.as_str())
            .find(|text| is_fatal(text))
    }
}

fn is_fatal(text: &str) -> bool {
    text.starts_with("fatal: ") || text.starts_with("panic: ")
}

/// Reads one side's lines.
pub(super) struct Collector {
    receiver: LogReceiver,
    side: Side,
    deadline: Instant,
    log: SideLog,
}

impl Collector {
    pub(super) fn new(receiver: LogReceiver, side: Side, deadline: Instant) -> Self {
        Self {
            receiver,
            side,
            deadline,
            log: SideLog {
                lines: Vec::new(),
                complete: true,
            },
        }
    }

    /// Reads on until the side's next last word, a fatal line, the end of the fleet, or the
    /// deadline; returns the last word.
    pub(super) async fn next(&mut self) -> Option<Arc<LogLine>> {
        while let Ok(Some(line)) = timeout_at(self.deadline, self.receiver.recv()).await {
            // Both sides of a case may live in one fleet, under one tag.
            if (line.daemon == "smtp") != (self.side == Side::Client) {
                continue;
            }
            self.log.lines.push(Arc::clone(&line));
            let last = match self.side {
                Side::Client => line.text.contains(", status="),
                Side::Server => line.text.starts_with("disconnect from "),
            };
            if last || is_fatal(&line.text) {
                return Some(line);
            }
        }
        self.log.complete = false;
        None
    }

    /// What was read. Lines of one process stay together: between processes there is no order.
    pub(super) fn into_log(mut self) -> SideLog {
        let mut order: Vec<Option<u32>> = Vec::new();
        for line in &self.log.lines {
            if !order.contains(&line.pid) {
                order.push(line.pid);
            }
        }
        let place = |line: &Arc<LogLine>| order.iter().position(|pid| *pid == line.pid);
        self.log.lines.sort_by_key(place);
        self.log
    }
}
