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

/// Collects until the side's last line, a fatal one, the end of the fleet, or the deadline.
pub(super) async fn collect(mut receiver: LogReceiver, side: Side, deadline: Instant) -> SideLog {
    let mut log = SideLog::default();
    while let Ok(Some(line)) = timeout_at(deadline, receiver.recv()).await {
        // Both sides of a case may live in one fleet, under one tag.
        if (line.daemon == "smtp") != (side == Side::Client) {
            continue;
        }
        let last = match side {
            Side::Client => line.text.contains(", status="),
            Side::Server => line.text.starts_with("disconnect from "),
        };
        let fatal = is_fatal(&line.text);
        log.lines.push(line);
        if last || fatal {
            log.complete = true;
            break;
        }
    }
    log
}
