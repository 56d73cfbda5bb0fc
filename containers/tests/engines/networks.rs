//! What a container reaches, and what becomes of the networks that were made for it. These need Docker on this machine.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
};

use futures_util::StreamExt as _;
use pfs_containers::{Cache, EngineChoice, Fleet, Holder, Settings, fleet::Home};
use testcontainers::{
    bollard::{
        Docker,
        exec::{CreateExecOptions, StartExecResults},
        models::NetworkCreateRequest,
        query_parameters::{InspectNetworkOptions, ListNetworksOptionsBuilder},
    },
    core::client::docker_client_instance,
};

use crate::{open, send_around, spec, start};

async fn docker() -> Docker {
    docker_client_instance().await.unwrap()
}

/// Whether a program in the fleet's container reaches an address, and what it says if not.
async fn reaches(fleet: &Fleet, address: SocketAddr) -> Result<(), String> {
    let Home::Container(id) = &fleet.state().home else {
        panic!("no container");
    };
    let script = format!("exec 3<>/dev/tcp/{}/{}", address.ip(), address.port());
    let docker = docker().await;
    let options = CreateExecOptions {
        cmd: Some(vec!["timeout", "15", "bash", "-c", &script]),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..Default::default()
    };
    let exec = docker.create_exec(id, options).await.unwrap().id;
    let started = docker.start_exec(&exec, None).await.unwrap();
    let StartExecResults::Attached { mut output, .. } = started else {
        panic!("not attached");
    };
    let mut said = String::new();
    while let Some(chunk) = output.next().await {
        said += &chunk.unwrap().to_string();
    }
    match docker.inspect_exec(&exec).await.unwrap().exit_code {
        Some(0) => Ok(()),
        // It would have been silent, and killed: no way to know that nothing was sent.
        Some(124) => panic!("no answer from {address}: {said}"),
        _ => Err(said),
    }
}

