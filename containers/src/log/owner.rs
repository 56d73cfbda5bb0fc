//! Whose a line is. Most lines say so with their `syslog_name`; three kinds do not:
//!
//! - a daemon that refuses its settings may say so before it knows its `syslog_name`;
//! - master(8) tells of a process that crashed by its process id alone;
//! - qmgr(8) tells by the queue id alone that a message is done with (`removed`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::LogLine;
use super::process::{HowEnded, ProcessEnd};

/// The `syslog_name` of daemons that serve all of a fleet, and of those that do not know theirs yet.
const SHARED: &str = "postfix";

/// The signal of abort(3).
const SIGABRT: i32 = 6;

pub(super) struct Subscriber {
    sender: mpsc::UnboundedSender<Arc<LogLine>>,
    /// Those of them whose lines are waited for; empty for any.
    daemons: &'static [&'static str],
    /// One of `daemons` has said something, so that it knows its name.
    has_spoken: bool,
    /// How many nameless lines there had been when it subscribed.
    since: u64,
}

impl Subscriber {
    fn send(&self, line: &Arc<LogLine>) -> bool {
        self.sender.send(Arc::clone(line)).is_ok()
    }

    fn waits_for(&self, daemon: &str) -> bool {
        self.daemons.contains(&daemon)
    }
}

#[derive(Default)]
pub(super) struct Owners {
    tagged: HashMap<String, Vec<Subscriber>>,
    /// The `syslog_name` that each process has used last.
    processes: HashMap<u32, String>,
    /// Processes that have said why they end, with `fatal:` or `panic:`.
    gave_up: HashSet<u32>,
    /// The `syslog_name` of the process that has delivered a message.
    messages: HashMap<String, String>,
    /// Fatal lines without a name that nobody is known to own, each with its number.
    nameless: Vec<(u64, Arc<LogLine>)>,
    numbered: u64,
    /// What master said of processes whose owner was not there to hear it.
    unheard: Vec<Arc<LogLine>>,
}

impl Owners {
    pub(super) fn subscribe(
        &mut self,
        tag: &str,
        daemons: &'static [&'static str],
        sender: mpsc::UnboundedSender<Arc<LogLine>>,
    ) {
        let since = self.numbered;
        self.tagged
            .entry(tag.to_owned())
            .or_default()
            .push(Subscriber {
                sender,
                daemons,
                has_spoken: false,
                since,
            });
    }

    pub(super) fn clear(&mut self) {
        self.tagged.clear();
    }

    pub(super) fn unheard(&self) -> &[Arc<LogLine>] {
        &self.unheard
    }

    /// Hands `line` to those whose it is.
    pub(super) fn push(&mut self, line: &Arc<LogLine>) {
        if line.daemon == "master" {
            if let Some(end) = ProcessEnd::parse(&line.text) {
                self.process_ended(&end, line);
            }
            return;
        }
        if let Some(pid) = line.pid {
            self.processes.insert(pid, line.tag.to_string());
            if line.is_fatal() {
                self.gave_up.insert(pid);
            } else {
                // The number is that of another process by now.
                self.gave_up.remove(&pid);
            }
        }
        if line.tag == SHARED {
            if line.daemon == "qmgr"
                && let Some(id) = line.text.strip_suffix(": removed")
                && let Some(tag) = self.messages.remove(id)
            {
                self.send_to(&tag, line);
            } else if line.is_fatal() {
                self.numbered += 1;
                self.nameless.push((self.numbered, Arc::clone(line)));
                self.give_nameless();
            }
        }
        if self.send_to(&line.tag, line) {
            if let Some((id, rest)) = line.text.split_once(": ")
                && rest.starts_with("to=<")
            {
                self.messages.insert(id.to_owned(), line.tag.to_string());
            }
            if !self.nameless.is_empty() {
                self.give_nameless();
            }
        }
    }

    /// True if somebody has heard it.
    fn send_to(&mut self, tag: &str, line: &Arc<LogLine>) -> bool {
        let Some(subscribers) = self.tagged.get_mut(tag) else {
            return false;
        };
        subscribers.retain_mut(|one| {
            one.has_spoken |= one.waits_for(&line.daemon);
            one.send(line)
        });
        let heard = !subscribers.is_empty();
        if !heard {
            self.tagged.remove(tag);
        }
        heard
    }

    /// A nameless line is that of the only one whose daemon has not spoken yet. Where several have not, and as many
    /// have said the same, each has said it. Otherwise it waits until others have spoken.
    fn give_nameless(&mut self) {
        let lines = std::mem::take(&mut self.nameless);
        let said = |line: &LogLine| {
            let same = |(_, other): &&(u64, Arc<LogLine>)| {
                other.daemon == line.daemon && other.text == line.text
            };
            let of_daemon = lines.iter().filter(|(_, one)| one.daemon == line.daemon);
            (lines.iter().filter(same).count() == of_daemon.count())
                .then(|| lines.iter().filter(same).count())
        };
        for (number, line) in &lines {
            let (number, line) = (*number, Arc::clone(line));
            let mut silent: Vec<(&String, &mut Subscriber)> = self
                .tagged
                .iter_mut()
                .flat_map(|(tag, all)| all.iter_mut().map(move |one| (tag, one)))
                .filter(|(_, one)| !one.sender.is_closed() && !one.has_spoken)
                .filter(|(_, one)| one.waits_for(&line.daemon) && one.since < number)
                .collect();
            match &mut silent[..] {
                // Nobody waits for it.
                [] => {}
                // The first of those who have all said the same, or the only one.
                [(tag, only), rest @ ..]
                    if rest.is_empty() || said(&line).is_some_and(|n| n > rest.len()) =>
                {
                    only.has_spoken = true;
                    if let Some(pid) = line.pid {
                        self.processes.insert(pid, (*tag).clone());
                    }
                    only.send(&line);
                }
                _ => self.nameless.push((number, line)),
            }
        }
    }

    fn process_ended(&mut self, end: &ProcessEnd, line: &Arc<LogLine>) {
        let owner = self.processes.remove(&end.pid);
        // It ends as it has said: a fatal error with a status, a panic with abort(3).
        let explained = self.gave_up.remove(&end.pid)
            && matches!(end.how, HowEnded::Status(_) | HowEnded::Signal(SIGABRT));
        match owner {
            Some(tag) if tag != SHARED => {
                if !self.send_to(&tag, line) && !explained {
                    self.unheard.push(Arc::clone(line));
                }
            }
            // That line has an owner or waits for one.
            Some(_) if explained => {}
            // One that served all, or one that never said its name: it concerns whoever waits for such a daemon, or
            // all where nobody does.
            _ => {
                let live: Vec<&Subscriber> = self.tagged.values().flatten().collect();
                let special = live.iter().any(|one| one.waits_for(&end.program));
                let mut heard = false;
                for one in live {
                    if !special || one.waits_for(&end.program) {
                        heard |= one.send(line);
                    }
                }
                if !heard {
                    self.unheard.push(Arc::clone(line));
                }
            }
        }
    }
}
