//! Reports as people paste them, each with what must come out: `pfs import` without running anything.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::import::{Imported, import};
use harness::scenario;
use serde::Deserialize;

/// What a report is, and what a scenario of it takes; words of settings, pieces of lines.
#[derive(Deserialize)]
struct Sidecar {
    role: String,
    settings: Vec<String>,
    drop: Vec<String>,
    lines: Vec<String>,
}

fn reports() -> Vec<(PathBuf, Sidecar, Imported)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let sidecar = std::fs::read_to_string(path.with_extension("toml")).unwrap();
        let imported =
            import(&text, "report").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        found.push((path, toml::from_str(&sidecar).unwrap(), imported));
    }
    assert!(found.len() >= 15, "{} reports", found.len());
    found
}

/// Words that look like parameters.
fn parameters(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| {
            word.contains('_')
                && word.contains("tls")
                && !word.ends_with('_')
                && !word.starts_with('_')
        })
        .filter(|word| word.starts_with("smtp") || word.starts_with("tls_"))
}

/// The settings and keys of a scenario, without comments.
fn body(scenario: &str) -> String {
    let lines = scenario.lines().filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_report_becomes_a_scenario_that_loads() {
    for (path, sidecar, imported) in reports() {
        let cases = scenario::parse(Path::new("reports/imported.toml"), &imported.scenario);
        let cases = cases
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), imported.scenario));
        let file = &cases[0].file;
        let is_postfix = match sidecar.role.as_str() {
            "server" => file.server.postfix.is_some(),
            _ => file.client.postfix.is_some(),
        };
        assert!(
            is_postfix,
            "{}: the {} is no Postfix",
            path.display(),
            sidecar.role
        );
    }
}

