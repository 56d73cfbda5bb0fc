//! Who ended a handshake or a session, with which alert, and why.
//!
//! A Postfix knows two kinds of failure: an error of its own, of which OpenSSL tells the peer in an alert, and an alert of
//! the peer's, of whose cause it knows nothing more. OpenSSL 1.1.1 and 3.x word both differently; the words here are one.

use std::fmt;

use tls_names::AlertDescription;

use crate::event::{
    ClientProblem, Configuration, LibraryProblem, LogEvent, Screening, SslErrorDetail,
};
use crate::summary::Side;

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
}

/// The failure that `events` tell of: the log lines of one session, in the order logged by the Postfix that was its `own`
/// side; `None` if they tell of none.
///
/// An entry of OpenSSL's error stack says more than the line before it, and a certificate that did not verify more than the
/// refusal that follows, so the most telling event counts, not the first.
pub fn from_log(own: Side, events: &[LogEvent]) -> Option<Failure> {
    let teller = Teller { own, events };
    // OpenSSL's error stack follows the line that says the handshake ended. What stands before it, or without it, is about a
    // file or a setting.
    let ended = events.iter().position(|event| {
        matches!(
            event,
            LogEvent::SslError(_) | LogEvent::Screening(Screening::HandshakeFailed { .. })
        )
    });
    // tlsproxy tells of the end behind the stack.
    let stack = match ended.map(|position| (position, &events[position])) {
        Some((position, LogEvent::Screening(_))) => &events[..position],
        Some((position, _)) => &events[position..],
        None => &[],
    };
    // An alert may come after the handshake: a TLS 1.3 client that is refused learns it with the first data.
    let late = || {
        events
            .iter()
            .enumerate()
            .find_map(|(position, event)| match event {
                LogEvent::LibraryProblem(problem)
                    if problem.alert.is_some()
                        && problem.seen_by.is_none_or(|side| side == own) =>
                {
                    let ends = events[position..].iter().any(|event| {
                        matches!(
                            event,
                            LogEvent::LostConnection { .. }
                                | LogEvent::ClientProblem {
                                    problem: ClientProblem::ConnectionLost { .. },
                                    ..
                                }
                        )
                    });
                    ends.then_some(problem)
                }
                _ => None,
            })
    };
    let entries = || {
        stack.iter().filter_map(|event| match event {
            LogEvent::LibraryProblem(problem) if problem.seen_by.is_none_or(|side| side == own) => {
                Some(problem)
            }
            _ => None,
        })
    };
    // What TLS says of itself comes before what a library below it found.
    let library = entries()
        .find(|problem| problem.library == "SSL routines")
        .or_else(|| entries().next())
        .or_else(late);
    if let Some(problem) = library {
        return Some(teller.library(problem));
    }
    events
        .iter()
        .filter_map(|event| teller.event(event))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, failure)| failure)
}

/// The log of one end.
#[derive(Clone, Copy)]
struct Teller<'a> {
    own: Side,
    events: &'a [LogEvent],
}

/// How little a failure tells beside others of the same log: 0 is the most telling.
type Rank = u8;

