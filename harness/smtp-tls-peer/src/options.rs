//! What a peer is told to do.

use std::net::IpAddr;

use classic_tls::names::{CipherSuite, NamedGroup, SignatureScheme, Version};
use rustls::pki_types::CertificateDer;

use super::credential::Credential;
use super::dhe::{DhParameters, DheError};
use super::rustls_client::Sessions;

/// What is negotiated. An empty list stands for everything the peer can, in its own order, but for Diffie-Hellman over
/// primes (EDH): that is for those who ask, by naming one of its suites or groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// TLS 1.2, TLS 1.3 or both.
    pub versions: Vec<Version>,
    /// Key exchange groups, most preferred first. A client sends a key share for the first. Naming one of RFC 7919
    /// (`ffdhe2048` to `ffdhe8192`) also adds the DHE_RSA suites to [`Self::ciphers`] where none of TLS 1.2 are named.
    pub groups: Vec<NamedGroup>,
    /// Cipher suites, most preferred first. As in OpenSSL, the suites of TLS 1.3 and those of TLS 1.2 are two lists:
    /// where none of a version is named, all of that version stay. A DHE_RSA suite needs no group: a client takes the
    /// server's prime, whatever it is, and a server has one.
    pub ciphers: Vec<CipherSuite>,
    /// Signature schemes, most preferred first: what is offered for the other side's signature, and what a key of our
    /// own may sign with.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The server's key comes without a certificate (RFC 7250), or there is no handshake. A credential's chain is
    /// then the key alone.
    pub raw_server_key: bool,
    /// The same of the client's key.
    pub raw_client_key: bool,
}

/// How TLS begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// By the STARTTLS command (RFC 3207).
    #[default]
    Starttls,
    /// With the first byte (RFC 8314 section 3.3; Postfix: `smtpd_tls_wrappermode`, `smtp_tls_wrappermode`).
    Implicit,
    /// Not at all.
    Off,
}

/// How TLS began on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Beginning {
    /// By the STARTTLS command, answered with 220 (RFC 3207).
    Starttls,
    /// With the client's first byte (RFC 8314 section 3.3).
    FirstByte,
}

impl std::fmt::Display for Beginning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Starttls => "STARTTLS",
            Self::FirstByte => "the first byte",
        })
    }
}

/// What a peer does wrong on purpose, outside TLS. What only the other role can do changes nothing; what never comes to
/// pass as TLS begins, is refused ([`OptionError::NeverDone`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// Nothing.
    #[default]
    None,
    /// A server never greets; a client never says EHLO.
    SilentAtBanner,
    /// STARTTLS is agreed upon, then nothing comes.
    SilentAfterStarttls,
    /// STARTTLS is agreed upon, then the connection is closed.
    CloseAfterStarttls,
    /// STARTTLS is agreed upon, then a line of text comes instead of TLS.
    GarbageAfterStarttls,
    /// A server greets with 421 and closes (RFC 5321 section 3.1).
    RefuseToTalk,
    /// A server offers STARTTLS and answers it with 454.
    RefuseStarttls,
    /// A client says EHLO before it has heard the greeting.
    EarlyEhlo,
    /// A client sends EHLO and STARTTLS in one go.
    EarlyStarttls,
    /// A client sends its ClientHello together with STARTTLS, without waiting for the 220.
    EarlyClientHello,
    /// A client sends its ClientHello by two writes, half of it each.
    ClientHelloInSegments,
    /// A client sends its ClientHello in two TLS records.
    ClientHelloInRecords,
    /// A client closes the connection after its ClientHello.
    CloseAfterClientHello,
    /// A client says STARTTLS with an argument.
    StarttlsArgument,
    /// A client says STARTTLS again inside TLS.
    StarttlsTwice,
    /// A client says STARTTLS whether it was offered or not.
    StarttlsUnoffered,
    /// A client says STARTTLS without EHLO before it.
    StarttlsWithoutEhlo,
    /// A client says STARTTLS after MAIL.
    StarttlsAfterMail,
    /// A client sends a NOOP in clear together with STARTTLS, to be taken for one inside TLS (CVE-2011-0411).
    CommandAfterStarttls,
    /// A server sends a second reply in clear together with the 220 to STARTTLS.
    ReplyAfterStarttls,
    /// A server offers STARTTLS inside TLS too, and answers it with 454.
    StarttlsOfferedAgain,
    /// A server's reply to MAIL comes together with that to EHLO, inside TLS (CVE-2009-3555).
    EarlyMailReply,
    /// The connection is closed right after the handshake.
    CloseAfterHandshake,
    /// The connection is closed at the end without a close_notify alert (RFC 8446 section 6.1).
    NoCloseNotify,
}

