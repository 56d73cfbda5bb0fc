//! Reports of results that real runs have left: every format, several files put together, and what is refused. Starts
//! nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a test that finds something wrong has no other way to say so"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use harness::event::{Announced, CaseResult, Event};
use harness::outcome::Tally;
use harness::report::result::ResultLine;
use harness::report::saved::{Joined, SavedError, SavedFile, join};
use harness::report::{Json, Junit, Markdown, Report};
use harness::scenario::Shard;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus};
use serde_json::Value;

/// One case that passes, one that fails and one that needs a later Postfix, on Debian 12 and on an own build that is held
/// against it.
const OUTCOMES: &str = include_str!("data/results/outcomes.jsonl");

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn joined(files: &[(&str, &str)]) -> Result<Joined, SavedError> {
    let files = files
        .iter()
        .map(|(name, text)| SavedFile::parse(name, text));
    join(files.collect::<Result<_, _>>()?)
}

fn tally(joined: &Joined) -> Tally {
    let mut tally = Tally::default();
    for result in &joined.results {
        tally.add(&result.outcome);
    }
    tally
}

/// Feeds a report with all of it.
fn told(joined: &Joined, report: &mut dyn Report) {
    let tally = tally(joined);
    report
        .event(&Event::Started(Arc::new(joined.run.clone())))
        .unwrap();
    for result in &joined.results {
        report
            .event(&Event::Case(Arc::new(result.clone())))
            .unwrap();
    }
    report.event(&Event::Finished(tally)).unwrap();
}

fn junit(joined: &Joined) -> (String, quick_junit::Report) {
    let mut out = Vec::new();
    told(joined, &mut Junit::new(&mut out));
    let text = String::from_utf8(out).unwrap();
    let parsed = quick_junit::Report::deserialize_from_str(&text).unwrap();
    (text, parsed)
}

fn markdown(joined: &Joined) -> String {
    let mut out = Vec::new();
    told(joined, &mut Markdown::new(&mut out));
    String::from_utf8(out).unwrap()
}

fn find<'a>(report: &'a quick_junit::Report, class: &str, name: &str) -> &'a TestCase {
    let mut cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    cases
        .find(|case| case.classname.as_deref() == Some(class) && &*case.name == name)
        .unwrap()
}

