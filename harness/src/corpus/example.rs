//! One example, and its fields for JSON.

use serde_json::{Map, Value, json};

use super::fill;
use crate::observe::log::{LogEvent, SslErrorDetail, SslOperation};
use crate::observe::received::{ClientCertificate, Received};
use crate::observe::summary::{PeerName, TlsSummary};

/// Where a text is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of the log.
    Log,
    /// A `Received:` header, folded as Postfix does.
    Received,
}

impl Kind {
    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Received => "received",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few hundred of them live for a moment"
)]
pub(super) enum Parsed {
    Log { daemon: String, event: LogEvent },
    Received(Box<Received>),
}

/// A text that Postfix wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Where from.
    pub kind: Kind,
    /// The whole of it, redacted parts filled.
    pub text: String,
    /// The case that made it.
    pub scenario: String,
    pub(super) parsed: Parsed,
}

impl Example {
    pub(super) fn log(scenario: &str, daemon: &str, text: &str, event: LogEvent) -> Self {
        Self {
            kind: Kind::Log,
            text: format!("{}{text}", fill::prefix(daemon)),
            scenario: scenario.to_owned(),
            parsed: Parsed::Log {
                daemon: daemon.to_owned(),
                event,
            },
        }
    }

    pub(super) fn received(scenario: &str, text: String, header: Received) -> Self {
        Self {
            kind: Kind::Received,
            text,
            scenario: scenario.to_owned(),
            parsed: Parsed::Received(Box::new(header)),
        }
    }

    /// What kind of event the line tells of.
    pub fn event(&self) -> &'static str {
        let event = match &self.parsed {
            Parsed::Received(_) => return "received",
            Parsed::Log { event, .. } => event,
        };
        match event {
            LogEvent::Abort { .. } => "abort",
            LogEvent::CertificateVerification(_) => "certificate-verification",
            LogEvent::ClientProblem { .. } => "client-problem",
            LogEvent::Configuration(_) => "configuration",
            LogEvent::Dane(_) => "dane",
            LogEvent::Delivery(_) => "delivery",
            LogEvent::Error(_) => "error",
            LogEvent::Fatal(_) => "fatal",
            LogEvent::NonSmtpCommand { .. } => "non-smtp-command",
            LogEvent::Pipelining { .. } => "pipelining",
            LogEvent::TlsReport(_) => "tls-report",
            LogEvent::DhParameters(_) => "dh-parameters",
            LogEvent::LibraryProblem(_) => "library-problem",
            LogEvent::LostConnection { .. } => "lost-connection",
            LogEvent::Screening(_) => "screening",
            LogEvent::SniInvalid { .. } => "sni-invalid",
            LogEvent::SniNotMatched { .. } => "sni-not-matched",
            LogEvent::SslError(_) => "ssl-error",
            LogEvent::Tls(_) => "tls",
            LogEvent::Verbose(_) => "verbose",
            _ => "other",
        }
    }

    /// The fields a parser should find; empty for events that are free text.
    pub fn fields(&self) -> Value {
        let event = match &self.parsed {
            Parsed::Received(header) => return received(header),
            Parsed::Log { event, .. } => event,
        };
        match event {
            LogEvent::Tls(summary) => Value::Object(session(summary)),
            LogEvent::Abort { peer: who, reason } => json!({"peer": peer(who), "reason": reason}),
            LogEvent::Delivery(one) => json!({
                "queue-id": one.queue_id,
                "to": one.to,
                "relay": one.relay.as_ref().map(peer),
                "conn-use": one.connection_use,
                "tls": one.tls,
                "dsn": one.dsn,
                "status": one.status.to_string(),
                "text": one.text,
            }),
            LogEvent::CertificateVerification(one) => json!({
                "peer": peer(&one.peer),
                "number": one.number,
                "issuer": one.issuer,
                "reason": one.reason,
            }),
            LogEvent::LibraryProblem(one) => json!({
                "code": format!("{:08X}", one.code),
                "library": one.library,
                "function": one.function,
                "reason": one.reason,
                "file": one.file,
                "data": one.data,
            }),
            LogEvent::LostConnection {
                after,
                noqueue,
                timeout,
                peer: who,
            } => json!({
                "after": after,
                "noqueue": noqueue,
                "timeout": timeout,
                "peer": peer(who),
            }),
            LogEvent::SniInvalid { name, peer: who }
            | LogEvent::SniNotMatched { name, peer: who } => {
                json!({"name": name, "peer": peer(who)})
            }
            LogEvent::SslError(one) => json!({
                "operation": match one.operation {
                    SslOperation::Accept => "accept",
                    SslOperation::Connect => "connect",
                },
                "peer": peer(&one.peer),
                "detail": match &one.detail {
                    SslErrorDetail::Code(code) => code.to_string(),
                    SslErrorDetail::LostConnection => "lost connection".to_owned(),
                    SslErrorDetail::System(text) => text.clone(),
                },
            }),
            _ => json!({}),
        }
    }
}

fn peer(peer: &PeerName) -> Value {
    json!({"host": peer.host, "address": peer.address, "port": peer.port})
}

/// What is not in the line is not in the object.
fn session(summary: &TlsSummary) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    say("status", summary.status.map(|one| json!(one.to_string())));
    say("reused", summary.reused_connection.then_some(json!(true)));
    say(
        "direction",
        summary
            .direction
            .filter(|_| summary.status.is_some())
            .map(|one| json!(one.to_string())),
    );
    say("peer", summary.peer.as_ref().map(peer));
    say("sni", summary.sni.as_ref().map(|one| json!(one)));
    say("protocol", Some(json!(summary.protocol.to_string())));
    say("cipher", Some(json!(summary.cipher)));
    say("used-bits", summary.used_bits.map(|one| json!(one)));
    say(
        "algorithm-bits",
        summary.algorithm_bits.map(|one| json!(one)),
    );
    say(
        "key-exchange",
        summary.key_exchange.as_ref().map(|one| json!(one.text)),
    );
    say(
        "server-signature",
        summary.server_signature.as_ref().map(|one| json!(one.text)),
    );
    say(
        "server-digest",
        summary.server_digest.as_ref().map(|one| json!(one)),
    );
    say(
        "client-signature",
        summary.client_signature.as_ref().map(|one| json!(one.text)),
    );
    say(
        "client-digest",
        summary.client_digest.as_ref().map(|one| json!(one)),
    );
    fields
}

fn received(header: &Received) -> Value {
    let mut fields = header.tls.as_ref().map(session).unwrap_or_default();
    // Status and peer are not in the comment.
    for name in ["status", "direction", "peer"] {
        fields.remove(name);
    }
    fields.insert("with".to_owned(), json!(header.with));
    let certificate = header.client_certificate.as_ref().map(|one| match one {
        ClientCertificate::NotPresented => json!("not presented"),
        ClientCertificate::NotRequested => json!("not requested"),
        ClientCertificate::Presented {
            cn,
            issuer,
            verified,
        } => {
            json!({"cn": cn, "issuer": issuer, "verified": verified})
        }
        ClientCertificate::RawPublicKey {
            digest,
            fingerprint,
        } => {
            json!({"digest": digest, "fingerprint": fingerprint})
        }
    });
    fields.insert("client-certificate".to_owned(), json!(certificate));
    Value::Object(fields)
}
