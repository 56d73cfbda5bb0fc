//! One image, built through testcontainers, and why it could not be.

use futures_util::StreamExt as _;
use testcontainers::{
    GenericBuildableImage, TestcontainersError,
    bollard::{
        self, Docker,
        query_parameters::{BuildImageOptionsBuilder, BuilderVersion, RemoveImageOptions},
    },
    core::BuildImageOptions,
    runners::AsyncBuilder as _,
};
use tokio::time::{Instant, timeout};

use crate::{
    Error, Result, Target,
    fleet::ready::within,
    images::SILENCE,
    recipe::{PEERS, PREPARE},
    source::{BaseImage, inside::shown},
};

/// Builds a target's own layer on its base.
pub(crate) async fn build(
    docker: &Docker,
    target: &Target,
    base: &BaseImage,
    name: &str,
    tag: &str,
) -> Result<()> {
    let buildable = GenericBuildableImage::new(name, tag)
        .with_dockerfile_string(base.dockerfile)
        .with_data(PEERS, "./peers.sh")
        .with_data(PREPARE, "./prepare.sh");
    let options = BuildImageOptions::new().with_build_arg("BASE", &base.name);
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
            let error = why_not_built(docker, target, base, &failed).await;
            if base.ours {
                let _ = docker
                    .remove_image(&base.name, None::<RemoveImageOptions>, None)
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
    base: &BaseImage,
    failed: &TestcontainersError,
) -> Error {
    let mut tail: Vec<String> = failed.to_string().lines().map(shown).collect();
    let words = timeout(SILENCE, words_of_old_builder(docker, base))
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

async fn words_of_old_builder(docker: &Docker, base: &BaseImage) -> Vec<String> {
    let mut context = tar::Builder::new(Vec::new());
    for (name, text) in [
        ("Dockerfile", base.dockerfile),
        ("peers.sh", PEERS),
        ("prepare.sh", PREPARE),
    ] {
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
    let arguments = std::collections::HashMap::from([("BASE", base.name.as_str())]);
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
        .map(shown)
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
