//! Sessions that can be resumed, by session id (RFC 5246 section 7.3) or by ticket (RFC 5077).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::names::{CipherSuite, Version};

/// Most sessions a store keeps; the oldest go first.
const CAPACITY: usize = 1024;

/// What two ends must remember to skip the key exchange next time.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The id the server gave; empty if it gave none.
    pub id: Vec<u8>,
    /// The ticket the server gave; empty if it gave none.
    pub ticket: Vec<u8>,
    /// The version negotiated.
    pub version: Version,
    /// The suite negotiated.
    pub suite: CipherSuite,
    /// The master secret.
    pub master_secret: Vec<u8>,
    /// Whether the master secret is bound to its handshake (RFC 7627).
    pub extended_master_secret: bool,
    /// The server name of the handshake in which it began (RFC 6066 section 3).
    pub server_name: Option<String>,
}

/// Without the master secret, so that a log does not hold it.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("version", &self.version)
            .field("suite", &self.suite)
            .field("id", &self.id.len())
            .field("ticket", &self.ticket.len())
            .finish_non_exhaustive()
    }
}

/// A server's memory of sessions. Clones share it.
///
/// A ticket of this crate is a random handle into the store: to the client that is as opaque as an encrypted one.
#[derive(Clone, Debug, Default)]
pub struct SessionStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    sessions: HashMap<Vec<u8>, Session>,
    order: VecDeque<Vec<u8>>,
}

impl SessionStore {
    /// How many sessions are kept; one that has both an id and a ticket counts twice.
    pub fn len(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all sessions.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    pub(crate) fn put(&self, session: &Session) {
        let mut inner = self.lock();
        for handle in [&session.id, &session.ticket] {
            if handle.is_empty() {
                continue;
            }
            if inner
                .sessions
                .insert(handle.clone(), session.clone())
                .is_none()
            {
                inner.order.push_back(handle.clone());
            }
            if inner.order.len() > CAPACITY
                && let Some(oldest) = inner.order.pop_front()
            {
                inner.sessions.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, handle: &[u8]) -> Option<Session> {
        self.lock().sessions.get(handle).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
