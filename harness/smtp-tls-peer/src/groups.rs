//! Key exchange groups that the graviola provider lacks: P-521, X448 and the two hybrids on NIST curves.

use ml_kem::kem::{Decapsulate, FromSeed, KeyExport};
use ml_kem::{B32, MlKem768, MlKem1024, Seed};
use p521::elliptic_curve::sec1::ToSec1Point;
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use rustls_graviola::kx::{P256, P384};

/// Code point of SecP384r1MLKEM1024, which rustls does not name (draft-ietf-tls-ecdhe-mlkem).
pub(super) const SECP384R1_MLKEM1024: u16 = 0x11ed;

/// ECDH on P-521, for TLS 1.2 and 1.3 (RFC 8422, RFC 8446 section 4.2.8.2).
pub(super) static P521: &dyn SupportedKxGroup = &P521Group;

/// ECDH on Curve448, for TLS 1.2 and 1.3 (RFC 7748, RFC 8422).
pub(super) static X448: &dyn SupportedKxGroup = &X448Group;

/// P-256 and ML-KEM-768, TLS 1.3 only (draft-ietf-tls-ecdhe-mlkem).
pub(super) static SECP256R1_MLKEM768: &dyn SupportedKxGroup = &Hybrid {
    classical: &P256,
    classical_len: 65,
    kem: Kem::MlKem768,
    name: NamedGroup::secp256r1MLKEM768,
};

/// P-384 and ML-KEM-1024, TLS 1.3 only (draft-ietf-tls-ecdhe-mlkem).
pub(super) static SECP384R1_MLKEM1024_GROUP: &dyn SupportedKxGroup = &Hybrid {
    classical: &P384,
    classical_len: 97,
    kem: Kem::MlKem1024,
    name: NamedGroup::Unknown(SECP384R1_MLKEM1024),
};

/// How often a random number is drawn until one is a valid scalar; the first is, but for about one in 2^200.
const DRAWS: usize = 8;

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    super::provider::random()
        .fill(&mut bytes)
        .map_err(|_| Error::from(GetRandomFailed))?;
    Ok(bytes)
}

fn invalid_key_share() -> Error {
    Error::from(PeerMisbehaved::InvalidKeyShare)
}

#[derive(Debug)]
struct P521Group;

impl SupportedKxGroup for P521Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        for _ in 0..DRAWS {
            let mut bytes = random::<66>()?;
            // The order has 521 bits, seven fewer than 66 bytes hold.
            bytes[0] &= 1;
            if let Ok(secret) = p521::SecretKey::from_slice(&bytes) {
                let public = secret.public_key().to_sec1_point(false).as_bytes().into();
                return Ok(Box::new(P521Exchange { secret, public }));
            }
        }
        Err(Error::FailedToGetRandomBytes)
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

struct P521Exchange {
    secret: p521::SecretKey,
    public: Box<[u8]>,
}

impl ActiveKeyExchange for P521Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        // Only the uncompressed form is allowed (RFC 8422 section 5.4.1).
        if peer.first() != Some(&4) {
            return Err(invalid_key_share());
        }
        let peer = p521::PublicKey::from_sec1_bytes(peer).map_err(|_| invalid_key_share())?;
        Ok(SharedSecret::from(
            self.secret
                .diffie_hellman(&peer)
                .raw_secret_bytes()
                .as_slice(),
        ))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

#[derive(Debug)]
struct X448Group;

impl SupportedKxGroup for X448Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = random::<56>()?;
        let public = x448::x448_unchecked(secret, x448::X448_BASEPOINT_BYTES);
        Ok(Box::new(X448Exchange { secret, public }))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X448
    }
}

struct X448Exchange {
    secret: [u8; 56],
    public: [u8; 56],
}

impl ActiveKeyExchange for X448Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = <[u8; 56]>::try_from(peer).map_err(|_| invalid_key_share())?;
        // The function knows the canonical points of small order; of the others the secret is zero (RFC 7748 section 6.2).
        let secret = x448::x448(self.secret, peer)
            .filter(|secret| secret.iter().any(|byte| *byte != 0))
            .ok_or_else(invalid_key_share)?;
        Ok(SharedSecret::from(secret.as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X448
    }
}

