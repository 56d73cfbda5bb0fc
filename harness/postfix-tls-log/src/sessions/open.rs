//! A session whose end is not known yet.

use super::{Gap, Session};
use crate::event::{QueueAction, QueueEvent, Screening, Verbose};
use crate::{LogEvent, LogLine, PeerName, Side};

/// More lines, messages and recipients of one session are counted, not kept.
const MOST_EVENTS: usize = 48;
const MOST_IDS: usize = 32;
const MOST_DELIVERIES: usize = 16;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) session: Session,
    pub(super) heard: u64,
    began: bool,
}

/// Whether a line can belong to a session at all.
pub(super) fn counts(event: &LogEvent) -> bool {
    match event {
        LogEvent::Queue(QueueEvent { action, .. }) => matches!(action, QueueAction::Client { .. }),
        LogEvent::Verbose(
            Verbose::Dump { .. }
            | Verbose::State { .. }
            | Verbose::SessionCache { .. }
            | Verbose::Initializing(_),
        ) => false,
        LogEvent::Restriction(_) | LogEvent::Sasl(_) => true,
        other => other.concerns_tls(),
    }
}

/// The other end, where a line names it.
pub(super) fn peer_of(event: &LogEvent) -> Option<&PeerName> {
    match event {
        LogEvent::Abort { peer, .. }
        | LogEvent::Connect { peer }
        | LogEvent::Disconnect { peer, .. }
        | LogEvent::LostConnection { peer, .. }
        | LogEvent::NonSmtpCommand { peer, .. }
        | LogEvent::Pipelining { peer, .. }
        | LogEvent::SniInvalid { peer, .. }
        | LogEvent::SniNotMatched { peer, .. } => Some(peer),
        LogEvent::CertificateVerification(failed) => Some(&failed.peer),
        LogEvent::Delivery(delivery) => delivery.relay.as_ref(),
        LogEvent::Queue(QueueEvent {
            action: QueueAction::Client { peer },
            ..
        }) => Some(peer),
        LogEvent::Restriction(restriction) => Some(&restriction.peer),
        LogEvent::Screening(
            Screening::Connect { peer, .. }
            | Screening::Disconnect { peer }
            | Screening::HandshakeFailed { peer, .. }
            | Screening::Verdict { peer, .. },
        ) => Some(peer),
        LogEvent::SslError(error) => Some(&error.peer),
        LogEvent::Tls(summary) => summary.peer.as_ref(),
        LogEvent::Verbose(verbose) => match verbose {
            Verbose::CipherList { peer, .. }
            | Verbose::Matched { peer, .. }
            | Verbose::MatchedName { peer, .. }
            | Verbose::NameSeen { peer, .. }
            | Verbose::RawPublicKey { peer, .. }
            | Verbose::ResumedSession { peer, .. }
            | Verbose::SettingUp { peer, .. }
            | Verbose::SniSent { peer, .. }
            | Verbose::Ticket { peer, .. }
            | Verbose::UntrustedSession { peer } => Some(peer),
            Verbose::ChainStep { peer, .. } | Verbose::Identity { peer, .. } => peer.as_ref(),
            _ => None,
        },
        _ => None,
    }
}

/// Whether both may be one: lines of one session name the peer with and without a port, and with and without an address.
fn same(left: &PeerName, right: &PeerName) -> bool {
    let host = left.host.is_some() && left.host == right.host;
    match (left.address.as_str(), right.address.as_str()) {
        ("", _) | (_, "") => host,
        (left, right) => left == right,
    }
}

/// What starts a handshake, or the end of one.
fn is_handshake(event: &LogEvent) -> bool {
    matches!(
        event,
        LogEvent::Tls(_)
            | LogEvent::SslError(_)
            | LogEvent::CertificateVerification(_)
            | LogEvent::Verbose(Verbose::SettingUp { .. })
    )
}

impl Open {
    pub(super) fn new(line: &LogLine<'_>) -> Self {
        let role = match &*line.daemon {
            "smtpd" | "postscreen" => Some(Side::Server),
            "smtp" | "lmtp" | "posttls-finger" | "verify" => Some(Side::Client),
            _ => None,
        };
        let session = Session {
            role,
            host: line.host.to_string(),
            name: line.name(),
            daemon: line.daemon.to_string(),
            pid: line.pid,
            first: line.time.to_string(),
            ..Session::default()
        };
        Self {
            session,
            heard: 0,
            began: false,
        }
    }

    /// Whether `line` comes from the same process.
    pub(super) fn is_of(&self, line: &LogLine<'_>) -> bool {
        let Session {
            host, daemon, pid, ..
        } = &self.session;
        *host == line.host && *daemon == line.daemon && *pid == line.pid
    }

