//! What is put on top of a source, and the hash that names what is made.

/// Packages a Debian target is made of: Postfix; a mechanism for SASL, without which smtpd(8) offers no
/// AUTH; an authoritative and a validating name server and a signer of zones, for DANE.
pub const PACKAGES: [&str; 7] = [
    "postfix",
    "openssl",
    "ca-certificates",
    "libsasl2-modules",
    "nsd",
    "unbound",
    "ldnsutils",
];

/// The layer put on a Debian base.
pub const DEBIAN_DOCKERFILE: &str = include_str!("../images/debian.Dockerfile");
/// The layer put on any other image.
pub const OWN_DOCKERFILE: &str = include_str!("../images/own.Dockerfile");
/// What puts other programs beside Postfix in a Debian base.
pub const PEERS: &str = include_str!("../images/peers.sh");
/// What is run once in every image and root.
pub const PREPARE: &str = include_str!("../images/prepare.sh");
/// What shows directories and device nodes of this machine in a root.
pub(crate) const MOUNTS: &str = include_str!("../images/mounts.sh");
/// What installs .deb files over a Debian base.
pub(crate) const DEBS: &str = include_str!("../images/debs.sh");
/// What makes a fleet ready that is to be as its package has it.
pub(crate) const AS_PACKAGED: &str = include_str!("../images/as-packaged.sh");
/// What builds a source tree of Postfix.
pub(crate) const BUILD: &str = include_str!("../images/build.sh");
/// Where [`PREPARE`] is in every image and root.
pub(crate) const PREPARE_PATH: &str = "/var/lib/pfs/prepare.sh";
/// What it writes down.
pub(crate) const FACTS_PATH: &str = "/var/lib/pfs/facts";

/// The first 16 hexadecimal digits of a SHA-256 over the parts and their lengths.
pub(crate) fn hash(parts: &[impl AsRef<[u8]>]) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_covers_every_part() {
        assert_eq!(hash(&["x"]).len(), 16);
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab", ""]), hash(&["ab"]));
    }

    #[test]
    fn what_is_made_is_looked_for_where_it_is() {
        assert!(PREPARE.contains(FACTS_PATH));
        for dockerfile in [DEBIAN_DOCKERFILE, OWN_DOCKERFILE] {
            assert!(dockerfile.contains(&format!("RUN sh {PREPARE_PATH}")));
        }
    }
}