/// The addresses of this machine that its containers have no business at: that of Docker's own network, and the one that
/// it has in the world, if any.
fn others(harness: IpAddr) -> Vec<TcpListener> {
    let towards = |peer: Ipv4Addr| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect((peer, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    // Docker's default, and TEST-NET-1 (RFC 5737).
    let peers = [Ipv4Addr::new(172, 17, 0, 1), Ipv4Addr::new(192, 0, 2, 1)];
    let mut own: Vec<IpAddr> = peers.into_iter().filter_map(towards).collect();
    own.retain(|address| *address != harness);
    own.dedup();
    let listen = |address| {
        let listener = TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener
    };
    own.into_iter().map(listen).collect()
}

async fn names_of(label: &str) -> Vec<String> {
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let found = docker().await.list_networks(Some(options)).await.unwrap();
    found.into_iter().filter_map(|one| one.name).collect()
}

/// A holder in a cache of its own whose lock is held as long as the file is.
fn holder(cache: &Cache, name: &str) -> (Holder, std::fs::File) {
    let path = cache.directory().join(name);
    let file = std::fs::File::create(&path).unwrap();
    file.lock_shared().unwrap();
    (Holder::new(cache, &path).unwrap(), file)
}

#[tokio::test]
async fn a_container_reaches_the_harness_and_nobody_else() {
    let engine = open(EngineChoice::Docker).await;
    let (cache, other_cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let caches = [&cache, &other_cache].map(|directory| Cache::at(directory.path()));
    let (mut fleets, mut held) = (Vec::new(), Vec::new());
    for (cache, name) in caches.iter().zip(["inside", "other"]) {
        let (holder, file) = holder(cache, "lock");
        let mut spec = spec(&*engine, name).await;
        spec.holder = Some(holder.clone());
        held.push((holder, file));
        fleets.push(start(&*engine, &spec).await);
    }
    let [fleet, neighbour] = fleets.as_slice() else {
        panic!("two of them");
    };
    // Two caches have nothing in common, not even the address at which their ports are claimed.
    assert_ne!(fleet.harness_address(), neighbour.harness_address());
    send_around(fleet, "to the harness and back").await;
    let near = TcpListener::bind((fleet.harness_address(), 0)).unwrap();
    reaches(fleet, near.local_addr().unwrap()).await.unwrap();
    // Whoever is somewhere else, on this machine or on another one.
    let others = others(fleet.harness_address());
    assert!(!others.is_empty());
    let mut away: Vec<SocketAddr> = others.iter().map(|one| one.local_addr().unwrap()).collect();
    away.push((Ipv4Addr::new(192, 0, 2, 1), 25).into());
    away.push(neighbour.address_of(neighbour.state().inject_port));
    for address in away {
        let said = reaches(fleet, address).await.expect_err("leads out");
        // The address of a gateway that nobody has, or none.
        let nowhere = ["No route to host", "Network is unreachable"];
        assert!(
            nowhere.iter().any(|words| said.contains(words)),
            "{address}: {said}"
        );
    }
    for one in others {
        let error = one.accept().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "somebody has come");
    }
    for (fleet, (holder, _)) in fleets.iter().zip(&held) {
        // Not while somebody is in it.
        engine.close(holder).await.unwrap();
        send_around(fleet, "still there").await;
        fleet.stop().await.unwrap();
        let [(_, _), (label, id), (_, _)] = holder.labels();
        let marked = format!("{label}={id}");
        assert_eq!(names_of(&marked).await.len(), 1);
        engine.close(holder).await.unwrap();
        assert_eq!(names_of(&marked).await, [""; 0]);
    }
}

/// As a run leaves it that was killed.
#[tokio::test]
async fn the_network_of_a_dead_holder_is_swept_and_no_other() {
    let engine = open(EngineChoice::Docker).await;
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let (living, living_file) = holder(&cache, "living");
    let (dead, dead_file) = holder(&cache, "dead");
    for (holder, name) in [(&living, "living"), (&dead, "dead")] {
        let mut spec = spec(&*engine, name).await;
        spec.holder = Some(holder.clone());
        let fleet = start(&*engine, &spec).await;
        fleet.stop().await.unwrap();
    }
    let [_, (label, id), _] = living.labels();
    let marked = format!("{label}={id}");
    // Of another's making, with the marks of a holder that is dead and a name of its own.
    let foreign = format!("test-foreign-{}", std::process::id());
    let labels = dead.labels().map(|(name, value)| (name.to_owned(), value));
    let made = NetworkCreateRequest {
        name: foreign.clone(),
        internal: Some(true),
        labels: Some(HashMap::from(labels)),
        ..Default::default()
    };
    docker().await.create_network(made).await.unwrap();
    assert_eq!(names_of(&marked).await.len(), 3);
    drop(dead_file);
    let sweep = || pfs_containers::engine::sweep_all(Settings::new(cache.clone()));
    sweep().await;
    let left = names_of(&marked).await;
    drop(living_file);
    sweep().await;
    let last = names_of(&marked).await;
    docker().await.remove_network(&foreign).await.unwrap();
    assert!(left.len() == 2 && left.contains(&foreign), "{left:?}");
    assert_eq!(last, [foreign]);
}

/// A name is no proof: one that leads out must not be taken for ours.
#[tokio::test]
async fn a_network_of_our_name_that_is_not_ours_is_refused_and_stays() {
    let engine = open(EngineChoice::Docker).await;
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let (holder, file) = holder(&cache, "lock");
    let mut spec = spec(&*engine, "named").await;
    spec.holder = Some(holder.clone());
    let fleet = start(&*engine, &spec).await;
    fleet.stop().await.unwrap();
    let [_, (label, id), _] = holder.labels();
    let names = names_of(&format!("{label}={id}")).await;
    engine.close(&holder).await.unwrap();
    let [name] = names.as_slice() else {
        panic!("{names:?}");
    };
    let made = NetworkCreateRequest {
        name: name.clone(),
        ..Default::default()
    };
    docker().await.create_network(made).await.unwrap();
    let refused = engine
        .start(&spec)
        .await
        .err()
        .map(|error| error.to_string());
    engine.close(&holder).await.unwrap();
    drop(file);
    engine.sweep().await.unwrap();
    let found = docker()
        .await
        .inspect_network(name, None::<InspectNetworkOptions>)
        .await;
    docker().await.remove_network(name).await.unwrap();
    assert!(found.is_ok());
    let refused = refused.expect("not joined");
    assert!(refused.contains("not made by pfs"), "{refused}");
}
