//! `[expect]`: typed facts that hold on every target, and `[[departure]]`: where one differs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{Alert, Certificate, Cipher, DigestName, Group, Protocol, SignatureName};
use super::predicate::Predicate;
use super::value::OneOrMany;

/// Facts about the handshake and the mail. What is left out is not asserted here; the snapshot
/// and the agreement of the witnesses still hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The mail arrived. Default: true, unless `failure` is given.
    pub delivered: Option<bool>,
    /// The session was encrypted. Default: not asserted.
    pub tls: Option<bool>,
    /// Negotiated version, as Postfix prints it: `TLSv1` … `TLSv1.3`.
    pub protocol: Option<Protocol>,
    /// OpenSSL name of the cipher, or several of which one must have been chosen.
    pub cipher: Option<OneOrMany<Cipher>>,
    /// The group of the key exchange, in any dialect (`X25519`, `P-256`, `ffdhe2048`), or `RSA`
    /// for static RSA, or `DHE` for a prime outside the named groups.
    pub key_exchange: Option<OneOrMany<Group>>,
    /// Size in bits of the prime the server sent (EDH up to TLS 1.2).
    pub prime_bits: Option<u32>,
    /// Well-known name of that prime, e.g. `modp2048 (RFC 3526)` or `ffdhe2048 (RFC 7919)`;
    /// `dh:NAME` for the very prime of that parameter file; `changed` for that of the file which
    /// `[change]` has written; `unknown` for one without a name.
    pub prime: Option<String>,
    /// Would a later disclosure of the server's key leave the session sealed?
    pub forward_secrecy: Option<bool>,
    /// What the recording is worth to somebody who gets the server's key later. This is tried.
    pub disclosure: Option<Disclosure>,
    /// The session took up an earlier one; false: its keys are of its own exchange.
    pub resumed: Option<bool>,
    /// First word of the server's log line.
    pub server_status: Option<StatusWord>,
    /// First word of the client's log line.
    pub client_status: Option<StatusWord>,
    /// Algorithm of the server's signature: `RSA-PSS`, `ECDSA`, `ED25519`, `RSA` (PKCS#1), `none`.
    pub server_signature: Option<SignatureName>,
    /// Digest of the server's signature, e.g. `SHA256`; `none` where the algorithm has none.
    pub server_digest: Option<DigestName>,
    /// Algorithm of the client's signature; `none` if the client did not sign.
    pub client_signature: Option<SignatureName>,
    /// The certificate the client was shown; `none` for an anonymous cipher.
    pub server_certificate: Option<Certificate>,
    /// The certificate the server was shown; `none` if the client sent none.
    pub client_certificate: Option<Certificate>,
    /// The name after `to` in the server's log line; `none` if there is none.
    pub sni: Option<String>,
    /// The SNI the peer sent or saw on the wire; `none` if none was sent.
    pub sni_sent: Option<String>,
    /// What `Received:` says of the client certificate.
    pub received_client: Option<ClientCertificateComment>,
    /// `Received:` carries a TLS comment.
    pub received_tls: Option<bool>,
    /// Groups the client offered, in this order and no others.
    pub groups_offered: Option<Vec<Group>>,
    /// These ciphers stand in the client's offer in this order (others may stand between).
    pub ciphers_in_order: Option<Vec<Cipher>>,
    /// None of these ciphers is in the client's offer.
    pub ciphers_absent: Option<Vec<Cipher>>,
    /// The handshake or the delivery fails, and this is how.
    pub failure: Option<FailureExpectation>,
    /// Pieces of the last reply to EHLO that our client got, inside TLS if it came so far.
    pub ehlo: Option<LogExpectation>,
    /// The same of the reply before STARTTLS.
    pub ehlo_before_tls: Option<LogExpectation>,
    /// Pieces of what the command has printed.
    pub output: Option<LogExpectation>,
    /// The status with which the command ends. Default: 0, or any other where a client is to fail; a server that serves
    /// until the case is over has none.
    pub command_status: Option<i32>,
    /// Pieces of text in the server's log.
    pub server_log: Option<LogExpectation>,
    /// Pieces of text in the client's log.
    pub client_log: Option<LogExpectation>,
    /// A Postfix gives up with a line `fatal:` that has this piece of text. Any other such line is a failure, but one
    /// that is `failure.cause`.
    pub fatal: Option<String>,
    /// A Postfix panics with a line `panic:` that has this piece of text. Any other such line is a failure.
    pub panic: Option<String>,
    /// A process of Postfix is killed by this signal, as master(8) tells. Any other is a failure.
    pub signal: Option<i32>,
    /// A process of Postfix ends with this status and without a line `fatal:` or `panic:`, as master(8) tells. Any other
    /// is a failure.
    pub exit_status: Option<i32>,
}

