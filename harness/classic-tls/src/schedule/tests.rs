//! Known answers. The two 1.2 expansions are the vectors posted to the TLS working group and used by most
//! implementations; all values were recomputed with `openssl kdf TLS1-PRF`.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

#[test]
fn expansion_with_sha256() {
    let out = Prf::Sha256.expand(
        &hex("9bbe436ba940f017b17652849a71db35"),
        "test label",
        &[&hex("a0ba9f936cda3118"), &hex("27a6f796ffd5198c")],
        100,
    );
    let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a
        6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab
        4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701
        87347b66";
    assert_eq!(out, hex(expected));
}

#[test]
fn expansion_with_sha384() {
    let out = Prf::Sha384.expand(
        &hex("b80b733d6ceefcdc71566ea48e5567df"),
        "test label",
        &[&hex("cd665cf6a8447dd6ff8b27555edb7465")],
        148,
    );
    let expected = "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd
        e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd
        8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425
        9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6
        91c8f3a26854308d5eaa3be85e0990703d73e56f";
    assert_eq!(out, hex(expected));
}

#[test]
fn expansion_with_md5_and_sha1_shares_the_middle_byte_of_an_odd_secret() {
    let out = Prf::Md5Sha1.expand(&[1, 2, 3, 4, 5], "test label", &[&[0xaa; 8]], 24);
    assert_eq!(out, hex("572a7e84d2bcd736606e2786bdeaab41b69220134a97720d"));
}

struct Answers {
    prf: Prf,
    master: &'static str,
    extended: &'static str,
    block: &'static str,
    client: &'static str,
    server: &'static str,
}

const ANSWERS: [Answers; 3] = [
    Answers {
        prf: Prf::Md5Sha1,
        master: "8d7c6030f3c1bded25e964b44f01bcc138b3d0ccfbf3328ee65423fa9ccf7e3a909703a859218a262b9cd5e8b4e05022",
        extended: "9a5d1200a0717837b1be80af5421c921367419159fe3fb8f31f283fbe37d62a76d36ccffb272bb34b3572c0fd1d7884c",
        block: "1f6dac0c9b42870f9f31c0741d6fd5c59d626509706600aed36edc8ca538b6696c78fe34e6307835",
        client: "6e100660f7fd2a071892782d",
        server: "68c8f0ff2f713670c8a43864",
    },
    Answers {
        prf: Prf::Sha256,
        master: "bc3ea6062a6124bcfda8fdfa213230e37be6b10c89b38c87cfc291ac9cf218a5fcc804bbd2d1c28f2b6cde63342bbd97",
        extended: "ec01230798c0c86d556866c0efa38d6c7befd7fadc36a012c9bd0822cf662caeecc7f9f579345c9726a803f185bb9b3d",
        block: "30a7cd8382047ec3adae80aac474dfde24793aecd7f2cef87bbcc404ef802883c4dff44c2c754c85",
        client: "65fecc0830c2dbe2d6451ded",
        server: "90be54379737ce8c73621f1e",
    },
    Answers {
        prf: Prf::Sha384,
        master: "f38ad5783a817267cf379eb43fd83653c84614d37b69941fe35e1b0bf28b2f7ca7a1e9a828629e62b216c3efcd29b780",
        extended: "bc5160f8fdbbcfb7fcbda1bb8f314cda34bbbbe8756995c8e44ab973da4047aca0182c4fd60c2d63b3dc710b2c0508d9",
        block: "9e6cb15676600bf95e81ca73aa871439d5917afcc13511274a8034518d5700425ab92b3cac985336",
        client: "2ce878afdf0c9317a41f5b7f",
        server: "ef9e492cb3d8d5c8ec2301bf",
    },
];

#[test]
fn the_whole_schedule() {
    let premaster: Vec<u8> = [3, 1].into_iter().chain(0..46).collect();
    let (client_random, server_random) = ([0xc1; 32], [0x5e; 32]);
    let messages = b"all handshake messages";
    for Answers {
        prf,
        master,
        extended,
        block,
        client,
        server,
    } in ANSWERS
    {
        let found = prf.master_secret(&premaster, &client_random, &server_random);
        assert_eq!(found, hex(master), "{prf:?}");
        assert_eq!(
            prf.extended_master_secret(&premaster, messages),
            hex(extended),
            "{prf:?}"
        );
        assert_eq!(
            prf.key_block(&found, &client_random, &server_random, 40),
            hex(block),
            "{prf:?}"
        );
        assert_eq!(
            prf.verify_data(&found, Side::Client, messages),
            hex(client),
            "{prf:?}"
        );
        assert_eq!(
            prf.verify_data(&found, Side::Server, messages),
            hex(server),
            "{prf:?}"
        );
    }
}
