//! The other end of a handshake; see the crate `smtp-tls-peer`.

pub use smtp_tls_peer::*;
