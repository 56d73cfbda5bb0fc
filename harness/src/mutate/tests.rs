use std::path::Path;

use super::*;
use crate::scenario::{SideName, parse};

fn document(text: &str) -> toml::Table {
    let scenarios = parse(Path::new("t/c.toml"), text).unwrap();
    scenarios[0].document().unwrap()
}

fn derived(text: &str) -> Vec<String> {
    let defaults = |side: SideName, name: &str| match (side, name) {
        (SideName::Server, "tls_preempt_cipherlist") => Some("no".to_owned()),
        (SideName::Server, "smtpd_tls_ciphers") => Some("medium".to_owned()),
        _ => Some(String::new()),
    };
    let mutations = derive(&document(text), &defaults);
    mutations.into_iter().map(|one| one.what).collect()
}

#[test]
fn each_thing_said_is_said_differently() {
    let text = "why = \"w\"\n\
        [server]\npostfix = { smtpd_tls_dh1024_param_file = \"dh:2048\", tls_preempt_cipherlist = \"no\", smtpd_tls_ciphers = \"medium\" }\n\
        cert = [\"rsa2048\", \"ecdsa-p256\"]\nsni = { \"a.example.test\" = \"sni-rsa\" }\n\
        [client]\nclassic = { versions = [\"TLSv1.2\"], ciphers = [\"AES128-SHA\", \"AES256-SHA\"], groups = [\"P-384\"] }\n";
    assert_eq!(
        derived(text),
        [
            "server.cert = [\"ecdsa-p256\"]",
            "server.cert = [\"rsa2048\"]",
            "server.postfix.smtpd_tls_dh1024_param_file left out",
            "server.postfix.tls_preempt_cipherlist = \"yes\"",
            "server.sni.a.example.test = \"sni-ecdsa\"",
            "client.classic.ciphers = [\"AES256-SHA\", \"AES128-SHA\"]",
            "client.classic.groups = [\"P-256\"]",
            "client.classic.versions = [\"TLSv1.1\"]",
        ]
    );
}

#[test]
fn files_next_hops_and_options_of_exim_are_things_said() {
    let text = "why = \"w\"\n[files]\n\"map.new\" = \"x\"\n\
        [server]\nexim = { tls_require_ciphers = \"NORMAL\" }\ntls = \"implicit\"\n\
        [client]\npostfix = { smtp_tls_policy_maps = \"texthash:file:map.new\" }\nnexthop = \"[mx.example.test]\"\n";
    assert_eq!(
        derived(text),
        [
            "server.exim.tls_require_ciphers left out",
            "server.tls = \"starttls\"",
            "client.nexthop left out",
            "client.postfix.smtp_tls_policy_maps left out",
            "files.map.new = \"\"",
        ]
    );
    let mutation = derive(&document(text), &|_, _| None).pop().unwrap();
    let files = mutation.apply(&document(text))["files"].clone();
    assert_eq!(files["map.new"].as_str(), Some(""));
}

#[test]
fn a_case_of_defaults_has_a_mutant_too() {
    let text = "why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
    assert_eq!(
        derived(text),
        ["server.postfix.smtpd_tls_security_level = \"none\""]
    );
}

#[test]
fn a_mutation_is_made_in_the_expanded_scenario() {
    let text = "why = \"w\"\n[matrix]\ngrade = [\"strong\", \"ultra\"]\n\
        [server]\npostfix = { smtpd_tls_eecdh_grade = \"<grade>\" }\nsni = { \"a.example.test\" = \"sni-rsa\" }\n[client]\nrustls = {}\n";
    let scenario = &parse(Path::new("t/c.toml"), text).unwrap()[1];
    let document = scenario.document().unwrap();
    let mutation = Mutation {
        key: String::new(),
        what: "both".to_owned(),
        edits: vec![
            ("server.postfix.smtpd_tls_eecdh_grade".to_owned(), None),
            (
                "server.sni.a.example.test".to_owned(),
                Some("sni-two".into()),
            ),
        ],
        changes: None,
    };
    let before = scenario.file.server.postfix.as_ref().unwrap();
    assert_eq!(before.values().next().unwrap().get_ref().as_str(), "ultra");
    let mutated = scenario
        .with(&mutation.apply(&document), "both".to_owned())
        .unwrap();
    assert!(mutated.file.server.postfix.as_ref().unwrap().is_empty());
    let chain = &mutated.file.server.sni["a.example.test"];
    assert_eq!(chain.0[0].0.as_deref(), Some("sni-two"));
    assert_ne!(mutated.id, scenario.id);
}

