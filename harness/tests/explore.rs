//! `pfs explore` as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Output};

/// Two axes of two values each: four combinations, all pairs of them.
const SPACE: &str = r#"
[[axis]]
name = "sides"
values = [{ id = "ours", set = { "server.postfix" = {}, "client.rustls" = {} } }]

[[axis]]
name = "smtpd_tls_protocols"
key = "server.postfix.smtpd_tls_protocols"
values = ["-", "TLSv1.2"]

[[axis]]
name = "mails"
values = ["-", { id = "2", set = { "message.count" = 2 } }]
"#;

fn pfs(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfs"));
    command.arg("explore").args(arguments).output().unwrap()
}

fn all(output: &Output) -> String {
    let of = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    of(&output.stdout) + &of(&output.stderr)
}

#[test]
fn the_rules_are_listed_with_who_says_so() {
    let listed = pfs(&["--rules"]);
    assert!(listed.status.success());
    let text = all(&listed);
    for piece in [
        "  server-status\n",
        "  level-from-policy\n",
        "TLS_README, TLS policy table",
    ] {
        assert!(text.contains(piece), "{text}");
    }
}

#[test]
fn a_space_that_is_wrong_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.toml");
    fs::write(&path, SPACE.replace("key = ", "keys = ")).unwrap();
    let refused = pfs(&["--space", &path.display().to_string()]);
    assert_eq!(refused.status.code(), Some(2), "{}", all(&refused));
    assert!(all(&refused).contains("space.toml"), "{}", all(&refused));
}

#[test]
fn every_pair_of_a_small_space_runs_and_is_not_run_twice() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(at("space.toml"), SPACE).unwrap();
    let arguments = [
        "--space",
        &at("space.toml"),
        "--known",
        &at("none.toml"),
        "--resume",
        &at("notes.jsonl"),
        "--target",
        "debian-13",
    ];
    let first = pfs(&arguments);
    assert!(first.status.success(), "{}", all(&first));
    assert!(
        all(&first).contains("4 of 4 combinations"),
        "{}",
        all(&first)
    );
    assert!(all(&first).contains("100 %"), "{}", all(&first));
    let notes = fs::read_to_string(at("notes.jsonl")).unwrap();
    let second = pfs(&arguments);
    assert!(second.status.success(), "{}", all(&second));
    assert_eq!(fs::read_to_string(at("notes.jsonl")).unwrap(), notes);
}
