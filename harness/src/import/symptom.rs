//! Which kind of trouble, or of success, a report is about: from the lines of its log to one word.

use super::report::{LogLine, Report};
use super::settings::known;
use crate::scenario::SideName;

/// What a line of the log says went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    // Settings and files that cannot be used: told before any session.
    /// A list of ciphers that cannot be used.
    /// A list of ciphers that cannot be used.
    BadCiphers,
    /// A key that is not the certificate's.
    /// A key that is not the certificate's.
    KeyMismatch,
    /// A file without a certificate or key in it.
    /// A file without a certificate or key in it.
    NoPem,
    /// A file of certificates or keys that cannot be opened.
    /// A file of certificates or keys that cannot be opened.
    FileMissing,
    /// A list of protocols with an unknown word.
    /// A list of protocols with an unknown word.
    ProtocolList,
    /// A file of CAs that cannot be loaded.
    /// A file of CAs that cannot be loaded.
    CaMissing,
    /// Port 465 without wrapper mode.
    /// Port 465 without wrapper mode.
    WrapperNeeded,
    /// Wrapper mode at a level below encrypt.
    /// Wrapper mode at a level below encrypt.
    WrapperLevel,
    /// An attribute of a policy that this Postfix does not know.
    /// An attribute of a policy that this Postfix does not know.
    PolicyAttribute,
    /// An attribute of a policy that cannot be read.
    /// An attribute of a policy that cannot be read.
    PolicyMalformed,
    /// A policy table that cannot be read.
    /// A policy table that cannot be read.
    PolicyLookup,
    /// A server that has no SASL mechanism.
    /// A server that has no SASL mechanism.
    NoSaslMechanism,
    /// A certificate of the SNI table that cannot be used.
    /// A certificate of the SNI table that cannot be used.
    SniFile,
    /// A file of Diffie-Hellman parameters that cannot be used.
    /// A file of Diffie-Hellman parameters that cannot be used.
    DhFile,
    /// A proxy's line that does not come.
    /// A proxy's line that does not come.
    Haproxy,
    // DNS.
    /// DANE is demanded of a domain without DNSSEC.
    /// DANE is demanded of a domain without DNSSEC.
    NotDnssec,
    /// TLSA records that cannot be looked up.
    /// TLSA records that cannot be looked up.
    TlsaLookup,
    /// DANE is demanded of a host without TLSA records.
    /// DANE is demanded of a host without TLSA records.
    NoTlsa,
    /// TLSA records of which none can be used.
    /// TLSA records of which none can be used.
    TlsaUnusable,
    /// DANE without DNSSEC lookups.
    /// DANE without DNSSEC lookups.
    DaneWithoutDnssec,
    // The handshake.
    /// No cipher suite in common.
    /// No cipher suite in common.
    NoSharedCipher,
    /// A prime that is too small.
    /// A prime that is too small.
    DhTooSmall,
    /// No TLS version in common.
    /// No TLS version in common.
    UnsupportedProtocol,
    /// Text where TLS should be.
    /// Text where TLS should be.
    NotTls,
    /// A server without secure renegotiation (RFC 5746).
    /// A server without secure renegotiation (RFC 5746).
    LegacyRenegotiation,
    /// An alert of the other end, of which no more is known.
    /// An alert of the other end, of which no more is known.
    PeerAlert,
    // Certificates.
    /// A certificate that has expired.
    /// A certificate that has expired.
    Expired,
    /// A certificate from the future.
    /// A certificate from the future.
    NotYetValid,
    /// A self-signed certificate.
    /// A self-signed certificate.
    SelfSigned,
    /// A key or digest that is too weak.
    /// A key or digest that is too weak.
    WeakCertificate,
    /// A fingerprint that does not match.
    /// A fingerprint that does not match.
    Fingerprint,
    /// A TLSA record that does not match.
    /// A TLSA record that does not match.
    NoTlsaMatch,
    /// A certificate of a CA that is not known.
    /// A certificate of a CA that is not known.
    UntrustedIssuer,
    /// A certificate for another name.
    /// A certificate for another name.
    NameMismatch,
    /// A certificate that did not verify, no reason told.
    /// A certificate that did not verify, no reason told.
    NotVerified,
    /// A client without the certificate that is required.
    /// A client without the certificate that is required.
    NoClientCertificate,
    /// A client with a certificate that is not trusted.
    /// A client with a certificate that is not trusted.
    ClientNotTrusted,
    // SMTP.
    /// No SASL mechanism that the client may use.
    /// No SASL mechanism that the client may use.
    SaslClient,
    /// No SASL mechanism in common.
    /// No SASL mechanism in common.
    SaslClientMechanisms,
    /// STARTTLS is required and not offered.
    /// STARTTLS is required and not offered.
    NotOffered,
    /// STARTTLS is required and refused.
    /// STARTTLS is required and refused.
    Refused,
    /// The server requires STARTTLS.
    /// The server requires STARTTLS.
    MustStarttls,
    /// Relaying is denied.
    /// Relaying is denied.
    RelayDenied,
    /// TLS is required, and this client's is off.
    /// TLS is required, and this client's is off.
    EngineUnavailable,
    /// A policy that cannot be used, no reason told.
    /// A policy that cannot be used, no reason told.
    PolicyProblem,
    /// The connection ended in the middle.
    /// The connection ended in the middle.
    LostConnection,
    /// A server name that the table does not have.
    /// A server name that the table does not have.
    SniUnmatched,
    // It went well, or nothing says what did not.
    /// A session; or nothing says what failed.
    /// A session; or nothing says what failed.
    Established,
}

