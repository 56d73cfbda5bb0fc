//! Lines put together into sessions: by process, then by queue id.
//!
//! ```
//! use postfix_tls_log::{LogEvent, LogLine, Sessions};
//!
//! let log = "\
//! Nov 22 08:00:01 mail postfix/smtpd[77]: connect from unknown[192.0.2.1]
//! Nov 22 08:00:01 mail postfix/smtpd[77]: Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.2 with cipher AES128-SHA (128/128 bits)
//! Nov 22 08:00:02 mail postfix/smtpd[77]: 5A1B2C3D4E: client=unknown[192.0.2.1]
//! Nov 22 08:00:02 mail postfix/smtpd[77]: disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 mail=1 commands=4";
//! let mut sessions = Sessions::new();
//! let mut found = Vec::new();
//! for line in log.lines().filter_map(LogLine::parse) {
//!     let event = LogEvent::parse(&line.daemon, &line.text);
//!     found.extend(sessions.push(&line, event));
//! }
//! found.extend(sessions.finish());
//! assert_eq!(found.len(), 1);
//! assert_eq!(found[0].queue_ids, ["5A1B2C3D4E"]);
//! assert!(found[0].gaps.is_empty());
//! assert!(!found[0].tls.as_ref().expect("a session").forward_secrecy().holds());
//! ```
//!
//! Logs lose and reorder lines (journald does both). A session that lacks its beginning or its end says so, and so does one that was
//! given up because too many were open: memory is bounded, whatever the log.

mod open;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use open::Open;

use crate::event::{Delivery, Screening};
use crate::failure::{self, Failure};
use crate::{LogEvent, LogLine, PeerName, Side, TlsSummary};

/// Sessions open at once, unless [`Sessions::with_limit`] says otherwise.
const LIMIT: usize = 4_096;

/// What is not in the log of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// Its first lines.
    Beginning,
    /// Its last lines: the process went on with another session, or the log ended.
    End,
    /// What came after it was given up, because too many were open.
    GivenUp,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "the log lacks its beginning",
            Self::End => "the log lacks its end",
            Self::GivenUp => "given up before its end: too many sessions were open at once",
        })
    }
}

/// What the lines of one connection say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// The end that the logging Postfix is; `None` if neither the daemon nor a line tells.
    pub role: Option<Side>,
    /// The machine that logged it, as printed.
    pub host: String,
    /// `syslog_name` and program, such as `postfix/submission/smtpd`; empty for text without a program's name.
    pub name: String,
    /// The program, such as `smtpd`.
    pub daemon: String,
    /// Its process.
    pub pid: Option<u32>,
    /// Time of the first line, as printed.
    pub first: String,
    /// Time of the last line, as printed.
    pub last: String,
    /// The other end.
    pub peer: Option<PeerName>,
    /// The handshake that completed.
    pub tls: Option<TlsSummary>,
    /// The messages.
    pub queue_ids: Vec<String>,
    /// What became of the recipients.
    pub deliveries: Vec<Delivery>,
    /// Its lines that concern TLS, in the order logged, at most 48.
    pub events: Vec<LogEvent>,
    /// How many more there were.
    pub omitted: usize,
    /// What the log lacks.
    pub gaps: Vec<Gap>,
}

impl Session {
    /// Who ended it before its time, and why; `None` if no line tells of that.
    pub fn failure(&self) -> Option<Failure> {
        failure::from_log(self.role?, &self.events)
    }

    /// Whether a line of it speaks of TLS.
    pub fn speaks_of_tls(&self) -> bool {
        self.tls.is_some()
            || self.events.iter().any(|event| {
                !matches!(
                    event,
                    LogEvent::Connect { .. }
                        | LogEvent::Disconnect { .. }
                        | LogEvent::LostConnection { .. }
                        | LogEvent::Delivery(_)
                        | LogEvent::Restriction(_)
                        | LogEvent::Screening(
                            Screening::Connect { .. }
                                | Screening::Disconnect { .. }
                                | Screening::Verdict { .. }
                        )
                ) && (event.concerns_tls() || matches!(event, LogEvent::Sasl(_)))
            })
            || self
                .deliveries
                .iter()
                .any(|delivery| delivery.tls.is_some() || delivery.problem.is_some())
    }
}

