//! What an image is made of, and the hash that names it.

use crate::{Target, TargetKind};

/// Packages a target is made of: Postfix; a mechanism for SASL, without which smtpd(8) offers no
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
/// The layer put on a user's own image.
pub const OWN_DOCKERFILE: &str = include_str!("../images/own.Dockerfile");
/// What puts Exim beside Postfix in a Debian base.
pub const EXIM: &str = include_str!("../images/exim.sh");
/// What is run once in every image and root.
pub const PREPARE: &str = include_str!("../images/prepare.sh");

/// Files a minimal system does not need, left out when one is bootstrapped.
const LEFT_OUT: [&str; 8] = [
    "/usr/share/bash-completion/*",
    "/usr/share/bug/*",
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/share/zoneinfo/*",
];

/// What a target's image is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The base: a Debian release, or what the user's reference resolved to.
    pub base: Base,
    /// The Dockerfile of the layer on top; its base is the build argument `BASE`.
    pub dockerfile: &'static str,
    /// What is run once in that layer.
    pub prepare: &'static str,
}

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A Debian release's code name.
    Debian(String),
    /// A user's image, by the id its reference resolved to.
    Image(String),
}

impl Recipe {
    /// The recipe of a target; `image_id` is what a user's reference resolved to, if it is one.
    #[must_use]
    pub fn of(target: &Target, image_id: &str) -> Recipe {
        let (base, dockerfile) = match target.kind() {
            TargetKind::Debian { release } => (Base::Debian(release.clone()), DEBIAN_DOCKERFILE),
            TargetKind::Image { .. } => (Base::Image(image_id.to_owned()), OWN_DOCKERFILE),
        };
        Recipe {
            base,
            dockerfile,
            prepare: PREPARE,
        }
    }

    /// Names the image and the root made by this recipe.
    #[must_use]
    pub fn hash(&self) -> String {
        let base = match &self.base {
            Base::Debian(release) => {
                let base = Recipe::base_hash(release);
                return hash(&[&base, self.dockerfile, EXIM, self.prepare]);
            }
            Base::Image(id) => id,
        };
        hash(&[base, self.dockerfile, self.prepare])
    }

    /// Names the bootstrapped base of a Debian release.
    #[must_use]
    pub fn base_hash(release: &str) -> String {
        let arguments = Recipe::bootstrap_arguments(release, false);
        hash(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Arguments for mmdebstrap(1), without the file to write.
    ///
    /// `expired` accepts a mirror whose Release file is older than it says it may be.
    #[must_use]
    pub fn bootstrap_arguments(release: &str, expired: bool) -> Vec<String> {
        let mut arguments = vec![
            "--variant=minbase".to_owned(),
            format!("--include={}", PACKAGES.join(",")),
            "--format=tar".to_owned(),
            format!("--customize-hook=chroot \"$1\" sh -c '{EXIM}'"),
        ];
        arguments.extend(LEFT_OUT.map(|path| format!("--dpkgopt=path-exclude={path}")));
        if expired {
            arguments.push("--aptopt=Acquire::Check-Valid-Until \"false\"".to_owned());
        }
        arguments.push(release.to_owned());
        arguments
    }
}

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
        let recipe = Recipe::of(&Target::parse("debian-12").unwrap(), "");
        assert_eq!(recipe.hash().len(), 16);
        assert_eq!(recipe.hash(), recipe.clone().hash());
        let mut seen = vec![recipe.hash()];
        seen.push(Recipe::of(&Target::parse("debian-13").unwrap(), "").hash());
        seen.push(
            Recipe {
                dockerfile: "FROM x",
                ..recipe.clone()
            }
            .hash(),
        );
        seen.push(
            Recipe {
                prepare: "true",
                ..recipe
            }
            .hash(),
        );
        let own = Target::parse("mine=image:x").unwrap();
        seen.push(Recipe::of(&own, "sha256:1").hash());
        seen.push(Recipe::of(&own, "sha256:2").hash());
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }

    #[test]
    fn bootstrapping_names_every_package() {
        let arguments = Recipe::bootstrap_arguments("forky", true);
        let packages = format!("--include={}", PACKAGES.join(","));
        assert!(arguments.contains(&packages));
        for package in PACKAGES {
            assert!(DEBIAN_DOCKERFILE.contains(package), "{package}");
        }
        // Handed to sh(1) between apostrophes.
        assert_eq!(EXIM.matches('\'').count(), 0);
        assert!(arguments.contains(&"--aptopt=Acquire::Check-Valid-Until \"false\"".to_owned()));
        assert_eq!(arguments.last().map(String::as_str), Some("forky"));
    }
}
