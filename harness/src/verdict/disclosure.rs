//! What a recording is worth once the server's private key is disclosed: tried, not read off a name.

use classic_tls::{PrivateKey, Sealed, disclose};
use pfs_certs::{Leaf, Pki};

use crate::evidence::Evidence;
use crate::plan::Case;
use crate::scenario::{Certificate, Disclosure};

/// What is not as expected.
pub(super) fn difference(case: &Case, seen: &Evidence, pki: &Pki) -> Option<String> {
    let expected = case.expect.disclosure?;
    let tried = attempt(case, seen, pki);
    match (expected, tried) {
        (Disclosure::Opens, Ok(())) | (Disclosure::Sealed, Err(Closed::Ephemeral)) => None,
        (Disclosure::Opens, Err(closed)) => Some(format!(
            "disclosure: expected the mail to be recovered, but {closed}"
        )),
        (Disclosure::Sealed, Ok(())) => {
            Some("disclosure: expected a sealed recording, but the key opens it".to_owned())
        }
        (Disclosure::Sealed, Err(closed)) => Some(format!(
            "disclosure: expected an ephemeral key exchange to seal the recording, but {closed}"
        )),
    }
}

/// Why the mail could not be read.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("the key exchange was ephemeral")]
    Ephemeral,
    #[error("nothing was recorded")]
    NoRecording,
    #[error("there is no key to disclose: {0}")]
    NoKey(String),
    #[error("{0}")]
    Sealed(Sealed),
    #[error("the mail's subject is not in what was recovered ({0} bytes of the client)")]
    NoMail(usize),
}

fn attempt(case: &Case, seen: &Evidence, pki: &Pki) -> Result<(), Closed> {
    let recording = seen.recording().ok_or(Closed::NoRecording)?;
    let key = server_key(case, seen, pki)?;
    let plain = match disclose(recording, &key) {
        Ok(plain) => plain,
        Err(Sealed::ForwardSecret { .. }) => return Err(Closed::Ephemeral),
        Err(other) => return Err(Closed::Sealed(other)),
    };
    let subject = format!("Subject: {}", case.id);
    let found = plain
        .client
        .windows(subject.len())
        .any(|window| window == subject.as_bytes());
    if found {
        Ok(())
    } else {
        Err(Closed::NoMail(plain.client.len()))
    }
}

/// The key of the certificate that was on the wire; where that is hidden (TLS 1.3) or was not
/// sent, the first of those the server has. A server without any has the default one's.
fn server_key(case: &Case, seen: &Evidence, pki: &Pki) -> Result<PrivateKey, Closed> {
    let shown = seen
        .wire()
        .and_then(|wire| wire.server_certificates.first());
    let server = &case.scenario.file.server;
    let own = server
        .cert
        .iter()
        .flat_map(|certificates| certificates.iter());
    let by_name = server
        .sni
        .values()
        .flat_map(|certificates| certificates.iter());
    let named: Vec<&str> = own
        .chain(by_name)
        .filter_map(|Certificate(name)| name.as_deref())
        .collect();
    let names = if named.is_empty() {
        vec!["rsa2048"]
    } else {
        named
    };
    let leaves: Vec<_> = names
        .iter()
        .filter_map(|name| pki.leaf(name).ok())
        .collect();
    let sent = |leaf: &Leaf| shown.is_none_or(|der| leaf.certificate_der() == der.as_slice());
    let leaf = leaves
        .iter()
        .find(|leaf| sent(leaf))
        .or(leaves.first())
        .ok_or_else(|| Closed::NoKey("the scenario names no certificate".to_owned()))?;
    PrivateKey::from_pkcs8_der(leaf.key_pkcs8_der())
        .map_err(|error| Closed::NoKey(error.to_string()))
}
