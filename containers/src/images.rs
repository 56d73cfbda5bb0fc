//! What Docker is asked about images, whichever engine runs what is in them.

use std::{collections::HashMap, path::Path, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
pub(crate) use testcontainers::bollard::Docker;
use testcontainers::{
    bollard::{
        self,
        errors::Error as BollardError,
        models::ContainerCreateBody,
        query_parameters::{
            CreateContainerOptions, CreateImageOptionsBuilder, RemoveContainerOptionsBuilder,
            TagImageOptionsBuilder,
        },
    },
    core::client::docker_client_instance,
};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, timeout},
};
use tokio_util::io::ReaderStream;

use crate::{
    Error, Holder, ProgressEvent, Result, cache::CacheLock, fleet::ready::within, recipe::hash,
    source::Making,
};

/// Most time Docker may take for an answer to a simple question.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Most time a registry may take to say anything at all; behind some firewalls nothing ever comes.
const REGISTRY_PATIENCE: Duration = Duration::from_secs(10);
/// Most time between two signs of life of a pull, a build, an import or an export.
pub(crate) const SILENCE: Duration = Duration::from_secs(10 * 60);

/// Repository of everything built here. Its registry is this machine, so that a missing image is never looked for
/// at somebody else's.
pub(crate) const REPOSITORY: &str = "localhost/pfs";

/// The Docker that answers here.
pub(crate) async fn open() -> Result<Docker> {
    let unreachable = |why: String| Error::DockerUnreachable { why };
    let docker = docker_client_instance()
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    match timeout(PATIENCE, docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!(
            "no answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// The id of an image; `None` if this machine does not have it.
pub(crate) async fn id_of(docker: &Docker, image: &str) -> Result<Option<String>> {
    match docker.inspect_image(image).await {
        Ok(found) => Ok(found.id),
        Err(missing) if is_missing(&missing) => Ok(None),
        Err(other) => Err(error("looking for an image")(other)),
    }
}

/// A name for an image that will not move to another one, since BuildKit takes no ids.
pub(crate) async fn named(docker: &Docker, target: &str, id: &str) -> Result<String> {
    let repository = format!("{REPOSITORY}/base-{target}");
    let tag = hash(&[id]);
    let options = TagImageOptionsBuilder::new()
        .repo(&repository)
        .tag(&tag)
        .build();
    docker
        .tag_image(id, Some(options))
        .await
        .map_err(error("naming an image"))?;
    Ok(format!("{repository}:{tag}"))
}

/// Pulls an image from its registry.
pub(crate) async fn pull(docker: &Docker, making: &Making<'_>, image: &str) -> Result<()> {
    making.progress.event(ProgressEvent::Pulling {
        target: making.target.to_owned(),
        image: image.to_owned(),
    });
    let doing = format!("pulling {image}");
    // Without a tag, Docker would pull every one there is.
    let last = image.rsplit('/').next().unwrap_or(image);
    let tagged = if last.contains([':', '@']) {
        image.to_owned()
    } else {
        format!("{image}:latest")
    };
    let options = CreateImageOptionsBuilder::new().from_image(&tagged).build();
    let mut pulling = docker.create_image(Some(options), None, None).boxed();
    let mut patience = REGISTRY_PATIENCE;
    loop {
        match timeout(patience, pulling.next()).await {
            Ok(Some(Ok(_))) => patience = SILENCE,
            Ok(Some(Err(why))) => return Err(error(&doing)(why)),
            Ok(None) => return Ok(()),
            Err(_) => {
                let why = format!("no sign of life for {} s", patience.as_secs());
                return Err(Error::Docker { doing, why });
            }
        }
    }
}

/// Makes an image of a root file system in a tar file.
pub(crate) async fn import(docker: &Docker, target: &str, tar: &Path, image: &str) -> Result<()> {
    let file = tokio::fs::File::open(tar)
        .await
        .map_err(Error::io("opening", tar))?;
    let (repository, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(repository)
        .tag(tag)
        .build();
    let body = bollard::body_try_stream(ReaderStream::with_capacity(file, 1 << 18));
    let importing = docker
        .create_image(Some(options), Some(body), None)
        .try_collect::<Vec<_>>();
    within(
        Instant::now() + SILENCE,
        target,
        "importing its root into Docker",
        async {
            importing
                .await
                .map(drop)
                .map_err(error("importing a root file system"))
        },
    )
    .await
}

/// A container that is never started, to look into an image. One that is left over, since this process was killed, is found
/// by whoever comes next: it is marked by a lock that dies with this process.
pub(crate) struct Shell {
    pub(crate) id: String,
    _lock: CacheLock,
}

impl Shell {
    pub(crate) async fn create(docker: &Docker, making: &Making<'_>, image: &str) -> Result<Shell> {
        let Making { target, cache, .. } = making;
        let name = format!("container-{target}");
        let purpose = format!("looking into the image of {target}");
        let lock = cache.lock(&name, &purpose, target, making.progress).await?;
        let path = cache.directory().join("locks").join(format!("{name}.lock"));
        let labels = Holder::new(cache, &path)?.labels();
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(vec!["true".to_owned()]),
            labels: Some(HashMap::from(
                labels.map(|(name, value)| (name.to_owned(), value)),
            )),
            ..Default::default()
        };
        let created = docker.create_container(None::<CreateContainerOptions>, body);
        Ok(Shell {
            id: created.await.map_err(error("creating a container"))?.id,
            _lock: lock,
        })
    }

    pub(crate) async fn remove(self, docker: &Docker) {
        let force = RemoveContainerOptionsBuilder::new().force(true).build();
        let _ = docker.remove_container(&self.id, Some(force)).await;
    }
}

/// Writes the root file system of an image into a tar file.
pub(crate) async fn export(
    docker: &Docker,
    making: &Making<'_>,
    image: &str,
    tar: &Path,
) -> Result<()> {
    let shell = Shell::create(docker, making, image).await?;
    let written = within(
        Instant::now() + SILENCE,
        making.target,
        "unpacking its image",
        async {
            let mut file = tokio::fs::File::create(tar)
                .await
                .map_err(Error::io("creating", tar))?;
            let mut chunks = docker.export_container(&shell.id);
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(error("exporting an image"))?;
                file.write_all(&chunk)
                    .await
                    .map_err(Error::io("writing", tar))?;
            }
            file.flush().await.map_err(Error::io("writing", tar))
        },
    )
    .await;
    shell.remove(docker).await;
    written
}

/// Wraps Docker's answer with what was being done.
pub(crate) fn error(doing: &str) -> impl FnOnce(BollardError) -> Error {
    let doing = doing.to_owned();
    move |error| match error {
        BollardError::DockerResponseServerError { message, .. }
            if message.contains("no space left on device") =>
        {
            Error::DiskFull {
                path: "/var/lib/docker".into(),
            }
        }
        BollardError::DockerResponseServerError { message, .. } => Error::Docker {
            doing,
            why: message,
        },
        other => Error::Docker {
            doing,
            why: other.to_string(),
        },
    }
}

/// Whether there is nothing of that name.
pub(crate) fn is_missing(error: &BollardError) -> bool {
    matches!(
        error,
        BollardError::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}
