//! Postfix's log as parsed lines, handed to whoever subscribed to their `syslog_name`.

pub(crate) mod follow;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{mpsc, watch};

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
    tagged: HashMap<String, Vec<mpsc::UnboundedSender<Arc<LogLine>>>>,
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
        let (sender, receiver) = mpsc::unbounded_channel();
        if !self.has_ended() {
            self.state()
                .tagged
                .entry(tag.to_owned())
                .or_default()
                .push(sender);
        }
        receiver
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
        let unheard = state.tagged.get_mut(&*line.tag).is_some_and(|senders| {
            senders.retain(|sender| sender.send(Arc::clone(&line)).is_ok());
            senders.is_empty()
        });
        if unheard {
            state.tagged.remove(&*line.tag);
        }
    }

    pub(crate) fn end(&self) {
        self.hub.ended.send_replace(true);
        let mut state = self.state();
        state.tagged.clear();
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
