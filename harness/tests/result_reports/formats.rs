//! What each format makes of results.

use harness::event::{Announced, CaseResult};
use harness::report::saved::Joined;
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use crate::{OUTCOMES, find, joined, json, junit, lines, markdown, tally, text};

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
    for shown in [&xml, &page, &json(&joined)] {
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
    let saved = json(&joined);
    let again = crate::joined(&[("b", &saved)]).unwrap();
    assert_eq!(tally(&again), tally(&joined));
    let cut: Vec<&str> = saved.lines().skip(1).collect();
    assert_eq!(
        tally(&crate::joined(&[("b", &cut.join("\n"))]).unwrap()).broken,
        1
    );
}
