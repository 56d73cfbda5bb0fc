//! The log lines of one side of a case, until that side has said its last word.

use std::sync::Arc;
use std::time::Duration;

use pfs_containers::{LogLine, LogReceiver, ProcessEnd};
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
    /// What master(8) said of processes.
    ends: Vec<Arc<LogLine>>,
    /// How many messages the queue manager is done with.
    removed: usize,
}

/// The daemons whose lines belong to a side.
pub(super) fn daemons(side: Side) -> &'static [&'static str] {
    match side {
        Side::Client => &["smtp", "lmtp", "pipe"],
        Side::Server => &["smtpd", "postscreen"],
    }
}

/// How long a process that nobody knows may have been the one that is waited for, once master(8) has said that it ended.
const AFTER_END: Duration = Duration::from_secs(1);

/// How long master(8) may take to say that a process has crashed after its last word: one that ends well ends without a
/// word, so that there is nothing else to wait for. What comes later than that is still found at the end of the run.
const LAST_CHANCE: Duration = Duration::from_millis(150);

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
            ends: Vec::new(),
            removed: 0,
        }
    }

    /// Reads on until the side's next last word, a fatal line, the end of its process, the end of the fleet, or the
    /// deadline; returns the last word. A message that was sent is over when the queue manager is done with it: only then
    /// has smtp(8) put away its connection and its TLS session.
    pub(super) async fn next(&mut self) -> Option<Arc<LogLine>> {
        let removed = self.removed;
        while let Some(line) = self.unheard().await {
            let last = match (self.side, &*line.daemon) {
                (Side::Client, _) => line.text.contains(", status="),
                // What postscreen has passed on ends with smtpd.
                (Side::Server, "postscreen") => line.text.starts_with("DISCONNECT "),
                (Side::Server, _) => line.text.starts_with("disconnect from "),
            };
            if last || is_fatal(&line.text) {
                while line.text.contains(", status=sent") && self.removed == removed {
                    if !self.step().await {
                        self.complete = false;
                        break;
                    }
                }
                return Some(line);
            }
        }
        // What a process that crashed would have said is not missing.
        self.complete &= self.has_crashed();
        None
    }

    /// Reads on until a daemon gives up or crashes: only then does it end.
    pub(super) async fn fatal(&mut self) {
        loop {
            if self.has_crashed() || self.lines.last().is_some_and(|line| is_fatal(&line.text)) {
                return;
            }
            if !self.step().await {
                std::future::pending().await
            }
        }
    }

    /// Has master said that a process of this case has ended?
    fn has_crashed(&self) -> bool {
        let ended = |end: &Arc<LogLine>| {
            let pid = ProcessEnd::parse(&end.text).map(|end| end.pid);
            pid.is_some() && self.lines.iter().any(|line| line.pid == pid)
        };
        self.ends.iter().any(ended)
    }

    /// The next line that no last word was looked for in.
    async fn unheard(&mut self) -> Option<Arc<LogLine>> {
        while self.heard == self.lines.len() {
            if self.has_crashed() || !self.step().await {
                return None;
            }
        }
        let line = self.lines.get(self.heard).cloned();
        self.heard += 1;
        line
    }

    /// Takes one more line; false at the end of the fleet or the deadline.
    async fn step(&mut self) -> bool {
        let mut deadline = self.deadline;
        if !self.ends.is_empty() {
            deadline = deadline.min(Instant::now() + AFTER_END);
        }
        let Ok(Some(line)) = timeout_at(deadline, self.receiver.recv()).await else {
            return false;
        };
        self.take(line);
        true
    }

    fn take(&mut self, line: Arc<LogLine>) {
        // Both sides of a case may live in one fleet, under one tag.
        let program = match ProcessEnd::parse(&line.text) {
            Some(end) if line.daemon == "master" => Some(end.program),
            _ => None,
        };
        let side = match program.as_deref().unwrap_or(&line.daemon) {
            "smtp" | "lmtp" | "pipe" | "qmgr" => Side::Client,
            "tlsproxy" => self.tlsproxy,
            _ => Side::Server,
        };
        let own = program.as_deref().is_none_or(|program| {
            // One that serves all concerns either side.
            let known = [Side::Client, Side::Server].map(|side| daemons(side).contains(&program));
            side == self.side || known == [false, false] && program != "tlsproxy"
        });
        if program.is_some() {
            self.ends.extend(own.then_some(line));
        } else if line.daemon == "qmgr" {
            self.removed += 1;
        } else if side == self.side {
            self.lines.push(line);
        }
    }

    /// Everything, once each session that tlsproxy has begun is over. Lines of one process stay
    /// together: between processes there is no order.
    pub(super) async fn finish(mut self) -> Ended {
        while self.complete && self.in_tlsproxy() && !self.has_crashed() {
            self.complete = self.step().await;
        }
        let mut order: Vec<Option<u32>> = Vec::new();
        for line in &self.lines {
            if !order.contains(&line.pid) {
                order.push(line.pid);
            }
        }
        let place = |line: &Arc<LogLine>| order.iter().position(|pid| *pid == line.pid);
        self.lines.sort_by_key(place);
        Ended { collector: self }
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

/// The log of a side that has said its last word, while its processes may still crash.
pub(super) struct Ended {
    collector: Collector,
}

impl Ended {
    /// What it has said so far.
    pub(super) fn lines(&self) -> &[Arc<LogLine>] {
        &self.collector.lines
    }

    /// The log, once master(8) has said of its processes what it has to say.
    pub(super) async fn settle(self) -> PostfixLog {
        let Self { mut collector } = self;
        let until = Instant::now() + LAST_CHANCE;
        while !collector.has_crashed() {
            match timeout_at(until, collector.receiver.recv()).await {
                Ok(Some(line)) if line.daemon == "master" => collector.take(line),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        PostfixLog::new(collector.lines, collector.complete).with_ends(collector.ends)
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
            let tag = match line.starts_with("qmgr") || line.starts_with("master") {
                true => "postfix",
                false => "postfix/t",
            };
            let line = format!("Nov 22 08:00:00 mail {tag}/{line}");
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
        let log = server.finish().await.settle().await;
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
        let log = server.finish().await.settle().await;
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
            "qmgr[4]: A1: removed",
        ];
        let mut client = collector(&lines, Side::Client, Side::Client);
        assert!(client.next().await.is_some());
        assert_eq!(client.finish().await.settle().await.lines().len(), 3);
        let mut server = collector(&lines, Side::Server, Side::Client);
        // The sender is gone: that is the end of the fleet.
        assert!(server.next().await.is_none());
        assert!(!server.finish().await.settle().await.is_complete());
    }

    #[tokio::test]
    async fn a_message_is_sent_when_the_queue_manager_is_done_with_it() {
        let lines = [
            "smtp[3]: A1: to=<a@b>, status=sent (ok)",
            "qmgr[4]: A1: removed",
        ];
        let mut client = collector(&lines, Side::Client, Side::Client);
        assert!(client.next().await.unwrap().text.contains("status=sent"));
        assert_eq!(client.removed, 1);
        let log = client.finish().await.settle().await;
        assert!(log.is_complete());
        assert_eq!(log.lines().len(), 1);
        let mut cut = collector(&lines[..1], Side::Client, Side::Client);
        assert!(cut.next().await.is_some());
        assert!(!cut.finish().await.settle().await.is_complete());
    }

    #[tokio::test]
    async fn a_crash_ends_the_wait() {
        let mut server = collector(
            &[
                "smtpd[7]: connect from unknown[127.0.0.1]",
                "master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 7 killed by signal 11",
            ],
            Side::Server,
            Side::Server,
        );
        server.fatal().await;
        assert!(server.next().await.is_none());
        let log = server.finish().await.settle().await;
        assert!(log.is_complete(), "nothing is missing: it crashed");
        assert_eq!(log.ends().len(), 1);
    }

    #[tokio::test]
    async fn a_crash_after_the_last_word_is_heard() {
        let mut server = collector(
            &[
                "smtpd[7]: connect from unknown[127.0.0.1]",
                "smtpd[7]: disconnect from unknown[127.0.0.1] commands=1",
                "master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 7 killed by signal 11",
            ],
            Side::Server,
            Side::Server,
        );
        assert!(server.next().await.is_some());
        let log = server.finish().await.settle().await;
        assert_eq!(log.ends().len(), 1);
    }
}
