//! TLS settings that Postfix or OpenSSL cannot use.

/// A setting that cannot be used, and what happens instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Configuration {
    /// `PEER: invalid cipher grade: "X"`, `PEER: error setting cipher grade: "X"`, `…cipher exclusion…`: this session is aborted.
    CipherGrade {
        /// As printed.
        text: String,
    },
    /// A certificate, key or chain file that cannot be used; a line with [`TlsDisabled`](Self::TlsDisabled) usually follows.
    Credentials {
        /// As printed.
        text: String,
    },
    /// `The "none" eecdh grade is no longer supported, using "auto" instead` (3.5).
    EecdhGrade {
        /// As printed.
        text: String,
    },
    /// `none of the configured key exchange groups are supported`, `using Postfix default key exchange groups instead` (≥ 3.8).
    KeyExchangeGroups {
        /// As printed.
        text: String,
    },
    /// `Both smtpd_tls_chain_files and one or more of the legacy … are non-empty; the legacy  parameters will be ignored`.
    LegacyParametersIgnored {
        /// As printed.
        text: String,
    },
    /// A security level, a TLS policy or its attributes.
    Policy {
        /// As printed.
        text: String,
    },
    /// `… protocol list "X": aborting TLS session`.
    SessionAborted {
        /// As printed, without the ending.
        reason: String,
    },
    /// `…: disabling TLS support`: STARTTLS will not be offered or used.
    TlsDisabled {
        /// As printed, without the ending; empty if nothing else was said.
        reason: String,
    },
    /// `Refusing STARTTLS request from …`, `Wrapper-mode request dropped from …`, `New TLS session rate limit exceeded: …`.
    TlsRefused {
        /// As printed.
        text: String,
    },
    /// `using backwards-compatible default setting smtp_tls_fingerprint_digest=md5 …`: what `compatibility_level` brings.
    BackwardsCompatible {
        /// As printed.
        text: String,
    },
    /// `Digest algorithm "X" not found`: a `…_fingerprint_digest` or `tls_dane_digests` that OpenSSL does not have.
    Digest {
        /// As printed.
        text: String,
    },
    /// `run-time library vs. compile-time header version mismatch: OpenSSL A may not be compatible with OpenSSL B`.
    LibraryVersion {
        /// As printed.
        text: String,
    },
    /// Any other complaint about a TLS setting, a file or OpenSSL itself.
    Setting {
        /// As printed.
        text: String,
    },
    /// `tls_server_sni_maps: NAME map lookup problem` and other problems with that table; the handshake is refused.
    SniMap {
        /// As printed.
        text: String,
    },
    /// `SMTPS wrappermode (TCP port 465) requires setting "smtp_tls_wrappermode = yes", …`; before 3.0
    /// `CLIENT wrappermode (port smtps/465) is unimplemented` and `instead, send to (port submission/587) with STARTTLS`.
    WrapperMode {
        /// As printed.
        text: String,
    },
    /// `ignoring unknown ECDHE curve "X"` (3.5, 3.7; later versions say nothing).
    UnknownCurve {
        /// The name of the curve.
        name: String,
    },
}

