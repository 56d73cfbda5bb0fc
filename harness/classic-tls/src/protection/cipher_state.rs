use md5::Md5;
use rc4::{KeyInit, Rc4, StreamCipher};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::{DirectionKeys, Layout, MacHeader, Unopenable, aead, block};
use crate::names::{CipherKind, MacKind};
use crate::schedule::hmac;

/// How records of one direction are protected.
pub(super) enum State {
    /// Not at all.
    Plain,
    /// By an AEAD.
    Aead {
        cipher: CipherKind,
        keys: DirectionKeys,
    },
    /// By a block cipher in CBC mode and a MAC.
    Cbc(Cbc),
    /// By RC4 or nothing, and a MAC.
    Stream {
        rc4: Option<Box<Rc4>>,
        mac: MacKind,
        key: Vec<u8>,
    },
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Aead { .. } => "Aead",
            Self::Cbc(_) => "Cbc",
            Self::Stream { .. } => "Stream",
        })
    }
}

/// CBC state; with an implicit IV `keys.iv` is the last block of the record before.
pub(super) struct Cbc {
    layout: Layout,
    block: usize,
    keys: DirectionKeys,
}

impl State {
    pub(super) fn new(layout: &Layout, keys: DirectionKeys) -> Self {
        match (layout.block_length(), layout.mac) {
            (Some(block), _) => Self::Cbc(Cbc {
                layout: layout.clone(),
                block,
                keys,
            }),
            (None, MacKind::Aead) => Self::Aead {
                cipher: layout.cipher,
                keys,
            },
            (None, mac) => Self::Stream {
                rc4: Rc4::new_from_slice(&keys.key)
                    .ok()
                    .filter(|_| layout.cipher == CipherKind::Rc4_128)
                    .map(Box::new),
                mac,
                key: keys.mac,
            },
        }
    }

    pub(super) fn protect(&mut self, header: &MacHeader, plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Plain => Some(plain.to_vec()),
            Self::Aead { cipher, keys } => aead::protect(*cipher, keys, header, plain),
            Self::Cbc(cbc) => cbc.protect(header, plain),
            Self::Stream { rc4, mac, key } => {
                let tag = tag(*mac, key, &[&header.bytes(plain.len()), plain]);
                let mut bytes = [plain, &tag].concat();
                if let Some(rc4) = rc4 {
                    rc4.try_apply_keystream(&mut bytes).ok()?;
                }
                Some(bytes)
            }
        }
    }

    pub(super) fn open(&mut self, header: &MacHeader, bytes: &[u8]) -> Result<Vec<u8>, Unopenable> {
        match self {
            Self::Plain => Ok(bytes.to_vec()),
            Self::Aead { cipher, keys } => aead::open(*cipher, keys, header, bytes),
            Self::Cbc(cbc) => cbc.open(header, bytes),
            Self::Stream { rc4, mac, key } => {
                let mut bytes = bytes.to_vec();
                if let Some(rc4) = rc4 {
                    rc4.try_apply_keystream(&mut bytes)
                        .map_err(|_| Unopenable)?;
                }
                check_tag(*mac, key, header, bytes)
            }
        }
    }
}

impl Cbc {
    fn protect(&mut self, header: &MacHeader, plain: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = plain.to_vec();
        if !self.layout.encrypt_then_mac {
            buffer.extend(tag(
                self.layout.mac,
                &self.keys.mac,
                &[&header.bytes(plain.len()), plain],
            ));
        }
        let padding = self.block - 1 - buffer.len() % self.block;
        buffer.resize(buffer.len() + padding + 1, padding as u8);
        let mut record = Vec::new();
        if self.layout.explicit_iv {
            self.keys.iv = vec![0; self.block];
            getrandom::fill(&mut self.keys.iv).ok()?;
            record.extend_from_slice(&self.keys.iv);
        }
        if !block::encrypt(
            self.layout.cipher,
            &self.keys.key,
            &self.keys.iv,
            &mut buffer,
        ) {
            return None;
        }
        self.keys.iv = buffer.get(buffer.len() - self.block..)?.to_vec();
        record.extend(buffer);
        if self.layout.encrypt_then_mac {
            let tag = tag(
                self.layout.mac,
                &self.keys.mac,
                &[&header.bytes(record.len()), &record],
            );
            record.extend(tag);
        }
        Some(record)
    }

    fn open(&mut self, header: &MacHeader, bytes: &[u8]) -> Result<Vec<u8>, Unopenable> {
        let bytes = match self.layout.encrypt_then_mac {
            true => check_tag(self.layout.mac, &self.keys.mac, header, bytes.to_vec())?,
            false => bytes.to_vec(),
        };
        let (iv, mut buffer) = match self.layout.explicit_iv {
            true => {
                let (iv, rest) = bytes.split_at_checked(self.block).ok_or(Unopenable)?;
                (iv.to_vec(), rest.to_vec())
            }
            false => (self.keys.iv.clone(), bytes),
        };
        let last = buffer.len().checked_sub(self.block).ok_or(Unopenable)?;
        let next_iv = buffer[last..].to_vec();
        if !block::decrypt(self.layout.cipher, &self.keys.key, &iv, &mut buffer) {
            return Err(Unopenable);
        }
        self.keys.iv = next_iv;
        let padded = unpad(&buffer);
        match self.layout.encrypt_then_mac {
            true => {
                buffer.truncate(padded.ok_or(Unopenable)?);
                Ok(buffer)
            }
            // A bad padding is treated as none, so that the MAC is computed all the same (RFC 5246 section 6.2.3.2).
            false => {
                buffer.truncate(padded.unwrap_or(buffer.len()));
                let plain = check_tag(self.layout.mac, &self.keys.mac, header, buffer)?;
                padded.map(|_| plain).ok_or(Unopenable)
            }
        }
    }
}

/// Length without padding; `None` if the padding is bad.
fn unpad(buffer: &[u8]) -> Option<usize> {
    let padding = *buffer.last()?;
    let length = buffer.len().checked_sub(usize::from(padding) + 1)?;
    buffer[length..]
        .iter()
        .all(|byte| *byte == padding)
        .then_some(length)
}

/// Strips the MAC off `bytes` if it is right.
fn check_tag(
    mac: MacKind,
    key: &[u8],
    header: &MacHeader,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, Unopenable> {
    let length = bytes.len().checked_sub(tag_length(mac)).ok_or(Unopenable)?;
    let found = bytes.split_off(length);
    let expected = tag(mac, key, &[&header.bytes(length), &bytes]);
    equal(&found, &expected).then_some(bytes).ok_or(Unopenable)
}

/// Compares without stopping at the first difference.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |difference, (x, y)| difference | (x ^ y))
            == 0
}

fn tag_length(mac: MacKind) -> usize {
    match mac {
        MacKind::Md5 => 16,
        MacKind::Sha1 => 20,
        MacKind::Sha256 => 32,
        MacKind::Sha384 => 48,
        MacKind::Aead | MacKind::Other => 0,
    }
}

fn tag(mac: MacKind, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match mac {
        MacKind::Md5 => hmac::<Md5>(key, parts),
        MacKind::Sha1 => hmac::<Sha1>(key, parts),
        MacKind::Sha256 => hmac::<Sha256>(key, parts),
        MacKind::Sha384 => hmac::<Sha384>(key, parts),
        MacKind::Aead | MacKind::Other => Vec::new(),
    }
}
