use std::ops::RangeInclusive;
use std::time::Duration;

use super::Misbehaviour;
use super::suites::{anonymous_suites, implemented_suites};
use crate::exchange::ecdh;
use crate::keys::Identity;
use crate::names::{CipherSuite, NamedGroup, SignatureScheme, Version};
use crate::session::Session;
use crate::signing;

/// What a client offers and accepts.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Versions offered: within TLS 1.0 to TLS 1.2.
    pub versions: RangeInclusive<Version>,
    /// Suites offered, in this order; any code point will do, signalling values included.
    pub suites: Vec<CipherSuite>,
    /// Groups offered, in this order. Empty: no `supported_groups` and no elliptic curves.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes offered with TLS 1.2, in this order. Empty: no `signature_algorithms`.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Name in `server_name`. `None`: no such extension.
    pub server_name: Option<String>,
    /// Presented if the server asks for a certificate.
    pub identity: Option<Identity>,
    /// Least size of the server's Diffie-Hellman prime in bits; never less than 512.
    pub minimum_dh_bits: usize,
    /// Whether a prime without a name is tested for primality: some milliseconds at 2048 bits, a second at 8192.
    pub check_primes: bool,
    /// Whether to offer `extended_master_secret` (RFC 7627).
    pub extended_master_secret: bool,
    /// Whether to offer `encrypt_then_mac` (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Whether to offer `session_ticket` (RFC 5077).
    pub session_tickets: bool,
    /// Whether to send an empty `renegotiation_info` (RFC 5746).
    pub renegotiation_info: bool,
    /// A session to resume, from the report of an earlier connection.
    pub resume: Option<Session>,
    /// Further extensions, code point and content, sent last.
    pub extra_extensions: Vec<(u16, Vec<u8>)>,
    /// Time the asynchronous layer allows for the handshake.
    pub handshake_timeout: Duration,
    /// What to do wrong.
    pub misbehaviour: Option<Misbehaviour>,
}

/// What a client of today could do, and what it would have done ten years ago: everything but anonymous suites, DSA,
/// Ed448 and the curves that nobody uses, in the order of [`implemented_suites`].
impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            versions: Version::TLS1_0..=Version::TLS1_2,
            suites: implemented_suites(),
            groups: ecdh::DEFAULT.to_vec(),
            signature_schemes: signing::DEFAULT.to_vec(),
            server_name: None,
            identity: None,
            minimum_dh_bits: 512,
            check_primes: true,
            extended_master_secret: true,
            encrypt_then_mac: true,
            session_tickets: true,
            renegotiation_info: true,
            resume: None,
            extra_extensions: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            misbehaviour: None,
        }
    }
}

impl ClientConfig {
    /// Only anonymous suites: what an SMTP client offers when it does not look at certificates at all.
    pub fn anonymous() -> Self {
        Self {
            suites: anonymous_suites(),
            ..Self::default()
        }
    }

    /// Windows XP and Windows Server 2003 as they shipped, and so Exchange 2003: TLS 1.0, static RSA with RC4 or DES,
    /// no extensions. Order as recorded by the SSL Labs client test for Internet Explorer 8 on Windows XP.
    pub fn windows_xp() -> Self {
        const SUITES: [u16; 11] = [
            0x0004, 0x0005, 0x000a, 0x0009, 0x0064, 0x0062, 0x0003, 0x0006, 0x0013, 0x0012, 0x0063,
        ];
        Self {
            versions: Version::TLS1_0..=Version::TLS1_0,
            suites: SUITES.map(CipherSuite).to_vec(),
            groups: Vec::new(),
            signature_schemes: Vec::new(),
            extended_master_secret: false,
            encrypt_then_mac: false,
            session_tickets: false,
            renegotiation_info: false,
            ..Self::default()
        }
    }

    /// Windows Server 2003 with the update KB948963, which adds the two static-RSA suites with AES in front.
    pub fn exchange_2003() -> Self {
        let mut config = Self::windows_xp();
        config
            .suites
            .splice(0..0, [0x0035, 0x002f].map(CipherSuite));
        config
    }
}
