//! The command.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::OUTCOMES;

fn pfs(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pfs"))
        .args(arguments)
        .current_dir(dir)
        .env("PFS_CACHE", "/dev/null/nothing-may-be-started")
        .output()
        .unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn every_format_comes_from_saved_lines() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.jsonl"), OUTCOMES).unwrap();
    let (code, text, _) = said(&pfs(dir.path(), &["report", "a.jsonl"]));
    assert_eq!(code, Some(1), "as the run had: {text}");
    assert!(text.contains("FAIL t/fail on mine\n"), "{text}");
    // What matters, unless all is asked for.
    assert!(!text.contains("smtpd: connect from unknown"), "{text}");
    assert!(text.contains("-v tells all"), "{text}");
    let (_, all, _) = said(&pfs(dir.path(), &["report", "-v", "a.jsonl"]));
    for words in [
        "    smtpd: connect from unknown[<address>]\n",
        "  configuration\n",
        "Not applicable:\n",
    ] {
        assert!(all.contains(words), "{words} is not in {all}");
    }
    assert!(
        text.ends_with("1 passed, 2 failed, 1 different in text from their baseline, 1 without a snapshot, 1 not applicable (chroot)\n"),
        "{text}"
    );
    for (kind, begin) in [
        ("junit", "<?xml "),
        ("markdown", "### pfs: "),
        ("json", "{\""),
        ("html", "<!DOCTYPE html>"),
    ] {
        let report = format!("{kind}=out");
        let printed = said(&pfs(dir.path(), &["report", "a.jsonl", "--format", kind]));
        let (code, ..) = said(&pfs(
            dir.path(),
            &["report", "a.jsonl", "--report", &report],
        ));
        assert_eq!((printed.0, code), (Some(1), Some(1)), "{}", printed.2);
        assert!(printed.1.starts_with(begin), "{}", printed.1);
        let written = fs::read_to_string(dir.path().join("out")).unwrap();
        assert_eq!(written, printed.1, "{kind}");
    }
}

#[test]
fn what_cannot_be_reported_is_said_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.jsonl"), OUTCOMES).unwrap();
    fs::write(
        dir.path().join("bad.jsonl"),
        format!("{OUTCOMES}{{\"id\":\"a/b\"}}\n"),
    )
    .unwrap();
    fs::write(dir.path().join("empty.jsonl"), "\n").unwrap();
    fs::write(dir.path().join("latin1.jsonl"), b"\xe4\n").unwrap();
    for (arguments, code, words) in [
        (&["bad.jsonl"][..], 2, "bad.jsonl: line 7: "),
        (&["empty.jsonl"], 2, "no result in empty.jsonl"),
        (&["latin1.jsonl"], 2, "latin1.jsonl: "),
        (&["none.jsonl"], 2, "none.jsonl: "),
        (
            &["a.jsonl", "--report", "junit=no/such/x.xml"],
            3,
            "no/such/x.xml: ",
        ),
        (&["a.jsonl", "--report", "json=/dev/full"], 3, "/dev/full: "),
        (
            &["a.jsonl", "--report", "json=x", "--report", "junit=x"],
            2,
            "two reports are to be written to x",
        ),
        (
            &["a.jsonl", "--report", "text=x"],
            2,
            "expected junit=PATH, json=PATH, markdown=PATH or html=PATH",
        ),
    ] {
        let all = [&["report"], arguments].concat();
        let (found, _, stderr) = said(&pfs(dir.path(), &all));
        assert_eq!(found, Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 4, "nothing half written stays: {left:?}");
}

/// A report that cannot be written is known before anything is started.
#[test]
fn a_run_whose_report_cannot_be_written_does_not_begin() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("t")).unwrap();
    let scenario = "why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
    fs::write(dir.path().join("t/case.toml"), scenario).unwrap();
    let arguments = ["run", "--scenarios", ".", "--report", "junit=no/such/x.xml"];
    let (code, stdout, stderr) = said(&pfs(dir.path(), &arguments));
    assert_eq!((code, &*stdout), (Some(3), ""), "{stderr}");
    assert!(
        stderr.contains("no/such/x.xml") && !stderr.contains("nothing-may-be-started"),
        "{stderr}"
    );
}
