//! A recording and a key; the first two bytes say where the client's direction ends.
#![no_main]

use std::sync::LazyLock;

use classic_tls::wire::Recording;
use classic_tls::{PrivateKey, disclose};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<Option<PrivateKey>> =
    LazyLock::new(|| PrivateKey::from_pkcs8_der(include_bytes!("../../tests/captures/server-key.der")).ok());

fuzz_target!(|data: &[u8]| {
    let Some(key) = KEY.as_ref() else { return };
    let Some((&[high, low], rest)) = data.split_first_chunk() else { return };
    let (client, server) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
    let recording = Recording { client: client.to_vec(), server: server.to_vec() };
    let _ = disclose(&recording, key);
});
