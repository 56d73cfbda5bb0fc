//! What a server might send to a client.
#![no_main]

use std::sync::{Arc, LazyLock};

use classic_tls::{ClientConfig, Connection, anonymous_suites};
use libfuzzer_sys::fuzz_target;

static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let mut config = ClientConfig::default();
    config.suites.extend(anonymous_suites());
    config.check_primes = false;
    Arc::new(config)
});

fuzz_target!(|data: &[u8]| {
    let Ok(mut client) = Connection::client(CONFIG.clone()) else { return };
    let failed = client.read(data);
    let _ = client.read_end();
    assert_eq!(failed.is_err(), client.read(data).is_err() && failed.is_err());
    client.take_output();
});
