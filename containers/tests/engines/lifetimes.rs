//! Who keeps a fleet running, and who does not.

use std::{net::SocketAddr, time::Duration};

use pfs_containers::{
    Cache, EngineChoice, FleetState, Holder, Lifetime, Settings,
    owned::{Owned, Purpose},
};
use rstest::rstest;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{Instant, interval, timeout},
};

use crate::{SOON, assert_nothing_left, children, mail, open, send_around, spec, start};

/// Waits until an SMTP session with the fleet ends, which holds no lease.
pub(crate) async fn until_it_dies(address: SocketAddr) {
    let mut session = TcpStream::connect(address).await.unwrap();
    let mut said = Vec::new();
    let _ = timeout(Duration::from_secs(60), session.read_to_end(&mut said))
        .await
        .expect("dies within a minute");
}

/// A container removes itself just after its processes have ended.
pub(crate) async fn until_nothing_is_left(engine: EngineChoice, state: &FleetState) {
    let engine = open(engine).await;
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline && engine.attach(state).await.is_ok() {}
    if let pfs_containers::fleet::Home::Container(id) = &state.home {
        let docker = testcontainers::core::client::docker_client_instance()
            .await
            .unwrap();
        use futures_util::StreamExt as _;
        use testcontainers::bollard::query_parameters::WaitContainerOptionsBuilder;
        let removed = WaitContainerOptionsBuilder::new()
            .condition("removed")
            .build();
        let mut waiting = Box::pin(docker.wait_container(id, Some(removed)));
        let _ = timeout(SOON, waiting.next())
            .await
            .expect("the container is removed");
    }
    if let pfs_containers::fleet::Home::Directory { path, .. } = &state.home {
        // Its supervisor removes it with its last act, and tells nobody.
        let mut looks = interval(Duration::from_millis(20));
        while Instant::now() < deadline && path.exists() {
            looks.tick().await;
        }
    }
    assert_nothing_left(&*engine, state).await;
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn dies_with_its_killed_owner(#[case] engine: EngineChoice) {
    if children::is_child() {
        return children::act(engine).await;
    }
    let (mut owner, state) = children::owner().await;
    owner.kill().unwrap();
    owner.wait().unwrap();
    until_it_dies(state.address_of(state.inject_port)).await;
    until_nothing_is_left(engine, &state).await;
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn lives_while_anybody_holds_a_lease(#[case] engine: EngineChoice) {
    if children::is_child() {
        return children::act(engine).await;
    }
    let (mut owner, state) = children::owner().await;
    let mut joiner = children::joiner(&state).await;
    owner.kill().unwrap();
    owner.wait().unwrap();
    // Half as long again as the fleet of the child waits for a new owner.
    let outlived = timeout(
        Duration::from_secs(6),
        until_it_dies(state.address_of(state.inject_port)),
    )
    .await;
    assert!(outlived.is_err(), "the joiner's lease keeps it");
    let opened = open(engine).await;
    let fleet = opened.attach(&state).await.unwrap();
    send_around(&fleet, "after its owner").await;
    fleet.stop().await.unwrap();
    assert_nothing_left(&*opened, &state).await;
    joiner.kill().unwrap();
    joiner.wait().unwrap();
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn lives_forever_if_told_so(#[case] engine: EngineChoice) {
    let opened = open(engine).await;
    let mut spec = spec(&*opened, "forever").await;
    spec.lifetime = Lifetime::Forever;
    let state = start(&*opened, &spec).await.state().clone();
    let fleet = opened.attach(&state).await.unwrap();
    send_around(&fleet, "still here").await;
    fleet.stop().await.unwrap();
    assert_nothing_left(&*opened, &state).await;
}

#[tokio::test]
async fn a_sweep_takes_what_is_dead_and_leaves_what_lives() {
    let engine = open(EngineChoice::Chroot).await;
    let fleet = start(&*engine, &spec(&*engine, "swept").await).await;
    let dead = Cache::of_user()
        .directory()
        .join(format!("fleets/test-dead-{}", std::process::id()));
    drop(Owned::make(&dead, Purpose::Fleet).unwrap());
    std::fs::create_dir_all(dead.join("root/dev")).unwrap();
    assert!(engine.sweep().await.unwrap() >= 1);
    assert!(!dead.exists());
    send_around(&fleet, "not swept").await;
    fleet.stop().await.unwrap();
    let docker = EngineChoice::Docker
        .open(Settings::new(Cache::of_user()))
        .await
        .unwrap();
    docker.sweep().await.unwrap();
}

/// As a run leaves it that is killed between making a container and starting it.
#[tokio::test]
async fn a_container_never_started_is_swept_when_its_holder_is_dead() {
    let cache = tempfile::tempdir().unwrap();
    let cache = Cache::at(cache.path());
    let path = |name: &str| cache.directory().join(name);
    let holder = |name: &str| Holder::new(&cache, &path(name)).unwrap();
    let (living, dead) = (holder("living"), holder("dead"));
    let held = std::fs::File::create(path("living")).unwrap();
    held.lock_shared().unwrap();
    drop(std::fs::File::create(path("dead")).unwrap());
    let made = spec(&*open(EngineChoice::Docker).await, "made").await;
    let image = mail::image_of(made.target.name()).await;
    let made = |labels| mail::create(&image, labels);
    let labels = |holder: &Holder| {
        holder
            .labels()
            .map(|(name, value)| (name.to_owned(), value))
    };
    let mut stranger = labels(&dead);
    stranger[1].1 = "0123456789abcdef0123456789abcdef".to_owned();
    let (living, dead, stranger, nobodys) = (
        made(labels(&living).to_vec()).await,
        made(labels(&dead).to_vec()).await,
        made(stranger.to_vec()).await,
        made(Vec::new()).await,
    );
    // What a run with chroots does, too.
    pfs_containers::engine::sweep_all(Settings::new(cache.clone())).await;
    let left = (
        mail::exists(&living).await,
        mail::exists(&dead).await,
        mail::exists(&stranger).await,
        mail::exists(&nobodys).await,
    );
    drop(held);
    pfs_containers::engine::sweep_all(Settings::new(cache.clone())).await;
    let swept = !mail::exists(&living).await;
    for container in [&living, &dead, &stranger, &nobodys] {
        mail::forget(container).await;
    }
    assert_eq!(left, (true, false, true, true));
    assert!(swept);
}
