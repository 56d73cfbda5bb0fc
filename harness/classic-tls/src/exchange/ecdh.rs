//! Elliptic-curve Diffie-Hellman over the NIST curves, secp256k1, the Brainpool curves, X25519 and X448.

use p256::elliptic_curve::ecdh::diffie_hellman;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};

use crate::error::Error;
use crate::names::NamedGroup;
use crate::wire::Side;

/// The groups that are offered unless others are named, most preferred first.
pub(crate) const DEFAULT: [NamedGroup; 5] = [
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::X448,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
];

/// Groups that can be run and are not in [`DEFAULT`], most preferred first.
pub(crate) const RARE: [NamedGroup; 4] = [
    NamedGroup::BRAINPOOL_P256R1,
    NamedGroup::BRAINPOOL_P384R1,
    NamedGroup::SECP256K1,
    NamedGroup::SECP224R1,
];

/// One end's private key and public point.
pub(crate) struct KeyPair {
    private: Private,
    /// The public point as on the wire.
    pub(crate) public: Vec<u8>,
}

enum Private {
    P256(SecretKey<p256::NistP256>),
    P384(SecretKey<p384::NistP384>),
    P521(SecretKey<p521::NistP521>),
    P224(SecretKey<p224::NistP224>),
    Secp256k1(SecretKey<k256::Secp256k1>),
    BrainpoolP256r1(SecretKey<bp256::BrainpoolP256r1>),
    BrainpoolP384r1(SecretKey<bp384::BrainpoolP384r1>),
    X25519(x25519_dalek::StaticSecret),
    X448([u8; 56]),
}

impl KeyPair {
    /// A fresh key pair; `None` for a group this crate does not implement.
    pub(crate) fn generate(group: NamedGroup) -> Result<Option<Self>, Error> {
        let private = match group {
            NamedGroup::SECP256R1 => Private::P256(scalar()?),
            NamedGroup::SECP384R1 => Private::P384(scalar()?),
            NamedGroup::SECP521R1 => Private::P521(scalar()?),
            NamedGroup::SECP224R1 => Private::P224(scalar()?),
            NamedGroup::SECP256K1 => Private::Secp256k1(scalar()?),
            NamedGroup::BRAINPOOL_P256R1 => Private::BrainpoolP256r1(scalar()?),
            NamedGroup::BRAINPOOL_P384R1 => Private::BrainpoolP384r1(scalar()?),
            NamedGroup::X25519 => {
                Private::X25519(x25519_dalek::StaticSecret::from(random::<32>()?))
            }
            NamedGroup::X448 => Private::X448(random::<56>()?),
            _ => return Ok(None),
        };
        let public = match &private {
            Private::P256(secret) => point(secret),
            Private::P384(secret) => point(secret),
            Private::P521(secret) => point(secret),
            Private::P224(secret) => point(secret),
            Private::Secp256k1(secret) => point(secret),
            Private::BrainpoolP256r1(secret) => point(secret),
            Private::BrainpoolP384r1(secret) => point(secret),
            Private::X25519(secret) => x25519_dalek::PublicKey::from(secret).as_bytes().to_vec(),
            Private::X448(secret) => {
                x448::x448_unchecked(*secret, x448::X448_BASEPOINT_BYTES).to_vec()
            }
        };
        Ok(Some(Self { private, public }))
    }

    /// The premaster secret with the point that `side` sent: the x-coordinate, zeros kept (RFC 8422 section 5.10).
    pub(crate) fn premaster(&self, side: Side, peer: &[u8]) -> Result<Vec<u8>, Error> {
        let bad = |what| Error::BadPublicValue { side, what };
        match &self.private {
            Private::P256(secret) => shared(side, secret, peer),
            Private::P384(secret) => shared(side, secret, peer),
            Private::P521(secret) => shared(side, secret, peer),
            Private::P224(secret) => shared(side, secret, peer),
            Private::Secp256k1(secret) => shared(side, secret, peer),
            Private::BrainpoolP256r1(secret) => shared(side, secret, peer),
            Private::BrainpoolP384r1(secret) => shared(side, secret, peer),
            Private::X25519(secret) => {
                let peer =
                    <[u8; 32]>::try_from(peer).map_err(|_| bad("it does not have 32 bytes"))?;
                let shared = secret.diffie_hellman(&x25519_dalek::PublicKey::from(peer));
                match shared.was_contributory() {
                    true => Ok(shared.as_bytes().to_vec()),
                    false => Err(bad("it is a point of small order")),
                }
            }
            Private::X448(secret) => {
                let peer =
                    <[u8; 56]>::try_from(peer).map_err(|_| bad("it does not have 56 bytes"))?;
                // The function knows the canonical points of small order; the secret of the others is zero.
                x448::x448(*secret, peer)
                    .filter(|shared| shared.iter().any(|byte| *byte != 0))
                    .map(|shared| shared.to_vec())
                    .ok_or(bad("it is a point of small order"))
            }
        }
    }
}

