//! A recording of both directions; the first two bytes say where the client's ends.
#![no_main]

use classic_tls::wire::Transcript;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[high, low], rest)) = data.split_first_chunk() else { return };
    let (client, server) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
    for problem in Transcript::parse(client, server).problems {
        let _ = problem.to_string();
    }
});