impl Misbehaviour {
    /// Whether a connection on which TLS is `mode` comes to the point where it would be done.
    #[must_use]
    pub const fn comes_to_pass(self, mode: TlsMode) -> bool {
        match mode {
            TlsMode::Starttls => true,
            TlsMode::Implicit => !matches!(
                self,
                Self::SilentAtBanner
                    | Self::RefuseToTalk
                    | Self::RefuseStarttls
                    | Self::EarlyEhlo
                    | Self::EarlyStarttls
                    | Self::EarlyClientHello
            ),
            TlsMode::Off => matches!(self, Self::None | Self::SilentAtBanner | Self::RefuseToTalk),
        }
    }
}

/// What of a peer has nothing to do with what its TLS negotiates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpOptions {
    /// How TLS begins.
    pub mode: TlsMode,
    /// The name in EHLO, or in the greeting and the reply to EHLO.
    pub name: String,
    /// What is done wrong.
    pub misbehaviour: Misbehaviour,
}

impl SmtpOptions {
    /// Those of a client that does nothing wrong.
    #[must_use]
    pub fn client() -> Self {
        ClientOptions::default().smtp()
    }

    /// Those of a server that does nothing wrong.
    #[must_use]
    pub fn server() -> Self {
        ServerOptions::default().smtp()
    }

    /// What is to be done wrong must not be forgotten silently.
    pub(super) const fn check(&self) -> Result<(), OptionError> {
        if self.misbehaviour.comes_to_pass(self.mode) {
            return Ok(());
        }
        Err(OptionError::NeverDone {
            misbehaviour: self.misbehaviour,
            mode: self.mode,
        })
    }
}

/// A client and its one connection.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// What is negotiated.
    pub tls: TlsOptions,
    /// How TLS begins.
    pub mode: TlsMode,
    /// The server name sent (RFC 6066 section 3), or none.
    pub sni: Option<String>,
    /// The name in EHLO.
    pub helo: String,
    /// The certificate sent if the server asks for one.
    pub credential: Option<Credential>,
    /// Roots against which the server's chain is checked; the result is reported and changes nothing else. Empty: no check.
    pub roots: Vec<CertificateDer<'static>>,
    /// Name against which the server's certificate is checked, likewise.
    pub verify_name: Option<String>,
    /// Remembers sessions from one connection to the next; without it nothing is ever resumed.
    pub sessions: Option<Sessions>,
    /// The address to connect from.
    pub source: Option<IpAddr>,
    /// The least size, in bits, of a server's Diffie-Hellman prime in TLS 1.2;
    /// [`DEFAULT_MINIMUM_PRIME_BITS`](super::DEFAULT_MINIMUM_PRIME_BITS) where not given. No prime below 512 bits is
    /// ever taken, nor one above 8192. A smaller one is refused with the alert handshake_failure, as OpenSSL refuses
    /// it; rustls has no way to send insufficient_security. In TLS 1.3 the client names its primes, so it needs no
    /// least size.
    pub minimum_prime_bits: Option<u32>,
    /// What is done wrong.
    pub misbehaviour: Misbehaviour,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            tls: TlsOptions::default(),
            mode: TlsMode::default(),
            sni: None,
            helo: "client.example.test".to_owned(),
            credential: None,
            roots: Vec::new(),
            verify_name: None,
            sessions: None,
            source: None,
            minimum_prime_bits: None,
            misbehaviour: Misbehaviour::default(),
        }
    }
}

impl ClientOptions {
    /// What of it is not about TLS.
    pub(super) fn smtp(&self) -> SmtpOptions {
        SmtpOptions {
            mode: self.mode,
            name: self.helo.clone(),
            misbehaviour: self.misbehaviour,
        }
    }
}

/// Whether a server asks for a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It does not.
    #[default]
    None,
    /// It asks and goes on without.
    Request,
    /// It asks and refuses a client without.
    Require,
}

/// How many connections a server takes before it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// This many, one after the other.
    Exactly(usize),
    /// Until one of them has delivered a message, but no more than this many.
    UntilMessage(usize),
}

impl Accept {
    /// The greatest number of connections.
    #[must_use]
    pub const fn limit(self) -> usize {
        match self {
            Self::Exactly(count) | Self::UntilMessage(count) => count,
        }
    }
}

