//! Postfix's log as parsed lines, handed to whoever subscribed to their `syslog_name`.

pub(crate) mod follow;
mod owner;
mod process;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{mpsc, watch};

use owner::Owners;
pub use process::{HowEnded, ProcessEnd};

/// One line of a fleet's log.
pub type LogLine = postfix_tls_log::LogLine<'static>;

/// Lines of one subscription; ends (`None`) with the fleet.
pub type LogReceiver = mpsc::UnboundedReceiver<Arc<LogLine>>;

/// How many lines are kept to explain an error.
const KEPT: usize = 60;

/// The log of one fleet, as this process reads it. Cheap to clone; there is one reader behind all clones.
#[derive(Clone)]
pub struct Log {
    hub: Arc<Hub>,
}

struct Hub {
    state: Mutex<State>,
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    owners: Owners,
    all: Vec<mpsc::UnboundedSender<Arc<LogLine>>>,
    last: VecDeque<Arc<LogLine>>,
}

impl Log {
    pub(crate) fn new() -> Log {
        Log {
            hub: Arc::new(Hub {
                state: Mutex::default(),
                ended: watch::Sender::new(false),
            }),
        }
    }

    /// Every line from now on whose `syslog_name` is `tag`, such as `postfix/c12`. Lines of one Postfix process
    /// come in its order; between processes there is none.
    #[must_use]
    pub fn subscribe(&self, tag: &str) -> LogReceiver {
        self.subscribe_to(tag, &[])
    }

