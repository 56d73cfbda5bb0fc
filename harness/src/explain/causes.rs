//! Who gave up, why, and what to look at next.

use super::{About, Explanation};
use crate::observe::summary::Side;
use postfix_tls_log::{Failure, Session};

/// A parameter of the server and of the client, and what it has to do with it; empty where there is none.
struct Cause {
    /// The cause starts with this, or contains it after a star.
    starts: &'static str,
    words: &'static str,
    server: &'static str,
    client: &'static str,
    hint: &'static str,
}

const fn cause(
    starts: &'static str,
    words: &'static str,
    server: &'static str,
    client: &'static str,
    hint: &'static str,
) -> Cause {
    Cause {
        starts,
        words,
        server,
        client,
        hint,
    }
}

/// The first that fits counts.
const CAUSES: &[Cause] = &[
    cause(
        "no shared cipher",
        "The two have no cipher suite in common that goes with the server's certificate and settings.",
        "smtpd_tls_exclude_ciphers",
        "smtp_tls_exclude_ciphers",
        "What is excluded here, or too high a grade, may be all that an old peer can do; a missing or unusable certificate has the same effect.",
    ),
    cause(
        "unsupported protocol",
        "The other side offers no protocol version that this one allows, mostly TLS 1.0 or 1.1 only.",
        "smtpd_tls_protocols",
        "smtp_tls_protocols",
        "If main.cf does not exclude the version, the system's OpenSSL settings do (MinProtocol, the security level).",
    ),
    cause(
        "wrong version number",
        "What came was no TLS record, mostly because the other side answered in plain text.",
        "smtpd_tls_wrappermode",
        "smtp_tls_wrappermode",
        "TLS from the first byte (wrapper mode) belongs to port 465, STARTTLS to ports 25 and 587; one side did the one, the other the other.",
    ),
    cause(
        "http request",
        "The client speaks HTTP, not TLS.",
        "",
        "",
        "It is a scanner or a misdirected browser.",
    ),
    cause(
        "unknown protocol",
        "What came was no TLS record that this version knows.",
        "smtpd_tls_wrappermode",
        "smtp_tls_wrappermode",
        "TLS from the first byte (wrapper mode) belongs to port 465, STARTTLS to ports 25 and 587.",
    ),
    cause(
        "certificate has expired",
        "The certificate, or one above it, has expired.",
        "smtpd_tls_CAfile",
        "smtp_tls_CAfile",
        "Its owner must renew it; also look at the clock, and at an expired CA in this file.",
    ),
    cause(
        "certificate not yet valid",
        "The certificate is not valid yet.",
        "",
        "",
        "Look at the clocks of both sides.",
    ),
    cause(
        "self-signed certificate",
        "The certificate is signed by itself or by a CA that is not known here.",
        "smtpd_tls_CAfile",
        "smtp_tls_CAfile",
        "A self-signed one can be pinned instead: level fingerprint (client), relay_clientcerts (server).",
    ),
    cause(
        "untrusted issuer",
        "No CA certificate that this Postfix has vouches for the other side's certificate.",
        "smtpd_tls_CAfile",
        "smtp_tls_CAfile",
        "If the log says so of every server, no CA file is set at all: smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt or your system's.",
    ),
    cause(
        "hostname mismatch",
        "The certificate is for another name than the policy asks for.",
        "",
        "smtp_tls_servername",
        "A server with several names shows the right certificate only if it is told the name: smtp_tls_servername = hostname. Else look at the level and match= (secure: the recipient's domain, verify: the host).",
    ),
    cause(
        "no matching dane tlsa records",
        "The certificate matches nothing that the policy pins. From 3.7 on these words also stand for a plain fingerprint that does not match, without any DANE.",
        "",
        "smtp_tls_fingerprint_cert_match",
        "Compare the TLSA record or fingerprint with the server's certificate; it changes when the key does.",
    ),
    cause(
        "unspecified certificate verification error",
        "The certificate was not accepted, and OpenSSL gave no reason; the lines before it may.",
        "smtpd_tls_CAfile",
        "smtp_tls_CAfile",
        "Among others: the CA file is missing or lacks the CA.",
    ),
    cause(
        "server certificate not verified",
        "The handshake was good, and the server's certificate is not what the policy demands.",
        "",
        "smtp_tls_policy_maps",
        "Level secure compares with the recipient's domain, verify with the host's name, unless match= says otherwise; and a CA must vouch for it (smtp_tls_CAfile). A Trusted session failed by its name.",
    ),
    cause(
        "server certificate not trusted",
        "No CA that this client knows vouches for the server's certificate, and the policy demands it.",
        "",
        "smtp_tls_CAfile",
        "Without a CA file nobody is trusted.",
    ),
    cause(
        "tls failure: cannot verify server",
        "The server's certificate is not what the policy demands (Postfix 2.2).",
        "",
        "smtp_tls_CAfile",
        "Look at the CA file and at the name.",
    ),
    cause(
        "alert unknown_ca",
        "The other side knows no CA that vouches for this side's certificate, and said so.",
        "smtpd_tls_chain_files",
        "smtp_tls_cert_file",
        "Intermediate certificates may be missing from the file, or the other side has no CA for it (self-signed).",
    ),
    cause(
        "alert certificate_expired",
        "The other side found this side's certificate expired, and said so.",
        "smtpd_tls_chain_files",
        "smtp_tls_cert_file",
        "Renew it, and reload Postfix.",
    ),
    cause(
        "alert certificate_unknown",
        "The other side did not accept this side's certificate, and said so without a reason.",
        "smtpd_tls_chain_files",
        "smtp_tls_cert_file",
        "Mostly the name or the CA does not suit it.",
    ),
    cause(
        "alert bad_certificate",
        "The other side did not accept this side's certificate, and said so.",
        "smtpd_tls_chain_files",
        "smtp_tls_cert_file",
        "Mostly the name or the CA does not suit it; in TLS 1.3 such an alert may come after the handshake.",
    ),
    cause(
        "alert certificate_required",
        "The other side wants a client certificate and got none.",
        "",
        "smtp_tls_cert_file",
        "Give this client a certificate that the server knows.",
    ),
    cause(
        "alert handshake_failure",
        "The other side found nothing in common with this one (cipher, group, signature), or wants a client certificate.",
        "smtpd_tls_mandatory_ciphers",
        "smtp_tls_mandatory_ciphers",
        "The other side's log knows which; here look at ciphers and at the kind of certificate (RSA, ECDSA).",
    ),
    cause(
        "alert protocol_version",
        "The other side allows no protocol version that this one offers.",
        "smtpd_tls_protocols",
        "smtp_tls_protocols",
        "One of the two is too old, or too strict.",
    ),
    cause(
        "alert internal_error",
        "The other side failed by itself, and said so.",
        "",
        "",
        "Its own log knows why.",
    ),
    cause(
        "alert ",
        "The other side ended it with a TLS alert.",
        "",
        "",
        "Its own log knows why.",
    ),
    cause(
        "dh key too small",
        "The Diffie-Hellman prime of the other side is too small for this OpenSSL.",
        "smtpd_tls_dh1024_param_file",
        "smtp_tls_exclude_ciphers",
        "Excluding kDHE gives it another key exchange.",
    ),
    cause(
        "starttls not offered",
        "The policy demands TLS, and the server does not offer STARTTLS.",
        "",
        "smtp_tls_security_level",
        "A hop on this machine (a content filter) needs its own -o smtp_tls_security_level=none in master.cf; for other servers, a policy table entry.",
    ),
    cause(
        "starttls refused",
        "The server offered STARTTLS and then refused it.",
        "",
        "smtp_tls_security_level",
        "The server's log knows why, mostly a certificate that it cannot load.",
    ),
    cause(
        "non dnssec destination",
        "The policy demands DANE, and the recipient's domain is not signed, so DNS vouches for nothing. At level dane the mail would have gone out, at dane-only it waits.",
        "",
        "smtp_tls_security_level",
        "dane-only is for domains that are known to have DNSSEC.",
    ),
    cause(
        "no tlsa records found",
        "The policy demands DANE, and DNS has no signed TLSA record.",
        "",
        "smtp_tls_security_level",
        "dane-only is for servers that are known to have TLSA records; the resolver must validate (smtp_dns_support_level = dnssec).",
    ),
    cause(
        "tlsa records unusable",
        "DNS has TLSA records, and none that Postfix can use.",
        "",
        "smtp_tls_security_level",
        "Usages 0 and 1, and malformed digests, are of no use for mail (RFC 7672).",
    ),
    cause(
        "tlsa lookup error",
        "The TLSA records could not be looked up: DNS failed, so DANE may not be left out either.",
        "",
        "smtp_dns_support_level",
        "Look at the resolver and at the zone's signatures.",
    ),
    cause(
        "client tls configuration problem",
        "A setting or a policy table entry cannot be used; the line before names it.",
        "",
        "smtp_tls_policy_maps",
        "An attribute that this Postfix does not know refuses the whole entry.",
    ),
    cause(
        "sasl authentication failed",
        "The client found no way to log in at the server that its own settings allow.",
        "",
        "smtp_sasl_tls_security_options",
        "The default noplaintext forbids PLAIN and LOGIN even inside TLS; smtp_sasl_tls_security_options = noanonymous is what is meant, and smtp_sasl_mechanism_filter must leave something.",
    ),
    cause(
        "sender requested requiretls",
        "The sender asked for REQUIRETLS (RFC 8689), and it could not be had.",
        "",
        "smtp_requiretls_policy",
        "The next server must offer REQUIRETLS, and its certificate must be verified.",
    ),
    cause(
        "no client certificate presented",
        "The server demands a client certificate, and the client showed none.",
        "smtpd_tls_req_ccert",
        "smtp_tls_cert_file",
        "smtpd_tls_req_ccert belongs to a service of its own, never to port 25 for strangers.",
    ),
    cause(
        "client certificate not trusted",
        "The server demands a client certificate of a CA that it knows.",
        "smtpd_tls_CAfile",
        "smtp_tls_cert_file",
        "The CA must stand in the server's file.",
    ),
    cause(
        "*unavailable",
        "TLS is demanded and cannot be had here.",
        "smtpd_tls_security_level",
        "smtp_tls_security_level",
        "Warnings before this line say why TLS was turned off.",
    ),
    cause(
        "cannot get ",
        "A certificate or key cannot be used, so this process runs without TLS: the file is missing, not readable, holds something else, or \
         the key is not the certificate's. The line of OpenSSL beside it says which.",
        "smtpd_tls_cert_file",
        "smtp_tls_cert_file",
        "Make the file readable, or point to the right one, or to the key of this certificate, and reload.",
    ),
    cause(
        "invalid tls protocol list",
        "Postfix does not know a word in the list of protocols, and turns TLS off altogether.",
        "smtpd_tls_protocols",
        "smtp_tls_protocols",
        "TLSv1.1 and TLSv1.2 are known from 2.10 on and from some patch releases before it; >=TLSv1.2 from 3.6 on.",
    ),
    cause(
        "connection reset by peer",
        "The other side cut the connection without a word.",
        "",
        "",
        "A firewall, a crash, or a peer that does not like what it saw; its log knows.",
    ),
    cause(
        "lost connection",
        "The other side went away without a word.",
        "",
        "",
        "If it happens each time: it does not accept this side's certificate or protocol and does not say so; its log knows. Once: a scanner or the network.",
    ),
    cause(
        "*timed out",
        "The other side did not answer in time.",
        "",
        "smtp_starttls_timeout",
        "A firewall that cannot pass large TLS records, or a busy peer.",
    ),
    cause(
        "timeout",
        "The other side did not answer in time.",
        "smtpd_starttls_timeout",
        "smtp_starttls_timeout",
        "A firewall that cannot pass large TLS records, or a busy peer.",
    ),
    cause(
        "refused to talk",
        "The server turned the client away in its greeting.",
        "",
        "",
        "Its words say why.",
    ),
];

