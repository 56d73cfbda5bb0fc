//! Images: found again by the hash of what they are made of, else built.

use std::{path::Path, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
use testcontainers::{
    GenericBuildableImage, TestcontainersError,
    bollard::{
        self, Docker,
        errors::Error as BollardError,
        models::ContainerCreateBody,
        query_parameters::{
            BuildImageOptionsBuilder, BuilderVersion, CreateContainerOptions,
            CreateImageOptionsBuilder, DownloadFromContainerOptionsBuilder,
            RemoveContainerOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder,
        },
    },
    core::BuildImageOptions,
    runners::AsyncBuilder as _,
};
use tokio::time::{Instant, timeout};
use tokio_util::io::ReaderStream;

use super::{error, is_missing};
use crate::{
    Cache, Error, Progress, ProgressEvent, Result, Target, TargetFacts, TargetKind,
    cache::in_thread,
    engine::bootstrap,
    fleet::ready::within,
    recipe::{Base, PREPARE, Recipe, hash},
};

/// Most time a registry may take to say anything at all; behind some firewalls nothing ever comes.
const REGISTRY_PATIENCE: Duration = Duration::from_secs(10);
/// Most time between two signs of life of a pull, a build or an import.
const SILENCE: Duration = Duration::from_secs(10 * 60);
/// Builds at a time: they share one disk.
const AT_ONCE: usize = 2;

/// Repository of everything built here. Its registry is this machine, so that a missing image is never looked for
/// at somebody else's.
const REPOSITORY: &str = "localhost/pfs";

/// An image to start fleets from.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) tag: String,
    pub(crate) facts: TargetFacts,
}

/// Finds a target's image, or builds it.
pub(crate) async fn prepare(
    docker: &Docker,
    cache: &Cache,
    target: &Target,
    progress: &dyn Progress,
) -> Result<Image> {
    let own = match target.kind() {
        TargetKind::Image { reference } => own_id(docker, target, reference, progress).await?,
        TargetKind::Debian { .. } => String::new(),
    };
    let recipe = Recipe::of(target, &own);
    let (name, tag) = (format!("{REPOSITORY}/{target}"), recipe.hash());
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
            let base = match &recipe.base {
                Base::Image(id) => named(docker, target, id).await?,
                Base::Debian(release) => debian(docker, cache, target, release, progress).await?,
            };
            let _slot = cache
                .slot("image", AT_ONCE, &purpose, target.name(), progress)
                .await?;
            progress.event(ProgressEvent::Building {
                target: target.name().to_owned(),
            });
            build(docker, target, &recipe, &name, &tag, &base).await?;
        }
    }
    let facts = facts(docker, cache, target, &full, &tag).await?;
    progress.event(ProgressEvent::Ready {
        target: target.name().to_owned(),
    });
    Ok(Image { name, tag, facts })
}

async fn exists(docker: &Docker, image: &str) -> Result<bool> {
    Ok(id_of(docker, image).await?.is_some())
}

async fn id_of(docker: &Docker, image: &str) -> Result<Option<String>> {
    match docker.inspect_image(image).await {
        Ok(found) => Ok(found.id),
        Err(missing) if is_missing(&missing) => Ok(None),
        Err(other) => Err(error("looking for an image")(other)),
    }
}

/// What a user's reference resolves to, pulled if this machine does not have it.
async fn own_id(
    docker: &Docker,
    target: &Target,
    reference: &str,
    progress: &dyn Progress,
) -> Result<String> {
    if let Some(id) = id_of(docker, reference).await? {
        return Ok(id);
    }
    pull(docker, target, reference, progress).await?;
    id_of(docker, reference)
        .await?
        .ok_or_else(|| Error::Docker {
            doing: format!("pulling {reference}"),
            why: "it is not there afterwards".to_owned(),
        })
}

