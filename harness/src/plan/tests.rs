use std::path::Path;

use super::*;
use crate::scenario::parse;

#[test]
fn a_tag_is_a_mail_domain_and_differs_for_each_name() {
    let id = |variant: &str| CaseId {
        topic: "sni".to_owned(),
        case: "invalid".to_owned(),
        variant: Some(variant.to_owned()),
    };
    assert_eq!(
        tag(&id("ultra"), Some("debian-12")),
        "sni.invalid.debian-12.ultra"
    );
    let odd = tag(&id("-bad..name.example.test-"), None);
    assert!(
        odd.starts_with("sni.invalid.bad.name.example.test-"),
        "{odd}"
    );
    assert_ne!(odd, tag(&id("bad.name.example.test"), None));
    let digest = odd.rsplit('-').next().unwrap();
    assert_eq!(digest.len(), 16, "{odd}");
    let one_label = tag(&id(&"é".repeat(300)), None);
    assert!(
        one_label.split('.').all(|label| label.len() <= 63),
        "{one_label}"
    );
    let long = tag(&id(&format!("{}.-x", "a".repeat(47))), None);
    assert!(
        long.split('.').all(|label| !label.starts_with('-')),
        "{long}"
    );
}

fn targets() -> Vec<TargetVersions> {
    [("a", "3.5"), ("b", "3.7"), ("c", "3.10")]
        .map(|(name, postfix)| TargetVersions {
            name: name.to_owned(),
            postfix: postfix.parse().unwrap(),
            openssl: "3.0".parse().unwrap(),
        })
        .to_vec()
}

fn scenario(server: &str, client: &str) -> Vec<Arc<Scenario>> {
    let text = format!(
        "why = \"w\"\n[server]\npostfix = {{}}\n{server}\n[client]\npostfix = {{}}\n{client}\n"
    );
    let all = parse(Path::new("pairs/one.toml"), &text).unwrap();
    all.into_iter().map(Arc::new).collect()
}

/// Column, client and server of everything that runs.
fn runs(scenarios: &[Arc<Scenario>], columns: &[TargetVersions]) -> Vec<String> {
    plan_all(scenarios, columns, &targets())
        .iter()
        .filter_map(|decision| match decision {
            Decision::Run(case) => {
                let sides = case.sides();
                Some(format!(
                    "{}: {}→{}",
                    case.target, sides.client?, sides.server?
                ))
            }
            Decision::NotApplicable { .. } | Decision::Broken { .. } => None,
        })
        .collect()
}

#[test]
fn a_case_with_both_sides_fixed_runs_once() {
    let all = targets();
    let pair = scenario("on = \"b\"", "on = \"a\"");
    assert_eq!(runs(&pair, &all), ["b: a→b"]);
    assert_eq!(runs(&pair, &all[..1]), ["a: a→b"]);
    let decisions = plan_all(&pair, &all[2..], &all);
    assert!(matches!(
        decisions.as_slice(),
        [Decision::NotApplicable { target, why, .. }] if target == "c" && why.contains("a and b")
    ));
}

#[test]
fn a_case_with_one_side_fixed_runs_once_for_each_target() {
    let all = targets();
    let one = scenario("on = \"b\"", "");
    assert_eq!(runs(&one, &all), ["a: a→b", "b: b→b", "c: c→b"]);
    let free = scenario("", "");
    assert_eq!(runs(&free, &all), ["a: a→a", "b: b→b", "c: c→c"]);
}
