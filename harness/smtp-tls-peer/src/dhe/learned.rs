//! A client's group over whatever prime the server sends.
//!
//! rustls' client takes a prime only if one of its groups has it. But it asks for a look at the signature first, and
//! what is signed holds the prime. So the group starts out without a prime, learns it when the signature is checked,
//! and has it when rustls looks. The group names no version it can be used for, so its code point is not offered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use classic_tls::names::{KeyExchangeKind, Version};
use classic_tls::wire::ServerKeyExchange;
use rustls::crypto::{ActiveKeyExchange, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, ProtocolVersion};

use super::error::DheError;
use super::group::{Exchange, LEARNED, refusal};
use super::modulus::{Modulus, check_public, prime_bits, without_leading_zeros};
use super::{DEFAULT_MINIMUM_PRIME_BITS, SMALLEST_PRIME_BITS};

/// Groups that no connection uses.
static FREE: Mutex<Vec<&'static LearnedGroup>> = Mutex::new(Vec::new());

/// Both random numbers, which are signed before the parameters (RFC 5246 section 7.4.3).
const RANDOMS: usize = 64;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct LearnedGroup(Mutex<Option<&'static Modulus>>);

impl SupportedKxGroup for LearnedGroup {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        match *lock(&self.0) {
            Some(modulus) => Exchange::start(modulus, LEARNED),
            None => Err(Error::General(
                "no Diffie-Hellman prime was learned".to_owned(),
            )),
        }
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        (*lock(&self.0)).map(Modulus::group)
    }

    fn name(&self) -> NamedGroup {
        LEARNED
    }

    fn usable_for_version(&self, _version: ProtocolVersion) -> bool {
        false
    }
}

/// A group that one connection at a time may use. It goes to the next one when this is dropped, so this must outlive
/// the connection.
#[derive(Debug)]
pub(crate) struct Lease(&'static LearnedGroup);

impl Lease {
    pub(crate) fn new() -> Arc<Self> {
        let group = lock(&FREE).pop();
        Arc::new(Self(
            group.unwrap_or_else(|| Box::leak(Box::<LearnedGroup>::default())),
        ))
    }

    pub(crate) fn group(&self) -> &'static dyn SupportedKxGroup {
        self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *lock(&self.0.0) = None;
        lock(&FREE).push(self.0);
    }
}

/// Looks at what a server has signed and teaches the group.
#[derive(Debug)]
pub(crate) struct Learner {
    lease: Arc<Lease>,
    minimum_bits: u32,
}

impl Learner {
    /// A minimum below [`SMALLEST_PRIME_BITS`] counts as that.
    pub(crate) fn new(lease: Arc<Lease>, minimum_bits: Option<u32>) -> Self {
        let minimum_bits = minimum_bits
            .unwrap_or(DEFAULT_MINIMUM_PRIME_BITS)
            .max(SMALLEST_PRIME_BITS);
        Self {
            lease,
            minimum_bits,
        }
    }

    /// Takes the prime from `message`, whose signature was found to be right. Returned errors make rustls send
    /// handshake_failure: so do OpenSSL's clients for a prime that is too small ("dh key too small"), and so RFC 7919
    /// section 3 wants it for a bad public value.
    pub(crate) fn learn(&self, message: &[u8]) -> Result<(), Error> {
        *lock(&self.lease.0.0) = None;
        // An ECDHE message does not parse: it begins with the byte 3 (RFC 8422 section 5.4), which as the length of a
        // prime means 768 bytes or more, while it has no more than 259. rustls has words of its own for the rest.
        let body = message.get(RANDOMS..).unwrap_or_default();
        let Ok(parsed) = ServerKeyExchange::parse(body, KeyExchangeKind::DhAnon, Version::TLS1_2)
        else {
            return Ok(());
        };
        if let Some(sent) = parsed.dh() {
            let modulus = self.checked(&sent.p, &sent.g, &sent.ys).map_err(refusal)?;
            *lock(&self.lease.0.0) = Some(modulus);
        }
        Ok(())
    }

    fn checked(&self, p: &[u8], g: &[u8], public: &[u8]) -> Result<&'static Modulus, DheError> {
        let p = without_leading_zeros(p);
        prime_bits(p, self.minimum_bits)?;
        check_public(p, public)?;
        Modulus::of(p, g)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rustls::ffdhe_groups::FFDHE2048;

    use super::*;

    /// A signed message: randoms, prime, generator, public value.
    fn message(parts: &[&[u8]]) -> Vec<u8> {
        let mut message = vec![0; RANDOMS];
        for part in parts {
            message.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
            message.extend(*part);
        }
        message
    }

    #[test]
    fn groups_are_lent_over_and_over_and_start_empty() {
        let mut groups = HashSet::new();
        for _ in 0..1000 {
            let lease = Lease::new();
            assert!(lease.group().ffdhe_group().is_none());
            assert!(lease.group().start().is_err());
            let learner = Learner::new(Arc::clone(&lease), None);
            learner
                .learn(&message(&[FFDHE2048.p, FFDHE2048.g, &[5]]))
                .unwrap();
            assert_eq!(lease.group().ffdhe_group(), Some(FFDHE2048));
            groups.insert(std::ptr::from_ref(lease.0));
        }
        // Other tests run at the same time.
        assert!(groups.len() < 100, "{}", groups.len());
    }

    #[test]
    fn what_is_no_prime_is_left_to_rustls() {
        let lease = Lease::new();
        let learner = Learner::new(Arc::clone(&lease), None);
        let ecdhe = [&[0; RANDOMS][..], &[3, 0, 0x1d, 32], &[9; 32]].concat();
        let whole = message(&[FFDHE2048.p, FFDHE2048.g, &[5]]);
        let left_over = [&whole[..], &[0]].concat();
        for message in [&[][..], &[0; RANDOMS], &ecdhe, &whole[..300], &left_over] {
            assert_eq!(learner.learn(message), Ok(()));
            assert_eq!(lease.group().ffdhe_group(), None);
        }
        // And what was learned before does not stay.
        learner.learn(&whole).unwrap();
        learner.learn(&ecdhe).unwrap();
        assert_eq!(lease.group().ffdhe_group(), None);
    }
}