impl Expect {
    /// Must the mail have arrived?
    pub fn must_deliver(&self) -> bool {
        self.delivered.unwrap_or(self.failure.is_none())
    }

    /// `self` with every fact that `other` states put in its place. Where `other` is a failure,
    /// nothing that was expected of a session holds any more.
    pub fn overridden_by(mut self, other: &Self) -> Self {
        if other.failure.is_some() {
            return other.clone();
        }
        macro_rules! take {
            ($($field:ident)*) => { $( if other.$field.is_some() { self.$field.clone_from(&other.$field); } )* };
        }
        take!(delivered tls protocol cipher key_exchange prime_bits prime forward_secrecy disclosure resumed
            server_status client_status server_signature server_digest client_signature
            server_certificate client_certificate sni sni_sent received_client received_tls
            groups_offered ciphers_in_order ciphers_absent failure ehlo ehlo_before_tls output command_status server_log client_log
            fatal panic signal exit_status);
        self
    }
}

/// The verification status, or that there is no TLS line at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum StatusWord {
    /// No certificate from the peer.
    Anonymous,
    /// A certificate no trusted CA has signed.
    Untrusted,
    /// A certificate a trusted CA has signed, name not verified.
    Trusted,
    /// Name, fingerprint or TLSA record matched.
    Verified,
    /// No TLS summary line was logged.
    #[serde(rename = "none")]
    None,
}

/// What becomes of a recording when the server's private key is disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Disclosure {
    /// The mail's text is recovered.
    Opens,
    /// It stays closed, since the key exchange was ephemeral.
    Sealed,
}

/// What `Received:` says of the client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificateComment {
    /// `(No client certificate requested)`
    NotRequested,
    /// `(Client did not present a certificate)`
    NotPresented,
    /// `(Client CN …, Issuer … (not verified))`
    NotVerified,
    /// `(Client CN …, Issuer … (verified OK))`
    VerifiedOk,
    /// `(Client RPK … digest …)`
    RawPublicKey,
}

/// Which end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SideName {
    /// The SMTP and TLS client.
    Client,
    /// The SMTP and TLS server.
    Server,
}

impl SideName {
    /// The one at the other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// How it fails. A failure expected for one cause does not pass for another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FailureExpectation {
    /// The side that gave up.
    pub side: SideName,
    /// The TLS alert it sent, in RFC 8446 spelling, e.g. `handshake_failure`; `none` for none.
    pub alert: Option<Alert>,
    /// The cause: a name of the vocabulary that the page "Causes" lists, e.g. `no shared cipher`, `untrusted issuer`, `alert
    /// protocol_version` where all that a Postfix knows is the other side's alert, or the words that its log has for it; or a piece
    /// of what a peer that is no Postfix says.
    pub cause: String,
}

/// Pieces of text that some line must, or that no line may contain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogExpectation {
    /// Each of these is part of some line.
    #[serde(default)]
    pub has: Vec<String>,
    /// None of these is part of any line.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// Targets on which the software is known to be wrong. There the case must fail, and for this
/// alone: on the day it passes, or fails another way, that is a failure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownBug {
    /// All of these hold for the targets meant. Default: all targets.
    #[serde(default)]
    pub targets: OneOrMany<Predicate>,
    /// What is wrong, with a link.
    pub why: String,
    /// Pieces of the differences it shows itself by: each difference found has one of them.
    pub symptom: OneOrMany,
}

/// Log lines whose wording, number or presence is up to chance or to the machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Volatile {
    /// A piece of their text. The line that sums a session up is never meant.
    pub line: String,
    /// What it is that differs, and why no kind of redaction can take it out.
    pub why: String,
}

/// A target on which the software does something else than everywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Departure {
    /// All of these hold for the targets meant.
    pub targets: OneOrMany<Predicate>,
    /// What is different there, and why if known.
    pub why: String,
    /// The facts that replace those of `[expect]`.
    pub expect: Expect,
}