/// A kind, whose log tells it, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symptom {
    /// The kind.
    pub(super) kind: Kind,
    /// The Postfix that tells it.
    pub(super) side: SideName,
    /// Its line: an index into [`Report::log`].
    pub(super) line: usize,
}

/// Words of a line, and the kind they tell; the first that fits counts.
const WORDS: &[(&[&str], Kind)] = &[
    (
        &[
            "bad string length 0 < 1: tls_",
            "invalid cipher grade",
            "Invalid TLS cipher grade",
        ],
        Kind::BadCiphers,
    ),
    (
        &[
            "key values mismatch",
            "key type mismatch",
            "does not match the certificate",
            "doesn't match",
        ],
        Kind::KeyMismatch,
    ),
    (
        &[
            "no start line",
            "No PEM data",
            "PEM lib",
            "bad base64",
            "No private key found",
            "No certs for key",
            "bad end line",
        ],
        Kind::NoPem,
    ),
    (
        &[
            "cannot load Certification Authority data",
            "error opening trust anchor file",
        ],
        Kind::CaMissing,
    ),
    (
        &[
            "Invalid TLS protocol list",
            "invalid TLS protocol",
            "Invalid TLS protocol",
        ],
        Kind::ProtocolList,
    ),
    (
        &[
            "tls_server_sni_maps",
            "callback failed",
            "error loading private keys and certificates from: SNI data",
        ],
        Kind::SniFile,
    ),
    (&["DH parameter", "DH param"], Kind::DhFile),
    (
        &[
            "cannot get RSA certificate",
            "cannot get RSA private key",
            "cannot get ECDSA",
            "cannot get EC ",
            "cannot get DSA",
            "cannot get private key",
            "cannot get certificate",
            "error opening chain file",
            "error loading chain",
            "No server certs available",
            "fopen",
        ],
        Kind::FileMissing,
    ),
    (
        &[
            "SMTPS wrappermode",
            "wrappermode (port smtps/465) is unimplemented",
        ],
        Kind::WrapperNeeded,
    ),
    (&["smtp_tls_wrappermode requires"], Kind::WrapperLevel),
    (&["invalid attribute name"], Kind::PolicyAttribute),
    (
        &[
            "malformed attribute/value pair",
            "invalid security level",
            "invalid protocol list",
            "invalid certificate match",
        ],
        Kind::PolicyMalformed,
    ),
    (
        &[
            "policy table lookup error",
            "policy lookup error",
            "tls_policy.db",
            "unsupported dictionary type",
            "smtp_tls_policy_maps lookup error",
        ],
        Kind::PolicyLookup,
    ),
    (
        &["no SASL authentication mechanisms"],
        Kind::NoSaslMechanism,
    ),
    (&["haproxy"], Kind::Haproxy),
    (&["non DNSSEC destination"], Kind::NotDnssec),
    (
        &["TLSA lookup error", "DANE TLSA lookup problem"],
        Kind::TlsaLookup,
    ),
    (&["no TLSA records found"], Kind::NoTlsa),
    (
        &["TLSA records unusable", "unusable TLSA RR"],
        Kind::TlsaUnusable,
    ),
    (
        &["configured with dnssec lookups disabled"],
        Kind::DaneWithoutDnssec,
    ),
    (
        &[
            "no shared cipher",
            "no ciphers available",
            "no cipher match",
        ],
        Kind::NoSharedCipher,
    ),
    (
        &["dh key too small", "bad dh p length", "DH_CHECK_P"],
        Kind::DhTooSmall,
    ),
    (
        &[
            "unsupported protocol",
            "unknown protocol",
            "version too low",
            "wrong ssl version",
            "no protocols available",
            "alert protocol version",
        ],
        Kind::UnsupportedProtocol,
    ),
    (
        &[
            "wrong version number",
            "http request",
            "packet length too long",
            "record layer failure",
        ],
        Kind::NotTls,
    ),
    (&["unsafe legacy renegotiation"], Kind::LegacyRenegotiation),
    (&["SSL alert number"], Kind::PeerAlert),
    (
        &["certificate has expired", "num=10:", "certificate expired"],
        Kind::Expired,
    ),
    (
        &["certificate is not yet valid", "num=9:"],
        Kind::NotYetValid,
    ),
    (
        &["no matching DANE TLSA records", "num=65:"],
        Kind::NoTlsaMatch,
    ),
    (
        &[
            "too weak",
            "num=66:",
            "num=67:",
            "num=68:",
            "key too small",
            "md too weak",
        ],
        Kind::WeakCertificate,
    ),
    (
        &[
            "self-signed certificate",
            "self signed certificate",
            "num=18:",
        ],
        Kind::SelfSigned,
    ),
    (
        &[
            "untrusted issuer",
            "unable to get local issuer",
            "num=20:",
            "num=19:",
            "num=2:",
            "num=21:",
        ],
        Kind::UntrustedIssuer,
    ),
    (
        &[
            "hostname mismatch",
            "num=62:",
            "peername not verified",
            "CommonName mis-match",
            "name mismatch",
            "did not match",
        ],
        Kind::NameMismatch,
    ),
    (
        &["No client certificate presented"],
        Kind::NoClientCertificate,
    ),
    (
        &[
            "Client certificate not trusted",
            "Client certificate not verified",
        ],
        Kind::ClientNotTrusted,
    ),
    (
        &[
            "Server certificate not trusted",
            "Server certificate not verified",
        ],
        Kind::NotVerified,
    ),
    (
        &["no mechanism available", "No worthy mechs"],
        Kind::SaslClient,
    ),
    (
        &["no compatible authentication mechanisms"],
        Kind::SaslClientMechanisms,
    ),
    (&["TLS is required, but was not offered"], Kind::NotOffered),
    (
        &[
            "refused to start TLS",
            "TLS not available due to local problem",
        ],
        Kind::Refused,
    ),
    (&["Must issue a STARTTLS command first"], Kind::MustStarttls),
    (&["TLS engine is unavailable"], Kind::EngineUnavailable),
    (&["Relay access denied"], Kind::RelayDenied),
    (&["client TLS configuration problem"], Kind::PolicyProblem),
    (&["not matched, using default chain"], Kind::SniUnmatched),
    (
        &[
            "SSL_accept error",
            "SSL_connect error",
            "lost connection after STARTTLS",
            "timeout after STARTTLS",
            "lost connection with ",
            "while performing the",
            "Cannot start TLS",
        ],
        Kind::LostConnection,
    ),
    (
        &[" TLS connection established ", " TLS connection reused "],
        Kind::Established,
    ),
];

