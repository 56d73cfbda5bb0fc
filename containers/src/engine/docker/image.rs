//! Images: found again by the hash of what they are made of, else built.

use std::{path::Path, time::Duration};

use futures_util::TryStreamExt as _;
use testcontainers::bollard::{
    Docker, errors::Error as BollardError, query_parameters::DownloadFromContainerOptionsBuilder,
};
use tokio::time::Instant;

use crate::{
    Cache, Error, Progress, ProgressEvent, Result, Target, TargetFacts,
    cache::in_thread,
    fleet::ready::within,
    images::{self, REPOSITORY, Shell, error},
    owned::{Purpose, Unfinished},
    recipe::{FACTS_PATH, OWN_DOCKERFILE},
    source::{BaseImage, Making, Origin, root_key},
};

/// Builds at a time: they share one disk.
const AT_ONCE: usize = 2;

/// An image to start fleets from.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) tag: String,
    /// Docker's own, another one after every build.
    pub(crate) id: String,
    pub(crate) facts: TargetFacts,
}

/// Finds a target's image, or builds it.
pub(crate) async fn prepare(
    docker: &Docker,
    cache: &Cache,
    target: &Target,
    progress: &dyn Progress,
) -> Result<Image> {
    let making = Making {
        target: target.name(),
        cache,
        progress,
    };
    let origin = target.source().origin();
    if let Some(why) = origin.not_in_docker() {
        return Err(Error::TargetNeedsChroot {
            target: target.name().to_owned(),
            why: why.to_owned(),
        });
    }
    let (name, tag) = (
        format!("{REPOSITORY}/{target}"),
        root_key(&origin.key(&making).await?),
    );
    let full = format!("{name}:{tag}");
    if !exists(docker, &full).await? {
        let purpose = format!("building the image of {target}");
        let _one = cache
            .lock(
                &format!("image-{target}-{tag}"),
                &purpose,
                target.name(),
                progress,
            )
            .await?;
        if !exists(docker, &full).await? {
            let base = match origin.image(&making, docker).await? {
                Some(base) => base,
                None => imported(docker, &making, origin, &tag).await?,
            };
            let _slot = cache
                .slot("image", AT_ONCE, &purpose, target.name(), progress)
                .await?;
            progress.event(ProgressEvent::Building {
                target: target.name().to_owned(),
            });
            super::build::build(docker, target, &base, &name, &tag).await?;
        }
    }
    let id = images::id_of(docker, &full)
        .await?
        .ok_or_else(|| Error::Docker {
            doing: format!("building {full}"),
            why: "it is not there afterwards".to_owned(),
        })?;
    let facts = facts(docker, &making, target, &full, &tag).await?;
    progress.event(ProgressEvent::Ready {
        target: target.name().to_owned(),
    });
    Ok(Image {
        name,
        tag,
        id,
        facts,
    })
}

async fn exists(docker: &Docker, image: &str) -> Result<bool> {
    Ok(images::id_of(docker, image).await?.is_some())
}

/// An image of a root that a source has filled.
async fn imported(
    docker: &Docker,
    making: &Making<'_>,
    origin: &dyn Origin,
    tag: &str,
) -> Result<BaseImage> {
    let name = format!("{REPOSITORY}/base-{}:{tag}", making.target);
    let base = BaseImage {
        name: name.clone(),
        dockerfile: OWN_DOCKERFILE,
        ours: true,
    };
    if exists(docker, &name).await? {
        return Ok(base);
    }
    if !rustix::process::geteuid().is_root() {
        return Err(making.unusable("making its root file system takes root"));
    }
    let unfinished = making.cache.subdirectory("roots")?.join(format!(
        "{}-{tag}.new-{}",
        making.target,
        std::process::id()
    ));
    // Only needed while the image is made.
    let unfinished = Unfinished::make(&unfinished, Purpose::Root)?;
    let (root, tar) = (
        unfinished.path().join("root"),
        unfinished.path().join("root.tar"),
    );
    let made = async {
        origin.fill(making, &root).await?;
        let written = tar.clone();
        in_thread(move || pack(&root, &written)).await?;
        images::import(docker, making.target, &tar, &name).await
    };
    let made = made.await;
    unfinished.discard().await;
    made.map(|()| base)
}

/// A root file system as a tar file, without the device nodes, which a container has of its own.
fn pack(root: &Path, tar: &Path) -> Result<()> {
    let file = std::fs::File::create(tar).map_err(Error::io("creating", tar))?;
    let mut archive = tar::Builder::new(std::io::BufWriter::with_capacity(1 << 20, file));
    archive.follow_symlinks(false);
    let written = || -> std::io::Result<()> {
        for entry in std::fs::read_dir(root)? {
            let (entry, path) = {
                let entry = entry?;
                (entry.file_type()?, entry.path())
            };
            let name = path.file_name().unwrap_or_default();
            match entry.is_dir() {
                true if name == "dev" => archive.append_dir(name, &path)?,
                true => archive.append_dir_all(name, &path)?,
                false => archive.append_path_with_name(&path, name)?,
            }
        }
        archive.into_inner()?.into_inner()?.sync_data()
    };
    written().map_err(Error::io("packing", root))
}

/// What the image wrote down about itself when it was built; read once, then kept in the cache.
async fn facts(
    docker: &Docker,
    making: &Making<'_>,
    target: &Target,
    image: &str,
    tag: &str,
) -> Result<TargetFacts> {
    let path = making
        .cache
        .subdirectory("facts")?
        .join(format!("{target}-{tag}.json"));
    let known = std::fs::read(&path)
        .ok()
        .and_then(|json| serde_json::from_slice::<TargetFacts>(&json).ok());
    if let Some(facts) = known {
        return Ok(facts);
    }
    let text = within(
        Instant::now() + Duration::from_secs(60),
        target.name(),
        "reading its facts",
        async {
            let shell = Shell::create(docker, making, image).await?;
            let read = read_file(docker, &shell, FACTS_PATH).await;
            shell.remove(docker).await;
            read.map_err(error("reading what it is"))
        },
    )
    .await?;
    let facts = TargetFacts::parse(target, tag, &text)?;
    if let Ok(json) = serde_json::to_vec_pretty(&facts) {
        let written = path.clone();
        in_thread(move || {
            let partial = written.with_extension(format!("partial-{}", std::process::id()));
            std::fs::write(&partial, json).map_err(Error::io("writing", &partial))?;
            std::fs::rename(&partial, &written).map_err(Error::io("renaming", &partial))
        })
        .await?;
    }
    Ok(facts)
}

/// A file of an image, by way of a container that is never started.
async fn read_file(
    docker: &Docker,
    shell: &Shell,
    path: &str,
) -> std::result::Result<String, BollardError> {
    let options = DownloadFromContainerOptionsBuilder::new()
        .path(path)
        .build();
    let archive: Vec<_> = docker
        .download_from_container(&shell.id, Some(options))
        .try_collect()
        .await?;
    let archive = archive.concat();
    let mut text = String::new();
    for entry in tar::Archive::new(archive.as_slice()).entries()? {
        std::io::Read::read_to_string(&mut entry?, &mut text)?;
    }
    Ok(text)
}
