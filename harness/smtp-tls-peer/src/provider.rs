//! The cryptography of the rustls peers: graviola, with more groups and suites, and cut to what the options say.

mod choice;

pub(super) use choice::{client, server};

use std::sync::LazyLock;

use classic_tls::names::{CipherSuite, NamedGroup, SignatureScheme, Version};
use rustls::crypto::{
    CipherSuiteCommon, CryptoProvider, KeyExchangeAlgorithm, SecureRandom, SupportedKxGroup,
};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, Tls12CipherSuite};
use rustls_graviola::kx;

use super::options::{OptionError, TlsOptions};
use super::{dhe, groups};

static GRAVIOLA: LazyLock<CryptoProvider> = LazyLock::new(rustls_graviola::default_provider);

/// All groups, in the order a peer offers them by default. The hybrid leads, as in OpenSSL 3.5; its key share is sent
/// together with one for X25519, so a server without it loses no round trip.
static GROUPS: LazyLock<Vec<&'static dyn SupportedKxGroup>> = LazyLock::new(|| {
    vec![
        kx::X25519MLKEM768,
        &kx::X25519,
        &kx::P256,
        &kx::P384,
        groups::P521,
        groups::X448,
        groups::SECP256R1_MLKEM768,
        groups::SECP384R1_MLKEM1024_GROUP,
    ]
    .into_iter()
    .chain(dhe::named().iter().copied())
    .collect()
});

/// How many of [`GROUPS`] are offered when none are named: the others are for those who ask.
const DEFAULT_GROUPS: usize = 6;

/// Graviola's suites, then DHE_RSA, for those who ask. Those of TLS 1.2 for ECDSA also take Ed25519 (RFC 8422 section
/// 5.10), which graviola leaves out.
static SUITES: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    GRAVIOLA
        .cipher_suites
        .iter()
        .map(|suite| match suite {
            SupportedCipherSuite::Tls12(suite)
                if suite
                    .sign
                    .contains(&rustls::SignatureScheme::ECDSA_NISTP256_SHA256) =>
            {
                let mut sign = suite.sign.to_vec();
                sign.push(rustls::SignatureScheme::ED25519);
                // Once per process and suite: rustls wants suites that live as long as the program.
                SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common: CipherSuiteCommon { ..suite.common },
                    kx: suite.kx,
                    sign: sign.leak(),
                    aead_alg: suite.aead_alg,
                    prf_provider: suite.prf_provider,
                })))
            }
            other => *other,
        })
        .chain(dhe::suites(&GRAVIOLA.cipher_suites))
        .collect()
});

/// Whether a suite is a DHE_RSA one; those of TLS 1.3 are for every key exchange.
fn is_dhe(suite: &SupportedCipherSuite) -> bool {
    match suite {
        SupportedCipherSuite::Tls12(suite) => suite.kx == KeyExchangeAlgorithm::DHE,
        SupportedCipherSuite::Tls13(_) => false,
    }
}

/// Whether a group is one over a prime.
fn is_ffdhe(group: NamedGroup) -> bool {
    rustls::NamedGroup::from(group.0).key_exchange_algorithm() == KeyExchangeAlgorithm::DHE
}

pub(super) fn random() -> &'static dyn SecureRandom {
    GRAVIOLA.secure_random
}

pub(super) fn algorithms() -> rustls::crypto::WebPkiSupportedAlgorithms {
    GRAVIOLA.signature_verification_algorithms
}

/// The protocol versions a rustls peer has.
#[must_use]
pub fn versions() -> Vec<Version> {
    vec![Version::TLS1_2, Version::TLS1_3]
}

/// The groups a rustls peer has, in the order in which it prefers them.
#[must_use]
pub fn groups() -> Vec<NamedGroup> {
    GROUPS
        .iter()
        .map(|group| NamedGroup(u16::from(group.name())))
        .collect()
}

