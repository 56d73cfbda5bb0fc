//! From the words of a scenario to what a peer is made of.

use std::sync::Arc;

use pfs_certs::{Leaf, Pki};

use crate::peer::{ClientCertificate, ClientOptions, Credential, Misbehaviour, ServerOptions, TlsMode, TlsOptions};
use crate::plan::{Case, ClientPlan, ServerPlan};
use crate::scenario::{Fault, KeyExchangeName, RustlsClient, RustlsServer};
use crate::session::{Running, Session, SessionError};

/// The fleets of a case's two sides.
#[derive(Clone, Default)]
pub(super) struct Fleets {
    pub(super) server: Option<Arc<Running>>,
    pub(super) client: Option<Arc<Running>>,
}

/// Starts or joins what the case needs.
pub(super) async fn fleets(session: &Session, case: &Case) -> Result<Fleets, SessionError> {
    let mut fleets = Fleets::default();
    if let ServerPlan::Postfix(side) = &case.server {
        fleets.server = Some(session.fleet(&side.fleet, case).await?);
    }
    if let ClientPlan::Postfix { side, .. } = &case.client {
        fleets.client = Some(session.fleet(&side.fleet, case).await?);
    }
    Ok(fleets)
}

fn credential(leaf: &Leaf) -> Credential {
    Credential {
        chain: leaf.chain_der().iter().cloned().map(Into::into).collect(),
        key: rustls::pki_types::PrivatePkcs8KeyDer::from(leaf.key_pkcs8_der().to_vec()).into(),
    }
}

fn groups(groups: &[crate::scenario::Group]) -> Vec<classic_tls::names::NamedGroup> {
    groups
        .iter()
        .filter_map(|group| match group.0 {
            KeyExchangeName::Group(group) => Some(group),
            KeyExchangeName::Dhe | KeyExchangeName::StaticRsa => None,
        })
        .collect()
}

fn misbehaviour(fault: Option<Fault>) -> Misbehaviour {
    match fault {
        None => Misbehaviour::None,
        Some(Fault::SilentFromTheStart) => Misbehaviour::SilentAtBanner,
        Some(Fault::SilentAfterStarttls) => Misbehaviour::SilentAfterStarttls,
        Some(Fault::CloseAfterStarttls) => Misbehaviour::CloseAfterStarttls,
        Some(Fault::NoCloseNotify) => Misbehaviour::NoCloseNotify,
    }
}

/// The options of a rustls client.
///
/// # Errors
/// A certificate that cannot be made.
pub fn client_options(
    options: &RustlsClient,
    certificate: Option<&str>,
    pki: &Pki,
) -> Result<ClientOptions, pfs_certs::Error> {
    let credential = match certificate {
        Some(name) => Some(credential(&*pki.leaf(name)?)),
        None => None,
    };
    Ok(ClientOptions {
        tls: TlsOptions {
            versions: options.versions.iter().map(|version| version.0).collect(),
            groups: groups(&options.groups),
            ciphers: options.ciphers.iter().map(|cipher| cipher.0).collect(),
            signature_schemes: options.signatures.iter().map(|scheme| scheme.0).collect(),
        },
        sni: options.sni.clone(),
        credential,
        misbehaviour: misbehaviour(options.fault),
        ..ClientOptions::default()
    })
}

/// The options of a rustls server.
///
/// # Errors
/// A certificate that cannot be made.
pub fn server_options(
    options: &RustlsServer,
    certificates: &[String],
    sni: &std::collections::BTreeMap<String, Vec<String>>,
    pki: &Pki,
) -> Result<ServerOptions, pfs_certs::Error> {
    let mut credentials = Vec::new();
    for name in certificates {
        credentials.push(credential(&*pki.leaf(name)?));
    }
    let mut sni_credentials = Vec::new();
    for (name, chain) in sni {
        for certificate in chain {
            sni_credentials.push((name.clone(), credential(&*pki.leaf(certificate)?)));
        }
    }
    Ok(ServerOptions {
        tls: TlsOptions {
            versions: options.versions.iter().map(|version| version.0).collect(),
            groups: groups(&options.groups),
            ciphers: options.ciphers.iter().map(|cipher| cipher.0).collect(),
            signature_schemes: options.signatures.iter().map(|scheme| scheme.0).collect(),
        },
        mode: if options.starttls == Some(false) { TlsMode::Off } else { TlsMode::Starttls },
        credentials,
        sni_credentials,
        client_certificate: if options.ask_client_certificate {
            ClientCertificate::Request
        } else {
            ClientCertificate::None
        },
        misbehaviour: misbehaviour(options.fault),
        ..ServerOptions::default()
    })
}
