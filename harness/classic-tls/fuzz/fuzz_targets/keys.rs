//! Private keys and certificates in DER.
#![no_main]

use classic_tls::{Identity, PrivateKey};
use libfuzzer_sys::fuzz_target;

const KEY: &[u8] = include_bytes!("../../tests/keys/ed25519.key.der");

fuzz_target!(|data: &[u8]| {
    let _ = PrivateKey::from_pkcs8_der(data);
    let _ = PrivateKey::from_pkcs1_der(data);
    let _ = Identity::from_der(vec![data.to_vec()], KEY);
});
