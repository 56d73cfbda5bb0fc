//! The Received: header tells of a session all that the server's log tells, and of the client's certificate what its status word says.

use super::{Broken, Rule, Seen};
use crate::observe::received::ClientCertificate;
use crate::observe::summary::{Side, Status};

pub(super) const RULE: Rule = Rule {
    name: "header-complete",
    claim: "The Received: header tells of a session all that the server's log tells, and of the client's certificate what its status word says.",
    source: "FORWARD_SECRECY_README, How can I see that a connection has forward secrecy?; TLS_README, Received: header",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let Some(received) = seen.evidence.received() else {
        return Vec::new();
    };
    let (Some(told), Some(log)) = (&received.tls, seen.summaries(Side::Server).last()) else {
        return Vec::new();
    };
    let mut broken = Vec::new();
    for (field, there, in_log) in [
        (
            "key-exchange",
            told.key_exchange.is_some(),
            log.key_exchange.is_some(),
        ),
        (
            "server-signature",
            told.server_signature.is_some(),
            log.server_signature.is_some(),
        ),
        (
            "server-digest",
            told.server_digest.is_some(),
            log.server_digest.is_some(),
        ),
        (
            "client-signature",
            told.client_signature.is_some(),
            log.client_signature.is_some(),
        ),
        (
            "client-digest",
            told.client_digest.is_some(),
            log.client_digest.is_some(),
        ),
    ] {
        if there != in_log {
            let (has, lacks) = if there {
                ("header", "log")
            } else {
                ("log", "header")
            };
            broken.push(Broken::new(
                format!("{field} is in the {has} and not in the {lacks}"),
                "",
            ));
        }
    }
    let presented = match &received.client_certificate {
        Some(ClientCertificate::Presented { verified: true, .. }) => Some(Status::Trusted),
        Some(ClientCertificate::Presented { .. } | ClientCertificate::RawPublicKey { .. }) => {
            Some(Status::Untrusted)
        }
        Some(ClientCertificate::NotRequested | ClientCertificate::NotPresented) => {
            Some(Status::Anonymous)
        }
        None => None,
    };
    if presented != log.status {
        broken.push(Broken::new(
            "the comment on the client's certificate is not what the status word says",
            format!("{:?} and {:?}", received.client_certificate, log.status),
        ));
    }
    broken
}