/// The cipher suites a rustls peer has, in the order in which it prefers them.
#[must_use]
pub fn cipher_suites() -> Vec<CipherSuite> {
    SUITES
        .iter()
        .map(|suite| CipherSuite(u16::from(suite.suite())))
        .collect()
}

/// The signature schemes a rustls peer has, in the order in which it prefers them.
#[must_use]
pub fn signature_schemes() -> Vec<SignatureScheme> {
    algorithms()
        .mapping
        .iter()
        .map(|(scheme, _)| SignatureScheme(u16::from(*scheme)))
        .collect()
}

/// The version called `name`.
///
/// # Errors
/// When no version has that name or the rustls peer lacks it.
pub fn version(name: &str) -> Result<Version, OptionError> {
    named(
        "protocol version",
        name,
        Version::from_name(name),
        &versions(),
    )
}

/// The group called `name` in any dialect: `X25519`, `P-256`, `prime256v1`, `secp256r1`, `ffdhe2048`.
///
/// # Errors
/// When no group has that name or the rustls peer lacks it.
pub fn group(name: &str) -> Result<NamedGroup, OptionError> {
    named("group", name, NamedGroup::from_name(name), &groups())
}

/// The cipher suite called `name` by OpenSSL or IANA.
///
/// # Errors
/// When no suite has that name or the rustls peer lacks it.
pub fn cipher_suite(name: &str) -> Result<CipherSuite, OptionError> {
    named(
        "cipher suite",
        name,
        CipherSuite::from_name(name),
        &cipher_suites(),
    )
}

/// The signature scheme called `name` in RFC 8446, such as `rsa_pss_rsae_sha256`.
///
/// # Errors
/// When no scheme has that name or the rustls peer lacks it.
pub fn signature_scheme(name: &str) -> Result<SignatureScheme, OptionError> {
    named(
        "signature scheme",
        name,
        SignatureScheme::from_name(name),
        &signature_schemes(),
    )
}

fn named<T: Copy + PartialEq + ToString>(
    what: &'static str,
    name: &str,
    found: Option<T>,
    available: &[T],
) -> Result<T, OptionError> {
    let Some(found) = found else {
        let nearest = available
            .iter()
            .map(ToString::to_string)
            .map(|known| {
                (
                    strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()),
                    known,
                )
            })
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known);
        return Err(OptionError::Unknown {
            what,
            found: name.to_owned(),
            nearest,
        });
    };
    supported(what, found, available).map(|()| found)
}

fn supported<T: PartialEq + ToString>(
    what: &'static str,
    found: T,
    available: &[T],
) -> Result<(), OptionError> {
    if available.contains(&found) {
        return Ok(());
    }
    Err(OptionError::Unsupported {
        what,
        found: found.to_string(),
        available: available.iter().map(ToString::to_string).collect(),
    })
}

/// The versions of `options` in rustls' terms.
pub(super) fn protocol_versions(
    options: &TlsOptions,
) -> Result<Vec<&'static SupportedProtocolVersion>, OptionError> {
    for version in &options.versions {
        supported("protocol version", *version, &versions())?;
    }
    let wanted = |version| options.versions.is_empty() || options.versions.contains(&version);
    Ok([(Version::TLS1_3, &TLS13), (Version::TLS1_2, &TLS12)]
        .into_iter()
        .filter(|(version, _)| wanted(*version))
        .map(|(_, version)| version)
        .collect())
}

/// The signature schemes of `options` in rustls' terms.
pub(super) fn schemes(options: &TlsOptions) -> Result<Vec<rustls::SignatureScheme>, OptionError> {
    if options.signature_schemes.is_empty() {
        return Ok(algorithms().supported_schemes());
    }
    for scheme in &options.signature_schemes {
        supported("signature scheme", *scheme, &signature_schemes())?;
    }
    Ok(options
        .signature_schemes
        .iter()
        .map(|scheme| rustls::SignatureScheme::from(scheme.0))
        .collect())
}
