//! Key exchange: shares, shared secrets, and the checks of what the peer sends.

pub(crate) mod dh;
pub(crate) mod ecdh;
pub(crate) mod rsa;
