//! What `pfs` prints: safe on a terminal whatever a scenario is called or says, JSON that is JSON, and no panic where
//! nobody reads on. No Docker, no root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A title for the window, a colour, C1's CSI, a right-to-left override, a second line, and what a shell would run.
const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{1b}[31m\u{9b}2J\u{202e}b'; touch owned; '";

fn scenarios() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let topic = dir.path().join("topic");
    fs::create_dir(&topic).unwrap();
    let id = serde_json::to_string(&format!("{HOSTILE}\nsecond")).unwrap();
    let why = serde_json::to_string(HOSTILE).unwrap();
    // A value of main.cf cannot hold control characters.
    let list = serde_json::to_string(&HOSTILE.replace(char::is_control, "")).unwrap();
    let text = format!(
        "why = {why}\nserver = {{ postfix = {{ tls_medium_cipherlist = \"<v.list>\" }} }}\n\
         client = {{ rustls = {{}} }}\nmatrix = {{ v = [{{ id = {id}, list = {list} }}] }}\n"
    );
    fs::write(topic.join(format!("{HOSTILE}.toml")), text).unwrap();
    dir
}

fn pfs(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfs"));
    command
        .args(arguments)
        .arg("--scenarios")
        .arg(dir)
        .env("PFS_CACHE", "/dev/null/nothing-may-be-started");
    command
}

#[track_caller]
fn is_safe(output: &Output) -> String {
    let mut all = String::new();
    for text in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(text).unwrap();
        let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
        assert!(!text.chars().any(bad), "{text:?}");
        all.push_str(text);
    }
    all
}

#[test]
fn what_a_terminal_would_obey_is_shown() {
    let dir = scenarios();
    let listed = pfs(dir.path(), &["list"]).output().unwrap();
    let text = is_safe(&listed);
    assert_eq!(listed.status.code(), Some(0), "{text}");
    assert_eq!(text.lines().count(), 1, "a name is one line: {text}");
    assert!(text.contains("a\\x1b]0;title\\x07\\x1b[31m\\x9b2J\\u{202e}b'; touch owned; '"));

    let planned = pfs(dir.path(), &["plan", "topic", "--target", "debian-12"])
        .output()
        .unwrap();
    let text = is_safe(&planned);
    assert_eq!(planned.status.code(), Some(0), "{text}");
    assert!(
        text.contains("tls_medium_cipherlist=a]0;title[31m"),
        "{text}"
    );

    // Messages about what is wrong.
    let no_such = pfs(dir.path(), &["list", HOSTILE, "no\u{1b}[31msuch"])
        .output()
        .unwrap();
    is_safe(&no_such);
    let file = dir.path().join("topic").join(format!("{HOSTILE}.toml"));
    fs::write(&file, format!("why = 1 # {HOSTILE}\n")).unwrap();
    let wrong = pfs(dir.path(), &["list"]).output().unwrap();
    let text = is_safe(&wrong);
    assert_eq!(wrong.status.code(), Some(2), "{text}");
}

#[test]
fn json_is_json_and_safe() {
    let dir = scenarios();
    let output = pfs(dir.path(), &["list", "--format", "json"])
        .output()
        .unwrap();
    let text = is_safe(&output);
    let object: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(object["why"], HOSTILE);
    assert_eq!(
        object["id"],
        format!("topic/{HOSTILE}[{HOSTILE}\nsecond]").as_str()
    );
}

/// As `pfs list | head -1` once head has gone.
#[test]
fn a_reader_that_has_gone_is_no_error() {
    let dir = scenarios();
    for arguments in [
        &["list"][..],
        &["list", "--format", "json"],
        &["plan", "topic", "--target", "debian-12"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = pfs(dir.path(), arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), &*stderr),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
    // Nobody reads the messages either.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = pfs(dir.path(), &["list", "nothing-of-this-name"])
        .stderr(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_full_disk_is_one() {
    let dir = scenarios();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = pfs(dir.path(), &["list"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(
        stderr.contains("standard output: No space left"),
        "{stderr}"
    );
}