/// A name for an image that will not move to another one, since BuildKit takes no ids.
async fn named(docker: &Docker, target: &Target, id: &str) -> Result<String> {
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

/// The base of a Debian release: pulled if a registry answers, else bootstrapped and imported.
async fn debian(
    docker: &Docker,
    cache: &Cache,
    target: &Target,
    release: &str,
    progress: &dyn Progress,
) -> Result<String> {
    let slim = format!("debian:{release}-slim");
    let imported = format!("{REPOSITORY}/base-{release}:{}", Recipe::base_hash(release));
    for known in [&imported, &slim] {
        if exists(docker, known).await? {
            return Ok(known.clone());
        }
    }
    match pull(docker, target, &slim, progress).await {
        Ok(()) => return Ok(slim),
        Err(error) => progress.event(ProgressEvent::Note {
            target: target.name().to_owned(),
            text: format!(
                "no image from a registry ({error}): bootstrapping one from a Debian mirror"
            ),
        }),
    }
    let tar = bootstrap::base(cache, target, release, progress).await?;
    import(docker, target, &tar, &imported).await?;
    Ok(imported)
}

async fn pull(
    docker: &Docker,
    target: &Target,
    image: &str,
    progress: &dyn Progress,
) -> Result<()> {
    progress.event(ProgressEvent::Pulling {
        target: target.name().to_owned(),
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

async fn import(docker: &Docker, target: &Target, tar: &Path, image: &str) -> Result<()> {
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
        target.name(),
        "importing its base into Docker",
        async {
            importing
                .await
                .map(drop)
                .map_err(error("importing a bootstrapped base"))
        },
    )
    .await
}

async fn build(
    docker: &Docker,
    target: &Target,
    recipe: &Recipe,
    name: &str,
    tag: &str,
    base: &str,
) -> Result<()> {
    let buildable = GenericBuildableImage::new(name, tag)
        .with_dockerfile_string(recipe.dockerfile)
        .with_data(recipe.prepare, "./prepare.sh");
    let options = BuildImageOptions::new().with_build_arg("BASE", base);
    let built = within(
        Instant::now() + SILENCE,
        target.name(),
        "building its image",
        async { Ok(buildable.build_image_with(options).await) },
    )
    .await?;
    match built {
        Ok(_) => Ok(()),
        Err(failed) => {
            let error = why_not_built(docker, target, recipe, base, &failed).await;
            if matches!(recipe.base, Base::Image(_)) {
                let _ = docker
                    .remove_image(base, None::<RemoveImageOptions>, None)
                    .await;
            }
            Err(error)
        }
    }
}

/// BuildKit tells a step's exit status and keeps its output to itself: asks the old builder for the words.
async fn why_not_built(
    docker: &Docker,
    target: &Target,
    recipe: &Recipe,
    base: &str,
    failed: &TestcontainersError,
) -> Error {
    let mut tail: Vec<String> = failed.to_string().lines().map(str::to_owned).collect();
    let words = timeout(SILENCE, words_of_old_builder(docker, recipe, base))
        .await
        .unwrap_or_default();
    if !words.is_empty() {
        tail = words[words.len().saturating_sub(15)..].to_vec();
    }
    if tail.iter().any(|line| {
        line.contains("no space left on device") || line.contains("No space left on device")
    }) {
        return Error::DiskFull {
            path: "/var/lib/docker".into(),
        };
    }
    Error::ImageBuild {
        target: target.name().to_owned(),
        tail,
    }
}

async fn words_of_old_builder(docker: &Docker, recipe: &Recipe, base: &str) -> Vec<String> {
    let mut context = tar::Builder::new(Vec::new());
    for (name, text) in [("Dockerfile", recipe.dockerfile), ("prepare.sh", PREPARE)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        if context
            .append_data(&mut header, name, text.as_bytes())
            .is_err()
        {
            return Vec::new();
        }
    }
    let Ok(context) = context.into_inner() else {
        return Vec::new();
    };
    let arguments = std::collections::HashMap::from([("BASE", base)]);
    let options = BuildImageOptionsBuilder::new()
        .dockerfile("Dockerfile")
        .buildargs(&arguments)
        .rm(true)
        .forcerm(true)
        .version(BuilderVersion::BuilderV1)
        .build();
    let mut output = docker
        .build_image(options, None, Some(bollard::body_full(context.into())))
        .boxed();
    let mut words = String::new();
    let mut failed = false;
    while let Some(step) = output.next().await {
        match step {
            Ok(info) => words.push_str(&info.stream.unwrap_or_default()),
            Err(error) => {
                words.push_str(&error.to_string());
                failed = true;
            }
        }
    }
    let is_id = |word: &&str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ids = words
        .lines()
        .filter_map(|line| line.trim().strip_prefix("---> "))
        .filter(is_id);
    if let Some(last) = ids.next_back() {
        forget(docker, last).await;
    }
    if !failed {
        return Vec::new();
    }
    words
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// Removes an image without a name, and those without a name that it is made of.
async fn forget(docker: &Docker, id: &str) {
    let unnamed = docker
        .inspect_image(id)
        .await
        .is_ok_and(|image| image.repo_tags.unwrap_or_default().is_empty());
    if unnamed {
        let _ = docker
            .remove_image(id, None::<RemoveImageOptions>, None)
            .await;
    }
}

/// What the image wrote down about itself when it was built; read once, then kept in the cache.
async fn facts(
    docker: &Docker,
    cache: &Cache,
    target: &Target,
    image: &str,
    tag: &str,
) -> Result<TargetFacts> {
    let path = cache
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
            read_file(docker, image, "/usr/share/pfs/facts")
                .await
                .map_err(error("reading /usr/share/pfs/facts"))
        },
    )
    .await?;
    let facts = TargetFacts::parse(target, &text)?;
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
    image: &str,
    path: &str,
) -> std::result::Result<String, BollardError> {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        ..Default::default()
    };
    let container = docker
        .create_container(None::<CreateContainerOptions>, body)
        .await?
        .id;
    let options = DownloadFromContainerOptionsBuilder::new()
        .path(path)
        .build();
    let archive: std::result::Result<Vec<_>, _> = docker
        .download_from_container(&container, Some(options))
        .try_collect()
        .await;
    let remove = RemoveContainerOptionsBuilder::new().force(true).build();
    docker.remove_container(&container, Some(remove)).await?;
    let archive = archive?.concat();
    let mut text = String::new();
    for entry in tar::Archive::new(archive.as_slice()).entries()? {
        std::io::Read::read_to_string(&mut entry?, &mut text)?;
    }
    Ok(text)
}
