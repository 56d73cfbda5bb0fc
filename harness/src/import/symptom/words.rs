//! Pieces of lines, and what they tell of.

use super::Kind;

/// Words of a line, and the kind they tell; the first that fits counts.
pub(super) const WORDS: &[(&[&str], Kind)] = &[
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