pub(super) fn failure(out: &mut Explanation, session: &Session) {
    let Some(failure) = session.failure() else {
        return;
    };
    let own = session.role == Some(failure.side);
    told(out, &failure, own, session.role);
}

fn told(out: &mut Explanation, failure: &Failure, own: bool, role: Option<Side>) {
    let who = match (own, failure.side) {
        (true, side) => format!("This Postfix, the {side},"),
        (false, side) => format!("The other side, the {side},"),
    };
    let alert = match failure.alert {
        Some(alert) if !failure.cause.starts_with("alert ") => {
            format!(" (it sends the alert {alert})")
        }
        _ => String::new(),
    };
    out.say(
        About::Failure,
        format!(
            "{who} gave up: {}{alert}.",
            failure.cause.trim_end_matches('.')
        ),
    );
    explain(out, &failure.cause, role);
}

/// Adds what is known of `cause`, in the words of [`Failure::cause`]; nothing if it is not known.
pub(super) fn explain(out: &mut Explanation, cause: &str, role: Option<Side>) {
    let fits = |known: &&Cause| match known.starts.strip_prefix('*') {
        Some(part) => cause.contains(part),
        None => cause.starts_with(known.starts),
    };
    let Some(known) = CAUSES.iter().find(fits) else {
        return;
    };
    out.say(About::Failure, known.words);
    let parameter = match role {
        Some(Side::Server) => known.server,
        Some(Side::Client) => known.client,
        None => "",
    };
    if parameter.is_empty() {
        out.read("TLS_README.html", known.hint);
    } else {
        out.advise(parameter, known.hint);
    }
}
