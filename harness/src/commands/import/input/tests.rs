use std::fs;

use tempfile::TempDir;

use super::*;
use crate::import::import_files;

/// A tree as `sos report` of RHEL 9 leaves it, unpacked; what is in it is made up.
fn sos() -> TempDir {
    let tree = TempDir::new().unwrap();
    let top = "sosreport-mx1-2026-11-20-abcdefg";
    let journal = "Nov 20 08:00:01 mx1 kernel: Linux version 5.14\n\
        Nov 20 08:00:02 mx1 postfix/smtp[7]: 4F1B2C3D4E: to=<jane@example.org>, relay=mail.example.org[192.0.2.9]:25, \
        delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (Server certificate not verified)\n";
    let files = [
        ("version.txt", "sos report: 4.7.2\n"),
        (
            "installed-rpms",
            "openssh-8.7p1-38.el9.x86_64\nopenssl-3.0.7-28.el9_4.x86_64\npostfix-3.5.25-1.el9.x86_64\n",
        ),
        (
            "etc/postfix/main.cf",
            "# a comment\nmydestination = $myhostname\nsmtp_tls_CAfile = /etc/pki/tls/certs/ca-bundle.crt\n\
             smtp_tls_security_level = may\nsmtp_tls_policy_maps =\n    hash:/etc/postfix/tls_levels\n\
             smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd\n",
        ),
        (
            "etc/postfix/master.cf",
            "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n",
        ),
        (
            "etc/postfix/tls_levels",
            "example.org secure match=example.org\n",
        ),
        ("etc/postfix/sasl_passwd", "[a.example] me:FAKE-1\n"),
        (
            "etc/pki/tls/private/mail.key",
            "-----BEGIN PRIVATE KEY-----\nFAKE2\n-----END PRIVATE KEY-----\n",
        ),
        (
            "sos_commands/postfix/postconf",
            "mail_version = 3.5.25\nsmtp_tls_security_level = may\nsmtp_tls_loglevel = 0\n",
        ),
        ("sos_commands/logs/journalctl_--no-pager", journal),
    ];
    for (name, text) in files {
        let path = tree.path().join(top).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    tree
}

fn files_of(path: &Path) -> Vec<ReportFile> {
    match read(path).unwrap() {
        Input::Files(files) => files,
        Input::Text(_) => panic!("a directory"),
    }
}

#[test]
fn a_sos_report_is_read_with_the_tables_it_names_and_no_secret() {
    let tree = sos();
    for path in [
        tree.path().to_owned(),
        tree.path().join("sosreport-mx1-2026-11-20-abcdefg"),
    ] {
        let files = files_of(&path);
        let whole: Vec<u8> = files.iter().flat_map(|file| file.text.clone()).collect();
        let whole = String::from_utf8(whole).unwrap();
        assert!(!whole.contains("FAKE"), "{whole}");
        assert!(!whole.contains("kernel"), "{whole}");
        let imported = import_files(&files, "sos").unwrap();
        let scenario = &imported.scenario;
        for wanted in [
            "Reported for Postfix 3.5.25",
            "Reported for OpenSSL 3.0.7",
            "Server certificate not verified",
            "secure",
            "etc/postfix/main.cf, line ",
        ] {
            assert!(scenario.contains(wanted), "{wanted} is not in\n{scenario}");
        }
        let cases = crate::scenario::parse(Path::new("reports/imported.toml"), scenario);
        assert!(cases.unwrap()[0].file.client.postfix.is_some());
    }
}

#[test]
fn lines_are_numbered_as_in_their_files() {
    let tree = TempDir::new().unwrap();
    let main = "# 1\n# 2\nsmtp_tls_security_level = encrypt\n";
    fs::write(tree.path().join("main.cf"), main).unwrap();
    fs::write(
        tree.path().join("master.cf"),
        "smtp unix - - n - - smtp\n  -o smtp_tls_ciphers=high\n",
    )
    .unwrap();
    fs::write(
        tree.path().join("mail.log"),
        "Nov 20 08:00:02 mx1 postfix/smtp[7]: Untrusted TLS connection established to a.example[192.0.2.9]:25: TLSv1.2 \
         with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)\n",
    )
    .unwrap();
    let scenario = import_files(&files_of(tree.path()), "d").unwrap().scenario;
    assert!(scenario.contains("main.cf, line 3"), "{scenario}");
    assert!(scenario.contains("master.cf, line 2"), "{scenario}");
}

#[test]
fn what_leads_out_of_the_directory_is_not_read() {
    let tree = TempDir::new().unwrap();
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("policy"), "example.org none\n").unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("policy"),
        tree.path().join("tls_policy"),
    )
    .unwrap();
    std::os::unix::fs::symlink(outside.path(), tree.path().join("linked")).unwrap();
    fs::write(
        tree.path().join("main.cf"),
        "smtp_tls_policy_maps = hash:/etc/postfix/linked/policy hash:/etc/postfix/../policy\n",
    )
    .unwrap();
    let names: Vec<String> = files_of(tree.path())
        .into_iter()
        .map(|file| file.name)
        .collect();
    assert_eq!(names, ["main.cf"]);
}
