//! The CBC mode itself, for every block cipher; padding and MAC are the record's business.

use aes::{Aes128, Aes256};
use camellia::{Camellia128, Camellia256};
use cbc::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use des::TdesEde3;

use crate::names::CipherKind;

/// Encrypts `buffer`, whole blocks, in place; `false` if key, IV or buffer have the wrong size.
pub(super) fn encrypt(cipher: CipherKind, key: &[u8], iv: &[u8], buffer: &mut [u8]) -> bool {
    match cipher {
        CipherKind::Aes128Cbc => encrypt_with::<Encryptor<Aes128>>(key, iv, buffer),
        CipherKind::Aes256Cbc => encrypt_with::<Encryptor<Aes256>>(key, iv, buffer),
        CipherKind::Camellia128Cbc => encrypt_with::<Encryptor<Camellia128>>(key, iv, buffer),
        CipherKind::Camellia256Cbc => encrypt_with::<Encryptor<Camellia256>>(key, iv, buffer),
        CipherKind::TripleDesCbc => encrypt_with::<Encryptor<TdesEde3>>(key, iv, buffer),
        _ => false,
    }
}

/// Decrypts `buffer`, whole blocks, in place; `false` if key, IV or buffer have the wrong size.
pub(super) fn decrypt(cipher: CipherKind, key: &[u8], iv: &[u8], buffer: &mut [u8]) -> bool {
    match cipher {
        CipherKind::Aes128Cbc => decrypt_with::<Decryptor<Aes128>>(key, iv, buffer),
        CipherKind::Aes256Cbc => decrypt_with::<Decryptor<Aes256>>(key, iv, buffer),
        CipherKind::Camellia128Cbc => decrypt_with::<Decryptor<Camellia128>>(key, iv, buffer),
        CipherKind::Camellia256Cbc => decrypt_with::<Decryptor<Camellia256>>(key, iv, buffer),
        CipherKind::TripleDesCbc => decrypt_with::<Decryptor<TdesEde3>>(key, iv, buffer),
        _ => false,
    }
}

fn encrypt_with<M: BlockModeEncrypt + KeyIvInit>(key: &[u8], iv: &[u8], buffer: &mut [u8]) -> bool {
    let Ok(mut mode) = M::new_from_slices(key, iv) else {
        return false;
    };
    let (blocks, rest) = Block::<M>::slice_as_chunks_mut(buffer);
    mode.encrypt_blocks(blocks);
    rest.is_empty()
}

fn decrypt_with<M: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], buffer: &mut [u8]) -> bool {
    let Ok(mut mode) = M::new_from_slices(key, iv) else {
        return false;
    };
    let (blocks, rest) = Block::<M>::slice_as_chunks_mut(buffer);
    mode.decrypt_blocks(blocks);
    rest.is_empty()
}
