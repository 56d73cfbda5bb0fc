//! The programs of the pages "Test your own client" and "Test your own server" against a real Postfix, as they stand there.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Every case of the example, on one target; what it needs besides an engine is python3.
#[test]
fn the_examples_pass() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/example/own/mail");
    let copy = tempfile::tempdir().expect("a directory");
    let topic = copy.path().join("mail");
    fs::create_dir(&topic).expect("a directory");
    for file in fs::read_dir(&example).expect("the example") {
        let file = file.expect("a file");
        fs::copy(file.path(), topic.join(file.file_name())).expect("a copy");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_pfs"))
        .args(["run", "--accept", "--target", "debian-13", "--scenarios"])
        .arg(copy.path())
        .output()
        .expect("pfs runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("6 passed"), "is there no python3? {said}");
}
