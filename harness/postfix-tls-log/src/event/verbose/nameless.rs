//! Lines that name no peer.

use super::{Verbose, identity};
use crate::summary::number;

/// What Postfix 2.2 to 2.4 says without naming the peer, and details of any version.
pub(super) fn parse(text: &str) -> Option<Verbose> {
    for word in ["Verified", "Unverified"] {
        if let Some(rest) = text
            .strip_prefix(word)
            .and_then(|rest| rest.strip_prefix(": subject_CN="))
        {
            return identity(None, word, rest);
        }
    }
    if let Some(step) = text.strip_prefix("certificate verification depth=") {
        let (depth, subject) = step.split_once(" subject=")?;
        return Some(Verbose::ChainStep {
            peer: None,
            depth: Some(number(depth)?),
            ok: true,
            subject: Some(subject.to_owned()),
        });
    }
    const NOTES: [&str; 16] = [
        "Could not parse client's ",
        "Could not parse server's ",
        "OpenSSL <= 0.9.5a workaround called: ",
        "Read ",
        "Relaying allowed for ",
        "Server certificate could not be verified",
        "TLS protocol trace for ",
        "Verified ",
        "Write ",
        "fingerprint=",
        "fingerprint: ",
        "relay_clientcerts: ",
        "skipping TLS trace output",
        "tls_proxy_",
        "using DANE RR: ",
        "verify return: ",
    ];
    let counted = |start: &str| match start {
        "Read " | "Write " => text.contains(" chars: "),
        "Verified " => !text.contains(" TLS connection "),
        _ => true,
    };
    let note = NOTES
        .iter()
        .any(|start| text.starts_with(start) && counted(start))
        || text.contains(" TLS level: ")
        || text.contains("entropy ")
        || text.contains("PRNG exchange file")
        || text.starts_with("begin tls_proxy_")
        || text.contains(": tls_level=")
        || text.contains("(tlsrpt_policy_type_t=")
        || text.contains("(rpt_socket_name=");
    note.then(|| Verbose::Note {
        text: text.to_owned(),
    })
}
