//! Fleets whose supervisor has been killed, and who ends them then. Chroot engine: a container ends with its first
//! process.

use std::{fs, time::Duration};

use pfs_containers::{EngineChoice, fleet::Home};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::{
    net::TcpStream,
    time::{Instant, interval},
};

use crate::{
    SOON, assert_nothing_left, children,
    lifetimes::{until_it_dies, until_nothing_is_left},
    open,
};

/// Kills every process whose command line names the home and this word.
fn kill(home: &std::path::Path, word: &str) -> usize {
    let mut killed = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(handle) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else {
            continue;
        };
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        if command.contains(home.to_str().unwrap()) && command.ends_with(word) {
            pidfd_send_signal(&handle, Signal::KILL).unwrap();
            killed += 1;
        }
    }
    killed
}

#[tokio::test]
async fn the_guard_ends_what_the_supervisor_cannot() {
    if children::is_child() {
        return children::act(EngineChoice::Chroot).await;
    }
    let (mut owner, state) = children::owner().await;
    let Home::Directory { path, .. } = &state.home else {
        panic!("the chroot engine")
    };
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_eq!(kill(path, "\x001.00\0"), 1, "the supervisor");
    until_it_dies(state.address_of(state.inject_port)).await;
    until_nothing_is_left(EngineChoice::Chroot, &state).await;
}

#[tokio::test]
async fn a_sweep_ends_a_master_that_nobody_watches() {
    if children::is_child() {
        return children::act(EngineChoice::Chroot).await;
    }
    let (mut owner, state) = children::owner().await;
    let Home::Directory { path, .. } = &state.home else {
        panic!("the chroot engine")
    };
    // While somebody uses it, nothing is proved.
    let engine = open(EngineChoice::Chroot).await;
    engine.sweep().await.unwrap();
    assert!(path.exists());
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_eq!(kill(path, "\0orphaned\0"), 1, "the guard");
    assert_eq!(kill(path, "\x001.00\0"), 1, "the supervisor");
    let inject = state.address_of(state.inject_port);
    TcpStream::connect(inject).await.expect("master lives on");
    let deadline = Instant::now() + SOON;
    let mut looks = interval(Duration::from_millis(20));
    // The lock of one that is killed is free once the kernel has ended it.
    while path.exists() && Instant::now() < deadline {
        engine.sweep().await.unwrap();
        looks.tick().await;
    }
    assert_nothing_left(&*engine, &state).await;
}
