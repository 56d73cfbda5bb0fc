//! What Postfix says of the session: status words, SNI, the `Received:` header.

use crate::evidence::{Evidence, PostfixLog};
use crate::observe::received::{ClientCertificate, Received};
use crate::observe::summary::{Side, Status};
use crate::redact::own_names;
use crate::scenario::{ClientCertificateComment, Expect, StatusWord};
use crate::verdict::differences::Differences;

pub(super) fn statuses(expect: &Expect, seen: &Evidence, out: &mut Differences) {
    for (name, expected, side) in [
        ("server status", expect.server_status, Side::Server),
        ("client status", expect.client_status, Side::Client),
    ] {
        let Some(expected) = expected else { continue };
        let summary = seen.log(side).map(PostfixLog::summary);
        let found = match summary {
            None => None,
            Some(None) => Some("none".to_owned()),
            Some(Some(summary)) => summary.status.map(|status| status.to_string()),
        };
        let expected = match expected {
            StatusWord::Anonymous => Status::Anonymous.to_string(),
            StatusWord::Untrusted => Status::Untrusted.to_string(),
            StatusWord::Trusted => Status::Trusted.to_string(),
            StatusWord::Verified => Status::Verified.to_string(),
            StatusWord::None => "none".to_owned(),
        };
        out.compare(name, expected, found);
    }
    if let Some(expected) = &expect.sni {
        let summary = seen.log(Side::Server).and_then(PostfixLog::summary);
        out.compare(
            "SNI in the log",
            expected,
            summary.map(|s| own_names(s.sni.as_deref().unwrap_or("none"))),
        );
    }
    if let Some(expected) = expect.received_tls {
        let word = |yes| {
            if yes {
                "a TLS comment"
            } else {
                "no TLS comment"
            }
        };
        out.compare(
            "Received",
            word(expected),
            seen.received().map(|r| word(r.tls.is_some())),
        );
    }
    if let Some(expected) = expect.received_client {
        out.compare(
            "Received",
            comment_word(expected),
            seen.received().and_then(received_word),
        );
    }
}

fn comment_word(comment: ClientCertificateComment) -> &'static str {
    match comment {
        ClientCertificateComment::NotRequested => "no client certificate requested",
        ClientCertificateComment::NotPresented => "client did not present a certificate",
        ClientCertificateComment::NotVerified => "client certificate not verified",
        ClientCertificateComment::VerifiedOk => "client certificate verified",
        ClientCertificateComment::RawPublicKey => "client raw public key",
    }
}

fn received_word(received: &Received) -> Option<&'static str> {
    Some(comment_word(
        match received.client_certificate.as_ref()? {
            ClientCertificate::NotPresented => ClientCertificateComment::NotPresented,
            ClientCertificate::NotRequested => ClientCertificateComment::NotRequested,
            ClientCertificate::Presented { verified: true, .. } => {
                ClientCertificateComment::VerifiedOk
            }
            ClientCertificate::Presented {
                verified: false, ..
            } => ClientCertificateComment::NotVerified,
            ClientCertificate::RawPublicKey { .. } => ClientCertificateComment::RawPublicKey,
        },
    ))
}