impl Configuration {
    /// Parses a line without its `warning: `, if it had one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let owned = || text.to_owned();
        for start in [
            "ignoring unknown ECDHE curve \"",
            "ignoring unknown \"auto\" ECDHE curve \"",
            "ignoring unknown key exchange group \"",
        ] {
            if let Some(rest) = text.strip_prefix(start) {
                return Some(Self::UnknownCurve {
                    name: rest.strip_suffix('"')?.to_owned(),
                });
            }
        }
        if let Some(reason) = text.strip_suffix("disabling TLS support") {
            return Some(Self::TlsDisabled {
                reason: reason.trim_end_matches([':', ',', ' ']).to_owned(),
            });
        }
        if let Some(reason) = text
            .strip_suffix(": aborting TLS session")
            .or_else(|| text.strip_suffix(": aborting TLS handshake"))
        {
            return Some(Self::SessionAborted {
                reason: reason.to_owned(),
            });
        }
        if text.ends_with("the legacy  parameters will be ignored") {
            return Some(Self::LegacyParametersIgnored { text: owned() });
        }
        if text.contains(" eecdh grade ")
            || text.contains("invalid eecdh grade")
            || text.ends_with(": disabling EECDH support")
        {
            return Some(Self::EecdhGrade { text: owned() });
        }
        if text.contains(" key exchange group")
            || text.contains("ECDHE curve")
            || text == "cannot allocate temp SSL_CTX"
        {
            return Some(Self::KeyExchangeGroups { text: owned() });
        }
        if text.contains(": invalid cipher grade: \"")
            || text.contains(": error setting cipher grade: \"")
            || text.contains(" in cipher exclusion: ")
            || text.contains(" cipher exclusion: \"")
            || text.starts_with("invalid ") && text.contains(" cipher grade: \"")
            || text.starts_with("invalid ") && text.contains(" cipher list: \"")
            || text.contains("can't exclude '!+-@' modifiers")
        {
            return Some(Self::CipherGrade { text: owned() });
        }
        let begins = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
        if begins(REFUSED) {
            return Some(Self::TlsRefused { text: owned() });
        }
        if begins(CREDENTIALS) {
            return Some(Self::Credentials { text: owned() });
        }
        let policy = begins(POLICY)
            || text.contains("_tls_security_level: ")
            || text.contains("_tls_policy_maps")
            || text.contains("TLS policy table, ")
            || text.starts_with("ignoring empty tls policy ")
            || text.starts_with("TLS level '")
            || text.contains("unknown TLS policy '");
        if policy {
            return Some(Self::Policy { text: owned() });
        }
        if begins(BACKWARDS) {
            return Some(Self::BackwardsCompatible { text: owned() });
        }
        if text.starts_with("run-time library vs. compile-time header version mismatch: ") {
            return Some(Self::LibraryVersion { text: owned() });
        }
        if text.contains("igest algorithm ") || text.starts_with("error computing ") {
            return Some(Self::Digest { text: owned() });
        }
        if text.contains("tls_server_sni_maps") || text.ends_with(" map lookup problem") {
            return Some(Self::SniMap { text: owned() });
        }
        if text.contains(" wrappermode (")
            || text.contains("_tls_wrappermode requires ")
            || text.starts_with("instead, send to (port submission/587)")
        {
            return Some(Self::WrapperMode { text: owned() });
        }
        let setting = begins(SETTINGS) || SETTINGS_INSIDE.iter().any(|part| text.contains(part));
        setting.then(|| Self::Setting { text: owned() })
    }
}

/// `smtpd.c`.
const REFUSED: &[&str] = &[
    "New TLS session rate limit exceeded: ",
    "Refusing STARTTLS request from ",
    "Refusing TLS service request from ",
    "Wrapper-mode request dropped from ",
];

/// `tls_certkey.c`, and the servers' complaints about what it could not load.
const CREDENTIALS: &[&str] = &[
    "No PEM data in ",
    "No certs for key at index ",
    "No private key found in ",
    "No server certs available. ",
    "ECDSA not supported. ",
    "Need a server cert to request client certs",
    "cannot get ",
    "cannot load CAfile: ",
    "cannot load Certificate Authority data",
    "cannot load DSA certificate and key data",
    "cannot load ECDSA certificate and key data",
    "cannot load RSA certificate and key data",
    "cannot set certificate verification paths",
    "cannot set default OpenSSL certificate verification paths",
    "error duplicating client CA names",
    "cannot load Certification Authority data",
    "error loading certificate",
    "error loading chain from ",
    "error loading client CA names from: ",
    "error loading private key",
    "error opening chain file: ",
    "error opening trust anchor file: ",
    "error reading: ",
    "error opening memory BIO for ",
    "ignoring 2nd key at index ",
    "key at index ",
    "need an RSA or DSA certificate/key pair",
    "private key in ",
];

/// `tls_misc.c`, `smtp.c`, `smtpd_check.c`, `tlsproxy.c`.
const BACKWARDS: &[&str] = &[
    "tls_library_init: using backwards-compatible defaults",
    "using backwards-compatible default setting ",
];

/// `tls_misc.c`, `tls_client.c`, `tls_server.c`, `tls_dane.c`, `tls_dh.c`, `tls_rsa.c`, `tls_mgr.c`, `tlsmgr.c`, `tlsproxy.c`,
/// `smtpd.c`, `smtp.c` of 2.2 to 3.12.
const SETTINGS: &[&str] = &[
    "Could not allocate 'TLScontext->con'",
    "Could not obtain BIO_pair",
    "Could not report TLS handshake result",
    "Could not set TLS session ID context",
    "Could not set application data for 'TLScontext->con'",
    "Duplicate element in ",
    "Error location in tlsrpt library",
    "Failed to enable ",
    "Invalid TLS level ",
    "Invalid cipherlist ",
    "Invalid matching type number in ",
    "MX name '",
    "Non-standard algorithm in ",
    "Non-standard value in ",
    "OpenSSL DANE initialization failed",
    "Reserved matching type number in ",
    "Session cache off: ",
    "TLS client initialization failed",
    "TLS has been selected, but TLS support is not compiled in",
    "TLS server initialization failed",
    "TLS support is not compiled in",
    "TLSRPT is selected, but ",
    "TLSRPT support is not implemented",
    "Trust anchor files not supported",
    "Unimplemented digest algorithm in ",
    "Unknown incompletely specified element in ",
    "cannot connect to EGD server ",
    "cannot create DH parameter set",
    "cannot load compiled-in DH parameters",
    "cannot open entropy ",
    "cannot read from entropy ",
    "cannot send TLS context",
    "cannot generate TA certificates",
    "cannot read entropy file ",
    "ciphertext read/write ",
    "error receiving TLS proxy context",
    "malformed certificate in TLS_CERTS",
    "malformed public key in TLS_PKEYS",
    "deadlock on ciphertext stream ",
    "deadlock on plaintext stream ",
    "disabling TLS support",
    "do not use the same TLS cache file ",
    "encryption keys etc. may be predictable",
    "got TLS level '",
    "invalid session ticket key name length",
    "no entropy for TLS key generation",
    "no entropy source specified ",
    "not compiled with TLS support",
    "smtp_tls_policy_cache_query failed",
    "tlsproxy handshake failed",
    "trust-anchor digests disabled",
    "trust-anchor files not supported",
    "unknown tlsrpt_failure_t value ",
];

