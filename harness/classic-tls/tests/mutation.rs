//! Bytes that were changed on the way, and bytes that nobody would send: errors, never a panic, never a wrong success.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(test)]
mod support;

use std::sync::Arc;

use classic_tls::names::{CipherSuite, KeyExchangeKind, Version};
use classic_tls::wire::{
    CertificateRequest, ClientHello, HandshakeJoiner, Record, Recording, ServerHello,
    ServerKeyExchange, Transcript, parse_certificates, parse_raw_public_key,
};
use classic_tls::{
    ClientConfig, Connection, DhGroup, Identity, PrivateKey, ServerConfig, disclose,
};
use support::identity;

fn pair(name: &str) -> (Connection, Connection) {
    let client = ClientConfig {
        suites: vec![CipherSuite::from_openssl_name(name).unwrap()],
        ..ClientConfig::default()
    };
    let server = ServerConfig {
        identities: vec![identity("rsa1024")],
        dh: DhGroup::well_known("modp768"),
        ..ServerConfig::default()
    };
    (
        Connection::client(Arc::new(client)).unwrap(),
        Connection::server(Arc::new(server)).unwrap(),
    )
}

/// Runs a handshake in which byte `index` of the whole conversation is changed; whether it was reached, and completed.
fn run(name: &str, index: usize, change: u8) -> (bool, bool, bool) {
    let (mut client, mut server) = pair(name);
    let (mut passed, mut reached, mut in_version) = (0, false, false);
    for _ in 0..8 {
        for (from, to) in [(true, false), (false, true)] {
            let mut bytes = if from {
                client.take_output()
            } else {
                server.take_output()
            };
            if let Some(byte) = index.checked_sub(passed).and_then(|at| bytes.get_mut(at)) {
                *byte ^= change;
                reached = true;
                in_version = is_version_byte(&bytes, index - passed);
            }
            passed += bytes.len();
            let receiver = if to { &mut client } else { &mut server };
            let _ = receiver.read(&bytes);
        }
    }
    let complete = !client.is_handshaking() && !server.is_handshaking();
    (
        reached,
        in_version,
        complete && client.failure().is_none() && server.failure().is_none(),
    )
}

/// Whether byte `at` is in the version of a record's header, which nothing protects before the first keys.
fn is_version_byte(bytes: &[u8], at: usize) -> bool {
    let mut start = 0;
    while let Some(&[_, _, _, high, low]) = bytes.get(start..).and_then(|rest| rest.first_chunk()) {
        if at == start + 1 || at == start + 2 {
            return true;
        }
        start += 5 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    for name in ["AES128-SHA", "AECDH-AES128-SHA", "ADH-AES128-GCM-SHA256"] {
        let mut index = 0;
        loop {
            let change = [0x01, 0x80, 0xff, 0x20][index % 4];
            let (reached, in_version, complete) = run(name, index, change);
            if !reached && index > 600 {
                break;
            }
            assert!(
                !reached || in_version || !complete,
                "{name}: byte {index} was changed and both ends are content"
            );
            index += 1;
        }
    }
}

/// A small generator of reproducible noise (xorshift64*).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Changes, cuts, inserts, repeats, a few times over.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), self.next() as u8),
                2 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                3 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                4 if !bytes.is_empty() => {
                    bytes.remove(at);
                }
                _ => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let piece = bytes[at.min(end)..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
    }
}

const CAPTURES: [(&[u8], &[u8]); 6] = [
    (
        include_bytes!("captures/tls10-dhe.client"),
        include_bytes!("captures/tls10-dhe.server"),
    ),
    (
        include_bytes!("captures/tls12-adh-gcm.client"),
        include_bytes!("captures/tls12-adh-gcm.server"),
    ),
    (
        include_bytes!("captures/tls12-client-certificate.client"),
        include_bytes!("captures/tls12-client-certificate.server"),
    ),
    (
        include_bytes!("captures/tls12-rsa-gcm.client"),
        include_bytes!("captures/tls12-rsa-gcm.server"),
    ),
    (
        include_bytes!("captures/tls13-hybrid.client"),
        include_bytes!("captures/tls13-hybrid.server"),
    ),
    (
        include_bytes!("captures/tls13-retry-p384.client"),
        include_bytes!("captures/tls13-retry-p384.server"),
    ),
];

