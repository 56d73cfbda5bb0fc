//! The body of every handshake message that is parsed; the first byte chooses which.
#![no_main]

use classic_tls::names::{KeyExchangeKind, Version};
use classic_tls::wire::{
    CertificateRequest, ClientHello, ServerHello, ServerKeyExchange, parse_certificates, parse_raw_public_key,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let version = if choice & 0x80 == 0 { Version::TLS1_2 } else { Version::TLS1_0 };
    match choice & 0x0f {
        0 => drop(ClientHello::parse(body)),
        1 => drop(ServerHello::parse(body)),
        2 => drop(ServerKeyExchange::parse(body, KeyExchangeKind::Dhe, version).map(|it| it.dh().map(|dh| dh.name()))),
        3 => drop(ServerKeyExchange::parse(body, KeyExchangeKind::DhAnon, version)),
        4 => drop(ServerKeyExchange::parse(body, KeyExchangeKind::Ecdhe, version)),
        5 => drop(ServerKeyExchange::parse(body, KeyExchangeKind::EcdhAnon, version)),
        6 => drop(CertificateRequest::parse(body, version)),
        7 => drop(parse_certificates(body)),
        _ => drop(parse_raw_public_key(body)),
    }
});
