//! Any text as the headers of a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postfix_tls_log::Received;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(header) = Received::parse(&text) {
        let _ = (header.transport(), header.to_string());
    }
    let _ = Received::all(&text);
});
