//! What was collected while a case ran, and what it means.

use classic_tls::wire::{Recording, Transcript};

use super::account;
use super::command::CommandReport;
use super::log::PostfixLog;
use crate::observe::agreement::{self, Disagreement, Testimony, Witness};
use crate::observe::failure::{self, Failure};
use crate::observe::received::Received;
use crate::observe::summary::{Side, TlsSummary};
use crate::peer::{Beginning, ForwardReport, Message, PeerReport};
use crate::redact;

/// What was collected while a case ran, not yet understood.
#[derive(Debug, Default)]
pub struct Statements {
    /// The log of the server, if it is a Postfix.
    pub server_log: Option<PostfixLog>,
    /// The log of the client, if it is a Postfix.
    pub client_log: Option<PostfixLog>,
    /// The mail as it arrived behind the server.
    pub message: Option<Message>,
    /// What our own peer saw; of several connections the last one, which knows the earlier ones.
    pub peer: Option<PeerReport>,
    /// Between two that are no peers of ours: what went over the wire.
    pub tap: Option<ForwardReport>,
    /// What became of a program of the user's that was one side.
    pub command: Option<CommandReport>,
    /// A server of the user's has said that it has the mail.
    pub taken: bool,
    /// Contents of the files that were changed while the case ran.
    pub changed: Vec<String>,
}

/// Everything that is known of a case that has run.
#[derive(Debug)]
pub struct Evidence {
    said: Statements,
    received: Option<(String, Option<Received>)>,
    testimonies: Vec<Testimony>,
    failures: Vec<Failure>,
    volatile: Vec<String>,
}

impl From<Statements> for Evidence {
    fn from(said: Statements) -> Self {
        let header = said
            .message
            .as_ref()
            .and_then(|message| message.headers("Received").into_iter().next());
        let received = header.map(|text| {
            let parsed = Received::parse(&text);
            (text, parsed)
        });
        let mut evidence = Self {
            said,
            received,
            testimonies: Vec::new(),
            failures: Vec::new(),
            volatile: Vec::new(),
        };
        evidence.testimonies = evidence.testify();
        evidence.failures = evidence.find_failures();
        evidence
    }
}

impl Evidence {
    /// The same, of whose log lines those with one of these pieces stand in no section.
    #[must_use]
    pub fn leaving_out(self, volatile: Vec<String>) -> Self {
        Self { volatile, ..self }
    }

    /// Whether a log line stands in no section, as the scenario says that it is up to chance.
    pub(super) fn is_volatile(&self, text: &str) -> bool {
        self.volatile.iter().any(|piece| text.contains(piece))
    }

    /// The log of a side; `None` if that side is no Postfix.
    pub fn log(&self, side: Side) -> Option<&PostfixLog> {
        match side {
            Side::Client => self.said.client_log.as_ref(),
            Side::Server => self.said.server_log.as_ref(),
        }
    }

    /// The logs there are, the server's first.
    pub fn logs(&self) -> impl Iterator<Item = (Side, &PostfixLog)> {
        [Side::Server, Side::Client]
            .into_iter()
            .filter_map(|side| Some((side, self.log(side)?)))
    }

    /// The topmost `Received:` header of the mail that arrived, as it stood there.
    pub fn received_text(&self) -> Option<&str> {
        self.received.as_ref().map(|(text, _)| text.as_str())
    }

    /// The same, parsed; `None` also where it is not understood.
    pub fn received(&self) -> Option<&Received> {
        self.received.as_ref()?.1.as_ref()
    }

    /// What our own peer saw.
    pub fn peer(&self) -> Option<&PeerReport> {
        self.said.peer.as_ref()
    }

    /// What can be read of the bytes that passed.
    pub fn wire(&self) -> Option<&Transcript> {
        match (&self.said.tap, &self.said.peer) {
            (Some(tap), _) => Some(&tap.transcript),
            (None, Some(report)) => Some(&report.transcript),
            (None, None) => None,
        }
    }

    /// How TLS began on the wire, if it did.
    pub fn began(&self) -> Option<Beginning> {
        match (&self.said.tap, &self.said.peer) {
            (Some(tap), _) => tap.began,
            (None, Some(report)) => report.began,
            (None, None) => None,
        }
    }

    /// The bytes that [`Self::wire`] was read from.
    pub fn recording(&self) -> Option<&Recording> {
        match (&self.said.tap, &self.said.peer) {
            (Some(tap), _) => Some(&tap.recording),
            (None, Some(report)) => Some(&report.recording),
            (None, None) => None,
        }
    }

    /// Whether the mail arrived behind the server, or a server of the user's has said that it has it.
    pub fn delivered(&self) -> bool {
        self.said.message.is_some() || self.said.taken
    }

    /// What became of a program of the user's that was one side.
    pub fn command(&self) -> Option<&CommandReport> {
        self.said.command.as_ref()
    }

    /// Contents of the files that were changed while the case ran.
    pub fn changed(&self) -> &[String] {
        &self.said.changed
    }

    /// Each witness that knows of a session, with what it knows; our own peer first, it was there.
    pub fn testimonies(&self) -> &[Testimony] {
        &self.testimonies
    }

    /// How it failed, by every witness that saw a failure.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// What two witnesses tell differently.
    pub fn disagreements(&self) -> Vec<Disagreement> {
        agreement::compare(&self.testimonies)
    }

    /// A fact from the first witness that knows it.
    pub fn fact<T>(&self, of: impl Fn(&TlsSummary) -> Option<T>) -> Option<T> {
        self.testimonies
            .iter()
            .find_map(|testimony| of(&testimony.summary))
    }

    fn testify(&self) -> Vec<Testimony> {
        let logged = |side| self.log(side).and_then(PostfixLog::summary).cloned();
        let server_began = self.log(Side::Server).and_then(PostfixLog::began);
        let told = [
            (Witness::Peer, self.peer().and_then(account::of_peer), None),
            (Witness::ServerLog, logged(Side::Server), server_began),
            (Witness::ClientLog, logged(Side::Client), None),
            (
                Witness::Received,
                self.received().and_then(|received| received.tls.clone()),
                None,
            ),
            (
                Witness::Wire,
                self.wire().and_then(account::of_wire),
                self.began(),
            ),
        ];
        told.into_iter()
            .filter_map(|(witness, summary, began)| {
                Some(Testimony {
                    witness,
                    summary: summary?,
                    began,
                })
            })
            .collect()
    }

    fn find_failures(&self) -> Vec<Failure> {
        let logs = self.logs().filter_map(|(side, log)| {
            let witness = match side {
                Side::Client => Witness::ClientLog,
                Side::Server => Witness::ServerLog,
            };
            failure::from_log(witness, side, log.events())
        });
        let mut all: Vec<Failure> = logs.collect();
        all.extend(self.peer().and_then(account::failure_of_peer));
        all.extend(self.wire().into_iter().flat_map(failure::from_wire));
        for failure in &mut all {
            failure.cause = redact::log_text(&failure.cause);
        }
        all
    }
}