/// A point like `public` that no honest peer sends: off a NIST curve, or of small order on X25519 and X448.
pub(crate) fn off_curve(public: &[u8]) -> Vec<u8> {
    let mut point = public.to_vec();
    match point.as_mut_slice() {
        [4, .., last] if public.len() % 2 == 1 => *last ^= 1,
        bytes => bytes.fill(0),
    }
    point
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    Ok(bytes)
}

/// A random private key: drawn until one is in range, which almost always is the first.
fn scalar<C: CurveArithmetic>() -> Result<SecretKey<C>, Error> {
    for _ in 0..128 {
        let mut bytes = p256::elliptic_curve::FieldBytes::<C>::default();
        getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
        // The order of P-521 has 521 bits of 528.
        if bytes.len() == 66 {
            bytes[0] &= 1;
        }
        if let Ok(secret) = SecretKey::from_bytes(&bytes) {
            return Ok(secret);
        }
    }
    Err(Error::NoRandom)
}

fn point<C>(secret: &SecretKey<C>) -> Vec<u8>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    secret.public_key().to_sec1_point(false).as_bytes().to_vec()
}

fn shared<C>(side: Side, secret: &SecretKey<C>, peer: &[u8]) -> Result<Vec<u8>, Error>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let bad = |what| Error::BadPublicValue { side, what };
    if peer.first() != Some(&4) {
        return Err(bad("it is not an uncompressed point"));
    }
    let peer =
        PublicKey::<C>::from_sec1_bytes(peer).map_err(|_| bad("it is not a point of the curve"))?;
    let shared = diffie_hellman(secret.to_nonzero_scalar(), peer.as_affine());
    Ok(shared.raw_secret_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree() {
        for group in DEFAULT.into_iter().chain(RARE) {
            let a = KeyPair::generate(group).unwrap().unwrap();
            let b = KeyPair::generate(group).unwrap().unwrap();
            assert_eq!(
                a.premaster(Side::Server, &b.public).unwrap(),
                b.premaster(Side::Client, &a.public).unwrap(),
                "{group}"
            );
        }
    }

    #[test]
    fn x448_is_that_of_rfc_7748() {
        let bytes = |text: &str| <[u8; 56]>::try_from(crate::primes::from_hex(text)).unwrap();
        // RFC 7748 section 6.2.
        let alice = bytes(
            "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
        );
        let bob = bytes(
            "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
        );
        let shared = bytes(
            "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d",
        );
        let pair = KeyPair {
            private: Private::X448(alice),
            public: Vec::new(),
        };
        assert_eq!(pair.premaster(Side::Server, &bob), Ok(shared.to_vec()));
        // p itself is 0 in another spelling.
        let mut p = [0xff; 56];
        p[28] = 0xfe;
        assert!(pair.premaster(Side::Server, &p).is_err());
    }

    #[test]
    fn bad_points_are_refused() {
        for group in DEFAULT.into_iter().chain(RARE) {
            let pair = KeyPair::generate(group).unwrap().unwrap();
            let length = pair.public.len();
            let mut off_curve = pair.public.clone();
            off_curve[length - 1] ^= 1;
            let mut refused = vec![
                vec![],
                vec![0],
                vec![0; length],
                vec![4; length - 1],
                vec![0xff; length + 1],
            ];
            if pair.public[0] == 4 && length % 2 == 1 {
                refused.push(off_curve);
            }
            for point in refused {
                assert!(
                    matches!(
                        pair.premaster(Side::Client, &point),
                        Err(Error::BadPublicValue { .. })
                    ),
                    "{group} {point:02x?}"
                );
            }
        }
    }
}