#[test]
fn what_matters_is_kept_and_what_does_not_is_named() {
    for (path, sidecar, imported) in reports() {
        let (whole, body) = (&imported.scenario, body(&imported.scenario));
        let (header, _) = whole.split_once("\nwhy ").unwrap();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for setting in &sidecar.settings {
            let defaults = setting.contains("(default");
            for name in parameters(setting.split('→').next().unwrap()) {
                kept.insert(name);
                let there = body.contains(&format!("\n{name} ")) || body.contains("\ncert ");
                assert!(
                    there || defaults,
                    "{}: {name} is not kept\n{whole}",
                    path.display()
                );
            }
            if let Some((_, word)) = setting.split_once("→ ")
                && let Some(word) = word
                    .split([' ', ';', ','])
                    .next()
                    .filter(|word| word.contains(':'))
                && !word.contains('{')
            {
                assert!(
                    body.contains(word),
                    "{}: {word} is not in it\n{whole}",
                    path.display()
                );
            }
        }
        for dropped in &sidecar.drop {
            for name in parameters(dropped) {
                assert!(
                    !body.contains(&format!("\n{name} ")),
                    "{}: {name} is kept\n{whole}",
                    path.display()
                );
                assert!(
                    header.contains(name),
                    "{}: {name} is not named\n{whole}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn reported_lines_are_carried() {
    for (path, sidecar, imported) in reports() {
        for line in &sidecar.lines {
            let pieces: Vec<&str> = line.split(" | ").collect();
            let there = pieces.iter().any(|piece| imported.scenario.contains(piece));
            assert!(
                there,
                "{}: `{line}` is not carried\n{}",
                path.display(),
                imported.scenario
            );
        }
    }
}

#[test]
fn no_password_gets_into_a_scenario() {
    for (path, _, imported) in reports() {
        assert!(
            !imported.scenario.contains("FAKE-"),
            "{}\n{}",
            path.display(),
            imported.scenario
        );
    }
}

#[test]
fn no_mailbox_gets_into_a_scenario() {
    for (path, _, imported) in reports() {
        let mut words = imported
            .scenario
            .split(|c: char| c.is_whitespace() || "<>(),;=\"'`".contains(c));
        let found = words.find(|word| {
            word.split_once('@').is_some_and(|(user, domain)| {
                user.ends_with(|c: char| c.is_ascii_alphanumeric()) && domain.contains('.')
            })
        });
        assert_eq!(found, None, "{}", path.display());
    }
}

/// Reports whose lines need more than `pfs run --untrusted` accepts, and the keys.
/// A path that is not there on a reporter's machine may be there on another; a TLSRPT library's socket is outside the case.
const REFUSED: [(&str, &[&str]); 3] = [
    (
        "11-snakeoil-missing",
        &["`smtpd_tls_cert_file`", "`smtpd_tls_key_file`"],
    ),
    ("17-policy-type-attribute", &["`smtp_tls_policy_maps`"]),
    (
        "21-sts-untrusted-tlsrpt",
        &[
            "`smtp_tls_policy_maps`",
            "`smtp_tlsrpt_enable`",
            "`smtp_tlsrpt_socket_name`",
        ],
    ),
];

#[test]
fn a_scenario_of_a_report_is_harmless_or_says_which_key_is_not() {
    let mut wrong = Vec::new();
    for (path, _, imported) in reports() {
        let cases = scenario::parse(Path::new("reports/imported.toml"), &imported.scenario);
        let said: Vec<String> = match scenario::check_untrusted(&cases.unwrap()) {
            Ok(()) => Vec::new(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let keys = REFUSED.iter().find(|(report, _)| *report == name);
        let keys = keys.map_or(&[][..], |(_, keys)| keys);
        let same = said.len() == keys.len()
            && keys.iter().zip(&said).all(|(key, said)| said.contains(key));
        if !same {
            wrong.push((name, said));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The scenario of a client with this setting and a delivery that ended so.
fn of_a_delivery(setting: &str, line: &str) -> String {
    let text = format!(
        "{setting}\n\nNov 22 08:00:01 mx postfix/smtp[1]: 4F1: to=<me@example.org>, \
         relay=mail.example.org[192.0.2.1]:25, dsn=4.7.4, status=deferred ({line})\n"
    );
    import(text.as_bytes(), "report").unwrap().scenario
}

#[test]
fn a_level_that_cannot_log_the_line_is_replaced_and_told() {
    let not_offered = "TLS is required, but was not offered by host mail.example.org[192.0.2.1]";
    let refused =
        "TLS is required, but host mail.example.org[192.0.2.1] refused to start TLS: 454 no";
    let not_verified = "Server certificate not verified";
    let not_trusted = "Server certificate not trusted";
    let no_dnssec = "non DNSSEC destination";
    for (level, line, needed) in [
        ("may", not_offered, "encrypt"),
        ("none", not_offered, "encrypt"),
        ("dane", not_offered, "encrypt"),
        ("may", refused, "encrypt"),
        ("may", not_verified, "verify"),
        ("encrypt", not_trusted, "verify"),
        ("may", no_dnssec, "dane-only"),
        ("dane", no_dnssec, "dane-only"),
    ] {
        for said in [
            format!("smtp_tls_security_level = {level}"),
            format!(
                "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n\n\
                 # cat /etc/postfix/tls_policy\nexample.org {level}"
            ),
            "smtp_tls_loglevel = 1".to_owned(),
        ] {
            let scenario = of_a_delivery(&said, line);
            let set: Vec<&str> = scenario
                .lines()
                .filter(|one| {
                    one.starts_with("smtp_tls_security_level")
                        || one.starts_with("smtp_tls_policy_maps")
                })
                .collect();
            assert_eq!(set.len(), 1, "{said}: {line}\n{scenario}");
            let wanted = format!("\"{needed}\"");
            assert!(set[0].contains(&wanted), "{said}: {line}\n{scenario}");
            assert!(scenario.contains("# NOTE: "), "{said}: {line}\n{scenario}");
        }
    }
    // What is enough stays.
    for (level, line) in [
        ("encrypt", not_offered),
        ("secure", not_offered),
        ("secure", not_verified),
        ("dane-only", no_dnssec),
    ] {
        let scenario = of_a_delivery(&format!("smtp_tls_security_level = {level}"), line);
        let set = scenario
            .lines()
            .find(|one| one.starts_with("smtp_tls_security_level"));
        let wanted = format!("\"{level}\"");
        assert!(set.unwrap().contains(&wanted), "{line}\n{scenario}");
    }
}
