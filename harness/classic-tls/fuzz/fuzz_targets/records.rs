//! Records, and handshake messages cut across them.
#![no_main]

use classic_tls::wire::{HandshakeJoiner, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let mut joiner = HandshakeJoiner::new();
    while let Ok(Some((record, next))) = Record::split(rest) {
        rest = next;
        joiner.push(record.content);
        while let Ok(Some(message)) = joiner.pop() {
            assert_eq!(message.body().len() + 4, message.bytes.len());
        }
    }
});
