//! What a summary line or a header's comment says, and what it does not.

use postfix_tls_log::forward_secrecy::PREFIXES;
use postfix_tls_log::names::{CipherSuite, Version};

use super::{About, Explanation};
use crate::observe::received::{ClientCertificate, Received};
use crate::observe::summary::{Side, Status, TlsSummary};
use crate::observe::{ForwardSecrecy, log::DeliveryStatus};
use postfix_tls_log::Session;

pub(super) fn negotiated(out: &mut Explanation, tls: &TlsSummary) {
    let mut text = format!("{}, cipher {}", tls.protocol, tls.cipher);
    if let Some(bits) = tls.used_bits {
        text.push_str(&format!(", a key of {bits} bits"));
        if let Some(all) = tls.algorithm_bits.filter(|all| *all != bits) {
            text.push_str(&format!(" (the algorithm's has {all})"));
        }
    }
    if let Some(exchange) = &tls.key_exchange {
        text.push_str(&format!(", key exchange {exchange}"));
    }
    for (side, signature, digest) in [
        ("server", &tls.server_signature, &tls.server_digest),
        ("client", &tls.client_signature, &tls.client_digest),
    ] {
        if let Some(signature) = signature {
            text.push_str(&format!(", the {side} signed with {signature}"));
            if let Some(digest) = digest {
                text.push_str(&format!(" over {digest}"));
            }
        }
    }
    if let Some(name) = &tls.sni {
        text.push_str(&format!(", the client asked for {name} (SNI)"));
    }
    if tls.reused_connection {
        text.push_str("; the connection was kept open from an earlier mail");
    }
    out.say(About::Negotiated, text + ".");
    forward_secrecy(out, tls);
    if tls.protocol < Version::TLS1_2 {
        out.say(
            About::Negotiated,
            format!(
                "{} is obsolete (RFC 8996, RFC 7568, RFC 6176).",
                tls.protocol
            ),
        );
    }
    left_out(out, tls);
}

fn forward_secrecy(out: &mut Explanation, tls: &TlsSummary) {
    let verdict = tls.forward_secrecy();
    let by_definition = verdict.agrees_with_suite(&tls.cipher);
    let text = match verdict {
        ForwardSecrecy::Tls13 => {
            "Forward secret: yes. TLS 1.3 has no other key exchange, whatever the cipher's name."
                .to_owned()
        }
        ForwardSecrecy::Prefix(prefix) => format!(
            "Forward secret: yes, the cipher's name starts with {prefix}. Who gets the server's key later cannot read a recording."
        ),
        ForwardSecrecy::Absent if by_definition == Some(false) => format!(
            "Forward secret: yes by the definition of {}, although its name starts with none of {}.",
            tls.cipher,
            PREFIXES.join(", ")
        ),
        ForwardSecrecy::Absent if by_definition.is_none() && tls.protocol != Version::SSL2 => {
            format!(
                "Forward secret: cannot be told, {} is in no registry of cipher suites that is known here.",
                tls.cipher
            )
        }
        ForwardSecrecy::Absent => format!(
            "Forward secret: no, the cipher's name starts with none of {}. Who gets the server's key later can read a recording.",
            PREFIXES.join(", ")
        ),
    };
    out.say(About::ForwardSecrecy, text);
    if CipherSuite::from_openssl_name(&tls.cipher).is_some()
        && matches!(verdict, ForwardSecrecy::Prefix("ADH" | "AECDH"))
    {
        out.say(
            About::Negotiated,
            "The cipher is anonymous: nobody proved who the server is, so whoever sat between the two could read along.",
        );
    }
}

fn left_out(out: &mut Explanation, tls: &TlsSummary) {
    if tls.protocol < Version::TLS1_3 {
        if tls.forward_secrecy().holds() {
            out.say(
                About::LeftOut,
                "Before TLS 1.3 no version of Postfix logs the curve, the size of the prime or the signature.",
            );
        }
    } else if tls.key_exchange.is_none() {
        out.say(
            About::LeftOut,
            "The line has no key exchange and no signature: Postfix before 3.4 does not print them.",
        );
    }
    if tls.status.is_none()
        && tls.direction.is_some()
        && tls
            .peer
            .as_ref()
            .is_some_and(|peer| peer.address.is_empty())
    {
        out.say(
            About::LeftOut,
            "The line has no status word: Postfix before 2.5 says nothing of the certificate here.",
        );
    }
}

