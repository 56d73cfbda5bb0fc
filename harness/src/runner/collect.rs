//! The log lines of one side of a case, until that side has said its last word.

use std::sync::Arc;

use pfs_containers::{LogLine, LogReceiver};
use tokio::time::{Instant, timeout_at};

use crate::evidence::PostfixLog;
use crate::observe::summary::Side;

pub(super) fn is_fatal(text: &str) -> bool {
    text.starts_with("fatal: ") || text.starts_with("panic: ")
}

/// Reads one side's lines. The last word of a client is a line of smtp(8) with `status=`, that of a server the line
/// `disconnect from` of smtpd(8).
pub(super) struct Collector {
    receiver: LogReceiver,
    side: Side,
    /// The side that has tlsproxy(8): no line of it tells.
    tlsproxy: Side,
    deadline: Instant,
    lines: Vec<Arc<LogLine>>,
    /// No last word that was waited for has failed to come.
    complete: bool,
    /// How many lines have been looked at for a last word.
    heard: usize,
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
            lines: Vec::new(),
            complete: true,
            heard: 0,
        }
    }

    /// Reads on until the side's next last word, a fatal line, the end of the fleet, or the
    /// deadline; returns the last word.
    pub(super) async fn next(&mut self) -> Option<Arc<LogLine>> {
        while let Some(line) = self.unheard().await {
            let last = match (self.side, &*line.daemon) {
                (Side::Client, _) => line.text.contains(", status="),
                // What postscreen has passed on ends with smtpd.
                (Side::Server, "postscreen") => line.text.starts_with("DISCONNECT "),
                (Side::Server, _) => line.text.starts_with("disconnect from "),
            };
            if last || is_fatal(&line.text) {
                return Some(line);
            }
        }
        self.complete = false;
        None
    }

    /// Reads on until a daemon gives up: only then does it end.
    pub(super) async fn fatal(&mut self) {
        loop {
            match self.line().await {
                Some(line) if is_fatal(&line.text) => return,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// The next line that no last word was looked for in.
    async fn unheard(&mut self) -> Option<Arc<LogLine>> {
        if self.heard == self.lines.len() {
            self.line().await?;
        }
        let line = self.lines.get(self.heard).cloned();
        self.heard += 1;
        line
    }

    /// Puts one more line into the log.
    async fn line(&mut self) -> Option<Arc<LogLine>> {
        loop {
            let line = timeout_at(self.deadline, self.receiver.recv()).await;
            let line = line.ok().flatten()?;
            // Both sides of a case may live in one fleet, under one tag.
            let side = match &*line.daemon {
                "smtp" | "pipe" => Side::Client,
                "tlsproxy" => self.tlsproxy,
                _ => Side::Server,
            };
            if side == self.side {
                self.lines.push(Arc::clone(&line));
                return Some(line);
            }
        }
    }

    /// Everything, once each session that tlsproxy has begun is over. Lines of one process stay
    /// together: between processes there is no order.
    pub(super) async fn finish(mut self) -> PostfixLog {
        while self.complete && self.in_tlsproxy() {
            self.complete = self.line().await.is_some();
        }
        let mut order: Vec<Option<u32>> = Vec::new();
        for line in &self.lines {
            if !order.contains(&line.pid) {
                order.push(line.pid);
            }
        }
        let place = |line: &Arc<LogLine>| order.iter().position(|pid| *pid == line.pid);
        self.lines.sort_by_key(place);
        PostfixLog::new(self.lines, self.complete)
    }

    /// Has a session of tlsproxy begun and not ended?
    fn in_tlsproxy(&self) -> bool {
        let count = |start: &str| {
            let lines = self.lines.iter().filter(|line| line.daemon == "tlsproxy");
            lines.filter(|line| line.text.starts_with(start)).count()
        };
        count("CONNECT ") > count("DISCONNECT ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;

    fn collector(lines: &[&str], side: Side, tlsproxy: Side) -> Collector {
        let (sender, receiver) = mpsc::unbounded_channel();
        for line in lines {
            let line = format!("Nov 22 08:00:00 mail postfix/t/{line}");
            sender
                .send(Arc::new(
                    postfix_tls_log::LogLine::parse_or_text(&line).into_owned(),
                ))
                .unwrap();
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        Collector::new(receiver, side, tlsproxy, deadline)
    }

    fn texts(log: &PostfixLog) -> Vec<&str> {
        log.lines().iter().map(|line| &*line.text).collect()
    }

    #[tokio::test]
    async fn every_session_has_a_last_word_of_its_own() {
        let mut server = collector(
            &[
                "smtpd[1]: connect from unknown[127.0.0.1]",
                "smtp[9]: A1: to=<a@b>, status=sent (ok)",
                "smtpd[1]: disconnect from unknown[127.0.0.1] commands=0",
                "smtpd[2]: connect from unknown[127.0.0.1]",
                "smtpd[2]: disconnect from unknown[127.0.0.1] commands=1",
            ],
            Side::Server,
            Side::Server,
        );
        assert!(server.next().await.unwrap().text.ends_with("commands=0"));
        assert!(server.next().await.unwrap().text.ends_with("commands=1"));
        let log = server.finish().await;
        assert!(log.is_complete());
        assert_eq!(log.lines().len(), 4);
    }

    #[tokio::test]
    async fn tlsproxy_is_waited_for_and_stays_together() {
        let mut server = collector(
            &[
                "postscreen[1]: CONNECT from [127.0.0.1]:1 to [127.0.0.1]:2",
                "tlsproxy[2]: CONNECT from [127.0.0.1]:1",
                "postscreen[1]: DISCONNECT [127.0.0.1]:1",
                "tlsproxy[2]: DISCONNECT [127.0.0.1]:1",
                "postscreen[1]: of the next session",
            ],
            Side::Server,
            Side::Server,
        );
        assert!(server.next().await.is_some());
        let log = server.finish().await;
        assert!(log.is_complete());
        assert_eq!(
            texts(&log),
            [
                "CONNECT from [127.0.0.1]:1 to [127.0.0.1]:2",
                "DISCONNECT [127.0.0.1]:1",
                "CONNECT from [127.0.0.1]:1",
                "DISCONNECT [127.0.0.1]:1",
            ]
        );
    }

    #[tokio::test]
    async fn tlsproxy_belongs_to_the_side_that_has_it() {
        let lines = [
            "tlsproxy[2]: CONNECT to [127.0.0.1]:1",
            "tlsproxy[2]: DISCONNECT [127.0.0.1]:1",
            "smtp[3]: A1: to=<a@b>, status=sent (ok)",
        ];
        let mut client = collector(&lines, Side::Client, Side::Client);
        assert!(client.next().await.is_some());
        assert_eq!(client.finish().await.lines().len(), 3);
        let mut server = collector(&lines, Side::Server, Side::Client);
        // The sender is gone: that is the end of the fleet.
        assert!(server.next().await.is_none());
        assert!(!server.finish().await.is_complete());
    }
}