/// The kind of one line.
pub fn kind_of(text: &str) -> Option<Kind> {
    let fits = |needles: &&[&str]| needles.iter().any(|needle| text.contains(needle));
    WORDS
        .iter()
        .find(|(needles, _)| fits(needles))
        .map(|(_, kind)| *kind)
}

/// How little a kind tells beside another of the same report.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Established => 9,
        Kind::SniUnmatched => 8,
        Kind::LostConnection => 7,
        Kind::NotVerified | Kind::PolicyProblem | Kind::EngineUnavailable | Kind::RelayDenied => 5,
        Kind::NotTls | Kind::NoClientCertificate | Kind::ClientNotTrusted => 2,
        Kind::PeerAlert => 3,
        // A warning about the parameters, beside which the session goes on.
        Kind::DhFile => 4,
        // What was tried besides.
        Kind::WrapperLevel => 6,
        _ => 1,
    }
}

/// All kinds that the log tells of, the most telling first, each but once for a side.
pub(super) fn symptoms(report: &Report) -> Vec<Symptom> {
    let mut all: Vec<Symptom> = Vec::new();
    for (line, logged) in report.log.iter().enumerate() {
        let Some(kind) = kind_of(&logged.text) else {
            continue;
        };
        let Some(side) = side(logged, kind) else {
            continue;
        };
        if !all
            .iter()
            .any(|known| known.kind == kind && known.side == side)
        {
            all.push(Symptom { kind, side, line });
        }
    }
    // Trouble outweighs success, and what the heading line says comes first among equals.
    all.sort_by_key(|symptom| (rank(symptom.kind), symptom.line));
    all
}

