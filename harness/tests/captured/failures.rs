//! Who ended a session, and why, in every dialect.

use std::collections::HashMap;

use harness::observe::agreement::Witness;
use harness::observe::failure::{self, Failure};
use harness::observe::{LogEvent, Side};

use crate::{TARGETS, capture, lines};

/// What the lines of all sessions of one service tell, each failure once, in order.
fn failures(target: &str, tag: &str) -> Vec<String> {
    let log = capture(target, "maillog.txt");
    let mut open: HashMap<Option<u32>, Vec<LogEvent>> = HashMap::new();
    let mut found: Vec<String> = Vec::new();
    for (line, event) in lines(&log) {
        if line.tag.strip_prefix("postfix/") != Some(tag) {
            continue;
        }
        let (witness, side) = match &*line.daemon {
            "smtpd" => (Witness::ServerLog, Side::Server),
            _ => (Witness::ClientLog, Side::Client),
        };
        let ends = matches!(event, LogEvent::Disconnect { .. } | LogEvent::Delivery(_));
        let events = open.entry(line.pid).or_default();
        events.push(event);
        if ends {
            let failure = failure::from_log(witness, side, events)
                .as_ref()
                .map(Failure::to_string);
            events.clear();
            found.extend(failure.filter(|failure| !found.contains(failure)));
        }
    }
    found
}

#[test]
fn both_ends_of_a_failure_in_every_dialect() {
    for target in TARGETS {
        let has = |tag: &str, expected: &str| {
            let found = failures(target, tag);
            assert!(
                found.iter().any(|failure| failure == expected),
                "{target} {tag}: {found:#?}"
            );
        };
        // The client's list has no cipher for the server's ECDSA key.
        has("s-ec", "server: no shared cipher (alert handshake_failure)");
        has("c-nocipher", "server: alert handshake_failure");
        // No common version.
        has(
            "s-12",
            "server: unsupported protocol (alert protocol_version)",
        );
        has("c-13v12", "server: alert protocol_version");
        has(
            "s-13",
            "server: unsupported protocol (alert protocol_version)",
        );
        has("c-12v13", "server: alert protocol_version");
        // No common group.
        has(
            "s-secp384r1",
            "server: no suitable key share (alert handshake_failure)",
        );
        if matches!(target, "debian-11" | "debian-12") {
            // Later versions have the groups of tls_ffdhe_auto_groups left in common.
            has("c-nogroup", "server: alert handshake_failure");
        }
        // Certificates the policy does not accept; the handshake itself is good.
        has("c-vself", "client: self-signed certificate");
        has("c-vexpired", "client: certificate has expired");
        has("c-vnotyet", "client: certificate not yet valid");
        has("c-vunrelated", "client: untrusted issuer");
        has(
            "c-vconly",
            "client: not designated for use as a server certificate",
        );
        // The server wants a certificate.
        has("s-req", "server: no client certificate presented");
        has("s-req", "server: self-signed certificate");
        has("c-reqnone", "server: no client certificate presented");
        has("c-reqself", "server: client certificate not trusted");
        // STARTTLS refused, absent, cut off.
        has("c-raw-nostarttls", "client: starttls not offered");
        // A Postfix without a usable certificate offers STARTTLS all the same, and then refuses it.
        has("c-nocert", "server: starttls refused");
        has("c-raw-refuse454", "server: starttls refused");
        has("c-raw-close", "server: lost connection");
        has("c-raw-rst", "server: connection reset by peer");
        has("c-raw-stall", "server: connection timed out");
        has("c-raw-garbage", "client: wrong version number");
        has("c-raw-alert40", "server: alert handshake_failure");
        has("c-raw-alert48", "server: alert unknown_ca");
        has("c-raw-alert70", "server: alert protocol_version");
        has("c-raw-alert80", "server: alert internal_error");
        has("c-raw-banner421", "server: refused to talk");
        has("c-raw-closebanner", "server: lost connection");
        has(
            "c-raw-serverhello",
            "client: length mismatch (alert decode_error)",
        );
        // A client that does not like the server's certificate, and one that hangs up.
        has("s-def", "client: alert unknown_ca");
        has("s-def", "client: lost connection");
        has("s-expired", "client: alert certificate_expired");
        has("s-slow", "client: connection timed out");
        has("s-snibad", "server: callback failed (alert internal_error)");
        // OpenSSL 1.1.1 finds out in the handshake that the prime is too small; later ones refuse it at the start, and then
        // have no cipher for a client that wants nothing else.
        let small = match target {
            "debian-11" => "server: dh key too small (alert handshake_failure)",
            _ => "server: no shared cipher (alert handshake_failure)",
        };
        has("s-dh512", small);
        // DANE.
        has("c-daneonly-noad", "client: no tlsa records found");
        has("c-daneonly-servfail", "client: tlsa lookup error");
        let fingerprint = match target {
            "debian-11" => "client: server certificate not verified",
            _ => "client: no matching dane tlsa records",
        };
        has("c-fpbad", fingerprint);
        has("c-daneonly-bad", fingerprint);
    }
}

#[test]
fn sessions_that_went_well_have_no_failure() {
    for target in TARGETS {
        for tag in [
            "c-may",
            "c-ca",
            "c-verify",
            "c-secure",
            "c-fp",
            "c-cec",
            "c-sni",
            "c-dane-ok",
            "c-plain",
            "s-ed25519",
            "s-ask",
        ] {
            assert_eq!(failures(target, tag), [""; 0], "{target} {tag}");
        }
    }
}