/// A server and its connections.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// What is negotiated.
    pub tls: TlsOptions,
    /// How TLS begins.
    pub mode: TlsMode,
    /// The name in the greeting and the reply to EHLO.
    pub hostname: String,
    /// The chains to choose from by what the client offers: the first that fits its signature schemes and, for TLS
    /// 1.2, its cipher suites; the first of all where none fits.
    pub credentials: Vec<Credential>,
    /// The chains for a server name the client sends (any case); without a match, [`Self::credentials`].
    pub sni_credentials: Vec<(String, Credential)>,
    /// Whether a certificate is asked for.
    pub client_certificate: ClientCertificate,
    /// Roots against which a client's chain is checked, and whose names are sent with the request. Empty: no check.
    pub client_roots: Vec<CertificateDer<'static>>,
    /// Refuse a client whose chain does not lead to [`Self::client_roots`]; else the result is only reported.
    pub reject_untrusted: bool,
    /// Choose the cipher suite by our own order instead of the client's (Postfix: `tls_preempt_cipherlist`).
    pub prefer_own_ciphers: bool,
    /// Hand out and take session tickets, across the connections of one call.
    pub resumption: bool,
    /// The Diffie-Hellman prime in TLS 1.2, whatever groups the client lists (Postfix: `smtpd_tls_dh1024_param_file`);
    /// it adds the DHE_RSA suites where none of TLS 1.2 are named. Without it a DHE_RSA suite takes the client's first
    /// group of RFC 7919 that the server has, or ffdhe2048 if the client lists none.
    pub dh: Option<DhParameters>,
    /// How many connections.
    pub accept: Accept,
    /// What is done wrong.
    pub misbehaviour: Misbehaviour,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            tls: TlsOptions::default(),
            mode: TlsMode::default(),
            hostname: "mail.example.test".to_owned(),
            credentials: Vec::new(),
            sni_credentials: Vec::new(),
            client_certificate: ClientCertificate::default(),
            client_roots: Vec::new(),
            reject_untrusted: false,
            prefer_own_ciphers: false,
            resumption: false,
            dh: None,
            accept: Accept::Exactly(1),
            misbehaviour: Misbehaviour::default(),
        }
    }
}

impl ServerOptions {
    /// What of it is not about TLS.
    pub(super) fn smtp(&self) -> SmtpOptions {
        SmtpOptions {
            mode: self.mode,
            name: self.hostname.clone(),
            misbehaviour: self.misbehaviour,
        }
    }
}

/// Options that no peer can be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// A name nobody knows.
    #[error("unknown {what} {found:?}{}", did_you_mean(nearest))]
    Unknown {
        /// "group", "cipher suite", "signature scheme" or "protocol version".
        what: &'static str,
        /// The name as given.
        found: String,
        /// A known name that looks like it.
        nearest: Option<String>,
    },
    /// A code point that exists but that the rustls peer lacks.
    #[error("the rustls peer has no {what} {found}; it has {}", available.join(", "))]
    Unsupported {
        /// "group", "cipher suite", "signature scheme" or "protocol version".
        what: &'static str,
        /// Its name.
        found: String,
        /// What could stand there.
        available: Vec<String>,
    },
    /// Groups, of which none can be used with the versions.
    #[error("none of the groups {groups} can be used with {versions}")]
    NoUsableGroup {
        /// The groups, separated by commas.
        groups: String,
        /// The versions, separated by commas.
        versions: String,
    },
    /// A cipher suite that none of the groups can be used with.
    #[error(
        "none of the groups {groups} can be used with {cipher}; name one that can, or another cipher suite"
    )]
    NoGroupForCipher {
        /// The suite.
        cipher: String,
        /// The groups, separated by commas.
        groups: String,
    },
    /// Diffie-Hellman parameters that cannot be used.
    #[error(transparent)]
    DhParameters(#[from] DheError),
    /// A server without a certificate.
    #[error("a rustls server needs at least one certificate; none was given")]
    NoCredential,
    /// A chain or key that cannot be used.
    #[error("certificate {subject} cannot be used: {why}")]
    Credential {
        /// Common name of the certificate, or what is known of it.
        subject: String,
        /// The reason.
        why: String,
    },
    /// A root certificate that cannot be read.
    #[error("root certificate number {number} cannot be used: {why}")]
    Root {
        /// Position in the list, from 1.
        number: usize,
        /// The reason.
        why: String,
    },
    /// A name that no certificate or SNI can hold.
    #[error("{found:?} is not a DNS name; expected one such as \"mail.example.test\"")]
    Name {
        /// The name as given.
        found: String,
    },
    /// Something to be done wrong at a point that the connection never comes to.
    #[error("{misbehaviour:?} never comes to pass where TLS is {mode:?}")]
    NeverDone {
        /// What should be done wrong.
        misbehaviour: Misbehaviour,
        /// How TLS begins.
        mode: TlsMode,
    },
    /// What rustls itself refuses.
    #[error("rustls refuses the options: {0}")]
    Refused(String),
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!("; did you mean {name:?}?"))
        .unwrap_or_default()
}
