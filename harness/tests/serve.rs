//! `pfs serve --json` for a program of another language: the client of the page "Test in any language", as it stands there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

struct Serving {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pfs"))
            .args(["serve", "--json", "--target", "debian-13"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            lines: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Its standard input ends, and so does it.
    fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
        let mut rest = String::new();
        assert_eq!(self.lines.read_line(&mut rest).unwrap(), 0, "{rest}");
    }
}

/// The Python program of the page.
fn program() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/serve.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, program) = page.split_once("```python\n").unwrap();
    program.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_program_of_the_page_passes() {
    let path = Path::new(env!("CARGO_BIN_EXE_pfs")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(path.to_owned()).chain(std::env::split_paths(&paths));
    let output = Command::new("python3")
        .args(["-c", &program()])
        .env("PATH", std::env::join_paths(all).unwrap())
        .env("PFS_TARGETS", "debian-13")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{told}");
    assert_eq!(said.trim(), "TLSv1.3 TLS_AES_256_GCM_SHA384", "{told}");
}

#[test]
fn a_client_that_verifies_refuses_and_is_told_so() {
    let mut serving = Serving::start(&["--cert", "localhost-expired", "smtpd_tls_loglevel=1"]);
    let at = serving.next();
    assert_eq!(at["event"], "listening");
    let client = "import smtplib, ssl, sys\n\
                  client = smtplib.SMTP('localhost', int(sys.argv[1]))\n\
                  try: client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))\n\
                  except ssl.SSLCertVerificationError as error: print(error.verify_message)\n";
    let output = Command::new("python3")
        .args([
            "-c",
            client,
            &at["port"].to_string(),
            at["ca"].as_str().unwrap(),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), "certificate has expired");
    let session = serving.next();
    assert_eq!(session["event"], "session");
    assert_eq!(session["messages"], Value::Array(Vec::new()));
    assert_eq!(session["client_hello"]["sni"], "localhost");
    let log = session["log"].to_string();
    assert!(log.contains("alert certificate expired"), "{log}");
    assert_eq!(session["failures"][0]["alert"], "certificate_expired");
    serving.end();
}

/// A mail by way of smtplib, verified.
fn send(at: &Value) {
    let client = "import smtplib, ssl, sys\n\
                  client = smtplib.SMTP('localhost', int(sys.argv[1]))\n\
                  client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))\n\
                  client.sendmail('', 'you@example.test', 'Hello')\n\
                  client.quit()\n";
    let arguments = [
        at["port"].to_string(),
        at["ca"].as_str().unwrap().to_owned(),
    ];
    let mut command = Command::new("python3");
    let output = command.args(["-c", client]).args(arguments).output();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

#[test]
fn processes_share_a_postfix_and_one_that_is_killed_takes_nothing_along() {
    let (mut killed, mut other) = (Serving::start(&[]), Serving::start(&[]));
    let (first, second) = (killed.next(), other.next());
    // One session, one authority; a line of master.cf each.
    assert_eq!(first["ca_pem"], second["ca_pem"]);
    assert_ne!(first["port"], second["port"]);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    send(&second);
    assert_eq!(other.next()["messages"].as_array().unwrap().len(), 1);
    // Whoever comes later may have the line of the one that is gone.
    let mut third = Serving::start(&[]);
    let at = third.next();
    assert_eq!(at["ca_pem"], second["ca_pem"]);
    send(&at);
    assert_eq!(third.next()["messages"].as_array().unwrap().len(), 1);
    other.end();
    third.end();
}

#[test]
fn what_cannot_be_is_told_as_everywhere() {
    for (argument, words) in [
        (
            "smtpd_tls_securty_level=may",
            "did you mean `smtpd_tls_security_level`?",
        ),
        ("smtpd_tls_security_level", "expected NAME=VALUE"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_pfs"))
            .args(["serve", "--target", "debian-13", argument])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(words), "{told}");
    }
}