/// Behind the name of a peer, a parameter or a service.
const SETTINGS_INSIDE: &[&str] = &[
    " OpenSSL configuration file",
    ": TLS is required but unavailable, don't know why",
    ": could not configure peer name checks",
    ": digest algorithm ",
    ": error clearing m",
    ": error configuring ",
    ": error enabling ",
    ": error loading match name",
    ": error setting SNI hostname to",
    ": error setting m",
    ": i2d_SSL_SESSION failed",
    ": ignoring \"trace\" log level",
    ": ignoring attribute \"",
    ": ignoring invalid match name",
    ": ignoring too long SNI hostname",
    ": ignoring unknown TLS level ",
    ": Fragile access policy",
    ": ignoring PEM type: ",
    ": matching type ",
    ": missing trw_set_tls_policy call",
    ": no tls policy lookup",
    ": success or failure ",
    ": Too many TLSRPT policies",
    ": opportunistic TLS encryption is not appropriate",
    ": receive client TLS settings",
    ": receive server TLS settings",
    ": session tickets disabled",
    "; session tickets disabled",
    ": the \"dane\" security level is invalid",
    ": unexpected SSL_ERROR code",
    ": unknown TLS security level '",
    ": unsupported TLS level ",
    "_tls_per_site ignored when ",
    ": per-site table lookup error",
    "unknown tls_disable_workarounds value ",
    "unknown tls_ssl_options value ",
    "_tls_policy_maps is not empty",
];

/// `smtp_tls_policy.c`, `smtpd.c`.
const POLICY: &[&str] = &[
    "Can't require client certs unless TLS is required",
    "TLS policy lookup error for ",
    "malformed fingerprint value: ",
    "nexthop domain ",
];

/// Problems with a file of Diffie-Hellman parameters (`tls_dh.c`); `smtpd_tls_dh1024_param_file` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhParameters {
    /// The file, where the line names it.
    pub file: Option<String>,
    /// What is wrong.
    pub problem: DhProblem,
}

/// What is wrong with Diffie-Hellman parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DhProblem {
    /// The file does not open; the text is that of `errno`. What Postfix calls its compiled-in defaults take over.
    CannotOpen(String),
    /// The file holds nothing that OpenSSL reads as Diffie-Hellman parameters.
    CannotDecode,
    /// OpenSSL refuses the parameters, for example because they are too small.
    CannotConfigure,
}

impl DhParameters {
    /// Parses a line without its `warning: `.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if matches!(
            text,
            "error configuring explicit DH parameters"
                | "error configuring auto DH parameters"
                | "error loading compiled-in DH parameters"
        ) {
            return Some(Self {
                file: None,
                problem: DhProblem::CannotConfigure,
            });
        }
        let text = text.strip_suffix(" -- using compiled-in defaults")?;
        if let Some(rest) = text.strip_prefix("error opening DH parameter file \"") {
            let (file, error) = rest.split_once("\": ")?;
            return Some(Self::of(file, DhProblem::CannotOpen(error.to_owned())));
        }
        if let Some(rest) = text.strip_prefix("error decoding DH parameters from file \"") {
            return Some(Self::of(rest.strip_suffix('"')?, DhProblem::CannotDecode));
        }
        // 3.5 says "1024-bit DH parameters", later versions built with OpenSSL 1.1.1 say "DH parameters".
        let (size, rest) = text
            .strip_prefix("cannot load ")?
            .split_once("DH parameters from file ")?;
        if !size.is_empty() && !size.ends_with("-bit ") {
            return None;
        }
        Some(match rest.split_once(": ") {
            Some((file, error)) => Self::of(file, DhProblem::CannotOpen(error.to_owned())),
            None => Self::of(rest, DhProblem::CannotDecode),
        })
    }

    fn of(file: &str, problem: DhProblem) -> Self {
        Self {
            file: Some(file.to_owned()),
            problem,
        }
    }
}
