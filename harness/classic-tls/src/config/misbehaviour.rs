use crate::names::Version;
use crate::wire::HandshakeType;

/// A wrong thing to do, once per connection, to see how the peer takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// An alert that warns of nothing much (user_canceled) goes out before this message, cut across two records.
    AlertInPieces(HandshakeType),
    /// The Finished message holds wrong verify data.
    BadFinished,
    /// The first protected record is changed after it was protected.
    BadRecordMac,
    /// The signature of the key exchange (server) or of the CertificateVerify (client) is changed.
    BadSignature,
    /// Server: the Diffie-Hellman prime is not prime. A client that does not look completes the handshake.
    CompositePrime,
    /// Client: the ClientHello holds its first extension twice.
    DoubledExtension,
    /// So many records without content go out before each record with data.
    EmptyRecords(u8),
    /// Server: the Diffie-Hellman generator is 1.
    GeneratorOne,
    /// Server: a HelloRequest goes out before this message.
    HelloRequest(HandshakeType),
    /// The message has a byte more than its fields.
    LongMessage(HandshakeType),
    /// The elliptic-curve point is not on the curve (NIST curves) or has small order (X25519, X448).
    PointNotOnCurve,
    /// Each record of the handshake holds a single byte.
    OneByteRecords,
    /// A record is larger than the protocol allows.
    OversizedRecord,
    /// Client: the premaster secret of static RSA names this version.
    PremasterVersion(Version),
    /// The Diffie-Hellman public value gives the secret away.
    PublicValue(PublicValue),
    /// All records but those of the hello say this version.
    RecordVersion(Version),
    /// The message is sent twice.
    Repeat(HandshakeType),
    /// The message lacks its last byte.
    ShortMessage(HandshakeType),
    /// Nothing more is sent, from this message on.
    Silence(HandshakeType),
    /// The message is left out.
    Skip(HandshakeType),
    /// Half of the record with this message is sent, and nothing more.
    TruncatedRecord(HandshakeType),
    /// Client: the ClientHello has the format of SSL 2.0 (RFC 5246 appendix E.2), as of clients that spoke that, too: it
    /// has no extensions and presents no session.
    Sslv2Hello,
    /// A record of a content type that does not exist (99) goes out before this message.
    UnknownContentType(HandshakeType),
    /// Server: the key exchange uses a group the client did not offer.
    UnofferedGroup,
    /// Server: a suite the client did not offer is chosen.
    UnofferedSuite,
    /// Server: the Diffie-Hellman prime is zero.
    ZeroPrime,
}

/// A Diffie-Hellman public value that gives the secret away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicValue {
    /// 0
    Zero,
    /// 1
    One,
    /// p − 1
    PrimeMinusOne,
}

impl PublicValue {
    /// The secret, as the premaster secret has it (RFC 5246 section 8.1.2), where the value decides it whatever the
    /// other end's exponent: the powers of p − 1 are 1 and p − 1.
    pub(crate) fn secret(self) -> Option<Vec<u8>> {
        match self {
            Self::Zero => Some(Vec::new()),
            Self::One => Some(vec![1]),
            Self::PrimeMinusOne => None,
        }
    }

    /// The value for the prime `p`, big-endian and as long as `p`.
    pub(crate) fn bytes(self, p: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; p.len()];
        match self {
            Self::Zero => {}
            Self::One => {
                if let Some(last) = bytes.last_mut() {
                    *last = 1;
                }
            }
            Self::PrimeMinusOne => {
                bytes.copy_from_slice(p);
                if let Some(last) = bytes.last_mut() {
                    *last &= !1;
                }
            }
        }
        bytes
    }
}