fn mutant(changes: Option<&str>, equivalent: Option<&str>) -> Mutant {
    let text = "why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
    let scenario = Arc::new(parse(Path::new("t/c.toml"), text).unwrap().remove(0));
    let own = TargetVersions {
        name: "t".to_owned(),
        postfix: "3.7".parse().unwrap(),
        openssl: "3.0".parse().unwrap(),
    };
    let Decision::Run(case) = plan::plan(&scenario, &own, std::slice::from_ref(&own)) else {
        panic!("it runs")
    };
    Mutant {
        original: scenario.id.clone(),
        mutation: Mutation {
            key: "k".to_owned(),
            what: "k left out".to_owned(),
            edits: Vec::new(),
            changes: changes.map(str::to_owned),
        },
        value: String::new(),
        constant: false,
        case: *case,
        equivalent: equivalent.map(str::to_owned),
    }
}

#[test]
fn broken_is_no_proof_and_the_wrong_difference_is_none_either() {
    let fail = Outcome::Fail(vec!["cipher: expected A, found B".to_owned()]);
    let same = || Ok(Comparison::Same);
    let other = || Ok(Comparison::Different(String::new()));
    let plain = mutant(None, None);
    assert_eq!(plain.fate(&Outcome::Pass, same()), Fate::Survived);
    assert_eq!(plain.fate(&Outcome::Pass, other()), Fate::Snapshot);
    assert!(matches!(plain.fate(&fail, other()), Fate::Expectations(_)));
    let broken = Outcome::Broken("no port".to_owned());
    assert!(matches!(plain.fate(&broken, other()), Fate::Broken(_)));
    let wanted = mutant(Some("protocol: expected"), None);
    assert!(matches!(wanted.fate(&fail, other()), Fate::Otherwise(_)));
    assert!(matches!(
        wanted.fate(&Outcome::Pass, other()),
        Fate::Otherwise(_)
    ));
    assert_eq!(wanted.fate(&Outcome::Pass, same()), Fate::Survived);
    let equivalent = mutant(None, Some("no effect"));
    assert!(matches!(
        equivalent.fate(&Outcome::Pass, same()),
        Fate::Equivalent(_)
    ));
    assert_eq!(equivalent.fate(&Outcome::Pass, other()), Fate::Snapshot);
}

#[test]
fn a_derived_mutant_that_is_no_scenario_is_noticed_and_a_given_one_is_an_error() {
    let found = |given: &str| {
        let text = format!(
            "why = \"w\"\n[server]\npostscreen = true\npostfix = {{ postscreen_greet_wait = \"1s\" }}\n[client]\nrustls = {{}}\n{given}"
        );
        let scenario = parse(Path::new("misbehaviour/early.toml"), &text).unwrap();
        let scenario = Arc::new(scenario.into_iter().next().unwrap());
        let own = TargetVersions {
            name: "debian-12".to_owned(),
            postfix: "3.7".parse().unwrap(),
            openssl: "3.0".parse().unwrap(),
        };
        let all = [own.clone()];
        let Decision::Run(case) = plan::plan(&scenario, &own, &all) else {
            panic!("it runs")
        };
        mutants(&case, &own, &all, &|_, _| None)
    };
    // Without postscreen nothing reads postscreen_greet_wait.
    let derived = found("").unwrap();
    assert!(
        !derived
            .iter()
            .any(|one| one.mutation.key == "server.postscreen")
    );
    let given = "[[mutation]]\nwhy = \"x\"\nset = { \"server.postscreen\" = false }\n";
    let error = found(given).unwrap_err();
    assert!(error.contains("no effect"), "{error}");
}