/// A curve and an ML-KEM side by side; key shares and secrets are concatenated, the curve first.
#[derive(Debug)]
struct Hybrid {
    classical: &'static dyn SupportedKxGroup,
    classical_len: usize,
    kem: Kem,
    name: NamedGroup,
}

impl SupportedKxGroup for Hybrid {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let classical = self.classical.start()?;
        let seed = Seed::from(random::<64>()?);
        let mut public = classical.pub_key().to_vec();
        public.extend(self.kem.encapsulation_key(&seed));
        Ok(Box::new(HybridExchange {
            classical,
            classical_len: self.classical_len,
            kem: self.kem,
            seed,
            public,
            name: self.name,
        }))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (curve, key) = client_share
            .split_at_checked(self.classical_len)
            .ok_or_else(invalid_key_share)?;
        let classical = self.classical.start_and_complete(curve)?;
        let (ciphertext, kem_secret) = self.kem.encapsulate(key, &B32::from(random::<32>()?))?;
        let mut pub_key = classical.pub_key;
        pub_key.extend(ciphertext);
        let mut secret = classical.secret.secret_bytes().to_vec();
        secret.extend(kem_secret);
        Ok(CompletedKeyExchange {
            group: self.name,
            pub_key,
            secret: SharedSecret::from(secret),
        })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        self.name
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

struct HybridExchange {
    classical: Box<dyn ActiveKeyExchange>,
    classical_len: usize,
    kem: Kem,
    seed: Seed,
    public: Vec<u8>,
    name: NamedGroup,
}

impl ActiveKeyExchange for HybridExchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let (curve, ciphertext) = peer
            .split_at_checked(self.classical_len)
            .ok_or_else(invalid_key_share)?;
        let kem_secret = self.kem.decapsulate(&self.seed, ciphertext)?;
        let mut secret = self.classical.complete(curve)?.secret_bytes().to_vec();
        secret.extend(kem_secret);
        Ok(SharedSecret::from(secret))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}

/// The parameter sets of FIPS 203 in use. Keys are derived from their seed when needed.
#[derive(Debug, Clone, Copy)]
enum Kem {
    MlKem768,
    MlKem1024,
}

impl Kem {
    fn encapsulation_key(self, seed: &Seed) -> Vec<u8> {
        match self {
            Self::MlKem768 => MlKem768::from_seed(seed).1.to_bytes().to_vec(),
            Self::MlKem1024 => MlKem1024::from_seed(seed).1.to_bytes().to_vec(),
        }
    }

    fn decapsulate(self, seed: &Seed, ciphertext: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::MlKem768 => MlKem768::from_seed(seed)
                .0
                .decapsulate_slice(ciphertext)
                .map(|s| s.to_vec()),
            Self::MlKem1024 => MlKem1024::from_seed(seed)
                .0
                .decapsulate_slice(ciphertext)
                .map(|s| s.to_vec()),
        }
        .map_err(|_| invalid_key_share())
    }

    fn encapsulate(self, key: &[u8], random: &B32) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match self {
            Self::MlKem768 => {
                let key = ml_kem::ml_kem_768::EncapsulationKey::new(
                    &key.try_into().map_err(|_| invalid_key_share())?,
                )
                .map_err(|_| invalid_key_share())?;
                let (ciphertext, secret) = key.encapsulate_deterministic(random);
                Ok((ciphertext.to_vec(), secret.to_vec()))
            }
            Self::MlKem1024 => {
                let key = ml_kem::ml_kem_1024::EncapsulationKey::new(
                    &key.try_into().map_err(|_| invalid_key_share())?,
                )
                .map_err(|_| invalid_key_share())?;
                let (ciphertext, secret) = key.encapsulate_deterministic(random);
                Ok((ciphertext.to_vec(), secret.to_vec()))
            }
        }
    }
}
