use super::extensions::{self, code, whole};
use super::irregularity::of_list;
use super::reader::u16s;
use super::{Irregularity, Reader, WireError};
use crate::names::{CipherSuite, NamedGroup, SignatureScheme, Version};

/// A ClientHello (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2), every list in the order it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientHello {
    /// The version field; the true offer of a TLS 1.3 client is in `versions`.
    pub legacy_version: Version,
    /// The client's random.
    pub random: [u8; 32],
    /// The session id, 0 to 32 bytes.
    pub session_id: Vec<u8>,
    /// Cipher suites and signalling values offered.
    pub suites: Vec<CipherSuite>,
    /// Compression methods offered.
    pub compression: Vec<u8>,
    /// Code points of all extensions.
    pub extensions: Vec<u16>,
    /// `supported_groups`.
    pub groups: Vec<NamedGroup>,
    /// Groups in `key_share`.
    pub key_shares: Vec<NamedGroup>,
    /// `signature_algorithms`.
    pub signature_schemes: Vec<SignatureScheme>,
    /// `signature_algorithms_cert`.
    pub signature_schemes_cert: Vec<SignatureScheme>,
    /// `supported_versions`; empty for a client that sends none.
    pub versions: Vec<Version>,
    /// The DNS name in `server_name`; bytes that are not UTF-8 are replaced.
    pub sni: Option<String>,
    /// `application_layer_protocol_negotiation`; bytes that are not UTF-8 are replaced.
    pub alpn: Vec<String>,
    /// Whether `session_ticket` is present.
    pub session_ticket: bool,
    /// The ticket in `session_ticket`; empty if none is presented.
    pub ticket: Vec<u8>,
    /// Whether `extended_master_secret` is present.
    pub extended_master_secret: bool,
    /// Whether `encrypt_then_mac` is present.
    pub encrypt_then_mac: bool,
    /// Content of `renegotiation_info`, if present.
    pub renegotiation_info: Option<Vec<u8>>,
    /// `ec_point_formats`.
    pub point_formats: Vec<u8>,
    /// `client_certificate_type` (RFC 7250): 0 is X.509, 2 a raw public key.
    pub client_certificate_types: Vec<u8>,
    /// `server_certificate_type` (RFC 7250).
    pub server_certificate_types: Vec<u8>,
    /// Whether `pre_shared_key` is present: a TLS 1.3 resumption is attempted.
    pub pre_shared_key: bool,
    /// What is odd about it.
    pub irregularities: Vec<Irregularity>,
}

