//! Who ended a handshake or a session, and which witness tells it.

use std::fmt;

use classic_tls::names::AlertDescription;
use classic_tls::wire::{AlertLevel, Transcript};
use postfix_tls_log::failure as told;

use super::agreement::Witness;
use super::log::LogEvent;
use super::summary::Side;

pub use postfix_tls_log::cause::{VERIFICATION_FAILED, canonical, is_name, is_verification};
pub use postfix_tls_log::failure::{alert_for, normalised};

/// The end of a session that should have gone on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Who gave up: sent the alert, closed the connection, found the policy not met.
    pub side: Side,
    /// The alert that passed from `side` to the other end, where one is known.
    pub alert: Option<AlertDescription>,
    /// In one dialect and in lower case: `no shared cipher`, `certificate has expired`; where only the peer's alert is
    /// known, `alert` and its name.
    pub cause: String,
    /// Who tells it.
    pub seen_by: Witness,
}

/// The failure that `events` tell of, see [`postfix_tls_log::failure::from_log`].
pub fn from_log(witness: Witness, own: Side, events: &[LogEvent]) -> Option<Failure> {
    let told::Failure { side, alert, cause } = told::from_log(own, events)?;
    Some(Failure {
        side,
        alert,
        cause,
        seen_by: witness,
    })
}

/// The failures that a recording shows: the fatal alerts in it that are not encrypted.
pub fn from_wire(transcript: &Transcript) -> Vec<Failure> {
    let fatal = transcript
        .alerts
        .iter()
        .filter(|(_, level, _)| *level == AlertLevel::Fatal);
    fatal
        .map(|(side, _, alert)| Failure {
            side: *side,
            alert: Some(*alert),
            cause: format!("alert {alert}"),
            seen_by: Witness::Wire,
        })
        .collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            side, alert, cause, ..
        } = self.clone();
        told::Failure { side, alert, cause }.fmt(f)
    }
}
