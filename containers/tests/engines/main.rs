//! Real fleets on both engines. These need root and Docker, and fail without.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something wrong has no other way to say so"
)]

mod children;
mod lifetimes;
mod mail;
mod names;
mod neighbours;
mod networks;
mod orphans;
mod refusals;
mod values;

use std::time::Duration;

use pfs_containers::{
    Address, Cache, Engine, EngineChoice, Fleet, FleetSpec, Settings, Target,
    config::base::{SINK_TRANSPORT, recipient},
    fleet::Home,
    silent,
};
use rstest::rstest;
use tokio::time::timeout;

/// Most time anything here may take, unless it says otherwise.
const SOON: Duration = Duration::from_secs(20);

async fn open(choice: EngineChoice) -> Box<dyn Engine> {
    choice
        .open(Settings::new(Cache::of_user()))
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A fleet with nothing special, of a name nobody else has.
async fn spec(engine: &dyn Engine, name: &str) -> FleetSpec {
    let target = Target::parse("debian-13").unwrap();
    let facts = engine
        .prepare(&target, &silent())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    FleetSpec::new(
        format!("test-{name}-{}", std::process::id()),
        target,
        &facts,
    )
}

async fn start(engine: &dyn Engine, spec: &FleetSpec) -> Fleet {
    engine
        .start(spec)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Sends a message through the fleet and back to us.
async fn send_around(fleet: &Fleet, words: &str) {
    let mut sent = fleet.log().subscribe("postfix/sink");
    let sink = mail::Sink::listen(fleet.harness_address()).await;
    let to = recipient("t", SINK_TRANSPORT, "mail.example.test", sink.port());
    let inject = fleet.address_of(fleet.state().inject_port);
    let (_, received) = timeout(SOON, async {
        tokio::join!(mail::send(inject, &to, words), sink.receive())
    })
    .await
    .unwrap_or_else(|_| panic!("no mail; the log: {:#?}", fleet.log().tail()));
    assert!(received.contains(words), "{received}");
    let line = timeout(SOON, sent.recv()).await.unwrap().unwrap();
    assert!(line.text.contains("status=sent"), "{line}");
}

/// Fails if anything of the fleet is left.
async fn assert_nothing_left(engine: &dyn Engine, fleet: &pfs_containers::FleetState) {
    match &fleet.home {
        Home::Container(id) => {
            let docker = testcontainers::core::client::docker_client_instance()
                .await
                .unwrap();
            let found = docker
                .inspect_container(
                    id,
                    None::<testcontainers::bollard::query_parameters::InspectContainerOptions>,
                )
                .await;
            assert!(found.is_err(), "container {id} is still there");
        }
        Home::Directory { path, supervisor } => {
            assert!(!path.exists(), "{} is still there", path.display());
            assert!(mail::processes_of(path, *supervisor).is_empty());
        }
    }
    let error = engine
        .attach(fleet)
        .await
        .err()
        .expect("nothing to attach to");
    assert!(!error.is_usage(), "{error}");
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn a_message_goes_around_and_nothing_is_left(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let fleet = start(&*engine, &spec(&*engine, "around").await).await;
    assert!(fleet.is_alive());
    send_around(&fleet, "once around").await;
    fleet.stop().await.unwrap();
    timeout(SOON, fleet.ended()).await.unwrap();
    timeout(SOON, fleet.log().ended()).await.unwrap();
    assert!(!fleet.is_alive());
    assert_nothing_left(&*engine, fleet.state()).await;
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn published_ports_do_the_same() {
    let settings = Settings {
        address: Address::Published,
        ..Settings::new(Cache::of_user())
    };
    let engine = EngineChoice::Docker.open(settings).await.unwrap();
    let fleet = start(&*engine, &spec(&*engine, "published").await).await;
    let address = fleet.address_of(fleet.state().inject_port);
    assert!(address.ip().is_loopback(), "{address}");
    send_around(&fleet, "through published ports").await;
    fleet.stop().await.unwrap();
    assert_nothing_left(&*engine, fleet.state()).await;
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn two_at_once_do_not_meet(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let (one, two) = (spec(&*engine, "one").await, spec(&*engine, "two").await);
    let (one, two) = tokio::join!(start(&*engine, &one), start(&*engine, &two));
    assert_ne!(one.address_of(25), two.address_of(25));
    tokio::join!(send_around(&one, "to one"), send_around(&two, "to two"));
    one.stop().await.unwrap();
    send_around(&two, "after one").await;
    two.stop().await.unwrap();
    assert_nothing_left(&*engine, one.state()).await;
    assert_nothing_left(&*engine, two.state()).await;
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn an_id_is_taken_once(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let spec = spec(&*engine, "twice").await;
    let fleet = start(&*engine, &spec).await;
    let error = engine.start(&spec).await.err().expect("the id is taken");
    assert!(error.to_string().contains("of that id run"), "{error}");
    send_around(&fleet, "still there").await;
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn a_users_own_image() {
    let engine = open(EngineChoice::Docker).await;
    let built = spec(&*engine, "own").await;
    let image = mail::image_of(built.target.name()).await;
    let target = Target::parse(&format!("own=image:{image}")).unwrap();
    let facts = engine.prepare(&target, &silent()).await.unwrap();
    assert_eq!(facts.target, "own");
    let spec = FleetSpec::new(built.id, target, &facts);
    let fleet = start(&*engine, &spec).await;
    send_around(&fleet, "in my own image").await;
    fleet.stop().await.unwrap();
}

/// What a fleet was made from decides who may join it.
#[tokio::test]
async fn an_image_that_is_built_again_is_another_one() {
    let engine = open(EngineChoice::Docker).await;
    let first = mail::image_of(spec(&*engine, "again").await.target.name()).await;
    let name = format!("localhost/pfs-test-again:{}", std::process::id());
    let target = Target::parse(&format!("again=image:{name}")).unwrap();
    let mut made_of = Vec::new();
    for comment in ["one", "two"] {
        mail::commit(&first, &name, comment).await;
        // One that has not seen the target yet, as in another run.
        let engine = open(EngineChoice::Docker).await;
        made_of.push(engine.made_of(&target).await.unwrap());
        assert_eq!(
            engine.made_of(&target).await.unwrap(),
            made_of[made_of.len() - 1]
        );
    }
    assert_ne!(made_of[0], made_of[1]);
    mail::forget_images_of(&name, "again").await;
}
