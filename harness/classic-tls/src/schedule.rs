//! The key schedule: pseudorandom function, master secret, key block, Finished (RFC 2246, 4346, 5246, 7627).

use hmac::{KeyInit, Mac, SimpleHmac};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::{Digest, block_api::BlockSizeUser};
use sha2::{Sha256, Sha384};

use crate::names::{CipherSuite, PrfHash, Version};
use crate::wire::Side;

/// Bytes of a master secret.
pub(crate) const MASTER_SECRET: usize = 48;
/// Bytes of the verify data in a Finished message.
pub(crate) const VERIFY_DATA: usize = 12;

/// The pseudorandom function of a connection, and the hash of its handshake messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prf {
    /// MD5 and SHA-1 side by side: TLS 1.0 and 1.1 (RFC 2246 section 5).
    Md5Sha1,
    /// TLS 1.2 (RFC 5246 section 5).
    Sha256,
    /// TLS 1.2 with suites that say so.
    Sha384,
}

impl Prf {
    pub(crate) fn of(version: Version, suite: CipherSuite) -> Self {
        match (version >= Version::TLS1_2, suite.prf_hash()) {
            (false, _) => Self::Md5Sha1,
            (true, PrfHash::Sha256) => Self::Sha256,
            (true, PrfHash::Sha384) => Self::Sha384,
        }
    }

    /// `count` bytes from `secret`, `label` and the concatenation of `seed`.
    pub(crate) fn expand(
        self,
        secret: &[u8],
        label: &str,
        seed: &[&[u8]],
        count: usize,
    ) -> Vec<u8> {
        let mut full_seed = label.as_bytes().to_vec();
        for part in seed {
            full_seed.extend_from_slice(part);
        }
        match self {
            Self::Sha256 => p_hash::<Sha256>(secret, &full_seed, count),
            Self::Sha384 => p_hash::<Sha384>(secret, &full_seed, count),
            Self::Md5Sha1 => {
                let half = secret.len().div_ceil(2);
                let (left, right) = (&secret[..half], &secret[secret.len() - half..]);
                p_hash::<Md5>(left, &full_seed, count)
                    .iter()
                    .zip(p_hash::<Sha1>(right, &full_seed, count))
                    .map(|(a, b)| a ^ b)
                    .collect()
            }
        }
    }

    /// The hash of all handshake messages so far.
    pub(crate) fn hash(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(messages).to_vec(),
            Self::Sha384 => Sha384::digest(messages).to_vec(),
            Self::Md5Sha1 => md5_sha1(messages),
        }
    }

    /// The master secret (RFC 5246 section 8.1).
    pub(crate) fn master_secret(
        self,
        premaster: &[u8],
        client_random: &[u8],
        server_random: &[u8],
    ) -> Vec<u8> {
        self.expand(
            premaster,
            "master secret",
            &[client_random, server_random],
            MASTER_SECRET,
        )
    }

    /// The extended master secret over the messages up to the ClientKeyExchange (RFC 7627 section 4).
    pub(crate) fn extended_master_secret(self, premaster: &[u8], messages: &[u8]) -> Vec<u8> {
        self.expand(
            premaster,
            "extended master secret",
            &[&self.hash(messages)],
            MASTER_SECRET,
        )
    }

    /// Key material for both directions (RFC 5246 section 6.3); the randoms are in the opposite order.
    pub(crate) fn key_block(
        self,
        master: &[u8],
        client_random: &[u8],
        server_random: &[u8],
        count: usize,
    ) -> Vec<u8> {
        self.expand(
            master,
            "key expansion",
            &[server_random, client_random],
            count,
        )
    }

    /// The verify data of the Finished message that `side` sends after `messages` (RFC 5246 section 7.4.9).
    pub(crate) fn verify_data(self, master: &[u8], side: Side, messages: &[u8]) -> Vec<u8> {
        let label = match side {
            Side::Client => "client finished",
            Side::Server => "server finished",
        };
        self.expand(master, label, &[&self.hash(messages)], VERIFY_DATA)
    }
}

/// MD5 followed by SHA-1, as signed with RSA up to TLS 1.1.
pub(crate) fn md5_sha1(bytes: &[u8]) -> Vec<u8> {
    let mut hash = Md5::digest(bytes).to_vec();
    hash.extend_from_slice(&Sha1::digest(bytes));
    hash
}

/// HMAC over the concatenation of `parts`.
pub(crate) fn hmac<D: Digest + BlockSizeUser>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // An HMAC takes a key of any size, so there is no other case.
    SimpleHmac::<D>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// `P_hash` of RFC 5246 section 5.
fn p_hash<D: Digest + BlockSizeUser>(secret: &[u8], seed: &[u8], count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count + 64);
    let mut a = hmac::<D>(secret, &[seed]);
    while out.len() < count {
        out.extend(hmac::<D>(secret, &[&a, seed]));
        a = hmac::<D>(secret, &[&a]);
    }
    out.truncate(count);
    out
}

#[cfg(test)]
mod tests;