impl Teller<'_> {
    fn failure(self, side: Side, cause: impl Into<String>) -> Failure {
        Failure {
            side,
            alert: None,
            cause: cause.into(),
        }
    }

    fn library(self, problem: &LibraryProblem) -> Failure {
        if problem.peer_closed() {
            return self.failure(self.own.other(), normalised(&problem.reason));
        }
        if let Some(alert) = problem.alert {
            return Failure {
                alert: Some(alert),
                ..self.failure(self.own.other(), format!("alert {alert}"))
            };
        }
        let reason = normalised(&problem.reason);
        let cause = match reason.as_str() {
            "certificate verify failed" => self.verification_or(&reason),
            _ => reason,
        };
        Failure {
            alert: alert_for(&problem.reason),
            ..self.failure(self.own, cause)
        }
    }

    fn event(self, event: &LogEvent) -> Option<(Rank, Failure)> {
        Some(match event {
            // A daemon that ends by itself has nobody else to blame.
            LogEvent::Fatal(words) => (0, self.failure(self.own, normalised(words))),
            LogEvent::Abort { reason, .. } => {
                (0, self.failure(self.own, self.verification_or(reason)))
            }
            LogEvent::Configuration(Configuration::TlsDisabled { reason }) => {
                (0, self.failure(self.own, without_file(reason)))
            }
            LogEvent::Configuration(Configuration::Credentials { text }) => {
                (2, self.failure(self.own, without_file(text)))
            }
            LogEvent::ClientProblem { problem, .. } => self.problem(problem)?,
            LogEvent::Delivery(delivery) => self.problem(delivery.problem.as_ref()?)?,
            LogEvent::SslError(error) => match &error.detail {
                SslErrorDetail::LostConnection => {
                    (1, self.failure(self.own.other(), "lost connection"))
                }
                SslErrorDetail::System(text) => {
                    (1, self.failure(self.own.other(), normalised(text)))
                }
                SslErrorDetail::Code(_) => (3, self.failure(self.own, "handshake failure")),
            },
            LogEvent::LostConnection { after, timeout, .. } => {
                let what = if *timeout {
                    "timeout"
                } else {
                    "lost connection"
                };
                (
                    4,
                    self.failure(self.own.other(), format!("{what} after {after}")),
                )
            }
            _ => return None,
        })
    }

    fn problem(self, problem: &ClientProblem) -> Option<(Rank, Failure)> {
        Some(match problem {
            ClientProblem::CommandFailed { output } => {
                (1, self.failure(Side::Client, normalised(output)))
            }
            ClientProblem::CertificateNotAccepted { reason } => {
                (0, self.failure(Side::Client, self.verification_or(reason)))
            }
            ClientProblem::TlsRequiredNotOffered { .. } => {
                (1, self.failure(Side::Client, "starttls not offered"))
            }
            ClientProblem::StartTlsRefused { .. } => {
                (1, self.failure(Side::Server, "starttls refused"))
            }
            ClientProblem::RefusedToTalk { reply, .. } => {
                // What a server says that aborts for want of a client certificate has its reason after "Error: ".
                let reason = reply
                    .split_once(" Error: ")
                    .map(|(_, reason)| normalised(reason));
                (
                    1,
                    self.failure(
                        Side::Server,
                        reason.unwrap_or_else(|| "refused to talk".to_owned()),
                    ),
                )
            }
            ClientProblem::Authentication { reason } => {
                (1, self.failure(Side::Client, normalised(reason)))
            }
            ClientProblem::RequireTls { reason } => {
                (1, self.failure(Side::Client, normalised(reason)))
            }
            ClientProblem::TlsConfiguration { reason } => {
                (3, self.failure(Side::Client, normalised(reason)))
            }
            ClientProblem::Tlsa { reason } => {
                // The name and the port behind it are not the cause.
                let cause = reason.split(" for ").next().unwrap_or(reason);
                (1, self.failure(Side::Client, normalised(cause)))
            }
            ClientProblem::TlsUnavailable { .. } => {
                (1, self.failure(Side::Client, "tls unavailable"))
            }
            ClientProblem::ConnectionLost { timeout, .. } => {
                let cause = if *timeout {
                    "timeout"
                } else {
                    "lost connection"
                };
                (2, self.failure(Side::Server, cause))
            }
            ClientProblem::CannotStartTls { reason } => {
                (3, self.failure(Side::Client, normalised(reason)))
            }
            // What else a server says to a command is not about TLS.
            ClientProblem::Replied { reply, .. } => {
                let words = reply.strip_prefix("530 5.7.0 ")?;
                let words = words.split(" (in reply to ").next()?;
                (1, self.failure(Side::Server, normalised(words)))
            }
        })
    }

    /// Why the certificate did not verify, where a line says so, else `fallback`; in one dialect.
    fn verification_or(self, fallback: &str) -> String {
        let failed = self.events.iter().find_map(|event| match event {
            LogEvent::CertificateVerification(failed) => Some(failed.reason.as_str()),
            _ => None,
        });
        normalised(failed.unwrap_or(fallback))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.side, self.cause)?;
        match self.alert {
            Some(alert) if !self.cause.starts_with("alert ") => write!(f, " (alert {alert})"),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a file, without its name: `cannot get RSA certificate from file "/etc/…"`.
fn without_file(reason: &str) -> String {
    let cut = reason
        .find(" from file ")
        .or_else(|| reason.find(" \""))
        .or_else(|| reason.find(" /"))
        .unwrap_or(reason.len());
    normalised(reason.get(..cut).unwrap_or(reason).trim_end_matches(':'))
}

/// `reason` in lower case and in the words of OpenSSL 3.x and Postfix 3.7, whatever the version that printed it.
pub fn normalised(reason: &str) -> String {
    let reason = reason.trim().to_lowercase();
    match reason.as_str() {
        // X509_verify_cert_error_string() of OpenSSL 1.1.1 has no hyphen.
        "self signed certificate" => "self-signed certificate".to_owned(),
        "self signed certificate in certificate chain" => {
            "self-signed certificate in certificate chain".to_owned()
        }
        // Postfix 3.5.
        "server certificate not trusted" => "server certificate not verified".to_owned(),
        // OpenSSL 3; before it Postfix itself says so.
        "unexpected eof while reading" => "lost connection".to_owned(),
        "530 5.7.0 must issue a starttls command first" => {
            "must issue a starttls command first".to_owned()
        }
        // Reason 258 of the SSL library, named differently on the two ends.
        "no protocols available" => "unsupported protocol".to_owned(),
        _ => reason,
    }
}

/// The alert that OpenSSL sends when it fails for `reason` (the `SSLfatal` calls in `ssl/statem` and `ssl/record`);
/// `None` where that depends on more, or where it sends none, as it does for a first record that is not TLS at all
/// (`wrong version number`, `http request`).
pub fn alert_for(reason: &str) -> Option<AlertDescription> {
    Some(match reason {
        "no shared cipher"
        | "no suitable key share"
        | "no suitable groups"
        | "no shared signature algorithms"
        | "no suitable signature algorithm"
        | "no shared groups"
        | "dh key too small"
        | "unsafe legacy renegotiation disabled" => AlertDescription::HANDSHAKE_FAILURE,
        "unsupported protocol" | "wrong ssl version" | "version too low" => {
            AlertDescription::PROTOCOL_VERSION
        }
        "unexpected message" => AlertDescription::UNEXPECTED_MESSAGE,
        // Not "bad extension": decode_error for one that is malformed, illegal_parameter for one that comes twice.
        "length mismatch" | "length too short" => AlertDescription::DECODE_ERROR,
        "bad record mac" | "decryption failed or bad record mac" => {
            AlertDescription::BAD_RECORD_MAC
        }
        "inappropriate fallback" => AlertDescription::INAPPROPRIATE_FALLBACK,
        "callback failed" | "internal error" => AlertDescription::INTERNAL_ERROR,
        "bad key share" | "wrong cipher returned" | "unknown cipher returned" | "wrong curve" => {
            AlertDescription::ILLEGAL_PARAMETER
        }
        _ => return None,
    })
}
