use super::{ClientHello, Reader, WireError, Writer};
use crate::names::{CipherSuite, Version};

/// What stands at the beginning of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sslv2 {
    /// A ClientHello in the format of SSL 2.0, without the header of its record.
    Whole(Vec<u8>),
    /// The beginning of one.
    Begun,
    /// Something else.
    Other,
}

impl Sslv2 {
    /// Bytes of the record's header.
    pub(crate) const HEADER: usize = 2;
}

/// Looks for a ClientHello in the format of SSL 2.0 that offers SSL 3.0 or TLS (RFC 5246 appendix E.2).
pub(crate) fn sslv2_hello(bytes: &[u8]) -> Sslv2 {
    const CLIENT_HELLO: u8 = 1;
    match *bytes {
        [high, ..] if high & 0x80 == 0 => Sslv2::Other,
        [_, _, kind, ..] if kind != CLIENT_HELLO => Sslv2::Other,
        // The version: 0.2 for SSL 2.0 alone, 3.x for what came after it.
        [_, _, _, major, minor, ..] if !matches!((major, minor), (0, 2) | (3, 0..=4)) => {
            Sslv2::Other
        }
        [] => Sslv2::Other,
        [high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
            match bytes.get(Sslv2::HEADER..Sslv2::HEADER + length) {
                Some(hello) if length >= 9 => Sslv2::Whole(hello.to_vec()),
                Some(_) => Sslv2::Other,
                None => Sslv2::Begun,
            }
        }
        _ => Sslv2::Begun,
    }
}

/// Version and TLS suites of a ClientHello in the format of SSL 2.0, as far as they are there.
pub(crate) fn sslv2_offer(body: &[u8]) -> (Version, Vec<CipherSuite>) {
    let Some(&[_, major, minor, high, low]) = body.first_chunk() else {
        return (Version(0), Vec::new());
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let specs = body.get(9..).unwrap_or_default();
    let suites = specs
        .get(..length)
        .unwrap_or(specs)
        .chunks_exact(3)
        // Specs of SSL 2.0 alone begin with another byte.
        .filter(|spec| spec[0] == 0)
        .map(|spec| CipherSuite(u16::from_be_bytes([spec[1], spec[2]])))
        .collect();
    (Version(u16::from_be_bytes([major, minor])), suites)
}

impl ClientHello {
    /// Parses a ClientHello in the format of SSL 2.0 (RFC 5246 appendix E.2), from its message type on.
    ///
    /// # Errors
    /// Anything truncated or left over, a challenge of less than 16 bytes.
    pub fn parse_sslv2(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        reader.u8("the message type")?;
        reader.u16("the client's version")?;
        let (version, offered) = sslv2_offer(body);
        let suites = usize::from(reader.u16("the length of the cipher specs")?);
        let session_id = usize::from(reader.u16("the length of the session id")?);
        let challenge = usize::from(reader.u16("the length of the challenge")?);
        reader.take("the cipher specs", suites)?;
        let session_id = reader.take("the session id", session_id)?;
        let challenge = reader.take("the challenge", challenge)?;
        reader.finish("the ClientHello")?;
        if !(16..=32).contains(&challenge.len()) {
            return Err(WireError::Illegal {
                what: "the length of the challenge",
                found: challenge.len() as u64,
                expected: "16 to 32",
            });
        }
        // The same hello in the format of TLS: the challenge is the end of the random.
        let mut writer = Writer::new();
        writer
            .u16(version.0)
            .bytes(&vec![0; 32 - challenge.len()])
            .bytes(challenge)
            .vec8(session_id)
            .list16(offered.into_iter().map(|suite| suite.0))
            .vec8(&[0]);
        Self::parse(&writer.into_bytes())
    }
}

/// A ClientHello in the format of SSL 2.0, from its message type on.
pub(crate) fn write_sslv2(version: Version, suites: &[CipherSuite], challenge: &[u8]) -> Vec<u8> {
    let mut specs = Writer::new();
    for suite in suites {
        specs.u8(0).u16(suite.0);
    }
    let specs = specs.into_bytes();
    let mut writer = Writer::new();
    writer
        .u8(1)
        .u16(version.0)
        .u16(specs.len() as u16)
        .u16(0)
        .u16(challenge.len() as u16)
        .bytes(&specs)
        .bytes(challenge);
    writer.into_bytes()
}
