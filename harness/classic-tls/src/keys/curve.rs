//! ECDSA on every curve this crate implements.

use ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::SecretKey;
use p256::pkcs8::DecodePrivateKey as _;

use crate::names::NamedGroup;

macro_rules! curves {
    ($($variant:ident $curve:ty, $group:ident, $oid:literal;)*) => {
        /// An ECDSA private key.
        #[derive(Clone, Debug)]
        pub(crate) enum SecretCurveKey {
            $($variant(Box<SigningKey<$curve>>),)*
        }

        impl SecretCurveKey {
            /// Reads a PKCS#8 private key in DER; `None` for one of another kind.
            pub(crate) fn from_pkcs8_der(der: &[u8]) -> Option<Self> {
                $(if let Ok(key) = SecretKey::<$curve>::from_pkcs8_der(der) {
                    return Some(Self::$variant(Box::new(key.into())));
                })*
                None
            }

            /// The curve.
            pub(crate) fn group(&self) -> NamedGroup {
                match self {
                    $(Self::$variant(_) => NamedGroup::$group,)*
                }
            }

            /// Signs a hash; the signature is in DER.
            pub(crate) fn sign(&self, hash: &[u8]) -> Option<Vec<u8>> {
                match self {
                    $(Self::$variant(key) => {
                        let signature: Signature<$curve> = key.sign_prehash(hash).ok()?;
                        Some(signature.to_der().as_bytes().to_vec())
                    })*
                }
            }
        }

        /// An ECDSA public key.
        #[derive(Clone, Debug)]
        pub(crate) enum CurveKey {
            $($variant(Box<VerifyingKey<$curve>>),)*
        }

        impl CurveKey {
            /// The point `bytes` of the curve with the object identifier `oid`: `None` for a curve that is not
            /// implemented, an error for what is no point of it.
            pub(crate) fn from_point(oid: &str, bytes: &[u8]) -> Option<Result<Self, ecdsa::Error>> {
                match oid {
                    $($oid => Some(
                        VerifyingKey::<$curve>::from_sec1_bytes(bytes)
                            .map(|key| Self::$variant(Box::new(key))),
                    ),)*
                    _ => None,
                }
            }

            /// The curve.
            pub(crate) fn group(&self) -> NamedGroup {
                match self {
                    $(Self::$variant(_) => NamedGroup::$group,)*
                }
            }

            /// Whether `signature`, in DER, is one of `hash`.
            pub(crate) fn verify(&self, hash: &[u8], signature: &[u8]) -> bool {
                match self {
                    $(Self::$variant(key) => Signature::<$curve>::from_der(signature)
                        // Bitcoin's rule that s be small is none of TLS.
                        .is_ok_and(|signature| key.verify_prehash(hash, &signature.normalize_s()).is_ok()),)*
                }
            }
        }
    };
}

curves! {
    P224 p224::NistP224, SECP224R1, "1.3.132.0.33";
    P256 p256::NistP256, SECP256R1, "1.2.840.10045.3.1.7";
    P384 p384::NistP384, SECP384R1, "1.3.132.0.34";
    P521 p521::NistP521, SECP521R1, "1.3.132.0.35";
    Secp256k1 k256::Secp256k1, SECP256K1, "1.3.132.0.10";
    BrainpoolP256r1 bp256::BrainpoolP256r1, BRAINPOOL_P256R1, "1.3.36.3.3.2.8.1.1.7";
    BrainpoolP384r1 bp384::BrainpoolP384r1, BRAINPOOL_P384R1, "1.3.36.3.3.2.8.1.1.11";
}

/// The curve with an object identifier, also one that is not implemented.
pub(crate) fn group_of_oid(oid: &str) -> Option<NamedGroup> {
    let name = match oid {
        "1.2.840.10045.3.1.1" => "secp192r1",
        "1.2.840.10045.3.1.7" => "secp256r1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.132.0.1" => "sect163k1",
        "1.3.132.0.2" => "sect163r1",
        "1.3.132.0.3" => "sect239k1",
        "1.3.132.0.8" => "secp160r1",
        "1.3.132.0.9" => "secp160k1",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.15" => "sect163r2",
        "1.3.132.0.16" => "sect283k1",
        "1.3.132.0.17" => "sect283r1",
        "1.3.132.0.26" => "sect233k1",
        "1.3.132.0.27" => "sect233r1",
        "1.3.132.0.30" => "secp160r2",
        "1.3.132.0.31" => "secp192k1",
        "1.3.132.0.32" => "secp224k1",
        "1.3.132.0.33" => "secp224r1",
        "1.3.132.0.34" => "secp384r1",
        "1.3.132.0.35" => "secp521r1",
        "1.3.132.0.36" => "sect409k1",
        "1.3.132.0.37" => "sect409r1",
        "1.3.132.0.38" => "sect571k1",
        "1.3.132.0.39" => "sect571r1",
        "1.2.156.10197.1.301" => "curveSM2",
        _ => return None,
    };
    NamedGroup::from_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_that_is_implemented_has_the_name_of_its_oid() {
        for (oid, group) in [
            ("1.3.132.0.33", NamedGroup::SECP224R1),
            ("1.3.132.0.10", NamedGroup::SECP256K1),
            ("1.3.36.3.3.2.8.1.1.7", NamedGroup::BRAINPOOL_P256R1),
            ("1.3.36.3.3.2.8.1.1.13", NamedGroup::BRAINPOOL_P512R1),
        ] {
            assert_eq!(group_of_oid(oid), Some(group));
        }
        assert_eq!(group_of_oid("1.2.3"), None);
    }
}