pub(super) fn status(out: &mut Explanation, tls: &TlsSummary, role: Option<Side>) {
    let (Some(status), Some(role)) = (tls.status, tls.direction.map(|way| way.own_side()).or(role))
    else {
        return;
    };
    let text = match (role, status) {
        (Side::Client, Status::Anonymous) => {
            "Anonymous: the server showed no certificate and no key. The mail is encrypted, and nobody knows to whom."
        }
        (Side::Client, Status::Untrusted) => {
            "Untrusted: the server's certificate was not verified. No CA that this client knows vouches for it, or (3.6 to 3.9) its \
             name is another, or a fingerprint or TLSA record did not match, or nothing was there to check it against. The mail is \
             encrypted all the same; at level may or encrypt this is no failure."
        }
        (Side::Client, Status::Trusted) => {
            "Trusted: a CA that this client knows vouches for the certificate. It does not mean that the name is the right one: no \
             name was asked for, or it did not match."
        }
        (Side::Client, Status::Verified) => {
            "Verified: the server is who the policy asked for, by name, fingerprint or TLSA record."
        }
        (Side::Server, Status::Anonymous) => {
            "Anonymous: the client showed no certificate, as nearly all do. It says nothing of this server's own certificate."
        }
        (Side::Server, Status::Untrusted) => {
            "Untrusted: the client showed a certificate or a key, and no CA that this server knows vouches for it."
        }
        (Side::Server, Status::Trusted) => {
            "Trusted: a CA that this server knows vouches for the client's certificate. That alone permits nothing: who may relay is \
             decided by fingerprint (relay_clientcerts, check_ccert_access) or by permit_tls_all_clientcerts."
        }
        (Side::Server, Status::Verified) => {
            "Verified: no Postfix server uses this word; the line was written by something else, or changed."
        }
    };
    out.say(About::Status, text);
}

pub(super) fn client_certificate(out: &mut Explanation, header: &Received) {
    let text = match &header.client_certificate {
        None => return,
        Some(ClientCertificate::NotRequested) => {
            "The server did not ask for a client certificate, which is the default.".to_owned()
        }
        Some(ClientCertificate::NotPresented) => {
            "The server asked for a client certificate, and the client showed none.".to_owned()
        }
        Some(ClientCertificate::Presented {
            cn,
            issuer,
            verified: true,
        }) => format!(
            "The client showed a certificate for \"{cn}\"; a CA that the server knows vouches for it, issued by \"{issuer}\"."
        ),
        Some(ClientCertificate::Presented {
            cn,
            issuer,
            verified: false,
        }) => format!(
            "The client showed a certificate for \"{cn}\", issued by \"{issuer}\"; nobody that the server knows vouches for it. The mail \
             is encrypted all the same."
        ),
        Some(ClientCertificate::RawPublicKey { digest, .. }) => format!(
            "The client showed a key without a certificate (RFC 7250); its {digest} digest is in the header."
        ),
    };
    out.say(About::Status, text);
}

pub(super) fn deliveries(out: &mut Explanation, session: &Session) {
    for delivery in &session.deliveries {
        let text = match delivery.status {
            DeliveryStatus::Sent => "The mail was handed over.",
            DeliveryStatus::Deferred => "The mail waits in the queue and is tried again.",
            DeliveryStatus::Bounced | DeliveryStatus::Expired => {
                "The mail went back to its sender."
            }
            DeliveryStatus::Deliverable | DeliveryStatus::Undeliverable => {
                "It was an address probe, no mail."
            }
        };
        out.say(About::Delivery, text);
        if let Some(feature) = &delivery.tls {
            out.say(
                About::Delivery,
                format!(
                    "tls={feature}: the level that was used (smtp_log_tls_feature_status, 3.11)."
                ),
            );
        }
    }
}
