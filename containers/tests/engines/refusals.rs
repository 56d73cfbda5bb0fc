//! What goes wrong, and in whose words that is told.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use pfs_containers::{Cache, EngineChoice, Error, Settings, Target, silent};
use rstest::rstest;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use testcontainers::bollard::{self, query_parameters::CreateImageOptionsBuilder};
use tokio::{net::unix::pipe, time::Instant};

use crate::{open, spec};

#[rstest]
#[case::docker_master(EngineChoice::Docker, "inet_protocols", "pigeon", "pigeon")]
#[case::chroot_master(EngineChoice::Chroot, "inet_protocols", "pigeon", "pigeon")]
#[case::docker_smtpd(
    EngineChoice::Docker,
    "smtpd_relay_restrictions",
    "permit",
    "fatal: in parameter smtpd_relay_restrictions"
)]
#[case::chroot_smtpd(
    EngineChoice::Chroot,
    "smtpd_relay_restrictions",
    "permit",
    "fatal: in parameter smtpd_relay_restrictions"
)]
#[tokio::test]
async fn postfix_says_why(
    #[case] engine: EngineChoice,
    #[case] name: &str,
    #[case] value: &str,
    #[case] words: &str,
) {
    let engine = open(engine).await;
    let mut spec = spec(&*engine, &format!("refused-{}", name.len())).await;
    // smtpd_recipient_restrictions alone would do, too.
    spec.main_cf
        .set("smtpd_recipient_restrictions", "permit")
        .set(name, value);
    let began = Instant::now();
    let error = engine
        .start(&spec)
        .await
        .err()
        .expect("Postfix refuses that");
    let Error::Refused { words: said, .. } = &error else {
        panic!("{error}")
    };
    assert!(said.iter().any(|line| line.contains(words)), "{error}");
    assert!(!error.is_usage());
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    // The id is free again: nothing was left behind.
    spec.main_cf.set(
        name,
        if name == "inet_protocols" {
            "ipv4"
        } else {
            "permit_mynetworks, reject"
        },
    );
    let fleet = engine.start(&spec).await.unwrap();
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn an_image_without_postfix() {
    let engine = open(EngineChoice::Docker).await;
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo("localhost/pfs-test-empty")
        .tag("1")
        .build();
    let empty = bollard::body_full(vec![0; 1024].into());
    docker
        .create_image(Some(options), Some(empty), None)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let target = Target::parse("empty=image:localhost/pfs-test-empty:1").unwrap();
    let error = engine.prepare(&target, &silent()).await.unwrap_err();
    assert!(matches!(error, Error::ImageBuild { .. }), "{error}");
    assert!(error.to_string().contains("/bin/sh"), "{error}");
    docker
        .remove_image(
            "localhost/pfs-test-empty:1",
            None::<bollard::query_parameters::RemoveImageOptions>,
            None,
        )
        .await
        .unwrap();
}

// The chroot engine unpacks what Docker has.
#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn an_image_nobody_has(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let target = Target::parse("none=image:localhost:1/none:1").unwrap();
    let error = engine.prepare(&target, &silent()).await.unwrap_err();
    assert!(
        error.to_string().contains("pulling localhost:1/none:1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_bootstrap_nobody_waits_for_ends() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings::new(Cache::at(directory.path()));
    let engine = EngineChoice::Chroot.open(settings).await.unwrap();
    let target = Target::parse("debian-13").unwrap();
    let (told, mut telling) = tokio::sync::mpsc::unbounded_channel();
    let progress = move |event| told.send(event).unwrap_or_default();
    tokio::select! {
        done = engine.prepare(&target, &progress) => panic!("not so soon: {done:?}"),
        // It runs, and has begun to work.
        _ = async { for _ in 0..4 { telling.recv().await; } } => {}
    }
    // Its environment names the directory it works in.
    let name = directory.path().to_string_lossy().into_owned();
    let works_there = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut named = processes.filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&name)
        });
        named.find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            pidfd_open(Pid::from_raw(pid)?, PidfdFlags::NONBLOCK).ok()
        })
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Some(process) = works_there() {
        let ended = pipe::Receiver::from_owned_fd_unchecked(process).unwrap();
        let ended = async { ended.readable().await.unwrap() };
        tokio::time::timeout_at(deadline, ended)
            .await
            .expect("mmdebstrap still runs");
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(directory.path().to_str().unwrap()),
        "something is mounted there"
    );
    engine.sweep().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(directory.path().join("bases"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
