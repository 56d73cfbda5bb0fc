//! Other processes that start and join fleets: this test program again, asked for one of the tests here.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use pfs_containers::{EngineChoice, FleetState, Lifetime};

use crate::{open, send_around, spec, start};

const ENGINE: &str = "PFS_TEST_ENGINE";
const STATE: &str = "PFS_TEST_STATE";

/// Runs one of the children below.
fn child(test: &str, engine: EngineChoice, state: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            &format!("children::{test}"),
        ])
        .env(ENGINE, format!("{engine:?}").to_lowercase())
        .env(STATE, state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A process that owns a fleet, and the fleet's state.
pub(crate) fn owner(engine: EngineChoice) -> (Child, FleetState) {
    let mut child = child("owns_a_fleet", engine, "");
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let json = lines
        .map(Result::unwrap)
        .find_map(|line| Some(line.split_once("STATE ")?.1.to_owned()));
    let state = serde_json::from_str(&json.expect("the child tells its fleet's state")).unwrap();
    (child, state)
}

/// A process that has joined a fleet, sent a message around, and holds a lease until it is killed.
pub(crate) fn joiner(engine: EngineChoice, state: &FleetState) -> Child {
    let mut child = child(
        "joins_a_fleet",
        engine,
        &serde_json::to_string(state).unwrap(),
    );
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().contains("JOINED")),
        "the child joins"
    );
    child
}

async fn engine() -> Box<dyn pfs_containers::Engine> {
    let engine: EngineChoice = env::var(ENGINE)
        .expect("run by another test")
        .parse()
        .unwrap();
    open(engine).await
}

/// Until the other process closes the pipe or kills this one.
async fn hold() {
    let lines = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    lines.await.unwrap();
}

#[tokio::test]
#[ignore = "run as a process of its own by other tests"]
async fn owns_a_fleet() {
    let engine = engine().await;
    let mut spec = spec(&*engine, "owned").await;
    spec.lifetime = Lifetime::Leased {
        grace: Duration::from_secs(4),
    };
    let fleet = start(&*engine, &spec).await;
    println!("\nSTATE {}", serde_json::to_string(fleet.state()).unwrap());
    hold().await;
}

#[tokio::test]
#[ignore = "run as a process of its own by other tests"]
async fn joins_a_fleet() {
    let engine = engine().await;
    let state: FleetState = serde_json::from_str(&env::var(STATE).unwrap()).unwrap();
    let fleet = engine.attach(&state).await.unwrap();
    send_around(&fleet, "from a joiner").await;
    println!("\nJOINED");
    hold().await;
}
