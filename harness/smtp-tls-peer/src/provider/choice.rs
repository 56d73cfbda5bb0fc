//! Groups and suites that follow from the options.

use std::sync::Arc;

use classic_tls::names::{CipherSuite, NamedGroup};
use rustls::crypto::{CryptoProvider, KeyExchangeAlgorithm, SupportedKxGroup};
use rustls::{ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};

use super::{
    DEFAULT_GROUPS, GRAVIOLA, GROUPS, SUITES, cipher_suites, groups, is_dhe, is_ffdhe,
    protocol_versions, supported,
};
use crate::dhe::{self, DhParameters, Lease};
use crate::options::{OptionError, TlsOptions};

type Groups = Vec<&'static dyn SupportedKxGroup>;

/// A client's provider with exactly the groups and suites of `options`, in their order. Where DHE_RSA is among them, a
/// group for the server's prime comes with it, which must be kept until the connection is over.
///
/// # Errors
/// When the rustls peer lacks one of them or no group is left for the versions or a suite.
pub(crate) fn client(
    options: &TlsOptions,
) -> Result<(CryptoProvider, Option<Arc<Lease>>), OptionError> {
    let suites = chosen_suites(options, false)?;
    let mut groups = chosen_groups(options)?;
    // Last, so that no key share is made of it in TLS 1.3.
    let lease = suites.iter().any(is_dhe).then(Lease::new);
    groups.extend(lease.as_ref().map(|lease| lease.group()));
    Ok((provider(options, suites, groups)?, lease))
}

/// A server's provider, likewise. Its prime in TLS 1.2 is `dh`; without that, one of the groups of RFC 7919 it has, and
/// of all of them where none is named.
///
/// # Errors
/// Likewise, and when `dh` cannot be used.
pub(crate) fn server(
    options: &TlsOptions,
    dh: Option<&DhParameters>,
) -> Result<CryptoProvider, OptionError> {
    let suites = chosen_suites(options, dh.is_some())?;
    let mut groups = chosen_groups(options)?;
    if suites.iter().any(is_dhe) {
        if let Some(parameters) = dh {
            // First: a client without a list of groups gets the first of the server's.
            let own = dhe::of_server(parameters)?;
            let rest = groups.into_iter().map(tls13_only);
            groups = own.into_iter().chain(rest).collect();
        } else if !groups.iter().any(|group| is_ffdhe(name(*group))) {
            groups.extend(dhe::named_tls12_only());
        }
    }
    provider(options, suites, groups)
}

fn provider(
    options: &TlsOptions,
    cipher_suites: Vec<SupportedCipherSuite>,
    kx_groups: Groups,
) -> Result<CryptoProvider, OptionError> {
    let has = |algorithm| {
        kx_groups
            .iter()
            .any(|group| group.name().key_exchange_algorithm() == algorithm)
    };
    let impossible = cipher_suites.iter().find(|suite| match suite {
        SupportedCipherSuite::Tls12(suite) => !has(suite.kx),
        SupportedCipherSuite::Tls13(_) => false,
    });
    if let Some(suite) = impossible {
        return Err(OptionError::NoGroupForCipher {
            cipher: CipherSuite(u16::from(suite.suite())).to_string(),
            groups: join(options.groups.iter()),
        });
    }
    Ok(CryptoProvider {
        cipher_suites,
        kx_groups,
        ..GRAVIOLA.clone()
    })
}

fn name(group: &'static dyn SupportedKxGroup) -> NamedGroup {
    NamedGroup(u16::from(group.name()))
}

/// A group of RFC 7919 for TLS 1.3 alone; any other one as it is.
fn tls13_only(group: &'static dyn SupportedKxGroup) -> &'static dyn SupportedKxGroup {
    dhe::named_tls13_only()
        .iter()
        .find(|twin| twin.name() == group.name())
        .copied()
        .unwrap_or(group)
}

/// DHE_RSA is for those who ask: by the name of a suite, of a group of RFC 7919, or for a server by its own prime.
fn chosen_suites(
    options: &TlsOptions,
    own_prime: bool,
) -> Result<Vec<SupportedCipherSuite>, OptionError> {
    for suite in &options.ciphers {
        supported("cipher suite", *suite, &cipher_suites())?;
    }
    let versions = protocol_versions(options)?;
    let named: Vec<SupportedCipherSuite> = options
        .ciphers
        .iter()
        .filter_map(|wanted| {
            SUITES
                .iter()
                .find(|suite| u16::from(suite.suite()) == wanted.0)
                .copied()
        })
        .collect();
    let dhe = own_prime || options.groups.iter().any(|group| is_ffdhe(*group));
    let ecdhe = options.groups.is_empty() || options.groups.iter().any(|group| !is_ffdhe(*group));
    let by_default = |suite: &SupportedCipherSuite| match suite {
        SupportedCipherSuite::Tls12(suite) => match suite.kx {
            KeyExchangeAlgorithm::DHE => dhe,
            _ => ecdhe,
        },
        SupportedCipherSuite::Tls13(_) => true,
    };
    let of = |version: ProtocolVersion| {
        // rustls by itself offers the suites of a version that is switched off.
        let enabled = versions.iter().any(|enabled| enabled.version == version);
        let is_of = move |suite: &SupportedCipherSuite| suite.version().version == version;
        let list: Vec<SupportedCipherSuite> = if named.iter().any(is_of) {
            named.clone()
        } else {
            SUITES
                .iter()
                .filter(|suite| by_default(suite))
                .copied()
                .collect()
        };
        list.into_iter()
            .filter(move |suite| enabled && is_of(suite))
    };
    Ok(of(ProtocolVersion::TLSv1_3)
        .chain(of(ProtocolVersion::TLSv1_2))
        .collect())
}

fn chosen_groups(options: &TlsOptions) -> Result<Groups, OptionError> {
    for group in &options.groups {
        supported("group", *group, &groups())?;
    }
    let versions: Vec<&'static SupportedProtocolVersion> = protocol_versions(options)?;
    let chosen: Groups = if options.groups.is_empty() {
        GROUPS.iter().take(DEFAULT_GROUPS).copied().collect()
    } else {
        options
            .groups
            .iter()
            .filter_map(|wanted| {
                GROUPS
                    .iter()
                    .find(|group| name(**group) == *wanted)
                    .copied()
            })
            .collect()
    };
    if chosen.iter().any(|group| {
        versions
            .iter()
            .any(|version| group.usable_for_version(version.version))
    }) {
        return Ok(chosen);
    }
    Err(OptionError::NoUsableGroup {
        groups: join(options.groups.iter()),
        versions: join(options.versions.iter()),
    })
}

fn join(items: impl Iterator<Item = impl ToString>) -> String {
    items
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
