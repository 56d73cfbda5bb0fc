//! PEM as OpenSSL writes it: 64 columns, line feeds (RFC 7468 section 2).

use pem::{EncodeConfig, LineEnding, Pem};

pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";

pub(crate) fn encode(tag: &str, der: &[u8]) -> String {
    pem::encode_config(
        &Pem::new(tag, der),
        EncodeConfig::new().set_line_ending(LineEnding::LF),
    )
}

/// The contents of the one block in `text`, if its label is `tag`; otherwise what is wrong.
pub(crate) fn decode(tag: &str, text: &str) -> Result<Vec<u8>, String> {
    let block = pem::parse(text).map_err(|error| error.to_string())?;
    if block.tag() != tag {
        return Err(format!("found a {:?} block", block.tag()));
    }
    Ok(block.into_contents())
}
