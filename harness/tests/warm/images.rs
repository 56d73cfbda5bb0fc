//! A name says nothing of an image. This needs Docker.

use std::path::Path;

use pfs_containers::{Cache, EngineChoice, Settings, Target, silent};
use testcontainers::bollard::{
    Docker, body_full,
    models::{ContainerConfig, ContainerCreateBody},
    query_parameters::{
        CommitContainerOptionsBuilder, CreateContainerOptions, ListImagesOptions,
        RemoveContainerOptions, RemoveImageOptions, UploadToContainerOptionsBuilder,
    },
};
use testcontainers::core::client::docker_client_instance;

use crate::place::{Place, Said};

/// The image that was made for a target last.
async fn image_of(docker: &Docker, target: &str) -> String {
    let engine = EngineChoice::Docker
        .open(Settings::new(Cache::of_user()))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let target = Target::parse(target).unwrap();
    engine.prepare(&target, &silent()).await.unwrap();
    let prefix = format!("localhost/pfs/{target}:");
    let mut images = docker.list_images(None::<ListImagesOptions>).await.unwrap();
    images.sort_by_key(|image| image.created);
    let mut tags = images.into_iter().flat_map(|image| image.repo_tags);
    tags.rfind(|tag| tag.starts_with(&prefix)).unwrap()
}

/// Makes `name` an image like another one, but for one program.
async fn with_program(docker: &Docker, like: &str, name: &str, program: &str, text: &str) {
    let body = ContainerCreateBody {
        image: Some(like.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        ..Default::default()
    };
    let made = docker.create_container(None::<CreateContainerOptions>, body);
    let container = made.await.unwrap().id;
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o755);
    header.set_size(text.len() as u64);
    archive
        .append_data(&mut header, program, text.as_bytes())
        .unwrap();
    let archive = body_full(archive.into_inner().unwrap().into());
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    docker
        .upload_to_container(&container, Some(options), archive)
        .await
        .unwrap();
    let (repository, tag) = name.rsplit_once(':').unwrap();
    let options = CommitContainerOptionsBuilder::new()
        .container(&container)
        .repo(repository)
        .tag(tag)
        .build();
    let commit = docker.commit_container(options, ContainerConfig::default());
    commit.await.unwrap();
    docker
        .remove_container(&container, None::<RemoveContainerOptions>)
        .await
        .unwrap();
}

/// Removes the images of these names, and those that were made from them for a target.
async fn forget(docker: &Docker, names: &[&str], target: &str) {
    let ours = [
        format!("localhost/pfs/{target}:"),
        format!("localhost/pfs/base-{target}:"),
    ];
    let images = docker.list_images(None::<ListImagesOptions>).await.unwrap();
    let tags = images.into_iter().flat_map(|image| image.repo_tags);
    for tag in tags.filter(|tag| {
        names.contains(&tag.as_str()) || ours.iter().any(|ours| tag.starts_with(ours))
    }) {
        let removed = docker.remove_image(&tag, None::<RemoveImageOptions>, None);
        removed.await.unwrap();
    }
}

/// A build that fails must not pass because an earlier one still runs.
#[tokio::test]
async fn another_image_of_the_same_name_is_not_served_by_the_fleet_of_the_first() {
    let docker = docker_client_instance().await.unwrap();
    let place = Place::new().await;
    let good = image_of(&docker, "debian-13").await;
    let name = format!("two-images-{}", std::process::id());
    let bad = format!("localhost/pfs-test-{name}:1");
    with_program(
        &docker,
        &good,
        &bad,
        "usr/lib/postfix/sbin/smtpd",
        "#!/bin/sh\nexit 1\n",
    )
    .await;
    let program = Path::new(env!("CARGO_BIN_EXE_pfs"));
    let pfs = |image: &str, arguments: &[&str]| {
        let target = format!("{name}=image:{image}");
        let output = place
            .command_on("docker", &target, program, arguments)
            .output();
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].concat();
        Said {
            text: String::from_utf8_lossy(&text).into_owned(),
            code: output.status.code(),
        }
    };
    let up = pfs(&good, &["up"]);
    let same = pfs(&good, &["run", "--baseline", "none"]);
    let other = pfs(&bad, &["run", "--baseline", "none"]);
    let down = pfs(&good, &["down"]);
    forget(&docker, &[&bad], &name).await;
    up.passes();
    assert!(same.text.contains("1 without a snapshot"), "{}", same.text);
    assert!(
        !other.text.contains("1 without a snapshot"),
        "{}",
        other.text
    );
    assert_ne!(other.code, Some(0), "{}", other.text);
    down.passes();
    // That of the first image: the other never came up.
    assert!(down.text.contains("1 fleets stopped"), "{}", down.text);
}
