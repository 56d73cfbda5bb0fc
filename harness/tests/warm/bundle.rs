//! What a maintainer gets to see a case without pfs.

use std::process::Command;

use super::place::Place;

/// Runs a program, and is what it printed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_bundle_is_complete_and_its_keys_are_its_own() {
    let place = Place::new().await;
    let archive = place.cache().join("case.tar");
    let name = archive.to_string_lossy().into_owned();
    place
        .pfs(&["run", "t/case", "--accept", "--keep", "--bundle", &name])
        .passes();
    let listed = output(Command::new("tar").arg("tvf").arg(&archive));
    for wanted in [
        "README.txt",
        "ca.pem",
        "mail.smtp",
        "plan.txt",
        "scenario.toml",
        "seen/server log.txt",
        "seen/received.txt",
        "seen/wire.txt",
        "server/etc/postfix/main.cf",
        "server/etc/postfix/master.cf",
        "server/etc/postfix/pfs/chain-rsa2048.pem",
    ] {
        assert!(listed.contains(wanted), "{wanted} is not in\n{listed}");
    }
    // A private key is for root alone.
    let key = listed.lines().find(|line| line.contains("chain-rsa2048"));
    assert!(key.unwrap().starts_with("-rw-------"), "{listed}");
    let read = |what: &str| {
        let pattern = format!("*/{what}");
        output(
            Command::new("tar")
                .arg("xOf")
                .arg(&archive)
                .args(["--wildcards", &pattern]),
        )
    };
    let page = read("README.txt");
    for words in [
        "What came of it: pass",
        "openssl s_client -connect 127.0.0.1:10025 -starttls smtp",
        "swaks --server 127.0.0.1",
        "postfix start-fg",
        "pfs run",
    ] {
        assert!(page.contains(words), "`{words}` is not in\n{page}");
    }
    let master = read("server/etc/postfix/master.cf");
    assert!(master.contains("127.0.0.1:10025 inet"), "{master}");
    assert!(!master.contains("127.0.0.1:2525"), "{master}");
    assert!(read("seen/server log.txt").contains("TLS connection established"));
    // No key of the cache has left it.
    let bundled = read("server/etc/postfix/pfs/chain-rsa2048.pem");
    let kept = |text: &str| {
        let mut grep = Command::new("grep");
        grep.args(["-rqF", "-e", text])
            .arg(place.cache().join("sessions"));
        grep.status().unwrap().success()
    };
    assert!(
        kept("PRIVATE KEY"),
        "the fleet that runs has its keys there"
    );
    let begin = bundled.lines().nth(1).unwrap();
    assert!(!kept(begin), "the key is one of the cache's");
    place.pfs(&["down"]).passes();
}

#[tokio::test]
async fn a_bundle_is_of_one_case() {
    let place = Place::new().await;
    place.scenario(
        "why = \"w\"\nmatrix = { a = [\"TLSv1.2\", \"TLSv1.3\"] }\nserver = { postfix = {} }\n\
         [client.rustls]\nversions = [\"<a>\"]\n",
    );
    let archive = place
        .cache()
        .join("case.tar")
        .to_string_lossy()
        .into_owned();
    let said = place.pfs(&["run", "--bundle", &archive]);
    assert_eq!(said.code, Some(2), "{}", said.text);
    assert!(said.text.contains("t/case[TLSv1.3]"), "{}", said.text);
}
