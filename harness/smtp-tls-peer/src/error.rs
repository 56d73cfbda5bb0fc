//! Why a connection did not end well, in terms of who, what and when.

use std::fmt;
use std::io;

use classic_tls::names::AlertDescription;
use classic_tls::wire::{AlertLevel, Side, Transcript};
use rustls::PeerIncompatible;

use super::dhe::DheError;
use super::options::OptionError;
use super::smtp::{SmtpError, Stage};

/// Why a connection did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerError {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The side that broke off: it sent the alert, closed the connection, gave the refusal, or kept silent.
    pub side: Side,
    /// The fatal alert, if one went over the wire.
    pub alert: Option<Alert>,
    /// What was wrong with the other side's Diffie-Hellman prime or public value, if that was it.
    pub dhe: Option<DheError>,
    /// The step that was under way.
    pub stage: Stage,
    /// The whole story in words, without stage and side.
    pub text: String,
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (during {}, ended by the {})",
            self.text, self.stage, self.side
        )
    }
}

impl std::error::Error for PeerError {}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The options cannot be carried out; nothing was sent.
    Options,
    /// The time was up.
    Deadline,
    /// TLS failed, with or without an alert.
    Tls,
    /// The other side refused a step of SMTP or broke its rules.
    Smtp,
    /// The connection could not be made, was closed or was reset.
    Connection,
    /// This peer broke off because it was told to.
    Deliberate,
}

/// A fatal alert (RFC 8446 section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Whether this peer sent or received it.
    pub direction: Direction,
    /// Which one.
    pub description: AlertDescription,
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From this peer.
    Sent,
    /// To this peer.
    Received,
}

/// What ended a connection, before it is put into words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Options(#[from] OptionError),
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    #[error("{0}")]
    Stream(io::Error),
    #[error("{0}")]
    Classic(classic_tls::Error),
    #[error("{what}: {source}")]
    Connection { what: String, source: io::Error },
    #[error("deadline reached")]
    Deadline,
    #[error("{0}, as it was told to")]
    Deliberate(&'static str),
}

impl Failure {
    /// Puts the failure into words, from the point of view of `own`.
    pub(super) fn explain(self, own: Side, stage: Stage, transcript: &Transcript) -> PeerError {
        let text = self.to_string();
        let error = |kind, side| PeerError {
            kind,
            side,
            alert: None,
            dhe: None,
            stage,
            text: text.clone(),
        };
        match self {
            Self::Options(_) => error(ErrorKind::Options, own),
            Self::Deliberate(_) => error(ErrorKind::Deliberate, own),
            Self::Deadline => error(ErrorKind::Deadline, own.other()),
            Self::Connection { .. } => error(ErrorKind::Connection, own.other()),
            Self::Classic(source) => classic_error(&source, own, stage),
            Self::Stream(source) => tls_error(&source, own, stage, transcript),
            Self::Smtp(SmtpError::Io(source)) => tls_error(&source, own, stage, transcript),
            Self::Smtp(SmtpError::Closed { .. }) => {
                tls_error(&io::ErrorKind::UnexpectedEof.into(), own, stage, transcript)
            }
            Self::Smtp(SmtpError::Unsendable { .. }) => error(ErrorKind::Options, own),
            Self::Smtp(SmtpError::Refused { .. } | SmtpError::NotOffered) => {
                error(ErrorKind::Smtp, own.other())
            }
            // The limits and rules that this side enforces.
            Self::Smtp(_) => error(ErrorKind::Smtp, own),
        }
    }
}

