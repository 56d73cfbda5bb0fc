//! `pfs collect` and `collect.sh` on a machine whose `postconf` prints secrets: none of them is told, and what is told can be
//! imported.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its machine up has failed"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// In every place that Postfix has for one.
const POSTCONF: &str = r#"#!/bin/sh
case "$*" in
*mail_version) echo 'mail_version = 3.7.11' ;;
*maillog_file) echo "$LOG" ;;
-n)
    cat <<'OUT'
ldap_bind_pw = FAKE-1 and more
relayhost = [smtp.example.net]:587
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = static:me:FAKE-2
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = encrypt
virtual_mailbox_maps = socketmap:inet:x, http://u:FAKE-3@example.net/x
OUT
    ;;
-M)
    echo 'submission inet n - y - - smtpd'
    echo '    -o { smtp_sasl_password_maps = inline:{ a=u:FAKE-4 } }'
    ;;
-P) exit 1 ;;
esac
"#;

const LOG: &str = "\
Nov 22 08:00:01 mx sshd[1]: Failed password for FAKE-5\n\
Nov 22 08:00:02 mx postfix/smtp[4]: 4F1B2C3D4E: Cannot start TLS: handshake failure\n\
Nov 22 08:00:03 mx postfix/smtp[4]: 4F1B2C3D4E: to=<FAKE-6@example.org>, relay=smtp.example.net[203.0.113.9]:587, \
dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)\n\
Nov 22 08:00:03 mx postfix/qmgr[4]: 4F1B2C3D4E: removed\n";

struct Machine {
    directory: TempDir,
}

impl Machine {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let postconf = directory.path().join("postconf");
        fs::write(&postconf, POSTCONF).unwrap();
        fs::set_permissions(&postconf, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(directory.path().join("mail.log"), LOG).unwrap();
        Self { directory }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("mail.log")
    }

    /// What the program prints that finds this machine's postconf.
    fn collected(&self, command: &mut Command) -> String {
        let path = std::env::var("PATH").unwrap();
        command.env(
            "PATH",
            format!("{}:{path}", self.directory.path().display()),
        );
        command.env("LOG", self.log());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn nothing_secret_is_collected_and_what_is_can_be_imported() {
    let machine = Machine::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("collect.sh");
    let pfs = || Command::new(env!("CARGO_BIN_EXE_pfs"));
    for (how, text) in [
        ("pfs", machine.collected(pfs().arg("collect"))),
        (
            "pfs with a log",
            machine.collected(pfs().arg("collect").arg(machine.log())),
        ),
        (
            "collect.sh",
            machine.collected(Command::new("sh").arg(&script)),
        ),
        (
            "collect.sh with a log",
            machine.collected(Command::new("sh").arg(&script).arg(machine.log())),
        ),
    ] {
        assert!(!text.contains("FAKE-"), "{how}:\n{text}");
        for wanted in [
            "mail_version = 3.7.11",
            "relayhost = [smtp.example.net]:587",
            "smtp_tls_security_level = encrypt",
            "smtp_sasl_password_maps = static:me:(secret)",
            "submission inet n",
            "status=deferred (Cannot start TLS: handshake failure)",
            "@example.org>",
        ] {
            assert!(text.contains(wanted), "{how}: {wanted} is not in\n{text}");
        }
        assert!(!text.contains("qmgr"), "{how}: no line about TLS\n{text}");
        let imported = harness::import::import(text.as_bytes(), "report");
        let imported = imported.unwrap_or_else(|error| panic!("{how}: {error}\n{text}"));
        let scenario = &imported.scenario;
        assert!(
            scenario.contains("[smtp.example.net]:587"),
            "{how}:\n{scenario}"
        );
        let cases = harness::scenario::parse(Path::new("reports/imported.toml"), scenario);
        assert!(
            cases.unwrap()[0].file.client.postfix.is_some(),
            "{how}:\n{scenario}"
        );
    }
}

#[test]
fn addresses_are_replaced_if_asked_to() {
    let machine = Machine::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("collect.sh");
    let pfs = env!("CARGO_BIN_EXE_pfs");
    for text in [
        machine.collected(Command::new(pfs).args(["collect", "--addresses"])),
        machine.collected(Command::new("sh").arg(&script).arg("-a")),
    ] {
        assert!(!text.contains("203.0.113.9"), "{text}");
        assert!(text.contains("smtp.example.net[192.0.2.1]:587"), "{text}");
        assert!(text.contains("mail_version = 3.7.11"), "{text}");
    }
}

#[test]
fn a_machine_without_a_postfix_is_told_so() {
    let empty = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfs"));
    let output = command
        .arg("collect")
        .env("PATH", empty.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("postconf cannot be run"), "{said}");
}
