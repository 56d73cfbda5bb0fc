use std::fmt;

use crate::error::Error;
use crate::fingerprint::Digest;

/// A TLSA record's data (RFC 6698 section 2.1).
///
/// Displays in presentation form, `3 1 1 AB12…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tlsa {
    /// Certificate usage: 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE (RFC 7218).
    pub usage: u8,
    /// Selector: 0 Cert, 1 SPKI.
    pub selector: u8,
    /// Matching type: 0 Full, 1 SHA2-256, 2 SHA2-512.
    pub matching_type: u8,
    /// The certificate association data.
    pub data: Vec<u8>,
}

impl Tlsa {
    /// The record that matches a certificate with the DER encodings `certificate` and `public_key`
    /// (its SubjectPublicKeyInfo).
    ///
    /// Whether a usage makes sense for the certificate is the caller's business: a test may want a
    /// DANE-TA record that names a leaf.
    ///
    /// # Errors
    ///
    /// [`Error::Tlsa`] if a number is not one RFC 6698 defines.
    pub fn new(
        usage: u8,
        selector: u8,
        matching_type: u8,
        certificate: &[u8],
        public_key: &[u8],
    ) -> Result<Self, Error> {
        check("usage", usage, 3)?;
        check("selector", selector, 1)?;
        check("matching type", matching_type, 2)?;
        let selected = if selector == 0 {
            certificate
        } else {
            public_key
        };
        let data = match matching_type {
            0 => selected.to_vec(),
            1 => Digest::Sha256.hash(selected),
            _ => Digest::Sha512.hash(selected),
        };
        Ok(Self {
            usage,
            selector,
            matching_type,
            data,
        })
    }

    /// The record's RDATA in wire form.
    pub fn rdata(&self) -> Vec<u8> {
        let mut rdata = vec![self.usage, self.selector, self.matching_type];
        rdata.extend_from_slice(&self.data);
        rdata
    }
}

impl fmt::Display for Tlsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} ",
            self.usage, self.selector, self.matching_type
        )?;
        self.data
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

fn check(field: &'static str, found: u8, max: u8) -> Result<(), Error> {
    if found > max {
        return Err(Error::Tlsa { field, found, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_and_matches() {
        let full = Tlsa::new(3, 0, 0, b"cert", b"key").unwrap();
        assert_eq!(full.rdata(), b"\x03\x00\x00cert");
        let spki = Tlsa::new(2, 1, 1, b"cert", b"key").unwrap();
        assert_eq!(spki.data, Digest::Sha256.hash(b"key"));
        assert!(spki.to_string().starts_with("2 1 1 "));
        assert_eq!(Tlsa::new(3, 0, 2, b"", b"").unwrap().data.len(), 64);
    }

    #[test]
    fn refuses_what_rfc_6698_does_not_define() {
        let error = Tlsa::new(3, 2, 1, b"", b"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no TLSA record with selector 2: expected 0 to 1"
        );
        assert!(Tlsa::new(4, 0, 0, b"", b"").is_err());
        assert!(Tlsa::new(3, 1, 3, b"", b"").is_err());
    }
}
