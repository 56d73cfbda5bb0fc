//! `pfs` where nothing of a checkout stands: the scenarios are in the program. No Docker, no root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SCENARIO: &str = "why = \"w\"\nserver = { postfix = {} }\nclient = { rustls = {} }\n";

fn pfs(cache: &Path, at: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfs"));
    let command = command.args(arguments).current_dir(at);
    let output = command.env("PFS_CACHE", cache).env_remove("PFS_TARGETS");
    output.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_empty_directory_has_every_scenario_and_stays_empty() {
    let (cache, at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let listed = pfs(cache.path(), at.path(), &["list"]);
    let cases = out(&listed).lines().count();
    assert!(listed.status.success() && cases > 500, "{}", told(&listed));
    let plan = ["plan", "sni/miss", "--target", "debian-13"];
    let planned = pfs(cache.path(), at.path(), &plan);
    assert!(planned.status.success(), "{}", told(&planned));
    assert!(out(&planned).contains("sni"));
    let accepted = pfs(cache.path(), at.path(), &["run", "sni/miss", "--accept"]);
    assert_eq!(accepted.status.code(), Some(2));
    assert!(told(&accepted).contains("--export"), "{}", told(&accepted));
    assert_eq!(fs::read_dir(at.path()).unwrap().count(), 0);
}

#[test]
fn what_is_exported_wins_and_is_the_same() {
    let (cache, at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let within = out(&pfs(cache.path(), at.path(), &["list"]));
    let exported = pfs(cache.path(), at.path(), &["run", "--export", "scenarios"]);
    assert!(exported.status.success(), "{}", told(&exported));
    assert_eq!(out(&pfs(cache.path(), at.path(), &["list"])), within);
    let mine = at.path().join("scenarios/mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("first.toml"), SCENARIO).unwrap();
    assert_eq!(
        out(&pfs(cache.path(), at.path(), &["list", "mine/"])),
        "mine/first\n"
    );
    // Nothing is written over.
    let again = pfs(cache.path(), at.path(), &["run", "--export", "scenarios"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(mine.join("first.toml").exists());
}

#[test]
fn a_directory_of_that_name_without_scenarios_is_somebody_elses() {
    let (cache, at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir_all(at.path().join("scenarios/login")).unwrap();
    fs::write(at.path().join("scenarios/login/steps.feature"), "").unwrap();
    let listed = pfs(cache.path(), at.path(), &["list", "sni/miss"]);
    assert_eq!(out(&listed), "sni/miss\n", "{}", told(&listed));
}
