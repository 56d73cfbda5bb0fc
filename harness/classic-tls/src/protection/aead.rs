//! AEAD records: GCM and CCM with an explicit nonce (RFC 5288, RFC 6655), ChaCha20-Poly1305 without (RFC 7905).

use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;

use super::{DirectionKeys, MacHeader, Unopenable};
use crate::names::CipherKind;

/// Bytes of the nonce that GCM and CCM records carry.
const EXPLICIT_NONCE: usize = 8;

pub(super) fn protect(
    cipher: CipherKind,
    keys: &DirectionKeys,
    header: &MacHeader,
    plain: &[u8],
) -> Option<Vec<u8>> {
    let explicit = header.sequence.to_be_bytes();
    let nonce = nonce(cipher, keys, header, &explicit);
    let mut buffer = plain.to_vec();
    let data = header.bytes(plain.len());
    match run(
        cipher,
        Direction::Seal,
        &keys.key,
        &nonce,
        &data,
        &mut buffer,
    ) {
        true if carries_nonce(cipher) => Some([explicit.as_slice(), &buffer].concat()),
        true => Some(buffer),
        false => None,
    }
}

pub(super) fn open(
    cipher: CipherKind,
    keys: &DirectionKeys,
    header: &MacHeader,
    bytes: &[u8],
) -> Result<Vec<u8>, Unopenable> {
    let (explicit, sealed) = match carries_nonce(cipher) {
        true => bytes.split_at_checked(EXPLICIT_NONCE).ok_or(Unopenable)?,
        false => (&[][..], bytes),
    };
    let plain_length = sealed
        .len()
        .checked_sub(tag_length(cipher))
        .ok_or(Unopenable)?;
    let nonce = nonce(cipher, keys, header, explicit);
    let mut buffer = sealed.to_vec();
    let data = header.bytes(plain_length);
    match run(
        cipher,
        Direction::Open,
        &keys.key,
        &nonce,
        &data,
        &mut buffer,
    ) {
        true => Ok(buffer),
        false => Err(Unopenable),
    }
}

fn carries_nonce(cipher: CipherKind) -> bool {
    cipher != CipherKind::ChaCha20Poly1305
}

fn tag_length(cipher: CipherKind) -> usize {
    match cipher {
        CipherKind::Aes128Ccm8 | CipherKind::Aes256Ccm8 => 8,
        _ => 16,
    }
}

fn nonce(cipher: CipherKind, keys: &DirectionKeys, header: &MacHeader, explicit: &[u8]) -> Vec<u8> {
    if carries_nonce(cipher) {
        return [keys.iv.as_slice(), explicit].concat();
    }
    let mut nonce = keys.iv.clone();
    for (byte, counter) in nonce
        .iter_mut()
        .rev()
        .zip(header.sequence.to_be_bytes().iter().rev())
    {
        *byte ^= counter;
    }
    nonce
}

#[derive(Clone, Copy)]
enum Direction {
    Open,
    Seal,
}

/// Seals or opens `buffer` in place; `false` if that cannot be done.
fn run(
    cipher: CipherKind,
    direction: Direction,
    key: &[u8],
    nonce: &[u8],
    data: &[u8],
    buffer: &mut Vec<u8>,
) -> bool {
    match cipher {
        CipherKind::Aes128Gcm => with::<AesGcm<Aes128, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Aes256Gcm => with::<AesGcm<Aes256, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Aria128Gcm => with::<AesGcm<Aria128, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Aria256Gcm => with::<AesGcm<Aria256, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Camellia128Gcm => {
            with::<AesGcm<Camellia128, U12>>(direction, key, nonce, data, buffer)
        }
        CipherKind::Camellia256Gcm => {
            with::<AesGcm<Camellia256, U12>>(direction, key, nonce, data, buffer)
        }
        CipherKind::Aes128Ccm => with::<Ccm<Aes128, U16, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Aes256Ccm => with::<Ccm<Aes256, U16, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Aes128Ccm8 => with::<Ccm<Aes128, U8, U12>>(direction, key, nonce, data, buffer),
        CipherKind::Aes256Ccm8 => with::<Ccm<Aes256, U8, U12>>(direction, key, nonce, data, buffer),
        CipherKind::ChaCha20Poly1305 => {
            with::<ChaCha20Poly1305>(direction, key, nonce, data, buffer)
        }
        _ => false,
    }
}

fn with<A: AeadInOut + KeyInit>(
    direction: Direction,
    key: &[u8],
    nonce: &[u8],
    data: &[u8],
    buffer: &mut Vec<u8>,
) -> bool {
    let (Ok(aead), Ok(nonce)) = (A::new_from_slice(key), <&Nonce<A>>::try_from(nonce)) else {
        return false;
    };
    match direction {
        Direction::Seal => aead.encrypt_in_place(nonce, data, buffer).is_ok(),
        Direction::Open => aead.decrypt_in_place(nonce, data, buffer).is_ok(),
    }
}
