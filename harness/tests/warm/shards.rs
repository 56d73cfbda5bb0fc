//! Two halves of a run on a real Postfix, put together.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::place::{Place, Said};

const SCENARIO: &str = r#"
why    = "Each group, a wrong expectation for one of them, and one that needs another Postfix."
matrix = { group = ["X25519", "X448", "P-256", "P-384", "P-521", "ffdhe2048", "ffdhe3072"] }
server = { postfix = {} }
client = { rustls = { groups = ["<group>"], versions = ["TLSv1.3"] } }
expect = { key-exchange = "<group>" }
"#;

fn report(arguments: &[&str], files: &[&Path]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_pfs"))
        .arg("report")
        .args(files)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let code = output.status.code();
    Said { text, code }
}

/// Its names and outcomes.
fn results(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap();
    let mut all: Vec<_> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            (line["id"].to_string(), line["outcome"].to_string())
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn two_shards_put_together_are_the_run() {
    let place = Place::new().await;
    place.scenario(SCENARIO);
    // Some have a snapshot, the others fail for want of one.
    place.pfs(&["run", "--accept", "ffdhe", "P-"]);
    let out = tempfile::tempdir().unwrap();
    let file = |name: &str| out.path().join(name);
    let [whole, one, two, both] =
        ["whole", "1", "2", "both"].map(|name| file(&format!("{name}.jsonl")));
    let mut codes = Vec::new();
    for (shard, path) in [("", &whole), ("1/2", &one), ("2/2", &two)] {
        let (json, junit) = (
            format!("json={}", path.display()),
            format!("junit={}", path.with_extension("xml").display()),
        );
        let mut arguments = vec!["run", "--quiet", "--report", &json, "--report", &junit];
        if !shard.is_empty() {
            arguments.extend(["--shard", shard]);
        }
        let said = place.outputs(&arguments);
        let told = String::from_utf8_lossy(&said.stderr);
        assert_eq!(told, "", "nothing but errors");
        codes.push(said.status.code());
    }
    // A saved result is reported as the run did.
    let again = file("again.xml");
    report(
        &["--report", &format!("junit={}", again.display())],
        &[&whole],
    );
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    assert_eq!(read(&again), read(&whole.with_extension("xml")));
    assert_eq!(codes[0], Some(1), "the run has failures");
    let (first, second, all) = (results(&one), results(&two), results(&whole));
    assert!(
        !first.is_empty() && !second.is_empty(),
        "both have something"
    );
    let mut together = [first.clone(), second].concat();
    together.sort();
    assert_eq!(together, all);
    let markdown = format!("markdown={}", file("both.md").display());
    let json = format!("json={}", both.display());
    let said = report(&["--report", &json, "--report", &markdown], &[&one, &two]);
    assert_eq!(said.code, codes[0], "{}", said.text);
    assert_eq!(results(&both), all);
    let of_whole = report(&["--format", "markdown"], &[&whole]);
    let page = fs::read_to_string(file("both.md")).unwrap();
    let head = |text: &str| text.lines().next().map(str::to_owned);
    assert_eq!(head(&page), head(&of_whole.text));
    // One alone is not the run.
    let said = report(&[], &[&one]);
    assert_eq!(said.code, Some(3), "{}", said.text);
    assert!(
        said.text.contains("missing of the shards: 2/2"),
        "{}",
        said.text
    );
    for name in ["whole", "1", "2"] {
        let xml = fs::read_to_string(file(&format!("{name}.xml"))).unwrap();
        let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
        assert_eq!(parsed.tests, results(&file(&format!("{name}.jsonl"))).len());
    }
}

#[tokio::test]
async fn a_shard_without_cases_is_a_run_that_passes() {
    let place = Place::new().await;
    let out = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    place.pfs(&["run", "--accept"]);
    for shard in ["1/3", "2/3", "3/3"] {
        let path = out.path().join(shard.replace('/', "-"));
        let json = format!("json={}", path.display());
        place
            .pfs(&["run", "--shard", shard, "--report", &json])
            .passes();
        files.push(path);
    }
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    let said = report(&[], &files);
    said.passes();
    assert!(said.text.contains("1 passed (chroot)"), "{}", said.text);
}
