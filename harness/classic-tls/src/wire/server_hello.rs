use super::client_hello::flag;
use super::extensions::{self, code, whole};
use super::{Irregularity, Reader, WireError};
use crate::names::{CipherSuite, NamedGroup, Version};

/// The random that marks a ServerHello as a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello or HelloRetryRequest (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerHello {
    /// The negotiated version: `supported_versions` if present, else the version field.
    pub version: Version,
    /// The version field.
    pub legacy_version: Version,
    /// The server's random.
    pub random: [u8; 32],
    /// The session id, 0 to 32 bytes.
    pub session_id: Vec<u8>,
    /// The suite chosen.
    pub suite: CipherSuite,
    /// The compression method chosen.
    pub compression: u8,
    /// The group in TLS 1.3's `key_share`; up to TLS 1.2 the group is in the ServerKeyExchange.
    pub group: Option<NamedGroup>,
    /// Code points of all extensions, in order.
    pub extensions: Vec<u16>,
    /// Whether this is a HelloRetryRequest.
    pub retry_request: bool,
    /// Whether `extended_master_secret` is present.
    pub extended_master_secret: bool,
    /// Whether `encrypt_then_mac` is present.
    pub encrypt_then_mac: bool,
    /// Whether `session_ticket` is present: a ticket will follow.
    pub session_ticket: bool,
    /// Content of `renegotiation_info`, if present.
    pub renegotiation_info: Option<Vec<u8>>,
    /// The protocol chosen by ALPN, up to TLS 1.2.
    pub alpn: Option<String>,
    /// Whether `pre_shared_key` is present: a TLS 1.3 session is resumed.
    pub pre_shared_key: bool,
    /// `client_certificate_type` chosen, up to TLS 1.2 (RFC 7250).
    pub client_certificate_type: Option<u8>,
    /// `server_certificate_type` chosen, up to TLS 1.2 (RFC 7250): 2 is a raw public key.
    pub server_certificate_type: Option<u8>,
    /// What is odd about it.
    pub irregularities: Vec<Irregularity>,
}

impl ServerHello {
    /// Parses the body of a ServerHello message.
    ///
    /// # Errors
    /// Anything truncated, overlong, or left over.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let legacy_version = Version(reader.u16("the server's version")?);
        let random: [u8; 32] = reader.array("the server's random")?;
        let session_id = reader.vec8("the session id")?.to_vec();
        if session_id.len() > 32 {
            return Err(WireError::TooLarge {
                what: "the session id",
                found: session_id.len(),
                limit: 32,
            });
        }
        let suite = CipherSuite(reader.u16("the chosen cipher suite")?);
        let compression = reader.u8("the chosen compression method")?;
        let mut hello = Self {
            version: legacy_version,
            legacy_version,
            random,
            session_id,
            suite,
            compression,
            group: None,
            extensions: Vec::new(),
            retry_request: random == RETRY_RANDOM,
            extended_master_secret: false,
            encrypt_then_mac: false,
            session_ticket: false,
            renegotiation_info: None,
            alpn: None,
            pre_shared_key: false,
            client_certificate_type: None,
            server_certificate_type: None,
            irregularities: Vec::new(),
        };
        for (extension, content) in extensions::split(&mut reader, &mut hello.irregularities)? {
            hello.extensions.push(extension);
            hello.read_extension(extension, content)?;
        }
        reader.finish("the ServerHello")?;
        Ok(hello)
    }

    fn read_extension(&mut self, extension: u16, content: &[u8]) -> Result<(), WireError> {
        match extension {
            code::ALPN => self.alpn = extensions::alpn(content)?.into_iter().next(),
            code::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_type = Some(certificate_type(content)?)
            }
            code::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_type = Some(certificate_type(content)?)
            }
            code::ENCRYPT_THEN_MAC => self.encrypt_then_mac = flag(content)?,
            code::EXTENDED_MASTER_SECRET => self.extended_master_secret = flag(content)?,
            code::SESSION_TICKET => self.session_ticket = flag(content)?,
            code::PRE_SHARED_KEY => self.pre_shared_key = true,
            code::SUPPORTED_VERSIONS => {
                self.version = whole("the supported_versions extension", content, |reader| {
                    reader.u16("the selected version").map(Version)
                })?;
            }
            code::KEY_SHARE => {
                let retry = self.retry_request;
                self.group = Some(whole("the key_share extension", content, |reader| {
                    let group = reader.u16("the key share's group")?;
                    if !retry {
                        reader.vec16("the key share")?;
                    }
                    Ok(NamedGroup(group))
                })?);
            }
            code::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(
                    whole("the renegotiation_info extension", content, |reader| {
                        reader.vec8("the renegotiated connection")
                    })?
                    .to_vec(),
                );
            }
            _ => {}
        }
        Ok(())
    }
}

fn certificate_type(content: &[u8]) -> Result<u8, WireError> {
    whole("the certificate type extension", content, |reader| {
        reader.u8("the certificate type")
    })
}
