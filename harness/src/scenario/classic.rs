//! The third kind of peer: TLS 1.0 to 1.2 with the key exchanges that modern stacks leave out.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fault::Fault;
use super::name::{Cipher, DhName, Group, Protocol, Scheme};

/// A client out of the past, or one without certificates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClassicClient {
    /// The offer of a known client; the other keys change it.
    pub profile: Option<ClassicProfile>,
    /// TLS versions it offers, from the lowest to the highest named. Default: TLSv1 to TLSv1.2.
    #[serde(default)]
    pub versions: Vec<Protocol>,
    /// Cipher suites it offers, in this order. Those it cannot run, code points without a name
    /// among them, are offered all the same: the server's choice is seen. Default: all it can run but the anonymous ones.
    #[serde(default)]
    pub ciphers: Vec<Cipher>,
    /// Groups it offers, in this order. `[]`: no elliptic curves at all, and no extension.
    pub groups: Option<Vec<Group>>,
    /// Signature schemes it accepts in TLS 1.2. `[]`: no extension.
    pub signatures: Option<Vec<Scheme>>,
    /// The name it asks for by SNI. Default: none is sent.
    pub sni: Option<String>,
    /// The least prime it accepts, in bits. Default and lower limit: 512.
    pub minimum_prime_bits: Option<u32>,
    /// It offers to resume the session of the mail before (see `message.count`), this way.
    /// Default: never.
    pub resume: Option<ClassicResumption>,
    /// What it does wrong on purpose.
    pub fault: Option<Fault>,
}

/// How a session is resumed up to TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClassicResumption {
    /// By an id that stands for what the server keeps (RFC 5246 section 7.3).
    SessionId,
    /// By a ticket in which the server keeps it (RFC 5077).
    Ticket,
}

/// Clients that had a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClassicProfile {
    /// Every anonymous suite, and no other.
    Anonymous,
    /// Exchange 2003 on Windows Server 2003 with update KB948963: TLS 1.0, static RSA with AES.
    #[serde(rename = "exchange-2003")]
    Exchange2003,
    /// Windows XP as it shipped: TLS 1.0, static RSA with RC4 or DES.
    WindowsXp,
}

/// A server out of the past, or one without a certificate (`cert = "none"`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClassicServer {
    /// TLS versions it speaks, from the lowest to the highest named. Default: TLSv1 to TLSv1.2.
    #[serde(default)]
    pub versions: Vec<Protocol>,
    /// Cipher suites it accepts, most preferred first. Default: all it can run, anonymous ones last.
    #[serde(default)]
    pub ciphers: Vec<Cipher>,
    /// Its own order decides instead of the client's.
    #[serde(default)]
    pub prefer_own_ciphers: bool,
    /// Groups it accepts, most preferred first. `[]`: no elliptic curves.
    pub groups: Option<Vec<Group>>,
    /// Signature schemes it signs with and accepts. Default: all it can.
    #[serde(default)]
    pub signatures: Vec<Scheme>,
    /// Its Diffie-Hellman prime: the name of a parameter file, without `dh:`. Default `ffdhe2048`.
    pub dh: Option<DhName>,
    /// It asks for a client certificate; anonymous ciphers are never chosen then.
    #[serde(default)]
    pub ask_client_certificate: bool,
    /// The one way by which its sessions can be resumed. Default: both.
    pub resume: Option<ClassicResumption>,
    /// It offers STARTTLS. Default: true.
    pub starttls: Option<bool>,
    /// What it does wrong on purpose.
    pub fault: Option<Fault>,
}
