//! Record protection: what a cipher suite does to a record, for either direction.

mod aead;
mod block;
mod layout;

use cipher_state::State;
pub(crate) use cipher_state::equal;
pub(crate) use layout::Layout;

use crate::names::{CipherKind, CipherSuite, MacKind, Version};
use crate::wire::ContentType;

mod cipher_state;

/// A protected record does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unopenable;

/// The state of one direction.
#[derive(Debug)]
pub(crate) struct Protection {
    state: State,
    sequence: u64,
}

/// What the key block holds for one direction.
#[derive(Clone, Debug, Default)]
pub(crate) struct DirectionKeys {
    pub(crate) mac: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) iv: Vec<u8>,
}

impl Protection {
    /// No protection, as before the first change_cipher_spec.
    pub(crate) fn none() -> Self {
        Self {
            state: State::Plain,
            sequence: 0,
        }
    }

    /// The protection `layout` describes with `keys`.
    pub(crate) fn new(layout: &Layout, keys: DirectionKeys) -> Self {
        Self {
            state: State::new(layout, keys),
            sequence: 0,
        }
    }

    /// Protects a record's content; `None` if the operating system yields no random bytes.
    pub(crate) fn protect(
        &mut self,
        content: ContentType,
        version: Version,
        plain: &[u8],
    ) -> Option<Vec<u8>> {
        let header = self.next_header(content, version);
        self.state.protect(&header, plain)
    }

    /// Opens a record's content.
    pub(crate) fn open(
        &mut self,
        content: ContentType,
        version: Version,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Unopenable> {
        let header = self.next_header(content, version);
        self.state.open(&header, bytes)
    }

    fn next_header(&mut self, content: ContentType, version: Version) -> MacHeader {
        let header = MacHeader {
            sequence: self.sequence,
            content,
            version,
        };
        self.sequence = self.sequence.wrapping_add(1);
        header
    }
}

/// What is authenticated besides a record's content.
#[derive(Clone, Copy, Debug)]
struct MacHeader {
    sequence: u64,
    content: ContentType,
    version: Version,
}

impl MacHeader {
    /// Sequence number, type, version, and `length` (RFC 5246 sections 6.2.3.1 and 6.2.3.3).
    fn bytes(&self, length: usize) -> [u8; 13] {
        let mut bytes = [0; 13];
        bytes[..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8] = self.content.code();
        bytes[9..11].copy_from_slice(&self.version.0.to_be_bytes());
        bytes[11..].copy_from_slice(&(length as u16).to_be_bytes());
        bytes
    }
}

/// Whether this crate can run `cipher` with `mac`.
pub(crate) fn implemented(cipher: CipherKind, mac: MacKind) -> bool {
    cipher != CipherKind::Other && mac != MacKind::Other
}

/// Whether `suite` uses a block cipher in CBC mode.
pub(crate) fn is_cbc(suite: CipherSuite) -> bool {
    Layout::new(suite, Version::TLS1_2, false)
        .block_length()
        .is_some()
}

#[cfg(test)]
mod tests;