/// What an I/O error on a stream that may be TLS says.
fn tls_error(source: &io::Error, own: Side, stage: Stage, transcript: &Transcript) -> PeerError {
    let on_wire = |side| {
        transcript
            .alerts
            .iter()
            .filter(|(sender, level, description)| {
                *sender == side
                    && *level != AlertLevel::Warning
                    && *description != AlertDescription::CLOSE_NOTIFY
            })
            .map(|(_, _, description)| *description)
            .next_back()
    };
    let failed = |kind, side, alert, text| PeerError {
        kind,
        side,
        alert,
        dhe: None,
        stage,
        text,
    };
    let received = |description| {
        Some(Alert {
            direction: Direction::Received,
            description,
        })
    };
    let sent = |description| {
        Some(Alert {
            direction: Direction::Sent,
            description,
        })
    };
    if let Some(error) = source
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<classic_tls::Error>())
    {
        return classic_error(error, own, stage);
    }
    match source
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(rustls::Error::AlertReceived(alert)) => {
            let description = AlertDescription(u8::from(*alert));
            let text = format!("the {} sent the fatal alert {description}", own.other());
            failed(ErrorKind::Tls, own.other(), received(description), text)
        }
        Some(error) => {
            let description = on_wire(own).or_else(|| alert_for(error));
            let dhe = match error {
                rustls::Error::Other(other) => other.0.downcast_ref::<DheError>().copied(),
                _ => None,
            };
            let text = dhe.map_or_else(|| error.to_string(), |dhe| dhe.to_string());
            PeerError {
                dhe,
                ..failed(ErrorKind::Tls, own, description.and_then(sent), text)
            }
        }
        // The connection broke; an alert that came just before tells why.
        None => match on_wire(own.other()) {
            Some(description) => {
                let text = format!("the {} sent the fatal alert {description}", own.other());
                failed(ErrorKind::Tls, own.other(), received(description), text)
            }
            None => {
                // Whether a close is seen as end of file or as reset depends on what was still under way.
                let text = match source.kind() {
                    io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe => {
                        format!("the {} closed the connection", own.other())
                    }
                    _ => source.to_string(),
                };
                failed(ErrorKind::Connection, own.other(), None, text)
            }
        },
    }
}

/// What an error of the classic peer says.
fn classic_error(error: &classic_tls::Error, own: Side, stage: Stage) -> PeerError {
    use classic_tls::Error;
    let failed = |kind, side, alert, text| PeerError {
        kind,
        side,
        alert,
        dhe: None,
        stage,
        text,
    };
    match error {
        Error::AlertReceived { description, .. } => {
            let alert = Alert {
                direction: Direction::Received,
                description: *description,
            };
            let text = format!("the {} sent the fatal alert {description}", own.other());
            failed(ErrorKind::Tls, own.other(), Some(alert), text)
        }
        Error::Closed { .. } | Error::Io { .. } => {
            let text = format!("the {} closed the connection", own.other());
            failed(ErrorKind::Connection, own.other(), None, text)
        }
        Error::Deadline { .. } => failed(ErrorKind::Deadline, own.other(), None, error.to_string()),
        Error::Configuration { .. } | Error::NotOpen => {
            failed(ErrorKind::Options, own, None, error.to_string())
        }
        _ => {
            let alert = error.alert().map(|description| Alert {
                direction: Direction::Sent,
                description,
            });
            failed(ErrorKind::Tls, own, alert, error.to_string())
        }
    }
}

/// The alert that rustls sends for an error of its own, where the wire does not show it because it was encrypted.
fn alert_for(error: &rustls::Error) -> Option<AlertDescription> {
    use rustls::Error;
    Some(match error {
        Error::InvalidCertificate(error) => {
            AlertDescription(u8::from(rustls::AlertDescription::from(error.clone())))
        }
        Error::NoCertificatesPresented => AlertDescription::CERTIFICATE_REQUIRED,
        Error::InvalidMessage(error) => {
            AlertDescription(u8::from(rustls::AlertDescription::from(*error)))
        }
        Error::DecryptError => AlertDescription::BAD_RECORD_MAC,
        Error::PeerSentOversizedRecord => AlertDescription::RECORD_OVERFLOW,
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            AlertDescription::UNEXPECTED_MESSAGE
        }
        Error::PeerMisbehaved(_) => AlertDescription::ILLEGAL_PARAMETER,
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => AlertDescription::PROTOCOL_VERSION,
        Error::PeerIncompatible(_) => AlertDescription::HANDSHAKE_FAILURE,
        _ => return None,
    })
}
