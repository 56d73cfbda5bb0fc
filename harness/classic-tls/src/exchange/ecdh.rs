//! Elliptic-curve Diffie-Hellman over the NIST curves, X25519 and X448.

use p256::elliptic_curve::ecdh::diffie_hellman;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};

use crate::error::Error;
use crate::names::NamedGroup;
use crate::wire::Side;

/// The groups that can be run, most preferred first.
pub(crate) const IMPLEMENTED: [NamedGroup; 5] = [
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::X448,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
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
    X25519(x25519_dalek::StaticSecret),
    X448(x448::Secret),
}

impl KeyPair {
    /// A fresh key pair; `None` for a group this crate does not implement.
    pub(crate) fn generate(group: NamedGroup) -> Result<Option<Self>, Error> {
        let private = match group {
            NamedGroup::SECP256R1 => Private::P256(scalar()?),
            NamedGroup::SECP384R1 => Private::P384(scalar()?),
            NamedGroup::SECP521R1 => Private::P521(scalar()?),
            NamedGroup::X25519 => {
                Private::X25519(x25519_dalek::StaticSecret::from(random::<32>()?))
            }
            NamedGroup::X448 => Private::X448(x448::Secret::from(random::<56>()?)),
            _ => return Ok(None),
        };
        let public = match &private {
            Private::P256(secret) => point(secret),
            Private::P384(secret) => point(secret),
            Private::P521(secret) => point(secret),
            Private::X25519(secret) => x25519_dalek::PublicKey::from(secret).as_bytes().to_vec(),
            Private::X448(secret) => x448::PublicKey::from(secret).as_bytes().to_vec(),
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
                if peer.len() != 56 {
                    return Err(bad("it does not have 56 bytes"));
                }
                let peer =
                    x448::PublicKey::from_bytes(peer).ok_or(bad("it is a point of small order"))?;
                secret
                    .as_diffie_hellman(&peer)
                    .map(|shared| shared.as_bytes().to_vec())
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
        for group in IMPLEMENTED {
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
    fn bad_points_are_refused() {
        for group in IMPLEMENTED {
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
