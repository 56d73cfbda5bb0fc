//! The packages of a Debian release.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::{BaseImage, Making, Origin, bootstrap, unpack};
use crate::{
    BoxFuture, Result,
    cache::in_thread,
    images::{self, Docker},
    recipe::{DEBIAN_DOCKERFILE, PACKAGES, PEERS, hash},
};

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

/// A Debian release by its code name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Debian {
    /// Such as `bookworm`.
    pub release: String,
}

/// A release with its base system.
pub(crate) struct Release<'a>(pub(crate) &'a str);

impl Release<'_> {
    /// Names the bootstrapped base system.
    pub(crate) fn base_hash(&self) -> String {
        let arguments = self.bootstrap_arguments(false);
        hash(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Arguments for mmdebstrap(1), without the file to write.
    ///
    /// `expired` accepts a mirror whose Release file is older than it says it may be.
    pub(crate) fn bootstrap_arguments(&self, expired: bool) -> Vec<String> {
        let mut arguments = vec![
            "--variant=minbase".to_owned(),
            format!("--include={}", PACKAGES.join(",")),
            "--format=tar".to_owned(),
            format!("--customize-hook=chroot \"$1\" sh -c '{PEERS}'"),
        ];
        arguments.extend(LEFT_OUT.map(|path| format!("--dpkgopt=path-exclude={path}")));
        if expired {
            arguments.push("--aptopt=Acquire::Check-Valid-Until \"false\"".to_owned());
        }
        arguments.push(self.0.to_owned());
        arguments
    }

    /// Unpacks the base system into a directory, which does not exist yet.
    pub(crate) async fn unpack(&self, making: &Making<'_>, root: &Path) -> Result<()> {
        let tar = bootstrap::base(making, self).await?;
        let root = root.to_owned();
        in_thread(move || unpack::unpack(&tar, &root)).await
    }
}

impl fmt::Display for Debian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "debian:{}", self.release)
    }
}

impl Origin for Debian {
    fn key<'a>(&'a self, _making: &'a Making<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            let base = Release(&self.release).base_hash();
            Ok(hash(&[base.as_str(), DEBIAN_DOCKERFILE, PEERS]))
        })
    }

    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Release(&self.release).unpack(making, root).await })
    }

    /// Pulled if a registry answers, else bootstrapped and imported.
    fn image<'a>(
        &'a self,
        making: &'a Making<'a>,
        docker: &'a Docker,
    ) -> BoxFuture<'a, Result<Option<BaseImage>>> {
        Box::pin(async {
            let release = Release(&self.release);
            let slim = format!("debian:{}-slim", self.release);
            let imported = format!(
                "{}/base-{}:{}",
                images::REPOSITORY,
                self.release,
                release.base_hash()
            );
            let base = |name: String| {
                Some(BaseImage {
                    name,
                    dockerfile: DEBIAN_DOCKERFILE,
                    ours: false,
                })
            };
            for known in [&imported, &slim] {
                if images::id_of(docker, known).await?.is_some() {
                    return Ok(base(known.clone()));
                }
            }
            match images::pull(docker, making, &slim).await {
                Ok(()) => return Ok(base(slim)),
                Err(error) => making.note(format!(
                    "no image from a registry ({error}): bootstrapping one from a Debian mirror"
                )),
            }
            let tar = bootstrap::base(making, &release).await?;
            images::import(docker, making.target, &tar, &imported).await?;
            Ok(base(imported))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootstrapping_names_every_package() {
        let arguments = Release("forky").bootstrap_arguments(true);
        let packages = format!("--include={}", PACKAGES.join(","));
        assert!(arguments.contains(&packages));
        for package in PACKAGES {
            assert!(DEBIAN_DOCKERFILE.contains(package), "{package}");
        }
        // Handed to sh(1) between apostrophes.
        assert_eq!(PEERS.matches('\'').count(), 0);
        assert!(arguments.contains(&"--aptopt=Acquire::Check-Valid-Until \"false\"".to_owned()));
        assert_eq!(arguments.last().map(String::as_str), Some("forky"));
        assert_ne!(Release("forky").base_hash(), Release("trixie").base_hash());
    }
}
