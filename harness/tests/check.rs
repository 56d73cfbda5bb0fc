//! `pfs check`, and what `pfs run --bisect` tells git where nothing is started. No Docker, no root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SCENARIO: &str = "why = \"w\"\nserver = { postfix = {} }\nclient = { rustls = {} }\n";
const SNAPSHOT: &str = "---\nsource: scenarios/run.rs\n---\n[server log]\nsmtpd: x\n";

fn pfs(cache: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfs"));
    let command = command.args(arguments).env("PFS_CACHE", cache);
    let command = command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    command.env_remove("PFS_TARGETS").output().unwrap()
}

fn all(output: &Output) -> String {
    let of = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    of(&output.stdout) + &of(&output.stderr)
}

#[test]
fn the_committed_scenarios_are_well() {
    let cache = tempfile::tempdir().unwrap();
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let checked = pfs(cache.path(), &["check", "--scenarios", dir]);
    assert!(checked.status.success(), "{}", all(&checked));
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn what_is_wrong_with_snapshots_is_told() {
    let (cache, at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let topic = at.path().join("mine");
    let snapshots = topic.join("snapshots");
    fs::create_dir_all(&snapshots).unwrap();
    fs::write(topic.join("one.toml"), SCENARIO).unwrap();
    let dir = at.path().display().to_string();
    let check = || pfs(cache.path(), &["check", "--scenarios", &dir]);
    // One that keeps none.
    let checked = check();
    assert!(checked.status.success(), "{}", all(&checked));
    let write = |name: &str, text: &str| fs::write(snapshots.join(name), text).unwrap();
    let wrong = |what: &str| {
        let checked = check();
        assert_eq!(checked.status.code(), Some(1), "{}", all(&checked));
        assert!(all(&checked).contains(what), "{}", all(&checked));
    };
    for target in ["debian-11", "debian-12", "debian-testing"] {
        write(&format!("one@{target}.snap"), SNAPSHOT);
    }
    wrong("one@debian-13.snap: there is no such snapshot");
    write("one@debian-13.snap", "---\nsource: scenarios/run.rs\n---\n");
    wrong("no witness says anything");
    write("one@debian-13.snap", SNAPSHOT);
    let checked = check();
    assert!(checked.status.success(), "{}", all(&checked));
    assert!(all(&checked).contains("1 cases and 4 snapshots"));
    // Of an own target it is nobody's to remove.
    write("one@mine.snap", SNAPSHOT);
    assert!(check().status.success());
    write("gone@debian-13.snap", SNAPSHOT);
    wrong("gone@debian-13.snap: of no case");
    fs::write(topic.join("two.toml"), "why = 1\n").unwrap();
    assert_eq!(check().status.code(), Some(2));
}

#[test]
fn git_stops_for_what_is_wrong_and_skips_what_is_broken() {
    let (cache, at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let case = at.path().join("one.toml");
    fs::write(&case, SCENARIO).unwrap();
    let case = case.display().to_string();
    let bisect = |arguments: &[&str]| {
        let mut all = vec!["run", "--bisect"];
        all.extend(arguments);
        pfs(cache.path(), &all).status.code()
    };
    assert_eq!(bisect(&[&case, "no-such-case"]), Some(129));
    assert_eq!(bisect(&[&case, "--target", "no-such-target"]), Some(129));
    assert_eq!(bisect(&[&case, "--engine", "docker"]), Some(125));
}