    /// Whether `event` shows that this session was over before.
    pub(super) fn is_over_before(&self, event: &LogEvent, peer: Option<&PeerName>) -> bool {
        let Session {
            tls,
            deliveries,
            queue_ids,
            ..
        } = &self.session;
        if let (Some(own), Some(peer)) = (&self.session.peer, peer)
            && !same(own, peer)
        {
            return true;
        }
        match event {
            LogEvent::Connect { .. } | LogEvent::Screening(Screening::Connect { .. }) => {
                self.session.peer.is_some()
            }
            // Mail over a connection that tlsproxy kept is told by the client anew.
            event if is_handshake(event) => {
                !deliveries.is_empty()
                    || tls.is_some() && !matches!(event, LogEvent::CertificateVerification(_))
            }
            LogEvent::Delivery(delivery) => {
                !deliveries.is_empty()
                    && delivery.connection_use.is_none()
                    && !queue_ids.contains(&delivery.queue_id)
            }
            _ => false,
        }
    }

    /// Takes what one line says; whether that was the last one.
    pub(super) fn take(&mut self, line: &LogLine<'_>, event: LogEvent) -> bool {
        let session = &mut self.session;
        if !line.time.is_empty() {
            session.last.clear();
            session.last.push_str(&line.time);
        }
        if session
            .peer
            .as_ref()
            .is_none_or(|peer| peer.address.is_empty())
            && let Some(peer) = peer_of(&event)
        {
            session.peer = Some(peer.clone());
        }
        let told = match &event {
            LogEvent::Tls(summary) => summary.direction.map(crate::Direction::own_side),
            LogEvent::SslError(error) => Some(error.operation.side()),
            LogEvent::CertificateVerification(failed) => failed.certificate_of.map(Side::other),
            LogEvent::Screening(Screening::Connect { outgoing, .. }) => Some(if *outgoing {
                Side::Client
            } else {
                Side::Server
            }),
            LogEvent::Delivery(_) | LogEvent::ClientProblem { .. } => Some(Side::Client),
            LogEvent::Connect { .. } | LogEvent::LostConnection { .. } | LogEvent::Abort { .. } => {
                Some(Side::Server)
            }
            _ => None,
        };
        session.role = session.role.or(told);
        let mut id = |id: &String| {
            if !session.queue_ids.contains(id) && session.queue_ids.len() < MOST_IDS {
                session.queue_ids.push(id.clone());
            }
        };
        match event {
            LogEvent::Connect { .. } | LogEvent::Screening(Screening::Connect { .. }) => {
                self.began = true;
                false
            }
            LogEvent::Disconnect { .. } | LogEvent::Screening(Screening::Disconnect { .. }) => {
                self.keep(event);
                true
            }
            LogEvent::Queue(event) => {
                id(&event.queue_id);
                false
            }
            LogEvent::Delivery(ref delivery) => {
                id(&delivery.queue_id);
                if session.deliveries.len() < MOST_DELIVERIES {
                    session.deliveries.push(delivery.clone());
                }
                self.keep(event);
                false
            }
            LogEvent::ClientProblem { ref queue_id, .. } => {
                id(queue_id);
                self.keep(event);
                false
            }
            LogEvent::Tls(summary) => {
                session.tls = Some(summary.clone());
                self.keep(LogEvent::Tls(summary));
                false
            }
            other => {
                self.keep(other);
                false
            }
        }
    }

    pub(super) fn keep(&mut self, event: LogEvent) {
        if self.session.events.len() < MOST_EVENTS {
            self.session.events.push(event);
        } else {
            self.session.omitted += 1;
        }
    }

    /// It ended as sessions end.
    pub(super) fn whole(self) -> Session {
        self.with(None)
    }

    /// Nothing more was heard of it. A client says no word at the end of a connection; its last is the delivery.
    pub(super) fn ended(self) -> Session {
        let told = self.session.role == Some(Side::Client) && !self.session.deliveries.is_empty();
        self.with((!told).then_some(Gap::End))
    }

    pub(super) fn given_up(self) -> Session {
        self.with(Some(Gap::GivenUp))
    }

    fn with(self, gap: Option<Gap>) -> Session {
        let Self {
            mut session, began, ..
        } = self;
        // Neither a client nor text without a name has a line for the beginning.
        if !began && matches!(session.daemon.as_str(), "smtpd" | "tlsproxy" | "postscreen") {
            session.gaps.push(Gap::Beginning);
        }
        if !session.daemon.is_empty() {
            session.gaps.extend(gap);
        }
        if session.last.is_empty() {
            session.last.clone_from(&session.first);
        }
        session
    }
}