/// Puts lines together, one after the other, in constant memory.
#[derive(Debug)]
pub struct Sessions {
    open: HashMap<u64, Open>,
    /// By when they were last heard of; most of it is out of date.
    heard: VecDeque<(u64, u64)>,
    now: u64,
    limit: usize,
    /// The session of a process whose lines name no peer: tlsproxy has many at once.
    current: HashMap<u64, u64>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new()
    }
}

impl Sessions {
    /// At most 4,096 sessions are open at once; the one longest unheard of is given up for another.
    pub fn new() -> Self {
        Self::with_limit(LIMIT)
    }

    /// At most `limit` sessions are open at once, at least one.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            open: HashMap::new(),
            heard: VecDeque::new(),
            now: 0,
            limit: limit.max(1),
            current: HashMap::new(),
        }
    }

    /// Takes the next line, and returns the sessions that it shows to be over: mostly none.
    pub fn push(&mut self, line: &LogLine<'_>, event: LogEvent) -> Vec<Session> {
        let mut over = Vec::new();
        if let LogEvent::DeadProcess(dead) = event {
            self.died(line, dead, &mut over);
            return over;
        }
        let shared = matches!(&*line.daemon, "tlsproxy" | "postscreen");
        let known = shared
            || matches!(
                &*line.daemon,
                "smtpd" | "smtp" | "lmtp" | "posttls-finger" | "verify" | ""
            );
        if !known || !open::counts(&event) {
            return over;
        }
        let process = hash(line, None);
        let peer = open::peer_of(&event);
        let key = match peer {
            Some(peer) if shared => hash(line, Some(peer)),
            None if shared => self.current.get(&process).copied().unwrap_or(process),
            _ => process,
        };
        let stranger = self
            .open
            .get(&key)
            .is_some_and(|open| !open.is_of(line) || open.is_over_before(&event, peer));
        if stranger && let Some(open) = self.open.remove(&key) {
            over.push(open.ended());
        }
        self.now += 1;
        let open = self.open.entry(key).or_insert_with(|| Open::new(line));
        let ends = open.take(line, event);
        open.heard = self.now;
        if shared {
            self.current.insert(process, key);
        }
        if ends {
            if let Some(open) = self.open.remove(&key) {
                over.push(open.whole());
            }
        } else {
            self.heard.push_back((self.now, key));
            self.give_up(&mut over);
        }
        over
    }

    /// What is still open at the end of the log, in the order last heard of.
    pub fn finish(self) -> Vec<Session> {
        let mut rest: Vec<Open> = self.open.into_values().collect();
        rest.sort_by_key(|open| open.heard);
        rest.into_iter().map(Open::ended).collect()
    }

    fn died(
        &mut self,
        line: &LogLine<'_>,
        dead: crate::event::DeadProcess,
        over: &mut Vec<Session>,
    ) {
        let key = self
            .open
            .iter()
            .find(|(_, open)| open.session.pid == Some(dead.pid) && open.session.host == line.host)
            .map(|(key, _)| *key);
        if let Some(mut open) = key.and_then(|key| self.open.remove(&key)) {
            open.keep(LogEvent::DeadProcess(dead));
            over.push(open.whole());
        }
    }

    fn give_up(&mut self, over: &mut Vec<Session>) {
        while self.open.len() > self.limit {
            let Some((when, key)) = self.heard.pop_front() else {
                return;
            };
            if self.open.get(&key).is_some_and(|open| open.heard == when)
                && let Some(open) = self.open.remove(&key)
            {
                over.push(open.given_up());
            }
        }
        if self.heard.len() > 8 * self.limit + 1_024 {
            let open = &self.open;
            self.heard
                .retain(|(when, key)| open.get(key).is_some_and(|open| open.heard == *when));
        }
        if self.current.len() > 8 * self.limit + 1_024 {
            let open = &self.open;
            self.current.retain(|_, key| open.contains_key(key));
        }
    }
}

/// A process, or one session of a process that has many.
fn hash(line: &LogLine<'_>, peer: Option<&PeerName>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&line.host, &line.tag, &line.daemon, line.pid, peer).hash(&mut hasher);
    hasher.finish()
}
