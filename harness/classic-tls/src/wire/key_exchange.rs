use super::{Reader, WireError, Writer};
use crate::names::{KeyExchangeKind, NamedGroup, SignatureScheme, Version};
use crate::primes;

/// The server's Diffie-Hellman parameters and share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhParameters {
    /// The prime, big-endian as sent.
    pub p: Vec<u8>,
    /// The generator, big-endian as sent.
    pub g: Vec<u8>,
    /// The server's public value, big-endian as sent.
    pub ys: Vec<u8>,
}

impl DhParameters {
    /// Size of the prime in bits.
    pub fn bits(&self) -> usize {
        primes::bit_length(&self.p)
    }

    /// Name of the group, if it is a well-known one.
    pub fn name(&self) -> Option<&'static str> {
        primes::identify(&self.p, &self.g)
    }
}

/// The server's elliptic-curve group and share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcdhParameters {
    /// The named curve.
    pub group: NamedGroup,
    /// The server's public point, as sent.
    pub point: Vec<u8>,
}

/// A signature of a handshake message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The scheme, sent in TLS 1.2 only.
    pub scheme: Option<SignatureScheme>,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// As on the wire.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        if let Some(scheme) = self.scheme {
            writer.u16(scheme.0);
        }
        writer.vec16(&self.bytes);
        writer.into_bytes()
    }
}

/// A ServerKeyExchange message (RFC 5246 section 7.4.3, RFC 8422 section 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerKeyExchange {
    /// Signed Diffie-Hellman.
    Dhe {
        /// Prime, generator, share.
        parameters: DhParameters,
        /// The signature over both randoms and the parameters.
        signature: Signature,
    },
    /// Anonymous Diffie-Hellman.
    DhAnon {
        /// Prime, generator, share.
        parameters: DhParameters,
    },
    /// Signed elliptic-curve Diffie-Hellman.
    Ecdhe {
        /// Group and point.
        parameters: EcdhParameters,
        /// The signature over both randoms and the parameters.
        signature: Signature,
    },
    /// Anonymous elliptic-curve Diffie-Hellman.
    EcdhAnon {
        /// Group and point.
        parameters: EcdhParameters,
    },
}

impl ServerKeyExchange {
    /// Parses the body of a ServerKeyExchange message of a suite with key exchange `kind`.
    ///
    /// # Errors
    /// Anything truncated or left over, an explicit curve, a `kind` that has no such message.
    pub fn parse(body: &[u8], kind: KeyExchangeKind, version: Version) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let parsed = match kind {
            KeyExchangeKind::Dhe => Self::Dhe {
                parameters: dh(&mut reader)?,
                signature: signature(&mut reader, version)?,
            },
            KeyExchangeKind::DhAnon => Self::DhAnon {
                parameters: dh(&mut reader)?,
            },
            KeyExchangeKind::Ecdhe => Self::Ecdhe {
                parameters: ecdh(&mut reader)?,
                signature: signature(&mut reader, version)?,
            },
            KeyExchangeKind::EcdhAnon => Self::EcdhAnon {
                parameters: ecdh(&mut reader)?,
            },
            _ => {
                return Err(WireError::TrailingBytes {
                    what: "a handshake whose suite has no ServerKeyExchange",
                    count: body.len(),
                });
            }
        };
        reader.finish("the ServerKeyExchange")?;
        Ok(parsed)
    }

    /// The Diffie-Hellman parameters, if it is that kind.
    pub fn dh(&self) -> Option<&DhParameters> {
        match self {
            Self::Dhe { parameters, .. } | Self::DhAnon { parameters } => Some(parameters),
            _ => None,
        }
    }

    /// The elliptic-curve parameters, if it is that kind.
    pub fn ecdh(&self) -> Option<&EcdhParameters> {
        match self {
            Self::Ecdhe { parameters, .. } | Self::EcdhAnon { parameters } => Some(parameters),
            _ => None,
        }
    }

    /// The signature; `None` for the anonymous kinds.
    pub fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Dhe { signature, .. } | Self::Ecdhe { signature, .. } => Some(signature),
            _ => None,
        }
    }

    /// How many bytes of a message's `body` are covered by the signature.
    pub(crate) fn parameters_length(&self) -> usize {
        match self {
            Self::Dhe { parameters, .. } | Self::DhAnon { parameters } => {
                6 + parameters.p.len() + parameters.g.len() + parameters.ys.len()
            }
            Self::Ecdhe { parameters, .. } | Self::EcdhAnon { parameters } => {
                4 + parameters.point.len()
            }
        }
    }
}

fn dh(reader: &mut Reader<'_>) -> Result<DhParameters, WireError> {
    Ok(DhParameters {
        p: reader.vec16("the prime")?.to_vec(),
        g: reader.vec16("the generator")?.to_vec(),
        ys: reader.vec16("the server's public value")?.to_vec(),
    })
}

fn ecdh(reader: &mut Reader<'_>) -> Result<EcdhParameters, WireError> {
    match reader.u8("the curve type")? {
        3 => Ok(EcdhParameters {
            group: NamedGroup(reader.u16("the named curve")?),
            point: reader.vec8("the server's public point")?.to_vec(),
        }),
        other => Err(WireError::Illegal {
            what: "the curve type",
            found: other.into(),
            expected: "3 (named curve)",
        }),
    }
}

/// A digitally-signed element: scheme and bytes in TLS 1.2, bytes alone before.
pub(crate) fn signature(reader: &mut Reader<'_>, version: Version) -> Result<Signature, WireError> {
    let scheme = if version >= Version::TLS1_2 {
        Some(SignatureScheme(reader.u16("the signature scheme")?))
    } else {
        None
    };
    Ok(Signature {
        scheme,
        bytes: reader.vec16("the signature")?.to_vec(),
    })
}