impl ClientHello {
    /// Parses the body of a ClientHello message.
    ///
    /// # Errors
    /// Anything truncated, overlong, or left over.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let legacy_version = Version(reader.u16("the client's version")?);
        let random = reader.array("the client's random")?;
        let session_id = reader.vec8("the session id")?.to_vec();
        if session_id.len() > 32 {
            return Err(WireError::TooLarge {
                what: "the session id",
                found: session_id.len(),
                limit: 32,
            });
        }
        let suites = reader.list16("the cipher suites")?;
        if suites.is_empty() {
            return Err(WireError::Illegal {
                what: "the number of cipher suites",
                found: 0,
                expected: "at least 1",
            });
        }
        let compression = reader.vec8("the compression methods")?.to_vec();
        let mut hello = Self {
            legacy_version,
            random,
            session_id,
            suites: suites.into_iter().map(CipherSuite).collect(),
            compression,
            extensions: Vec::new(),
            groups: Vec::new(),
            key_shares: Vec::new(),
            signature_schemes: Vec::new(),
            signature_schemes_cert: Vec::new(),
            versions: Vec::new(),
            sni: None,
            alpn: Vec::new(),
            session_ticket: false,
            ticket: Vec::new(),
            extended_master_secret: false,
            encrypt_then_mac: false,
            renegotiation_info: None,
            point_formats: Vec::new(),
            client_certificate_types: Vec::new(),
            server_certificate_types: Vec::new(),
            pre_shared_key: false,
            irregularities: Vec::new(),
        };
        for (extension, content) in extensions::split(&mut reader, &mut hello.irregularities)? {
            hello.extensions.push(extension);
            hello.read_extension(extension, content)?;
        }
        reader.finish("the ClientHello")?;
        Ok(hello)
    }

    /// The highest version this hello offers.
    pub fn highest_version(&self) -> Version {
        self.versions
            .iter()
            .copied()
            .filter(|version| (0x0300..=0x0304).contains(&version.0))
            .max()
            .unwrap_or(self.legacy_version)
    }

    fn note(&mut self, irregularities: Vec<Irregularity>) {
        self.irregularities.extend(irregularities);
    }

    fn read_extension(&mut self, extension: u16, content: &[u8]) -> Result<(), WireError> {
        match extension {
            code::SERVER_NAME => {
                let names = whole("the server_name extension", content, server_names)?;
                // A list without a name is as good as one whose name is empty.
                let named: Vec<_> = names.iter().filter(|(_, name)| !name.is_empty()).collect();
                self.note(of_list(extension, &named, |(kind, _)| u16::from(*kind)));
                self.sni = names
                    .into_iter()
                    .find(|(kind, _)| *kind == HOST_NAME)
                    .map(|(_, name)| name);
            }
            code::SUPPORTED_GROUPS => {
                self.groups = whole("the supported_groups extension", content, |reader| {
                    reader.list16("the supported groups")
                })?
                .into_iter()
                .map(NamedGroup)
                .collect();
                self.note(of_list(extension, &self.groups, |group| group.0));
            }
            code::EC_POINT_FORMATS => {
                self.point_formats = whole("the ec_point_formats extension", content, |reader| {
                    reader.vec8("the point formats")
                })?
                .to_vec();
                self.note(of_list(extension, &self.point_formats, |format| {
                    u16::from(*format)
                }));
            }
            code::SIGNATURE_ALGORITHMS => {
                self.signature_schemes = schemes(content)?;
                self.note(of_list(extension, &self.signature_schemes, |scheme| {
                    scheme.0
                }));
            }
            code::SIGNATURE_ALGORITHMS_CERT => {
                self.signature_schemes_cert = schemes(content)?;
                self.note(of_list(extension, &self.signature_schemes_cert, |scheme| {
                    scheme.0
                }));
            }
            code::ALPN => {
                self.alpn = extensions::alpn(content)?;
                if self.alpn.is_empty() {
                    self.note(vec![Irregularity::EmptyList { extension }]);
                }
            }
            code::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_types = certificate_types(content)?
            }
            code::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_types = certificate_types(content)?
            }
            code::ENCRYPT_THEN_MAC => self.encrypt_then_mac = flag(content)?,
            code::EXTENDED_MASTER_SECRET => self.extended_master_secret = flag(content)?,
            code::SESSION_TICKET => {
                self.session_ticket = true;
                self.ticket = content.to_vec();
            }
            code::PRE_SHARED_KEY => self.pre_shared_key = true,
            code::SUPPORTED_VERSIONS => {
                self.versions = whole("the supported_versions extension", content, |reader| {
                    u16s(
                        "the supported versions",
                        reader.vec8("the supported versions")?,
                    )
                })?
                .into_iter()
                .map(Version)
                .collect();
                self.note(of_list(extension, &self.versions, |version| version.0));
            }
            code::KEY_SHARE => {
                self.key_shares = whole("the key_share extension", content, share_groups)?
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

pub(super) fn schemes(content: &[u8]) -> Result<Vec<SignatureScheme>, WireError> {
    Ok(
        whole("the signature_algorithms extension", content, |reader| {
            reader.list16("the signature algorithms")
        })?
        .into_iter()
        .map(SignatureScheme)
        .collect(),
    )
}

pub(super) fn flag(content: &[u8]) -> Result<bool, WireError> {
    whole("an extension that must be empty", content, |_| Ok(true))
}

fn certificate_types(content: &[u8]) -> Result<Vec<u8>, WireError> {
    Ok(whole("the certificate type extension", content, |reader| {
        reader.vec8("the certificate types")
    })?
    .to_vec())
}

/// The type of a host name in `server_name` (RFC 6066 section 3), the only one there is.
const HOST_NAME: u8 = 0;

/// Types and names; bytes that are not UTF-8 are replaced.
fn server_names(reader: &mut Reader<'_>) -> Result<Vec<(u8, String)>, WireError> {
    let mut list = Reader::new(reader.vec16("the server name list")?);
    let mut names = Vec::new();
    while !list.is_empty() {
        let kind = list.u8("a server name's type")?;
        let name = list.vec16("a server name")?;
        names.push((kind, String::from_utf8_lossy(name).into_owned()));
    }
    Ok(names)
}

fn share_groups(reader: &mut Reader<'_>) -> Result<Vec<NamedGroup>, WireError> {
    let mut list = Reader::new(reader.vec16("the key shares")?);
    let mut groups = Vec::new();
    while !list.is_empty() {
        groups.push(NamedGroup(list.u16("a key share's group")?));
        list.vec16("a key share")?;
    }
    Ok(groups)
}
