//! DSA keys with published parameters: the 2048-bit group of RFC 5114 section 2.2, whose subgroup has an order of 224 bits.

use crypto_bigint::BoxedUint;
use crypto_bigint::Odd;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, construct_der};

const P: &str = concat!(
    "ad107e1e9123a9d0d660faa79559c51fa20d64e5683b9fd1b54b1597b61d0a75e6fa141df95a56dbaf9a3c407ba1",
    "df15eb3d688a309c180e1de6b85a1274a0a66d3f8152ad6ac2129037c9edefda4df8d91e8fef55b7394b7ad5b7d0",
    "b6c12207c9f98d11ed34dbf6c6ba0b2c8bbc27be6a00e0a0b9c49708b3bf8a317091883681286130bc8985db1602",
    "e714415d9330278273c7de31efdc7310f7121fd5a07415987d9adc0a486dcdf93acc44328387315d75e198c641a4",
    "80cd86a1b9e587e8be60e69cc928b2b9c52172e413042e9b23f10b0e16e79763c9b53dcf4ba80a29e3fb73c16b8e",
    "75b97ef363e2ffa31f71cf9de5384e71b81c0ac4dffe0c10e64f",
);
const Q: &str = "801c0d34c58d93fe997177101f80535a4738cebcbf389a99b36371eb";
const G: &str = concat!(
    "ac4032ef4f2d9ae39df30b5c8ffdac506cdebe7b89998caf74866a08cfe4ffe3a6824a4e10b9a6f0dd921f01a70c",
    "4afaab739d7700c29f52c57db17c620a8652be5e9001a8d66ad7c17669101999024af4d027275ac1348bb8a762d0",
    "521bc98ae247150422ea1ed409939d54da7460cdb5f6c6b250717cbef180eb34118e98d119529a45d6f834566e30",
    "25e316a330efbb77a86f0c1ab15b051ae3d428c8f8acb70a8137150b8eeb10e183edd19963ddd9e263e4770589ef",
    "6aa21e7f5f2ff381b539cce3409d13cd566afbb48d6c019181e1bcfe94b30269edfe72fe9b6aa4bd7b5a0f1c71cf",
    "ff4c19c418e1f6ec017981bc087f2a7065b384b890d3191f2bfa",
);

/// Bytes of the prime, and of a private key: less than the order.
const PRIME: usize = 256;
const PRIVATE: usize = 27;

/// A new private key in PKCS #8.
pub(crate) fn generate() -> Result<Vec<u8>, String> {
    let mut x = [0; PRIVATE];
    graviola::random::fill(&mut x).map_err(|error| format!("{error:?}"))?;
    // Neither zero nor, in DER, with zeros in front.
    x[0] |= 0x40;
    Ok(construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(0);
            algorithm(writer.next());
            let inner = construct_der(|writer| writer.write_bigint_bytes(&x, true));
            writer.next().write_bytes(&inner);
        });
    }))
}

/// The SubjectPublicKeyInfo that goes with a private key in PKCS #8 (RFC 3279 section 2.3.2).
pub(crate) fn public(pkcs8: &[u8]) -> Result<Vec<u8>, String> {
    let x = yasna::parse_der(pkcs8, |reader| {
        reader.read_sequence(|reader| {
            reader.next().read_u8()?;
            reader.next().read_der()?;
            let inner = reader.next().read_bytes()?;
            yasna::parse_der(&inner, |reader| Ok(reader.read_bigint_bytes()?.0))
        })
    })
    .map_err(|error| error.to_string())?;
    let y = power(&x)?;
    Ok(construct_der(|writer| {
        writer.write_sequence(|writer| {
            algorithm(writer.next());
            let inner = construct_der(|writer| writer.write_bigint_bytes(&y, true));
            writer.next().write_bitvec_bytes(&inner, inner.len() * 8);
        });
    }))
}

/// The generator to the power of `x`, big-endian.
fn power(x: &[u8]) -> Result<Vec<u8>, String> {
    let precision = PRIME as u32 * 8;
    let number = |bytes: &[u8]| {
        BoxedUint::from_be_slice(bytes, precision).map_err(|error| error.to_string())
    };
    let p = Odd::new(number(&hex(P))?)
        .into_option()
        .ok_or("an even prime")?;
    let params = BoxedMontyParams::new(p);
    let y = BoxedMontyForm::new(number(&hex(G))?, &params).pow(&number(x)?);
    Ok(y.retrieve().to_be_bytes().to_vec())
}

fn algorithm(writer: DERWriter<'_>) {
    writer.write_sequence(|writer| {
        writer
            .next()
            .write_oid(&ObjectIdentifier::from_slice(&[1, 2, 840, 10040, 4, 1]));
        writer.next().write_sequence(|writer| {
            for number in [P, Q, G] {
                writer.next().write_bigint_bytes(&hex(number), true);
            }
        });
    });
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            pair.iter().fold(0, |byte, digit| {
                byte << 4 | char::from(*digit).to_digit(16).unwrap_or(0) as u8
            })
        })
        .collect()
}
