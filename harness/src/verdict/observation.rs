//! What each witness said, parsed.

use std::sync::Arc;

use classic_tls::wire::{Recording, Transcript};
use pfs_certs::Pki;
use pfs_containers::LogLine;

use super::text;
use crate::observe::agreement::{self, Testimony, Witness};
use crate::observe::failure::{self, Failure};
use crate::observe::log::LogEvent;
use crate::observe::received::Received;
use crate::observe::summary::{Side, TlsSummary};
use crate::peer::PeerReport;
use crate::runner::{Gathered, SideLog};

/// The log of one Postfix, parsed.
#[derive(Debug, Default)]
pub(super) struct SideEvents {
    pub(super) lines: Vec<Arc<LogLine>>,
    pub(super) events: Vec<LogEvent>,
    pub(super) complete: bool,
}

impl SideEvents {
    fn of(log: SideLog) -> Self {
        let events = log
            .lines
            .iter()
            .map(|line| LogEvent::parse(&line.daemon, &line.text))
            .collect();
        Self {
            lines: log.lines,
            events,
            complete: log.complete,
        }
    }

    /// The summary of the last session, if one was logged.
    pub(super) fn summary(&self) -> Option<&TlsSummary> {
        self.events.iter().rev().find_map(|event| match event {
            LogEvent::Tls(summary) => Some(summary),
            _ => None,
        })
    }
}

/// Everything that is known of a case that has run.
#[derive(Debug)]
pub struct Observation {
    pub(super) server: Option<SideEvents>,
    pub(super) client: Option<SideEvents>,
    pub(super) received: Option<Received>,
    pub(super) received_text: Option<String>,
    pub(super) peer: Option<PeerReport>,
    pub(super) wire: Option<Transcript>,
    /// The bytes that `wire` was read from.
    pub(super) recording: Option<Recording>,
    pub(super) delivered: bool,
    /// What was written into files while it ran.
    pub(super) changed: Vec<String>,
    pub(super) pki: Arc<Pki>,
}

impl Observation {
    /// Parses what was gathered.
    pub fn of(gathered: Gathered, pki: &Arc<Pki>) -> Self {
        let header = gathered
            .message
            .as_ref()
            .and_then(|message| message.headers("Received").into_iter().next());
        let received = header.as_deref().and_then(Received::parse);
        let wire = match (&gathered.peer, gathered.tap) {
            (_, Some(tap)) => Some((tap.transcript, tap.recording)),
            (Some(report), None) => Some((report.transcript.clone(), report.recording.clone())),
            (None, None) => None,
        };
        let (wire, recording) = wire.unzip();
        Self {
            server: gathered.server_log.map(SideEvents::of),
            client: gathered.client_log.map(SideEvents::of),
            received,
            received_text: header,
            delivered: gathered.message.is_some(),
            changed: gathered.changed,
            peer: gathered.peer,
            wire,
            recording,
            pki: Arc::clone(pki),
        }
    }

    /// The words with which a Postfix gave up on its settings.
    pub(super) fn refused_configuration(&self) -> Option<&str> {
        [&self.server, &self.client]
            .into_iter()
            .flatten()
            .flat_map(|side| &side.events)
            .find_map(|event| match event {
                LogEvent::Fatal(words) => Some(words.as_str()),
                _ => None,
            })
    }

    /// Each witness that knows of a session, with what it knows.
    pub(super) fn testimonies(&self) -> Vec<Testimony> {
        let mut all = Vec::new();
        let mut say = |witness, summary: Option<TlsSummary>| {
            if let Some(summary) = summary {
                all.push(Testimony { witness, summary });
            }
        };
        say(
            Witness::Peer,
            self.peer.as_ref().and_then(text::peer_summary),
        );
        say(
            Witness::ServerLog,
            self.server
                .as_ref()
                .and_then(|side| side.summary().cloned()),
        );
        say(
            Witness::ClientLog,
            self.client
                .as_ref()
                .and_then(|side| side.summary().cloned()),
        );
        say(
            Witness::Received,
            self.received
                .as_ref()
                .and_then(|received| received.tls.clone()),
        );
        say(
            Witness::Wire,
            self.wire.as_ref().and_then(text::wire_summary),
        );
        all
    }

    /// What two witnesses tell differently.
    pub(super) fn disagreements(&self) -> Vec<String> {
        agreement::compare(&self.testimonies())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// A fact from the first witness that knows it; the peer first, it was there.
    pub(super) fn fact<T>(&self, of: impl Fn(&TlsSummary) -> Option<T>) -> Option<T> {
        self.testimonies()
            .iter()
            .find_map(|testimony| of(&testimony.summary))
    }

    /// How it failed, by every witness that saw a failure.
    pub(super) fn failures(&self) -> Vec<Failure> {
        let mut all = Vec::new();
        if let Some(side) = &self.server {
            all.extend(failure::from_log(
                Witness::ServerLog,
                Side::Server,
                &side.events,
            ));
        }
        if let Some(side) = &self.client {
            all.extend(failure::from_log(
                Witness::ClientLog,
                Side::Client,
                &side.events,
            ));
        }
        all.extend(self.peer.as_ref().and_then(text::peer_failure));
        all.extend(self.wire.iter().flat_map(failure::from_wire));
        all
    }

    /// The snapshot's text.
    pub fn snapshot(&self) -> String {
        text::snapshot(self)
    }

    /// What each witness said, redacted, by name.
    pub fn witnesses(&self) -> Vec<(String, String)> {
        text::witnesses(self)
    }
}
