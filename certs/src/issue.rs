//! Signs certificates.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SerialNumber, SigningKey,
};
use time::OffsetDateTime;

use crate::ca::{Ca, CaName};
use crate::fingerprint::Digest;
use crate::key::{Key, KeyKind};
use crate::request::{CertRequest, Purpose, Validity};

/// Issues the certificate of an authority, DER; `issuer` is `None` for a root.
pub(crate) fn ca(
    name: CaName,
    key: &Key,
    issuer: Option<&Ca>,
    clock: OffsetDateTime,
) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = ca_params(name, key);
    set_validity(&mut params, Validity::Current, clock);
    params.serial_number = Some(serial(&["ca", name.as_str()], key, clock));
    params.use_authority_key_identifier_extension = issuer.is_some();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(
            key,
            &Issuer::new(ca_params(issuer.name, &issuer.key), &issuer.key),
        ),
        None => params.self_signed(key),
    }?;
    Ok(certificate.der().to_vec())
}

/// Issues a leaf, DER; `issuer` is `None` if it signs itself.
pub(crate) fn leaf(
    request: &CertRequest,
    key: &Key,
    issuer: Option<&Ca>,
    clock: OffsetDateTime,
) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = CertificateParams::new(request.dns_names.clone())?;
    params.distinguished_name = common_name(&request.common_name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if request.key.is_rsa() {
        // TLS 1.2 key exchange without forward secrecy (RFC 5246 section 7.4.2) needs it.
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = match request.purpose {
        Purpose::Both => vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ],
        Purpose::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
        Purpose::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        Purpose::Unrestricted => Vec::new(),
    };
    set_validity(&mut params, request.validity, clock);
    params.key_identifier_method = key_identifier(key);
    params.use_authority_key_identifier_extension = issuer.is_some();
    params.serial_number = Some(serial(&["leaf", &request.name], key, clock));
    let Some(issuer) = issuer else {
        return Ok(params.self_signed(key)?.der().to_vec());
    };
    let certificate = params.signed_by(
        key,
        &Issuer::new(ca_params(issuer.name, &issuer.key), &issuer.key),
    )?;
    if matches!(
        key.kind(),
        KeyKind::EcdsaP521 | KeyKind::Ed448 | KeyKind::Dsa2048
    ) {
        return with_public_key(certificate.der(), key.spki_der(), &issuer.key);
    }
    Ok(certificate.der().to_vec())
}

fn ca_params(name: CaName, key: &Key) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name.common_name());
    params.is_ca = IsCa::Ca(match name {
        CaName::Intermediate => BasicConstraints::Constrained(0),
        CaName::OtherRoot | CaName::Root => BasicConstraints::Unconstrained,
    });
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = key_identifier(key);
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn set_validity(params: &mut CertificateParams, validity: Validity, clock: OffsetDateTime) {
    let [not_before, not_after] = validity.bounds().map(|(after, distance)| {
        if after {
            clock + distance
        } else {
            clock - distance
        }
    });
    params.not_before = not_before;
    params.not_after = not_after;
}

/// RFC 5280 section 4.2.1.2 method 1.
fn key_identifier(key: &Key) -> KeyIdMethod {
    KeyIdMethod::PreSpecified(Digest::Sha1.hash(key.der_bytes()))
}

/// A serial number of 16 bytes, positive and never zero (RFC 5280 section 4.1.2.2), which no two
/// certificates share.
fn serial(names: &[&str], key: &Key, clock: OffsetDateTime) -> SerialNumber {
    let text = format!("{}/{}", names.join("/"), clock.unix_timestamp());
    let mut serial = Digest::Sha256.hash(&[text.as_bytes(), key.spki_der()].concat());
    serial.truncate(16);
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::from_slice(&serial)
}

/// `certificate` with another SubjectPublicKeyInfo, signed anew with `signer`, which must be the key
/// that signed it before.
fn with_public_key(certificate: &[u8], spki: &[u8], signer: &Key) -> Result<Vec<u8>, rcgen::Error> {
    // version, serialNumber, signature, issuer, validity, subject come first (RFC 5280 section 4.1).
    const SUBJECT_PUBLIC_KEY_INFO: usize = 6;
    let unreadable = |_| rcgen::Error::CouldNotParseCertificate;
    let outer = elements(certificate).map_err(unreadable)?;
    let [tbs, algorithm, _signature] = outer.as_slice() else {
        return Err(rcgen::Error::CouldNotParseCertificate);
    };
    let mut fields = elements(tbs).map_err(unreadable)?;
    *fields
        .get_mut(SUBJECT_PUBLIC_KEY_INFO)
        .ok_or(rcgen::Error::CouldNotParseCertificate)? = spki.to_vec();
    let tbs = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for field in &fields {
                writer.next().write_der(field);
            }
        });
    });
    let signature = signer.sign(&tbs)?;
    Ok(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(&tbs);
            writer.next().write_der(algorithm);
            writer
                .next()
                .write_bitvec_bytes(&signature, signature.len() * 8);
        });
    }))
}

/// The encodings of the elements of a SEQUENCE.
fn elements(sequence: &[u8]) -> Result<Vec<Vec<u8>>, yasna::ASN1Error> {
    yasna::parse_der(sequence, |reader| {
        let mut elements = Vec::new();
        reader.read_sequence(|reader| {
            while let Some(element) = reader.read_optional(|reader| reader.read_der())? {
                elements.push(element);
            }
            Ok(())
        })?;
        Ok(elements)
    })
}
