//! Name servers of a fleet: that they answer, that they follow a change, and whose words are told when they do not.

use std::{fs, time::Duration};

use pfs_containers::{
    EngineChoice, Error, FleetSpec, NameService, Target,
    dns::{Record, RecordData, Zone, ZoneState},
    fleet::{Home, Names},
    silent,
};
use rstest::rstest;
use testcontainers::{
    GenericBuildableImage, bollard::query_parameters::RemoveImageOptions,
    runners::AsyncBuilder as _,
};
use tokio::time::{Instant, timeout};

use crate::{
    SOON, assert_nothing_left,
    mail::{image_of, processes_of},
    open, send_around, spec, start,
};

fn zone(name: &str, state: ZoneState, records: &[(&str, RecordData)]) -> Zone {
    Zone {
        name: name.to_owned(),
        state,
        records: records
            .iter()
            .map(|(owner, data)| Record {
                owner: (*owner).to_owned(),
                data: data.clone(),
            })
            .collect(),
    }
}

/// Zones of every state, one of them with a record that nsd does not serve.
fn zones() -> Vec<Zone> {
    let states = [
        ZoneState::Unsigned,
        ZoneState::ExpiredSignatures,
        ZoneState::WrongKey,
        ZoneState::NoDenial,
        ZoneState::NotServed,
    ];
    let faulty = states.map(|state| zone(&format!("{}.test", state.as_str()), state, &[]));
    let good = [
        zone(
            "example.test",
            ZoneState::Signed,
            &[("mail.example.test", RecordData::Harness)],
        ),
        zone(
            "short.test",
            ZoneState::Signed,
            &[("_25._tcp.mail.short.test", RecordData::Tlsa(vec![3]))],
        ),
    ];
    good.into_iter().chain(faulty).collect()
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn zones_are_served_and_signed_anew_with_every_change(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let mut spec = spec(&*engine, "names").await;
    spec.dns = Some(NameService {
        zones: zones(),
        silences: Vec::new(),
    });
    let fleet = start(&*engine, &spec).await;
    assert_eq!(fleet.state().names, Names::Served);
    send_around(&fleet, "with name servers").await;

    // `reconfigure` returns once the name servers of the new generation have answered.
    for generation in 1..=3 {
        spec.generation = generation;
        let mut zones = zones();
        zones.push(zone(
            &format!("new-{generation}.test"),
            ZoneState::Signed,
            &[],
        ));
        spec.dns = Some(NameService {
            zones,
            silences: Vec::new(),
        });
        assert!(fleet.can_reconfigure(&spec));
        fleet.reconfigure(&spec).await.unwrap();
        if let Home::Directory { path, .. } = &fleet.state().home {
            let signed = path.join(format!(
                "root/etc/postfix/pfs/dns/run/new-{generation}.test.signed"
            ));
            let text = fs::read_to_string(&signed).unwrap();
            assert!(text.contains("RRSIG"), "{text}");
        }
    }
    send_around(&fleet, "still there").await;
    fleet.stop().await.unwrap();
    timeout(SOON, fleet.ended()).await.unwrap();
    assert_nothing_left(&*engine, fleet.state()).await;
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn a_fleet_without_name_servers_gets_them_by_a_new_start(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let mut spec = spec(&*engine, "nameless").await;
    let fleet = start(&*engine, &spec).await;
    assert_eq!(fleet.state().names, Names::NotWanted);
    spec.dns = Some(NameService::default());
    assert!(!fleet.can_reconfigure(&spec));
    fleet.stop().await.unwrap();
}

#[rstest]
#[case::docker(EngineChoice::Docker)]
#[case::chroot(EngineChoice::Chroot)]
#[tokio::test]
async fn the_tools_say_why(#[case] engine: EngineChoice) {
    let engine = open(engine).await;
    let mut spec = spec(&*engine, "bad-zone").await;
    let alias = RecordData::Cname("mail.example.test".to_owned());
    // nsd refuses a zone with an alias that has other data.
    let records = [
        ("a.example.test", alias),
        ("a.example.test", RecordData::Harness),
    ];
    spec.dns = Some(NameService {
        zones: vec![zone("example.test", ZoneState::Signed, &records)],
        silences: Vec::new(),
    });
    let began = Instant::now();
    let error = engine.start(&spec).await.err().expect("nsd refuses that");
    let Error::NameServers { words, .. } = &error else {
        panic!("{error}")
    };
    assert!(words.iter().any(|line| line.contains("CNAME")), "{error}");
    assert!(!error.is_usage());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_fleet_ends_with_its_name_servers() {
    let engine = open(EngineChoice::Chroot).await;
    for name in ["nsd", "unbound"] {
        let mut spec = spec(&*engine, &format!("without-{name}")).await;
        spec.dns = Some(NameService::default());
        let fleet = start(&*engine, &spec).await;
        let Home::Directory { path, .. } = &fleet.state().home else {
            panic!("a container")
        };
        let killed = processes_of(path, 0)
            .iter()
            .filter(|process| {
                let command = fs::read_to_string(format!("{process}/cmdline"));
                command.unwrap_or_default().starts_with(name)
            })
            .filter(|process| {
                let pid = process.rsplit('/').next().unwrap().parse().unwrap();
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok()
            })
            .count();
        assert!(killed > 0, "no {name} runs");
        let ended = timeout(SOON, fleet.ended()).await;
        assert!(ended.is_ok(), "{name}: {:#?}", fleet.log().tail());
        fleet.stop().await.unwrap();
        assert_nothing_left(&*engine, fleet.state()).await;
    }
}

#[tokio::test]
async fn an_image_without_name_servers() {
    let engine = open(EngineChoice::Docker).await;
    let built = spec(&*engine, "no-nsd").await;
    let base = image_of(built.target.name()).await;
    let _image = GenericBuildableImage::new("localhost/pfs-test-no-nsd", "1")
        .with_dockerfile_string(format!("FROM {base}\nRUN rm /usr/sbin/nsd\n"))
        .build_image()
        .await
        .unwrap();
    let target = Target::parse("no-nsd=image:localhost/pfs-test-no-nsd:1").unwrap();
    let facts = engine.prepare(&target, &silent()).await.unwrap();
    let mut spec = FleetSpec::new(built.id, target, &facts);
    spec.dns = Some(NameService::default());
    let fleet = start(&*engine, &spec).await;
    assert_eq!(fleet.state().names, Names::Missing(vec!["nsd".to_owned()]));
    // Whatever needs no names works as ever, also after a change.
    send_around(&fleet, "in an image without nsd").await;
    spec.generation = 1;
    fleet.reconfigure(&spec).await.unwrap();
    send_around(&fleet, "once more").await;
    fleet.stop().await.unwrap();
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    docker
        .remove_image(
            "localhost/pfs-test-no-nsd:1",
            None::<RemoveImageOptions>,
            None,
        )
        .await
        .unwrap();
}
