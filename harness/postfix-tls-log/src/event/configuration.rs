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
        if let Some(rest) = text.strip_prefix("ignoring unknown ECDHE curve \"") {
            return Some(Self::UnknownCurve {
                name: rest.strip_suffix('"')?.to_owned(),
            });
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
        if text.contains(" eecdh grade ") || text.contains("invalid eecdh grade") {
            return Some(Self::EecdhGrade { text: owned() });
        }
        if text.contains(" key exchange group") {
            return Some(Self::KeyExchangeGroups { text: owned() });
        }
        if text.contains(": invalid cipher grade: \"")
            || text.contains(": error setting cipher grade: \"")
            || text.contains(" in cipher exclusion: ")
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
            || text.contains("_tls_policy_maps");
        policy.then(|| Self::Policy { text: owned() })
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
    "Need a server cert to request client certs",
    "cannot get ",
    "cannot load Certification Authority data",
    "error loading certificate",
    "error loading chain from ",
    "error loading client CA names from: ",
    "error loading private key",
    "error opening chain file: ",
    "error opening trust anchor file: ",
    "error reading: ",
    "ignoring 2nd key at index ",
    "key at index ",
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
