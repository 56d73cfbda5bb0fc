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
    /// The side that has tlsproxy(8): no line of it tells.
    tlsproxy: Side,
    deadline: Instant,
    log: SideLog,
}

impl Collector {
    pub(super) fn new(
        receiver: LogReceiver,
        side: Side,
        tlsproxy: Side,
        deadline: Instant,
    ) -> Self {
        Self {
            receiver,
            side,
            tlsproxy,
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
        while let Some(line) = self.line().await {
            let last = match (self.side, line.daemon.as_str()) {
                (Side::Client, _) => line.text.contains(", status="),
                // What postscreen has passed on ends with smtpd.
                (Side::Server, "postscreen") => line.text.starts_with("DISCONNECT "),
                (Side::Server, _) => line.text.starts_with("disconnect from "),
            };
            if last || is_fatal(&line.text) {
                return Some(line);
            }
        }
        self.log.complete = false;
        None
    }

    async fn line(&mut self) -> Option<Arc<LogLine>> {
        loop {
            let line = timeout_at(self.deadline, self.receiver.recv()).await;
            let line = line.ok().flatten()?;
            // Both sides of a case may live in one fleet, under one tag.
            let side = match line.daemon.as_str() {
                "smtp" | "pipe" => Side::Client,
                "tlsproxy" => self.tlsproxy,
                _ => Side::Server,
            };
            if side == self.side {
                self.log.lines.push(Arc::clone(&line));
                return Some(line);
            }
        }
    }

    /// Everything, once each session that tlsproxy has begun is over. Lines of one process stay
    /// together: between processes there is no order.
    pub(super) async fn finish(mut self) -> SideLog {
        while self.log.complete && self.log.in_tlsproxy() {
            self.log.complete = self.line().await.is_some();
        }
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

impl SideLog {
    /// Has a session of tlsproxy begun and not ended?
    fn in_tlsproxy(&self) -> bool {
        let count = |start: &str| {
            let lines = self.lines.iter().filter(|line| line.daemon == "tlsproxy");
            lines.filter(|line| line.text.starts_with(start)).count()
        };
        count("CONNECT ") > count("DISCONNECT ")
    }
}
