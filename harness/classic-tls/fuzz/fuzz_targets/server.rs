//! What a client might send to a server.
#![no_main]

use std::sync::{Arc, LazyLock};

use classic_tls::{ClientCertificate, Connection, DhGroup, Identity, ServerConfig};
use libfuzzer_sys::fuzz_target;

static CONFIG: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| {
    let chain = vec![include_bytes!("../../tests/keys/rsa1024.crt.der").to_vec()];
    let key = include_bytes!("../../tests/keys/rsa1024.key.der");
    Arc::new(ServerConfig {
        identities: Identity::from_der(chain, key).into_iter().collect(),
        client_certificate: ClientCertificate::Request,
        dh: DhGroup::well_known("modp768"),
        ..ServerConfig::default()
    })
});

fuzz_target!(|data: &[u8]| {
    let Ok(mut server) = Connection::server(CONFIG.clone()) else { return };
    let _ = server.read(data);
    let _ = server.read_end();
    server.take_output();
});
