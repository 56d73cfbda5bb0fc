use super::{Irregularity, Reader, WireError};

/// Extension code points the parsers look into.
pub(crate) mod code {
    pub(crate) const SERVER_NAME: u16 = 0;
    pub(crate) const SUPPORTED_GROUPS: u16 = 10;
    pub(crate) const EC_POINT_FORMATS: u16 = 11;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const ALPN: u16 = 16;
    pub(crate) const CLIENT_CERTIFICATE_TYPE: u16 = 19;
    pub(crate) const SERVER_CERTIFICATE_TYPE: u16 = 20;
    pub(crate) const ENCRYPT_THEN_MAC: u16 = 22;
    pub(crate) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(crate) const SESSION_TICKET: u16 = 35;
    pub(crate) const PRE_SHARED_KEY: u16 = 41;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
    pub(crate) const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
    pub(crate) const KEY_SHARE: u16 = 51;
    pub(crate) const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// Splits an extension block, which may be absent altogether, into code points and contents, in order.
pub(super) fn split<'a>(
    reader: &mut Reader<'a>,
    irregularities: &mut Vec<Irregularity>,
) -> Result<Vec<(u16, &'a [u8])>, WireError> {
    if reader.is_empty() {
        return Ok(Vec::new());
    }
    let mut block = Reader::new(reader.vec16("the extension block")?);
    let mut found: Vec<(u16, &[u8])> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    while !block.is_empty() {
        let code = block.u16("an extension's type")?;
        let content = block.vec16("an extension")?;
        if !seen.insert(code) {
            return Err(WireError::DoubledExtension { code });
        }
        found.push((code, content));
    }
    if found.is_empty() {
        irregularities.push(Irregularity::EmptyExtensionBlock);
    }
    Ok(found)
}

/// Runs `parse` over an extension's content and insists that it takes all of it.
pub(super) fn whole<'a, T>(
    what: &'static str,
    content: &'a [u8],
    parse: impl FnOnce(&mut Reader<'a>) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let mut reader = Reader::new(content);
    let value = parse(&mut reader)?;
    reader.finish(what)?;
    Ok(value)
}

/// The protocol names of an ALPN extension (RFC 7301).
pub(super) fn alpn(content: &[u8]) -> Result<Vec<String>, WireError> {
    whole("the ALPN extension", content, |reader| {
        let mut list = Reader::new(reader.vec16("the ALPN list")?);
        let mut names = Vec::new();
        while !list.is_empty() {
            names.push(String::from_utf8_lossy(list.vec8("a protocol name")?).into_owned());
        }
        Ok(names)
    })
}
