//! Which kind of trouble, or of success, a report is about: from the lines of its log to one word.

mod words;

use super::report::{LogLine, Report};
use super::settings::known;
use crate::scenario::SideName;
use words::WORDS;

/// What a line of the log says went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    // Settings and files that cannot be used: told before any session.
    /// A list of ciphers that cannot be used.
    BadCiphers,
    /// A key that is not the certificate's.
    KeyMismatch,
    /// A file without a certificate or key in it.
    NoPem,
    /// A file of certificates or keys that cannot be opened.
    FileMissing,
    /// A list of protocols with an unknown word.
    ProtocolList,
    /// A file of CAs that cannot be loaded.
    CaMissing,
    /// Port 465 without wrapper mode.
    WrapperNeeded,
    /// Wrapper mode at a level below encrypt.
    WrapperLevel,
    /// An attribute of a policy that this Postfix does not know.
    PolicyAttribute,
    /// An attribute of a policy that cannot be read.
    PolicyMalformed,
    /// A policy table that cannot be read.
    PolicyLookup,
    /// A server that has no SASL mechanism.
    NoSaslMechanism,
    /// A certificate of the SNI table that cannot be used.
    SniFile,
    /// A file of Diffie-Hellman parameters that cannot be used.
    DhFile,
    /// A proxy's line that does not come.
    Haproxy,
    // DNS.
    /// DANE is demanded of a domain without DNSSEC.
    NotDnssec,
    /// TLSA records that cannot be looked up.
    TlsaLookup,
    /// DANE is demanded of a host without TLSA records.
    NoTlsa,
    /// TLSA records of which none can be used.
    TlsaUnusable,
    /// DANE without DNSSEC lookups.
    DaneWithoutDnssec,
    // The handshake.
    /// No cipher suite in common.
    NoSharedCipher,
    /// A prime that is too small.
    DhTooSmall,
    /// No TLS version in common.
    UnsupportedProtocol,
    /// Text where TLS should be.
    NotTls,
    /// A server without secure renegotiation (RFC 5746).
    LegacyRenegotiation,
    /// An alert of the other end, of which no more is known.
    PeerAlert,
    // Certificates.
    /// A certificate that has expired.
    Expired,
    /// A certificate from the future.
    NotYetValid,
    /// A self-signed certificate.
    SelfSigned,
    /// A key or digest that is too weak.
    WeakCertificate,
    /// A fingerprint that does not match.
    Fingerprint,
    /// A TLSA record that does not match.
    NoTlsaMatch,
    /// A certificate of a CA that is not known.
    UntrustedIssuer,
    /// A certificate for another name.
    NameMismatch,
    /// A certificate that did not verify, no reason told.
    NotVerified,
    /// A client without the certificate that is required.
    NoClientCertificate,
    /// A client with a certificate that is not trusted.
    ClientNotTrusted,
    // SMTP.
    /// No SASL mechanism that the client may use.
    SaslClient,
    /// No SASL mechanism in common.
    SaslClientMechanisms,
    /// STARTTLS is required and not offered.
    NotOffered,
    /// STARTTLS is required and refused.
    Refused,
    /// The server requires STARTTLS.
    MustStarttls,
    /// Relaying is denied.
    RelayDenied,
    /// TLS is required, and this client's is off.
    EngineUnavailable,
    /// A policy that cannot be used, no reason told.
    PolicyProblem,
    /// The connection ended in the middle.
    LostConnection,
    /// A server name that the table does not have.
    SniUnmatched,
    // It went well, or nothing says what did not.
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
        // OpenSSL's word for what Postfix only calls a file that it cannot get.
        Kind::KeyMismatch | Kind::NoPem => 0,
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
mod tests;
