//! Several files put together.

use harness::report::result::ResultLine;
use harness::scenario::{CaseId, Shard};
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use crate::{OUTCOMES, find, joined, json, junit, lines, tally, text};

/// Two shards of the results, as runs would have left them.
fn shards() -> [String; 2] {
    ["1/2", "2/2"].map(|shard| {
        let parsed: Shard = shard.parse().unwrap();
        let mut lines = lines(OUTCOMES);
        let id = |line: &Value| CaseId::of(line["id"].as_str().unwrap()).unwrap();
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
    let [all, other, again] = [
        joined(&[("2", &two), ("1", &one)]),
        joined(&[("all", &format!("{two}{one}"))]),
        joined(&[("1", &one), ("2", &two), ("1 again", &one)]),
    ]
    .map(|joined| json(&joined.unwrap()));
    assert_eq!(all, other);
    assert_eq!(all, again);
    // And what came out is as good as what went in.
    let reread: Vec<ResultLine> = all
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
    let again = joined(&[("both", &json(&cut))]).unwrap();
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
