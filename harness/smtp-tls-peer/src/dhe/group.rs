//! Primes as rustls' key exchange groups.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::{self, FfdheGroup};
use rustls::{Error, NamedGroup, OtherError, ProtocolVersion, SupportedProtocolVersion};

use super::error::DheError;
use super::modulus::{Modulus, Secret, without_leading_zeros};
use super::parameters::DhParameters;

/// Code points for private use (RFC 7919 section 2), which never leave the process: a client's learned prime and a
/// server's own. rustls takes 0x0100 to 0x01ff for Diffie-Hellman.
pub(super) const LEARNED: NamedGroup = NamedGroup::Unknown(0x01fc);
const OWN: NamedGroup = NamedGroup::Unknown(0x01fd);

/// The groups of RFC 7919 appendix A, smallest first.
static RFC7919: [(NamedGroup, FfdheGroup<'static>); 5] = [
    (NamedGroup::FFDHE2048, ffdhe_groups::FFDHE2048),
    (NamedGroup::FFDHE3072, ffdhe_groups::FFDHE3072),
    (NamedGroup::FFDHE4096, ffdhe_groups::FFDHE4096),
    (NamedGroup::FFDHE6144, ffdhe_groups::FFDHE6144),
    (NamedGroup::FFDHE8192, ffdhe_groups::FFDHE8192),
];

/// Every group that was ever made, but for the learned ones.
static KEPT: Mutex<Vec<&'static DheGroup>> = Mutex::new(Vec::new());

static ANY: LazyLock<Vec<&'static dyn SupportedKxGroup>> = LazyLock::new(|| rfc7919(None));
static TLS12: LazyLock<Vec<&'static dyn SupportedKxGroup>> =
    LazyLock::new(|| rfc7919(Some(ProtocolVersion::TLSv1_2)));
static TLS13: LazyLock<Vec<&'static dyn SupportedKxGroup>> =
    LazyLock::new(|| rfc7919(Some(ProtocolVersion::TLSv1_3)));

/// The groups of RFC 7919, for all versions.
pub(crate) fn named() -> &'static [&'static dyn SupportedKxGroup] {
    &ANY
}

/// The same for TLS 1.2 alone: for a server that may choose a prime by itself.
pub(crate) fn named_tls12_only() -> &'static [&'static dyn SupportedKxGroup] {
    &TLS12
}

/// The same for TLS 1.3 alone: for a server whose prime in TLS 1.2 is its own.
pub(crate) fn named_tls13_only() -> &'static [&'static dyn SupportedKxGroup] {
    &TLS13
}

fn rfc7919(only: Option<ProtocolVersion>) -> Vec<&'static dyn SupportedKxGroup> {
    RFC7919
        .iter()
        .filter_map(|(name, group)| {
            let modulus = Modulus::of(group.p, group.g).ok()?;
            Some(DheGroup::of(modulus, *name, only) as &dyn SupportedKxGroup)
        })
        .collect()
}

/// A server's own prime for TLS 1.2.
///
/// A client may list groups of RFC 7919 for TLS 1.3, and rustls then wants one of these for TLS 1.2 too. A server with
/// a prime of its own, such as Postfix with a parameter file, does not care. So the prime goes by all of their names;
/// the name is not sent in TLS 1.2.
pub(crate) fn of_server(
    parameters: &DhParameters,
) -> Result<Vec<&'static dyn SupportedKxGroup>, DheError> {
    let modulus = Modulus::of(parameters.p(), parameters.g())?;
    Ok(std::iter::once(OWN)
        .chain(RFC7919.iter().map(|(name, _)| *name))
        .map(|name| {
            DheGroup::of(modulus, name, Some(ProtocolVersion::TLSv1_2)) as &dyn SupportedKxGroup
        })
        .collect())
}

/// The code point of the group with prime `p` and generator `g`, if RFC 7919 gives it one.
pub(crate) fn code_point(group: &FfdheGroup<'_>) -> Option<NamedGroup> {
    RFC7919
        .iter()
        .find(|(_, known)| known == group)
        .map(|(name, _)| *name)
}

/// A prime with a name.
#[derive(Debug)]
struct DheGroup {
    modulus: &'static Modulus,
    name: NamedGroup,
    /// The only version it is for, if there is one.
    only: Option<ProtocolVersion>,
}

impl DheGroup {
    fn of(
        modulus: &'static Modulus,
        name: NamedGroup,
        only: Option<ProtocolVersion>,
    ) -> &'static Self {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&&'static Self| {
            std::ptr::eq(known.modulus, modulus) && known.name == name && known.only == only
        };
        if let Some(known) = kept.iter().find(same) {
            return known;
        }
        let new: &'static Self = Box::leak(Box::new(Self {
            modulus,
            name,
            only,
        }));
        kept.push(new);
        new
    }
}

impl SupportedKxGroup for DheGroup {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Exchange::start(self.modulus, self.name)
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        Some(self.modulus.group())
    }

    fn name(&self) -> NamedGroup {
        self.name
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.only.is_none_or(|only| only == version)
    }
}

/// How often a secret is drawn until its public value is one; the first is, unless the generator is a bad one.
const DRAWS: usize = 8;

/// One side's half of an exchange.
pub(super) struct Exchange {
    modulus: &'static Modulus,
    secret: Secret,
    public: Vec<u8>,
    name: NamedGroup,
}

impl Exchange {
    pub(super) fn start(
        modulus: &'static Modulus,
        name: NamedGroup,
    ) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        for _ in 0..DRAWS {
            let mut bytes = vec![0; modulus.exponent_bits() as usize / 8];
            crate::provider::random()
                .fill(&mut bytes)
                .map_err(|_| Error::from(GetRandomFailed))?;
            let secret = modulus.secret(&bytes);
            let public = modulus.public(&secret);
            if modulus.check_public(&public).is_ok() {
                return Ok(Box::new(Self {
                    modulus,
                    secret,
                    public,
                    name,
                }));
            }
        }
        Err(Error::General(
            "the Diffie-Hellman generator generates next to nothing".to_owned(),
        ))
    }
}

/// A refusal that rustls hands through.
pub(crate) fn refusal(error: DheError) -> Error {
    Error::Other(OtherError(Arc::new(error)))
}

impl ActiveKeyExchange for Exchange {
    /// As in TLS 1.3, where shares and secret have the size of the prime (RFC 8446 sections 4.2.8.1 and 7.4.1).
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let expected = self.modulus.len();
        if peer.len() != expected {
            let found = peer.len();
            return Err(refusal(DheError::ShareLength { found, expected }));
        }
        let shared = self.modulus.shared(&self.secret, peer).map_err(refusal)?;
        Ok(SharedSecret::from(shared))
    }

    /// In TLS 1.2 a public value may be shorter than the prime, and the secret loses its leading zeros (RFC 5246
    /// section 8.1.2).
    fn complete_for_tls_version(
        self: Box<Self>,
        peer: &[u8],
        version: &SupportedProtocolVersion,
    ) -> Result<SharedSecret, Error> {
        if version.version != ProtocolVersion::TLSv1_2 {
            return self.complete(peer);
        }
        let shared = self.modulus.shared(&self.secret, peer).map_err(refusal)?;
        Ok(SharedSecret::from(without_leading_zeros(&shared)))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        Some(self.modulus.group())
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}
