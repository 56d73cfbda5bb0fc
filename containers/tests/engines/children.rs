//! Other processes that start and join fleets: this test program again, which runs the same test once more and is told by
//! its environment to play the other part.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use pfs_containers::{EngineChoice, FleetState, Lifetime, NameService};

use crate::{open, send_around, spec, start};

/// Set in a child: the state of the fleet it is to join, or nothing if it is to start one.
const PART: &str = "PFS_TEST_PART";
/// What a child says before it holds its lease.
const READY: &str = "READY ";

/// Whether this process is one of the children.
pub(crate) fn is_child() -> bool {
    env::var_os(PART).is_some()
}

/// What a child does, until the other process closes the pipe or kills this one.
pub(crate) async fn act(engine: EngineChoice) {
    let engine = open(engine).await;
    let part = env::var(PART).unwrap();
    let fleet = if part.is_empty() {
        let mut spec = spec(&*engine, "owned").await;
        spec.lifetime = Lifetime::Leased {
            grace: Duration::from_secs(4),
        };
        // Its name servers end with it.
        spec.dns = Some(NameService::default());
        start(&*engine, &spec).await
    } else {
        let state: FleetState = serde_json::from_str(&part).unwrap();
        let fleet = engine.attach(&state).await.unwrap();
        send_around(&fleet, "from a joiner").await;
        fleet
    };
    println!("\n{READY}{}", serde_json::to_string(fleet.state()).unwrap());
    let lines = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    lines.await.unwrap();
}

/// A process that owns a fleet, and the fleet's state.
pub(crate) async fn owner() -> (Child, FleetState) {
    child(String::new()).await
}

/// A process that has joined a fleet, sent a message around, and holds a lease until it is killed.
pub(crate) async fn joiner(fleet: &FleetState) -> Child {
    child(serde_json::to_string(fleet).unwrap()).await.0
}

async fn child(part: String) -> (Child, FleetState) {
    // The test runner names the thread of a test by the test.
    let test = thread::current().name().unwrap().to_owned();
    let started = tokio::task::spawn_blocking(move || {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &test])
            .env(PART, part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let json = lines
            .map(Result::unwrap)
            .find_map(|line| Some(line.strip_prefix(READY)?.to_owned()));
        let state = serde_json::from_str(&json.expect("the child tells its fleet's state"));
        (child, state.unwrap())
    });
    started.await.unwrap()
}
