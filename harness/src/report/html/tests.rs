use std::time::Duration;

use super::*;
use crate::event::{Said, TargetLine};
use crate::evidence::CaseFacts;
use crate::plan::Sides;
use crate::scenario::CaseId;

/// What would do something if a page took it for its own.
const HOSTILE: &str = "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m\"'&lt;";

fn result(case: &str, target: &str, outcome: Outcome, log: &str) -> Arc<CaseResult> {
    let witnesses = [("server log".to_owned(), log.to_owned())];
    let facts = CaseFacts {
        delivered: Some(true),
        witnesses: witnesses.into_iter().collect(),
        ..CaseFacts::default()
    };
    Arc::new(CaseResult {
        id: CaseId {
            topic: "t".to_owned(),
            case: case.to_owned(),
            variant: Some(HOSTILE.to_owned()),
        },
        target: target.to_owned(),
        sides: Sides::default(),
        why: HOSTILE.to_owned(),
        outcome,
        elapsed: Duration::ZERO,
        said: Some(Said::Saved(Arc::new(facts))),
        configuration: HOSTILE.to_owned(),
        reproduce: HOSTILE.to_owned(),
        accepted: false,
    })
}

fn shown(results: &[Arc<CaseResult>]) -> String {
    let target = |name: &str| TargetLine {
        name: name.to_owned(),
        versions: HOSTILE.to_owned(),
    };
    let run = Announced {
        targets: vec![target("one"), target("two")],
        ..Announced::default()
    };
    let mut tally = Tally::default();
    for result in results {
        tally.add(&result.outcome);
    }
    let mut page = Vec::new();
    let mut report = Html::new(&mut page);
    report.event(&Event::Started(Arc::new(run))).unwrap();
    for result in results {
        report.event(&Event::Case(Arc::clone(result))).unwrap();
    }
    report.event(&Event::Finished(tally)).unwrap();
    drop(report);
    String::from_utf8(page).unwrap()
}

#[test]
fn text_of_logs_is_data() {
    let page = shown(&[
        result("a", "one", Outcome::Fail(vec![HOSTILE.to_owned()]), HOSTILE),
        result(
            "a",
            "two",
            Outcome::Differs(vec![HOSTILE.to_owned()]),
            "else",
        ),
        result(
            "b",
            "one",
            Outcome::NotApplicable(HOSTILE.to_owned()),
            HOSTILE,
        ),
        result("c", "one", Outcome::Broken(HOSTILE.to_owned()), HOSTILE),
    ]);
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert_eq!(page.matches("<style").count(), 1);
    assert!(!page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
    let odd = page
        .chars()
        .find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
    assert_eq!(odd, None);
    // Nothing is fetched, and what the policy allows is what stands there.
    for tag in page
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
    {
        let names = tag
            .split_whitespace()
            .skip(1)
            .filter_map(|word| word.split('=').next());
        for name in names {
            assert!(
                !name.starts_with("on") && name != "src" && name != "style",
                "{tag}"
            );
        }
        assert!(
            !tag.starts_with("link") && !tag.starts_with("iframe"),
            "{tag}"
        );
    }
    assert!(!page.contains("@import") && !page.contains("url("));
    assert!(page.contains("default-src 'none'"));
    let script = page.split("<script>").nth(1).unwrap();
    let script = script.split("</script>").next().unwrap();
    let hash = source(script).replace('\'', "&#39;");
    assert!(
        page.contains(&source(script)) || page.contains(&hash),
        "{page}"
    );
}

#[test]
fn a_text_that_two_cases_have_stands_there_once() {
    let log = "smtpd: connect from unknown[<address>]\n".repeat(10);
    let page = shown(&[
        result("a", "one", Outcome::Pass, &log),
        result(
            "a",
            "two",
            Outcome::Pass,
            &log.replacen("unknown", "known", 1),
        ),
        result("b", "one", Outcome::Pass, &log),
    ]);
    assert_eq!(
        page.matches("smtpd: connect from unknown").count(),
        10,
        "{page}"
    );
    assert!(page.contains("as in t/a"), "{page}");
    assert!(page.contains("<ins>known[&lt;address&gt;]</ins>"), "{page}");
    // Without the script everything is there and nothing is hidden but what only the script does.
    assert_eq!(page.matches("hidden>").count(), 1);
}
