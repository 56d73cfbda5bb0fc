use std::ops::RangeInclusive;
use std::time::Duration;

use super::Misbehaviour;
use super::suites::{anonymous_suites, dss_suites, implemented_suites};
use crate::keys::Identity;
use crate::names::{CipherSuite, NamedGroup, SignatureScheme, Version};
use crate::primes;
use crate::session::SessionStore;

/// A Diffie-Hellman prime and generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhGroup {
    /// The prime, big-endian: 512 to 8192 bits.
    pub p: Vec<u8>,
    /// The generator, big-endian.
    pub g: Vec<u8>,
}

impl DhGroup {
    /// The well-known group of that name, such as `ffdhe2048`; see [`crate::primes::by_name`].
    pub fn well_known(name: &str) -> Option<Self> {
        primes::by_name(name).map(|group| Self {
            p: group.p.clone(),
            g: group.g.clone(),
        })
    }
}

/// Whether the server asks the client for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It does not ask.
    #[default]
    None,
    /// It asks, and goes on without.
    Request,
    /// It asks, and refuses a client without.
    Require,
}

/// What a server accepts.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Versions spoken: within TLS 1.0 to TLS 1.2.
    pub versions: RangeInclusive<Version>,
    /// Suites accepted, in this order of preference; those this crate does not implement are never chosen.
    pub suites: Vec<CipherSuite>,
    /// Whether the order of `suites` decides instead of the client's.
    pub server_preference: bool,
    /// Groups accepted, in this order of preference. One of RFC 7919 among them goes before `dh`, for a client that
    /// offers such groups.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes the server signs with and accepts from clients, in this order of preference.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Certificates and keys; the first that goes with a suite is used. None: only anonymous suites.
    pub identities: Vec<Identity>,
    /// Certificates and keys for names that clients ask for in `server_name`, in any case; without a match,
    /// `identities`.
    pub named_identities: Vec<(String, Vec<Identity>)>,
    /// The Diffie-Hellman group. `None`: no such suites.
    pub dh: Option<DhGroup>,
    /// Whether to ask for a client certificate; anonymous suites are never chosen then.
    pub client_certificate: ClientCertificate,
    /// Sessions that can be resumed; share one store between connections.
    pub sessions: SessionStore,
    /// Whether to hand out session ids and take them up again.
    pub session_ids: bool,
    /// Whether to hand out tickets and take them up again.
    pub session_tickets: bool,
    /// Whether to answer `extended_master_secret` (RFC 7627).
    pub extended_master_secret: bool,
    /// Whether to answer `encrypt_then_mac` (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Time the asynchronous layer allows for the handshake.
    pub handshake_timeout: Duration,
    /// What to do wrong.
    pub misbehaviour: Option<Misbehaviour>,
}

impl ServerConfig {
    /// Those to choose from for a client that asks for `name`.
    pub(crate) fn identities_for(&self, name: Option<&str>) -> &[Identity] {
        self.named_identities
            .iter()
            .find(|(known, _)| name.is_some_and(|name| known.eq_ignore_ascii_case(name)))
            .map_or(&self.identities, |(_, identities)| identities)
    }
}

/// Everything this crate can do, anonymous suites last, ffdhe2048, and no certificate.
impl Default for ServerConfig {
    fn default() -> Self {
        let mut suites = implemented_suites();
        suites.extend(dss_suites());
        suites.extend(anonymous_suites());
        Self {
            versions: Version::TLS1_0..=Version::TLS1_2,
            suites,
            server_preference: false,
            groups: super::implemented_groups(),
            signature_schemes: super::implemented_signature_schemes(),
            identities: Vec::new(),
            named_identities: Vec::new(),
            dh: DhGroup::well_known("ffdhe2048"),
            client_certificate: ClientCertificate::None,
            sessions: SessionStore::default(),
            session_ids: true,
            session_tickets: true,
            extended_master_secret: true,
            encrypt_then_mac: true,
            handshake_timeout: Duration::from_secs(10),
            misbehaviour: None,
        }
    }
}
