use super::WireError;

/// Largest handshake message accepted, in bytes: room for a chain of a dozen big certificates.
const MAX_MESSAGE: usize = 1 << 18;

/// The type of a handshake message by its code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandshakeType(pub u8);

macro_rules! types {
    ($($code:literal $constant:ident $name:literal),* $(,)?) => {
        impl HandshakeType {
            $(#[doc = $name] pub const $constant: Self = Self($code);)*

            /// The RFC's name, such as `ClientHello`; `unknown` for a code no RFC assigns.
            pub fn name(self) -> &'static str {
                match self.0 {
                    $($code => $name,)*
                    _ => "unknown",
                }
            }
        }
    };
}

types! {
    0 HELLO_REQUEST "HelloRequest",
    1 CLIENT_HELLO "ClientHello",
    2 SERVER_HELLO "ServerHello",
    4 NEW_SESSION_TICKET "NewSessionTicket",
    8 ENCRYPTED_EXTENSIONS "EncryptedExtensions",
    11 CERTIFICATE "Certificate",
    12 SERVER_KEY_EXCHANGE "ServerKeyExchange",
    13 CERTIFICATE_REQUEST "CertificateRequest",
    14 SERVER_HELLO_DONE "ServerHelloDone",
    15 CERTIFICATE_VERIFY "CertificateVerify",
    16 CLIENT_KEY_EXCHANGE "ClientKeyExchange",
    20 FINISHED "Finished",
    22 CERTIFICATE_STATUS "CertificateStatus",
    24 KEY_UPDATE "KeyUpdate",
}

/// One whole handshake message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeMessage {
    /// Its type.
    pub kind: HandshakeType,
    /// Header and body, as the Finished hash takes them.
    pub bytes: Vec<u8>,
}

impl HandshakeMessage {
    /// The body, without the four bytes of header.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(4..).unwrap_or_default()
    }
}

/// Joins the content of handshake records into messages, however they were cut or packed.
#[derive(Clone, Debug, Default)]
pub struct HandshakeJoiner {
    bytes: Vec<u8>,
    /// Bytes already given out; they are dropped when more come, not message by message.
    taken: usize,
}

impl HandshakeJoiner {
    /// A joiner that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the content of one record.
    pub fn push(&mut self, content: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(content);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// A message announced to be larger than 256 KiB.
    pub fn pop(&mut self) -> Result<Option<HandshakeMessage>, WireError> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some(&[kind, a, b, c]) = rest.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > MAX_MESSAGE {
            return Err(WireError::TooLarge {
                what: "the handshake message",
                found: length,
                limit: MAX_MESSAGE,
            });
        }
        let Some(bytes) = rest.get(..4 + length) else {
            return Ok(None);
        };
        self.taken += bytes.len();
        Ok(Some(HandshakeMessage {
            kind: HandshakeType(kind),
            bytes: bytes.to_vec(),
        }))
    }

    /// Bytes of a message that is not complete yet.
    pub fn pending(&self) -> usize {
        self.bytes.len() - self.taken
    }
}
