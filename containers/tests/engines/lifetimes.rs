//! Who keeps a fleet running, and who does not.

use std::{net::SocketAddr, time::Duration};

use pfs_containers::{
    Cache, EngineChoice, FleetState, Lifetime, Settings,
    owned::{Owned, Purpose},
};
use rstest::rstest;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{Instant, interval, timeout},
};

use crate::{SOON, assert_nothing_left, children, open, send_around, spec, start};

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
