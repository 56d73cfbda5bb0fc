//! An image of the user's: in Docker as it is, unpacked for the chroot engine.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::{BaseImage, Making, Origin, unpack};
use crate::{
    BoxFuture, Error, Result,
    cache::in_thread,
    images::{self, Docker},
    recipe::{OWN_DOCKERFILE, hash},
};

/// An image by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Image {
    /// What `docker run` would take.
    pub reference: String,
}

impl Image {
    pub(super) fn parse(reference: &str) -> Result<Image, String> {
        let plain = !reference.is_empty()
            && !reference.starts_with(['-', ':', '@'])
            && reference
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._/:@".contains(c));
        if !plain {
            return Err("the part after `image:` is not an image reference".to_owned());
        }
        Ok(Image {
            reference: reference.to_owned(),
        })
    }

    /// What the reference resolves to, pulled if this machine does not have it.
    async fn id(&self, making: &Making<'_>, docker: &Docker) -> Result<String> {
        let reference = &self.reference;
        if let Some(id) = images::id_of(docker, reference).await? {
            return Ok(id);
        }
        images::pull(docker, making, reference).await?;
        images::id_of(docker, reference)
            .await?
            .ok_or_else(|| Error::Docker {
                doing: format!("pulling {reference}"),
                why: "it is not there afterwards".to_owned(),
            })
    }

    /// Docker, which has the image whatever engine it is for.
    async fn docker(&self, making: &Making<'_>) -> Result<Docker> {
        images::open().await.map_err(|error| {
            making.unusable(format!("Docker has the image {}: {error}", self.reference))
        })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "image:{}", self.reference)
    }
}

impl Origin for Image {
    fn key<'a>(&'a self, making: &'a Making<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            let docker = self.docker(making).await?;
            let id = self.id(making, &docker).await?;
            Ok(hash(&[id.as_str(), OWN_DOCKERFILE]))
        })
    }

    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let docker = self.docker(making).await?;
            let id = self.id(making, &docker).await?;
            let exported = unpack::Temporary::beside(root, "tar")?;
            images::export(&docker, making, &id, &exported.path).await?;
            let root = root.to_owned();
            in_thread(move || unpack::unpack(&exported.path, &root)).await
        })
    }

    fn image<'a>(
        &'a self,
        making: &'a Making<'a>,
        docker: &'a Docker,
    ) -> BoxFuture<'a, Result<Option<BaseImage>>> {
        Box::pin(async {
            let id = self.id(making, docker).await?;
            // BuildKit takes no ids, and the reference may move to another image.
            let name = images::named(docker, making.target, &id).await?;
            Ok(Some(BaseImage {
                name,
                dockerfile: OWN_DOCKERFILE,
                ours: true,
            }))
        })
    }
}