fn side(line: &LogLine, kind: Kind) -> Option<SideName> {
    if let Some(side) = line.side {
        return Some(side);
    }
    Some(match kind {
        Kind::WrapperNeeded
        | Kind::WrapperLevel
        | Kind::PolicyAttribute
        | Kind::PolicyLookup
        | Kind::NotDnssec
        | Kind::TlsaLookup
        | Kind::NoTlsa
        | Kind::TlsaUnusable
        | Kind::NoTlsaMatch
        | Kind::NotVerified
        | Kind::SaslClient => SideName::Client,
        Kind::NoSharedCipher | Kind::NoSaslMechanism | Kind::RelayDenied => SideName::Server,
        _ => return None,
    })
}

/// The side whose settings a report without any line of a log is about.
pub(super) fn side_of_settings(report: &Report) -> Option<SideName> {
    let mut server = 0_usize;
    let mut client = 0_usize;
    for setting in report.machines.iter().flat_map(|machine| &machine.settings) {
        let about_tls = setting.name.contains("tls") && known(&setting.name).is_some();
        match () {
            () if about_tls && setting.name.starts_with("smtpd_") => server += 1,
            () if about_tls && setting.name.starts_with("smtp_") => client += 1,
            () => {}
        }
    }
    match (server, client) {
        (0, 0) => None,
        (server, client) if client > server => Some(SideName::Client),
        _ => Some(SideName::Server),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::read::read;

    #[test]
    fn the_most_telling_line_counts() {
        for (log, kind, side) in [
            (
                "postfix/smtpd[1]: SSL_accept error from x[192.0.2.1]: -1\npostfix/smtpd[1]: warning: TLS library problem: \
                 error:1408A0C1:SSL routines:ssl3_get_client_hello:no shared cipher:s3_srvr.c:1417:",
                Kind::NoSharedCipher,
                SideName::Server,
            ),
            (
                "postfix/smtp[1]: Untrusted TLS connection established to x[192.0.2.1]:25: TLSv1.3 with cipher A (1/1 bits)\n\
                 postfix/smtp[1]: certificate verification failed for x[192.0.2.1]:25: untrusted issuer /O=A\n\
                 postfix/smtp[1]: 3C: Server certificate not trusted",
                Kind::UntrustedIssuer,
                SideName::Client,
            ),
            (
                "postfix/smtpd[1]: connect from x[192.0.2.1]\npostfix/smtp[1]: Trusted TLS connection established to x",
                Kind::Established,
                SideName::Client,
            ),
        ] {
            let report = read(log.as_bytes());
            let first = symptoms(&report)[0];
            assert_eq!((first.kind, first.side), (kind, side), "{log}");
        }
    }
}