/// Bodies of all readable handshake messages in the captures.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for (client, server) in CAPTURES {
        for mut rest in [client, server] {
            let mut joiner = HandshakeJoiner::new();
            while let Ok(Some((record, next))) = Record::split(rest) {
                rest = next;
                if record.header.content.code() == 22 {
                    joiner.push(record.content);
                }
                while let Ok(Some(message)) = joiner.pop() {
                    bodies.push(message.body().to_vec());
                }
            }
        }
    }
    bodies
}

#[test]
fn no_parser_panics() {
    let bodies = bodies();
    assert!(bodies.len() > 30);
    let mut noise = Noise(0x5eed);
    for round in 0..6000 {
        let mut body = bodies[round % bodies.len()].clone();
        noise.mutate(&mut body);
        let _ = ClientHello::parse(&body);
        let _ = ServerHello::parse(&body);
        for version in [Version::TLS1_0, Version::TLS1_2] {
            for kind in [
                KeyExchangeKind::Dhe,
                KeyExchangeKind::DhAnon,
                KeyExchangeKind::Ecdhe,
                KeyExchangeKind::EcdhAnon,
                KeyExchangeKind::Rsa,
            ] {
                let _ = ServerKeyExchange::parse(&body, kind, version);
            }
            let _ = CertificateRequest::parse(&body, version);
        }
        let _ = parse_certificates(&body);
        let _ = parse_raw_public_key(&body);
        let _ = Record::split(&body);
    }
}

/// Costs must grow with the input, not with its square: this takes minutes if they do.
#[test]
fn a_megabyte_of_crumbs_is_read_in_time() {
    let empty_messages = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat().repeat(64);
    let tiny_records = [23, 3, 1, 0, 1, 0].repeat(1 << 18);
    let tiny_warnings = [22, 3, 1, 0, 4, 0, 0, 0, 0].repeat(1 << 17);
    for bytes in [empty_messages, tiny_records, tiny_warnings] {
        let transcript = Transcript::parse(&bytes, &bytes);
        assert!(transcript.problems.len() <= 128);
        let mut client = Connection::client(Arc::new(ClientConfig::default())).unwrap();
        let _ = client.read(&bytes);
    }
}

#[test]
fn no_recording_panics() {
    let key = PrivateKey::from_pkcs8_der(include_bytes!("captures/server-key.der")).unwrap();
    let mut noise = Noise(0xbad);
    for round in 0..600 {
        let (client, server) = CAPTURES[round % CAPTURES.len()];
        let mut recording = Recording {
            client: client.to_vec(),
            server: server.to_vec(),
        };
        noise.mutate(&mut recording.client);
        noise.mutate(&mut recording.server);
        let _ = Transcript::parse(&recording.client, &recording.server);
        let _ = disclose(&recording, &key);
    }
}

#[test]
fn no_connection_panics() {
    let mut noise = Noise(0xfeed);
    for round in 0..600 {
        let (client, server) = CAPTURES[round % CAPTURES.len()];
        let (mut to_client, mut to_server) = (server.to_vec(), client.to_vec());
        noise.mutate(&mut to_client);
        noise.mutate(&mut to_server);
        let mut client = Connection::client(Arc::new(ClientConfig::default())).unwrap();
        let _ = client.read(&to_client);
        let (_, mut server) = pair("AES128-SHA");
        let _ = server.read(&to_server);
    }
}

#[test]
fn no_key_or_certificate_panics() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");
    let mut noise = Noise(0xce27);
    for name in ["rsa1024", "p256", "p384", "p521", "ed25519"] {
        let read = |kind: &str| std::fs::read(format!("{folder}/{name}.{kind}.der")).unwrap();
        let (certificate, key) = (read("crt"), read("key"));
        for _ in 0..100 {
            let (mut bad_certificate, mut bad_key) = (certificate.clone(), key.clone());
            noise.mutate(&mut bad_certificate);
            noise.mutate(&mut bad_key);
            let _ = Identity::from_der(vec![bad_certificate], &key);
            let _ = PrivateKey::from_pkcs8_der(&bad_key);
            let _ = PrivateKey::from_pkcs1_der(&bad_key);
        }
    }
}