#[test]
fn junit_has_every_outcome_for_what_it_is() {
    let (text, report) = junit(&joined(&[("a", OUTCOMES)]).unwrap());
    let counts = (report.tests, report.failures, report.errors, report.skipped);
    assert_eq!(counts, (6, 2, 0, 1), "{text}");
    let mine = report
        .test_suites
        .iter()
        .find(|suite| &*suite.name == "mine");
    let versions = &mine.unwrap().properties[0];
    assert_eq!(&*versions.name, "versions");
    assert_eq!(
        &*versions.value,
        "Postfix 3.10.13, OpenSSL 3.5.9; texts against debian-12"
    );
    let TestCaseStatus::Skipped { message, .. } = &find(&report, "debian-12.t", "new-only").status
    else {
        panic!("{text}")
    };
    assert!(
        message
            .as_ref()
            .unwrap()
            .starts_with("needs postfix >= 3.9")
    );
    let TestCaseStatus::NonSuccess {
        kind,
        message,
        description,
        ..
    } = &find(&report, "debian-12.t", "fail").status
    else {
        panic!("{text}")
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    assert_eq!(
        message.as_deref(),
        Some("key exchange: expected x25519, found secp384r1")
    );
    let description = description.as_ref().unwrap();
    for part in [
        "server log\n  smtpd: connect from",
        "configuration",
        "reproduce: pfs run",
    ] {
        assert!(description.contains(part), "{part}: {}", &**description);
    }
    // As expected, whatever their text: these have not failed.
    for (name, word) in [("pass", "differs: "), ("new-only", "new: ")] {
        let case = find(&report, "mine.t", name);
        assert!(
            matches!(case.status, TestCaseStatus::Success { .. }),
            "{text}"
        );
        assert!(
            case.system_out.as_ref().unwrap().starts_with(word),
            "{text}"
        );
    }
}

#[test]
fn what_is_broken_is_an_error_and_no_failure() {
    let mut all = lines(OUTCOMES);
    for line in &mut all {
        line["outcome"] = "broken".into();
        line["differences"] = vec!["no such image\nand more"].into();
    }
    let joined = joined(&[("a", &text(&all))]).unwrap();
    let (text, report) = junit(&joined);
    assert_eq!((report.failures, report.errors), (0, 6), "{text}");
    assert_eq!(tally(&joined).exit_code(), 3);
    let page = markdown(&joined);
    assert!(page.contains("- 6 × no such image, such as `"), "{page}");
}

#[test]
fn hostile_text_is_text_in_every_report() {
    let hostile =
        "]]></failure>\u{1b}[31m\u{0}\u{fffe}\u{ffff}\u{202e}\u{85}<b>&amp;`|@all\n```\n</details>";
    let mut all = lines(OUTCOMES);
    for (number, line) in all.iter_mut().enumerate() {
        line["id"] = format!("t/{hostile}[{hostile} {number}]").into();
        line["outcome"] =
            ["fail", "broken", "new", "differs", "not-applicable", "pass"][number].into();
        line["differences"] = vec![hostile].into();
        line["why"] = hostile.into();
        line["witnesses"]["server log"] = hostile.into();
    }
    let joined = joined(&[("a", &text(&all))]).unwrap();
    let (xml, report) = junit(&joined);
    let page = markdown(&joined);
    let mut json = Vec::new();
    told(&joined, &mut Json::new(&mut json));
    for shown in [&xml, &page, &String::from_utf8(json).unwrap()] {
        let bad = |c: char| {
            (c.is_control() && c != '\n' && c != '\t') || "\u{202e}\u{fffe}\u{ffff}".contains(c)
        };
        assert!(!shown.chars().any(bad), "{shown:?}");
    }
    assert_eq!(report.tests, 6, "{xml}");
    assert_eq!(report.failures, 1, "{xml}");
    // Outside of code the page has no HTML but its own, and nobody is called.
    let (mut fence, mut outside) = (None, String::new());
    for line in page.lines() {
        match &fence {
            Some(end) if line == *end => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => fence = line.strip_suffix("text"),
            None => {
                // What a backslash stands before is no markup.
                let line = ["\\`", "\\<", "\\@"]
                    .iter()
                    .fold(line.to_owned(), |line, escaped| line.replace(escaped, ""));
                outside.extend(line.split('`').step_by(2));
            }
        }
    }
    assert_eq!(fence, None, "{page}");
    for html in ["<b>", "</failure>"] {
        assert!(!outside.contains(html), "{outside}");
    }
    assert!(!outside.contains('@'), "{outside}");
    assert_eq!(
        outside.matches("<details>").count(),
        outside.matches("</details>").count(),
        "{outside}"
    );
}

/// Jenkins and GitLab tell cases apart by class and name.
#[test]
fn names_in_junit_are_unique() {
    let joined = joined(&[("a", OUTCOMES)]).unwrap();
    let (_, report) = junit(&joined);
    let cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    let mut names: Vec<_> = cases.map(|case| (&case.classname, &case.name)).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!((all, names.len()), (6, 6));
}

#[test]
fn what_passed_is_the_first_to_be_left_out_of_a_page() {
    let all = lines(OUTCOMES);
    let of = |outcome: &str| all.iter().find(|line| line["outcome"] == outcome).unwrap();
    let many = |outcome: &str, count: usize| -> Vec<Value> {
        let one = |number: usize| {
            let mut line = of(outcome).clone();
            line["id"] = format!("topic/{outcome}[{number:05}]").into();
            line
        };
        (0..count).map(one).collect()
    };
    for (failed, passed, left) in [
        (1, 10, ""),
        (
            1,
            9000,
            "Left out, as there is no room for them in 60 KiB: 1 lists of passed cases.",
        ),
        (40, 10, " accounts of failed cases, "),
        (900, 10, " failed cases, "),
    ] {
        let mut lines = many("fail", failed);
        lines.extend(many("pass", passed));
        for line in &mut lines {
            line["run"]["cases"] = 1.into();
        }
        let page = markdown(&joined(&[("a", &text(&lines))]).unwrap());
        assert!(page.len() <= 60 * 1024, "{}", page.len());
        assert!(
            page.starts_with(&format!("### pfs: {passed} passed, {failed} failed\n")),
            "{page}"
        );
        assert!(page.contains("- `topic/fail[00000]` on"), "{page}");
        assert_eq!(page.contains("Left out"), !left.is_empty());
        assert!(page.contains(left), "{left}: {}", &page[page.len() - 400..]);
    }
}

/// Two shards of the results, as runs would have left them.
fn shards() -> [String; 2] {
    ["1/2", "2/2"].map(|shard| {
        let parsed: Shard = shard.parse().unwrap();
        let mut lines = lines(OUTCOMES);
        let id =
            |line: &Value| harness::scenario::CaseId::of(line["id"].as_str().unwrap()).unwrap();
        lines.retain(|line| parsed.holds(&id(line)));
        let cases = lines.len();
        assert!((1..6).contains(&cases), "both have something");
        for line in &mut lines {
            line["run"]["shard"] = shard.into();
            line["run"]["cases"] = cases.into();
        }
        text(&lines)
    })
}

#[test]
fn shards_together_are_the_run() {
    let whole = joined(&[("a", OUTCOMES)]).unwrap();
    let [one, two] = shards();
    let both = joined(&[("1", &one), ("2", &two)]).unwrap();
    assert_eq!(tally(&both), tally(&whole));
    assert_eq!(both.run, whole.run);
    // Whichever comes first, and in one file.
    let [json, other, again] = [
        joined(&[("2", &two), ("1", &one)]),
        joined(&[("all", &format!("{two}{one}"))]),
        joined(&[("1", &one), ("2", &two), ("1 again", &one)]),
    ]
    .map(|joined| {
        let mut out = Vec::new();
        told(&joined.unwrap(), &mut Json::new(&mut out));
        String::from_utf8(out).unwrap()
    });
    assert_eq!(json, other);
    assert_eq!(json, again);
    // And what came out is as good as what went in.
    let reread: Vec<ResultLine> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut first: Vec<ResultLine> = OUTCOMES
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    first.sort_by(|a, b| (&a.id, &a.target).cmp(&(&b.id, &b.target)));
    assert_eq!(reread, first);
}

#[test]
fn what_is_missing_is_broken() {
    let [one, two] = shards();
    let alone = joined(&[("1.jsonl", &one)]).unwrap();
    assert_eq!(tally(&alone).exit_code(), 3);
    let (_, report) = junit(&alone);
    let TestCaseStatus::NonSuccess { message, kind, .. } =
        &find(&report, "debian-12.run", "complete").status
    else {
        panic!("{report:?}")
    };
    assert_eq!(*kind, NonSuccessKind::Error);
    let message = message.as_ref().unwrap();
    assert!(
        message.contains("missing of the shards: 2/2"),
        "{}",
        &**message
    );
    // A shard that was cut off, which a pipe or a full disk does.
    let half: String = two.lines().take(1).collect();
    let cut = joined(&[("1.jsonl", &one), ("2.jsonl", &half)]).unwrap();
    assert_eq!(tally(&cut).exit_code(), 3);
    let said = format!("{:?}", cut.results);
    assert!(said.contains("2.jsonl: 1 of "), "{said}");
    // Told once, however often it is put together.
    let mut out = Vec::new();
    told(&cut, &mut Json::new(&mut out));
    let again = joined(&[("both", &String::from_utf8(out).unwrap())]).unwrap();
    assert_eq!(tally(&again), tally(&cut));
    // A shard in which there is no case leaves an empty file.
    let none = text(
        &lines(OUTCOMES)
            .into_iter()
            .map(|mut line| {
                line["run"]["shard"] = "1/2".into();
                line
            })
            .collect::<Vec<_>>(),
    );
    let whole = joined(&[("1.jsonl", &none), ("2.jsonl", "")]).unwrap();
    assert_eq!(tally(&whole).exit_code(), 1);
}

#[test]
fn two_results_of_a_case_are_an_error() {
    let mut other = lines(OUTCOMES);
    let passed = other
        .iter()
        .position(|line| line["outcome"] == "pass")
        .unwrap();
    other[passed]["outcome"] = "fail".into();
    other[passed]["differences"] = vec!["protocol: …"].into();
    // The time and the raw log are never the same.
    other[0]["ms"] = 1_000_000.into();
    let error = joined(&[("a", OUTCOMES), ("b", &text(&other))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "t/pass on debian-12: pass in a, fail (protocol: …) in b; expected one result, or the same one"
    );
}

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
    assert!(
        text.contains("    smtpd: connect from unknown[<address>]\n"),
        "{text}"
    );
    assert!(
        text.ends_with("1 passed, 2 failed, 1 different in text from their baseline, 1 without a snapshot, 1 not applicable (chroot)\n"),
        "{text}"
    );
    for (kind, begin) in [
        ("junit", "<?xml "),
        ("markdown", "### pfs: "),
        ("json", "{\""),
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
            "expected junit=PATH, json=PATH or markdown=PATH",
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

#[test]
fn a_run_of_nothing_is_announced_as_that() {
    let run = Announced {
        engine: "chroot".to_owned(),
        ..Announced::default()
    };
    let nothing = Joined {
        run,
        results: Vec::new(),
    };
    let (text, report) = junit(&nothing);
    assert_eq!(report.tests, 0, "{text}");
    assert!(markdown(&nothing).starts_with("### pfs: 0 passed\n"));
}

#[test]
fn a_crash_after_its_case_is_in_every_report() {
    let mut joined = joined(&[("a", OUTCOMES)]).unwrap();
    let line = "fatal: watchdog timeout";
    let [one, same, other] =
        [line, line, "panic: 1"].map(|line| CaseResult::late_crash("mine", line));
    assert_eq!(one.id, same.id);
    assert_ne!(one.id, other.id, "each is told");
    joined.results.extend([one, other]);
    let (text, report) = junit(&joined);
    assert_eq!(report.failures, 4, "{text}");
    assert!(
        text.contains("a process crashed: fatal: watchdog timeout"),
        "{text}"
    );
    assert!(markdown(&joined).contains(" on `mine`: a process crashed: panic: 1\n"));
    // Saved and read again it is no case: one that is missing is still missed.
    let mut out = Vec::new();
    told(&joined, &mut Json::new(&mut out));
    let saved = String::from_utf8(out).unwrap();
    let again = self::joined(&[("b", &saved)]).unwrap();
    assert_eq!(tally(&again), tally(&joined));
    let cut: Vec<&str> = saved.lines().skip(1).collect();
    assert_eq!(
        tally(&self::joined(&[("b", &cut.join("\n"))]).unwrap()).broken,
        1
    );
}