    /// As [`Log::subscribe`]; and of the lines without that name those which are theirs as well: what one of `daemons`
    /// says with `fatal:` before it knows its name, what master(8) says of their processes ([`ProcessEnd`]), and what
    /// qmgr(8) says of messages they have delivered (`QUEUE-ID: removed`). master's word on a process that nobody knows
    /// goes to all who wait for such a daemon.
    #[must_use]
    pub fn subscribe_to(&self, tag: &str, daemons: &'static [&'static str]) -> LogReceiver {
        let (sender, receiver) = mpsc::unbounded_channel();
        if !self.has_ended() {
            self.state().owners.subscribe(tag, daemons, sender);
        }
        receiver
    }

    /// What master(8) said of processes that did not end well when nobody who owned them listened any more.
    #[must_use]
    pub fn unheard(&self) -> Vec<Arc<LogLine>> {
        self.state().owners.unheard().to_vec()
    }

    /// Every line from now on.
    #[must_use]
    pub fn subscribe_all(&self) -> LogReceiver {
        let (sender, receiver) = mpsc::unbounded_channel();
        if !self.has_ended() {
            self.state().all.push(sender);
        }
        receiver
    }

    /// The last lines read, oldest first, at most 60.
    #[must_use]
    pub fn tail(&self) -> Vec<Arc<LogLine>> {
        self.state().last.iter().cloned().collect()
    }

    /// Waits until the log has ended, that is: the fleet has.
    pub async fn ended(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.hub.ended.subscribe().wait_for(|ended| *ended).await;
    }

    fn has_ended(&self) -> bool {
        *self.hub.ended.borrow()
    }

    pub(crate) fn push(&self, text: &str) {
        let line = Arc::new(postfix_tls_log::LogLine::parse_or_text(text).into_owned());
        let mut state = self.state();
        if state.last.len() == KEPT {
            state.last.pop_front();
        }
        state.last.push_back(Arc::clone(&line));
        state
            .all
            .retain(|sender| sender.send(Arc::clone(&line)).is_ok());
        state.owners.push(&line);
    }

    pub(crate) fn end(&self) {
        self.hub.ended.send_replace(true);
        let mut state = self.state();
        state.owners.clear();
        state.all.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held; were it so, the lines would still be whole.
        self.hub
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "Nov 22 08:00:01 mail postfix/c12/smtpd[77]: connect from unknown[127.0.0.1]";

    #[test]
    fn lines_go_to_their_subscribers() {
        let log = Log::new();
        let mut case = log.subscribe("postfix/c12");
        let mut other = log.subscribe("postfix/c13");
        let mut all = log.subscribe_all();
        log.push(LINE);
        assert_eq!(case.try_recv().unwrap().daemon, "smtpd");
        assert_eq!(all.try_recv().unwrap().pid, Some(77));
        assert!(other.try_recv().is_err());
        drop(case);
        log.push(LINE);
        assert_eq!(log.tail().len(), 2);
        log.end();
        assert_eq!(
            other.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        );
        assert_eq!(
            log.subscribe("x").try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        );
    }

    fn texts(receiver: &mut LogReceiver) -> Vec<String> {
        std::iter::from_fn(|| receiver.try_recv().ok())
            .map(|line| line.text.to_string())
            .collect()
    }

    #[test]
    fn what_master_says_of_a_process_goes_to_its_owner() {
        let log = Log::new();
        let mut one = log.subscribe_to("postfix/c1", &["smtpd"]);
        let mut other = log.subscribe_to("postfix/c2", &["smtpd"]);
        log.push("Nov 22 08:00:01 mail postfix/c1/smtpd[77]: connect from unknown[127.0.0.1]");
        log.push("Nov 22 08:00:01 mail postfix/c2/smtpd[78]: connect from unknown[127.0.0.1]");
        let killed = |pid| {
            format!(
                "Nov 22 08:00:01 mail postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid {pid} killed by signal 11"
            )
        };
        log.push(&killed(77));
        assert_eq!((texts(&mut one).len(), texts(&mut other).len()), (2, 1));
        // Nobody knows it: it concerns all.
        log.push(&killed(99));
        assert_eq!((texts(&mut one).len(), texts(&mut other).len()), (1, 1));
        drop(other);
        log.push(&killed(78));
        assert_eq!(log.unheard().len(), 1);
        assert!(texts(&mut one).is_empty());
        // What has said why it ends has said it.
        log.push("Nov 22 08:00:01 mail postfix/c2/smtpd[80]: panic: x");
        log.push(&killed(80).replace("signal 11", "signal 6"));
        assert_eq!(log.unheard().len(), 1);
    }

    #[test]
    fn a_fatal_line_without_a_name_is_that_of_who_has_not_spoken() {
        let log = Log::new();
        let mut one = log.subscribe_to("postfix/c1", &["smtpd"]);
        let mut other = log.subscribe_to("postfix/c2", &["smtpd"]);
        let mut client = log.subscribe_to("postfix/c3", &["smtp"]);
        log.push("Nov 22 08:00:01 mail postfix/smtpd[77]: fatal: bad");
        // Either of them may have said it.
        assert!(texts(&mut one).is_empty() && texts(&mut other).is_empty());
        log.push("Nov 22 08:00:01 mail postfix/c2/smtpd[78]: connect from unknown[127.0.0.1]");
        assert_eq!(texts(&mut one), ["fatal: bad"]);
        assert_eq!(texts(&mut other).len(), 1);
        log.push("Nov 22 08:00:01 mail postfix/smtpd[79]: fatal: nobody's");
        let mut late = log.subscribe_to("postfix/c4", &["smtpd"]);
        log.push("Nov 22 08:00:01 mail postfix/c2/smtpd[78]: disconnect");
        assert!(texts(&mut late).is_empty() && texts(&mut client).is_empty());
    }

    #[test]
    fn those_who_all_say_the_same_each_say_it() {
        let log = Log::new();
        let mut both = [1, 2].map(|n| log.subscribe_to(&format!("postfix/c{n}"), &["smtpd"]));
        log.push("Nov 22 08:00:01 mail postfix/smtpd[77]: fatal: bad");
        log.push("Nov 22 08:00:01 mail postfix/smtpd[78]: fatal: bad");
        for one in &mut both {
            assert_eq!(texts(one), ["fatal: bad"]);
        }
    }

    #[test]
    fn a_message_is_done_with_for_who_delivered_it() {
        let log = Log::new();
        let mut client = log.subscribe_to("postfix/c1", &["smtp"]);
        log.push("Nov 22 08:00:01 mail postfix/c1/smtp[77]: 4A1: to=<a@b>, status=sent (ok)");
        log.push("Nov 22 08:00:01 mail postfix/qmgr[5]: 4B2: removed");
        log.push("Nov 22 08:00:01 mail postfix/qmgr[5]: 4A1: removed");
        assert_eq!(
            texts(&mut client),
            ["4A1: to=<a@b>, status=sent (ok)", "4A1: removed"]
        );
    }

    #[test]
    fn keeps_only_the_last_lines() {
        let log = Log::new();
        for n in 0..KEPT + 5 {
            log.push(&format!("{n}"));
        }
        assert_eq!(log.tail().len(), KEPT);
        assert_eq!(log.tail()[0].text, "5");
    }
}
