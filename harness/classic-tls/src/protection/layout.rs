use super::DirectionKeys;
use crate::names::{CipherKind, CipherSuite, MacKind, Version};
use crate::schedule::Prf;
use crate::wire::Side;

/// What a suite needs from the key block, and how its records look.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) cipher: CipherKind,
    pub(crate) mac: MacKind,
    /// Whether each CBC record carries its own IV: from TLS 1.1 on.
    pub(crate) explicit_iv: bool,
    /// Whether the MAC covers the ciphertext (RFC 7366).
    pub(crate) encrypt_then_mac: bool,
}

impl Layout {
    pub(crate) fn new(suite: CipherSuite, version: Version, encrypt_then_mac: bool) -> Self {
        Self {
            cipher: suite.cipher(),
            mac: suite.mac(),
            explicit_iv: version >= Version::TLS1_1,
            encrypt_then_mac,
        }
    }

    /// Keys of both directions: client's, server's.
    pub(crate) fn keys(
        &self,
        prf: Prf,
        master: &[u8],
        client_random: &[u8],
        server_random: &[u8],
    ) -> (DirectionKeys, DirectionKeys) {
        let (mac, key, iv) = (self.mac_length(), self.key_length(), self.iv_length());
        let block = prf.key_block(master, client_random, server_random, 2 * (mac + key + iv));
        let mut rest = block.as_slice();
        let mut take = |count: usize| {
            let (taken, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = after;
            taken.to_vec()
        };
        let (client_mac, server_mac) = (take(mac), take(mac));
        let (client_key, server_key) = (take(key), take(key));
        let (client_iv, server_iv) = (take(iv), take(iv));
        let client = DirectionKeys {
            mac: client_mac,
            key: client_key,
            iv: client_iv,
        };
        let server = DirectionKeys {
            mac: server_mac,
            key: server_key,
            iv: server_iv,
        };
        (client, server)
    }

    /// Keys of the direction in which `side` sends.
    pub(crate) fn keys_of(
        &self,
        side: Side,
        prf: Prf,
        master: &[u8],
        client_random: &[u8],
        server_random: &[u8],
    ) -> DirectionKeys {
        let (client, server) = self.keys(prf, master, client_random, server_random);
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    pub(crate) fn mac_length(&self) -> usize {
        match self.mac {
            MacKind::Md5 => 16,
            MacKind::Sha1 => 20,
            MacKind::Sha256 => 32,
            MacKind::Sha384 => 48,
            MacKind::Aead | MacKind::Other => 0,
        }
    }

    /// Bytes of a block for CBC; `None` for every other mode.
    pub(crate) fn block_length(&self) -> Option<usize> {
        match self.cipher {
            CipherKind::Aes128Cbc
            | CipherKind::Aes256Cbc
            | CipherKind::Camellia128Cbc
            | CipherKind::Camellia256Cbc => Some(16),
            CipherKind::TripleDesCbc => Some(8),
            _ => None,
        }
    }

    fn key_length(&self) -> usize {
        match self.cipher {
            CipherKind::Aes128Cbc
            | CipherKind::Aes128Ccm
            | CipherKind::Aes128Ccm8
            | CipherKind::Aes128Gcm
            | CipherKind::Aria128Gcm
            | CipherKind::Camellia128Cbc
            | CipherKind::Camellia128Gcm
            | CipherKind::Rc4_128 => 16,
            CipherKind::Aes256Cbc
            | CipherKind::Aes256Ccm
            | CipherKind::Aes256Ccm8
            | CipherKind::Aes256Gcm
            | CipherKind::Aria256Gcm
            | CipherKind::Camellia256Cbc
            | CipherKind::Camellia256Gcm
            | CipherKind::ChaCha20Poly1305 => 32,
            CipherKind::TripleDesCbc => 24,
            CipherKind::Null | CipherKind::Other => 0,
        }
    }

    fn iv_length(&self) -> usize {
        match (self.block_length(), self.mac) {
            (Some(_), _) if self.explicit_iv => 0,
            (Some(block), _) => block,
            (None, MacKind::Aead) if self.cipher == CipherKind::ChaCha20Poly1305 => 12,
            (None, MacKind::Aead) => 4,
            (None, _) => 0,
        }
    }
}
