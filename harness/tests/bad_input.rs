//! Scenario files and options that are wrong: a clear error with the place, exit code 2, and
//! nothing started. No Docker, no root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const GOOD: &str = "why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = {}\n";

fn scenarios(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

fn pfs(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pfs"))
        .args(arguments)
        .arg("--scenarios")
        .arg(dir)
        // A cache that cannot be made: whoever touches it has started something.
        .env("PFS_CACHE", "/dev/null/nothing-may-be-started")
        .output()
        .unwrap()
}

/// `pfs run` on one file, which must be refused with these words at this place.
#[track_caller]
fn refused(contents: &[u8], place: &str, words: &[&str]) {
    let dir = scenarios(&[("topic/case.toml", contents)]);
    let output = pfs(dir.path(), &["run"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty());
    for word in [place].iter().chain(words) {
        assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
    }
    assert!(
        !stderr.contains("panicked") && !stderr.contains("RUST_BACKTRACE"),
        "{stderr}"
    );
}

#[test]
fn mails_files_and_services_that_cannot_be() {
    let with = |line: &str, server: &str, client: &str| {
        format!("why = \"w\"\n{line}\n[server]\n{server}\n[client]\n{client}\n").into_bytes()
    };
    let (postfix, rustls) = ("postfix = {}", "rustls = {}");
    for (contents, place, words) in [
        (
            with("message = { count = 9 }", postfix, rustls),
            "1:1",
            ["`message.count` is 9", "expected 1 to 8"],
        ),
        (
            with("message = { headers = [\"no field\"] }", rustls, postfix),
            "1:1",
            ["`message.headers`", "expected one line such as"],
        ),
        (
            with("message = { age = 4 }", rustls, postfix),
            "1:1",
            ["`message.age` is 4", "expected 0 to 3"],
        ),
        (
            with("message = { age = 1 }", postfix, rustls),
            "1:1",
            ["`message.age`", "for mail that a Postfix sends"],
        ),
        (
            with("", "rustls = {}\npostscreen = true", postfix),
            "1:1",
            ["`postscreen`", "for Postfix only"],
        ),
        (
            with(
                "files = { \"openssl.cnf\" = \"\" }",
                "postfix = { tls_config_file = \"file:opensl.cnf\" }",
                rustls,
            ),
            "4:31",
            ["`file:opensl.cnf`", "did you mean `file:openssl.cnf`?"],
        ),
        (
            with("files = { \"../x\" = \"\" }", postfix, rustls),
            "2:11",
            ["the name `../x`", "letters, digits"],
        ),
        (
            with(
                "change = { files = { \"dh:2084\" = \"dh:3072\" } }",
                postfix,
                rustls,
            ),
            "2:22",
            ["`dh:2084`", "expected a generated file"],
        ),
        (
            with(
                "files = { a = \"\" }\nchange = { files = { \"file:a\" = \"file:b\" } }",
                "postfix = { tls_config_file = \"file:a\" }",
                rustls,
            ),
            "3:33",
            ["`change.files` names `file:b`", "not in `[files]`"],
        ),
        (
            with(
                "",
                "postfix = { smtpd_tls_chain_files = \"chain:rsa204\" }",
                rustls,
            ),
            "4:37",
            ["rsa204", "did you mean"],
        ),
    ] {
        refused(&contents, &format!("topic/case.toml:{place}"), &words);
    }
}

#[test]
fn settings_without_effect() {
    let with = |server: &str, client: &str| {
        format!("why = \"w\"\n[server]\n{server}\n[client]\n{client}\n").into_bytes()
    };
    let postfix = |settings: &str| format!("postfix = {{ {settings} }}");
    for (server, client, place, words) in [
        (
            postfix("smtp_tls_security_level = \"may\""),
            postfix(""),
            "3:13",
            "`smtp_tls_security_level` has no effect on this server: smtpd(8) does not read it; smtp(8)",
        ),
        (
            postfix(""),
            postfix("smtpd_tls_security_level = \"may\""),
            "5:13",
            "no effect on this client: smtp(8) does not read it; postscreen(8), smtpd(8)",
        ),
        (
            postfix(""),
            postfix("lmtp_tls_security_level = \"may\""),
            "5:13",
            "lmtp(8) would",
        ),
        (
            postfix(""),
            postfix("transport_maps = \"\""),
            "5:13",
            "trivial-rewrite(8) would",
        ),
        (
            postfix("relayhost = \"[mail.example.test]\""),
            postfix(""),
            "3:13",
            "`relayhost` has no effect on this server",
        ),
        (
            postfix(""),
            postfix("relayhost = \"[mail.example.test]:pop3\""),
            "5:25",
            "`pop3` is neither a port",
        ),
        (
            postfix("smtp_destination_concurrency_limit = 1"),
            postfix(""),
            "3:13",
            "qmgr(8)",
        ),
        (
            postfix("chroot = \"y\""),
            postfix(""),
            "3:13",
            "a column of master.cf",
        ),
        (
            postfix(""),
            postfix("smtp_tls_policy_maps = \"inline:{{a=may}\""),
            "5:36",
            "value of `smtp_tls_policy_maps`: braces do not pair",
        ),
    ] {
        refused(
            &with(&server, &client),
            &format!("topic/case.toml:{place}"),
            &[words],
        );
    }
}

#[test]
fn settings_of_ones_own_and_what_is_left_out() {
    let text = "why = \"w\"\n[server]\nrustls = {}\n[client]\npostfix = { my_curves = \"X448\", \
                tls_eecdh_auto_curves = \"$my_curves\", syslog_name = \"postfix/x\", \
                slow_destination_concurrency_limit = 2, relayhost = \"[mail.example.test]:587\" }\n";
    let dir = scenarios(&[("topic/case.toml", text.as_bytes())]);
    let output = pfs(dir.path(), &["plan", "topic/case", "--target", "debian-12"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for words in [
        "-o {my_curves=X448}",
        "-o syslog_name=postfix/topic.case",
        "note: syslog_name = postfix/x is left out",
        "main.cf: topic.case_destination_concurrency_limit = 2",
        "next hop [mail.example.test]:587",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    assert!(!text.contains("relayhost="), "{text}");
}

#[test]
fn unknown_key_names_the_nearest() {
    refused(
        b"why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = { verions = [] }\n",
        "topic/case.toml:5:12",
        &["unknown field `verions`", "did you mean `versions`?"],
    );
}

#[test]
fn a_fault_comes_to_pass_and_how_tls_begins_is_said_once() {
    for (server, client, pieces) in [
        (
            "rustls = { fault = \"refuse-to-talk\" }",
            "postfix = { smtp_tls_wrappermode = \"yes\" }",
            &["the fault RefuseToTalk never comes to pass", "first byte"][..],
        ),
        (
            "postfix = {}",
            "rustls = { fault = \"early-starttls\" }\ntls = \"implicit\"",
            &["the fault EarlyStarttls never comes to pass"],
        ),
        (
            "rustls = { fault = \"close-after-handshake\", starttls = false }",
            "postfix = {}",
            &["never comes to pass", "`starttls = false`"],
        ),
        (
            "rustls = { starttls = false }\ntls = \"implicit\"",
            "postfix = {}",
            &["[server] has `tls` and `starttls = false`"],
        ),
        (
            "postfix = {}\ntls = \"implicit\"",
            "rustls = {}",
            &[
                "[server] has `tls`, and is a Postfix",
                "`smtpd_tls_wrappermode`",
            ],
        ),
    ] {
        let text = format!("why = \"w\"\n[server]\n{server}\n[client]\n{client}\n");
        refused(text.as_bytes(), "topic/case.toml", pieces);
    }
}

#[test]
fn names_in_expect_are_names() {
    for (expect, pieces) in [
        (
            "failure = { side = \"client\", alert = \"bad_certficate\", cause = \"x\" }",
            &[
                "unknown alert `bad_certficate`",
                "did you mean `bad_certificate`?",
            ][..],
        ),
        (
            "server-signature = \"RSA-PS\"",
            &["unknown signature `RSA-PS`", "did you mean `RSA-PSS`?"],
        ),
        (
            "client-signature = \"ed25519\"",
            &["unknown signature `ed25519`", "did you mean `ED25519`?"],
        ),
        (
            "server-digest = \"SHA-256\"",
            &["unknown digest `SHA-256`", "did you mean `SHA256`?"],
        ),
        (
            "failure = { side = \"server\", cause = \"no shared ciper\" }",
            &[
                "`failure.cause` is `no shared ciper`",
                "did you mean `no shared cipher`?",
            ],
        ),
        (
            "failure = { side = \"server\", cause = \"alert handshake failure\" }",
            &["`failure.cause` is `alert handshake failure`"],
        ),
    ] {
        let text = format!(
            "why = \"w\"\nserver = {{ postfix = {{}} }}\nclient = {{ rustls = {{}} }}\n[expect]\n{expect}\n"
        );
        refused(text.as_bytes(), "topic/case.toml", pieces);
    }
    refused(
        b"why = \"w\"\nserver = { postfix = {} }\nclient = { postfix = {} }\n[expect]\nfailure = { side = \"server\", cause = \"whatever\" }\n",
        "topic/case.toml",
        &["`failure.cause` is `whatever`"],
    );
}

#[test]
fn volatile_lines_are_named_with_a_reason() {
    refused(
        b"why = \"w\"\nserver = { postfix = {} }\nclient = { rustls = {} }\n[[volatile]]\nline = \"smtpd\"\nwhy = \"w\"\n",
        "topic/case.toml",
        &["`[[volatile]]` has line", "eight characters"],
    );
}

#[test]
fn a_fault_belongs_to_one_side_and_one_kind_of_peer() {
    refused(
        b"why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = { fault = \"bad-finished\" }\n",
        "topic/case.toml",
        &[
            "a rustls peer cannot do the fault BadFinished",
            "classic = { … }",
        ],
    );
    refused(
        b"why = \"w\"\n[server]\npostfix = {}\n[client]\nclassic = { fault = { skipped-message = \"ServerHelloDone\" } }\n",
        "topic/case.toml",
        &["is not one of a client"],
    );
    refused(
        b"why = \"w\"\n[server]\npostfix = {}\n[client]\nclassic = { fault = { skipped-message = \"ServerHellDone\" } }\n",
        "topic/case.toml:5:",
        &["did you mean `ServerHelloDone`?"],
    );
}

#[test]
fn a_code_point_has_four_digits() {
    refused(
        b"why = \"w\"\n[server]\npostfix = {}\n[client]\nclassic = { ciphers = [\"0x3\"] }\n",
        "topic/case.toml:5:",
        &["`0x3` is no code point", "0x0003"],
    );
}

#[test]
fn wrong_type_says_what_was_expected() {
    refused(
        b"why = 3\n[server]\npostfix = {}\n[client]\nrustls = {}\n",
        "topic/case.toml:1:7",
        &["integer `3`", "expected a string"],
    );
}

#[test]
fn a_parameter_is_one_scalar_line() {
    refused(
        b"why = \"w\"\n[server]\npostfix = { myhostname = [] }\n[client]\nrustls = {}\n",
        "topic/case.toml:3:26",
        &["main.cf value"],
    );
    refused(
        b"why = \"w\"\n[server]\npostfix = { myhostname = \"a\\nsmtp inet n - - - - x\" }\n[client]\nrustls = {}\n",
        "topic/case.toml:3:26",
        &["line break"],
    );
}

#[test]
fn missing_keys() {
    refused(
        b"[server]\npostfix = {}\n[client]\nrustls = {}\n",
        "topic/case.toml",
        &["missing field `why`"],
    );
    refused(
        b"why = \"w\"\n[server]\npostfix = {}\n",
        "topic/case.toml",
        &["missing field `client`"],
    );
    refused(
        b"why = \"w\"\n[server]\n[client]\nrustls = {}\n",
        "topic/case.toml",
        &["[server] names no peer"],
    );
    refused(
        b"why = \"w\"\n[server]\nrustls = {}\n[client]\nrustls = {}\n",
        "topic/case.toml",
        &["neither side is a Postfix"],
    );
    refused(
        b"why = \" \"\n[server]\npostfix = {}\n[client]\nrustls = {}\n",
        "topic/case.toml",
        &["`why` is empty"],
    );
}

#[test]
fn unknown_names() {
    let with =
        |client: &str| format!("why = \"w\"\n[server]\npostfix = {{}}\n[client]\n{client}\n");
    for (client, place, words) in [
        (
            "rustls = { groups = [\"P-257\"] }",
            "5:22",
            "unknown group `P-257`; did you mean `P-256`?",
        ),
        (
            "rustls = { versions = [\"TLSv1.4\"] }",
            "5:24",
            "unknown TLS version `TLSv1.4`; did you mean",
        ),
        (
            "rustls = { ciphers = [\"ECDHE-RSA-AES256-GCM-SHA383\"] }",
            "5:23",
            "did you mean `ECDHE-RSA-AES",
        ),
        (
            "rustls = { signatures = [\"ed25518\"] }",
            "5:26",
            "did you mean `ed25519`?",
        ),
        ("rustls = {}\ncert = \"client-rsaa\"", "6:8", "client-rsa"),
    ] {
        refused(
            with(client).as_bytes(),
            &format!("case.toml:{place}"),
            &[words],
        );
    }
}

#[test]
fn wrong_target_conditions() {
    refused(
        b"why = \"w\"\ntargets = [\"exim >= 4\"]\n[server]\npostfix = {}\n[client]\nrustls = {}\n",
        "topic/case.toml:2:12",
        &["expected e.g. \"postfix >= 3.7\""],
    );
}

#[test]
fn zones_that_cannot_be() {
    let with = |client: &str, dns: &str| {
        format!("why = \"w\"\n[server]\npostfix = {{}}\n[client]\n{client} = {{}}\n[dns]\n{dns}\n")
    };
    for (client, dns, place, words) in [
        (
            "postfix",
            "records = [\"mail.example.test AAA\"]",
            "7:12",
            "is no record",
        ),
        (
            "postfix",
            "records = [\"mail.example.test TLSA tlsa-3-1-1:rsa204\"]",
            "7:12",
            "did you mean \"rsa2048\"",
        ),
        (
            "postfix",
            "zones = { \"example.test\" = \"unsinged\" }",
            "7:28",
            "did you mean `unsigned`?",
        ),
        ("postfix", "record = []", "7:1", "did you mean `records`?"),
        (
            "postfix",
            "records = [\"a.b.test CNAME c.b.test\", \"a.b.test A\"]",
            "1:1",
            "a.b.test is an alias and has other records",
        ),
        ("rustls", "records = []", "1:1", "which only Postfix does"),
    ] {
        refused(
            with(client, dns).as_bytes(),
            &format!("case.toml:{place}"),
            &[words],
        );
    }
}

#[test]
fn plan_shows_the_zones_with_digests_by_name() {
    let text = "why = \"w\"\n[server]\nrustls = {}\n[client]\npostfix = {}\n[dns]\n\
                records = [\"mail.example.test A\", \"mail.example.test TLSA tlsa-3-1-1:rsa2048\"]\n";
    let dir = scenarios(&[("topic/case.toml", text.as_bytes())]);
    let output = pfs(dir.path(), &["plan", "topic/case", "--target", "debian-12"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for words in [
        "zone example.test: signed",
        ".example.test  A <harness>",
        "_<port>._tcp.mail.case-",
        "  TLSA tlsa-3-1-1:rsa2048",
        "-o {smtp_dns_support_level=dnssec}",
    ] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn duplicate_cases() {
    let dir = scenarios(&[("a/x.toml", GOOD.as_bytes()), ("a/X.toml", GOOD.as_bytes())]);
    let output = pfs(dir.path(), &["run"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("duplicate case"), "{stderr}");
    assert!(stderr.contains("a/x.toml:1:1"), "{stderr}");
}

#[test]
fn matrix_mistakes() {
    let with = |matrix: &str| format!("{GOOD}[matrix]\n{matrix}\n");
    refused(with("a = []").as_bytes(), "case.toml:7:5", &["is empty"]);
    refused(
        with("a = [\"x\"]").as_bytes(),
        "case.toml:7:1",
        &["not used", "<a>"],
    );
    refused(
        with("a = \"x\"").as_bytes(),
        "case.toml:7:5",
        &["must be a list"],
    );
    refused(
        with("a = [{ b = 1 }]").as_bytes(),
        "case.toml:7:6",
        &["`id`"],
    );
    refused(
        with("a = [\"1\", \"1\"]").as_bytes(),
        "case.toml:7:11",
        &["stands twice"],
    );
}

#[test]
fn files_that_are_no_scenarios() {
    refused(b"", "topic/case.toml", &["empty"]);
    refused(b"# only a comment\n", "topic/case.toml", &["empty"]);
    refused(b"why = \"\xff\"\n", "topic/case.toml:1:8", &["not UTF-8"]);
    refused(b"why = \"w\n", "topic/case.toml:1:", &["invalid"]);
    refused(
        &vec![b'#'; 1 << 20],
        "topic/case.toml",
        &["1048576 bytes", "at most"],
    );
}

#[test]
fn nothing_there() {
    let dir = scenarios(&[("README.md", b"x")]);
    let output = pfs(dir.path(), &["run"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("no scenario files")
    );
    assert_eq!(
        pfs(Path::new("/nonexistent"), &["run"]).status.code(),
        Some(2)
    );
}

#[test]
fn every_wrong_file_is_named() {
    let dir = scenarios(&[
        ("a/x.toml", b"why = 1"),
        ("a/y.toml", b"bad = 1"),
        ("a/z.toml", GOOD.as_bytes()),
    ]);
    let stderr = String::from_utf8(pfs(dir.path(), &["run"]).stderr).unwrap();
    assert!(
        stderr.contains("a/x.toml:1:7") && stderr.contains("a/y.toml:1:1"),
        "{stderr}"
    );
}

#[test]
fn unknown_target_and_case() {
    let dir = scenarios(&[("topic/case.toml", GOOD.as_bytes())]);
    for (arguments, words) in [
        (
            vec!["run", "--target", "debian-21"],
            "unknown target `debian-21`",
        ),
        (
            vec!["run", "--target", "debian-12", "--target", "debian-12"],
            "given twice",
        ),
        (vec!["run", "topic/cake"], "did you mean `topic/case`?"),
        (
            vec!["plan", "topic/cake", "--target", "debian-12"],
            "did you mean",
        ),
        (vec!["run", "--jobs", "0"], "--jobs"),
    ] {
        let output = pfs(dir.path(), &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[test]
fn list_and_plan_start_nothing() {
    let dir = scenarios(&[("topic/case.toml", GOOD.as_bytes())]);
    let output = pfs(dir.path(), &["list", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["id"], "topic/case");
    assert_eq!(line["topic"], "topic");
    for key in ["why", "claims", "targets"] {
        assert!(line.get(key).is_some(), "{key}");
    }
    let output = pfs(dir.path(), &["plan", "topic/case", "--target", "debian-12"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("-o {smtpd_tls_security_level=may}"), "{text}");
}

/// A scenario is code: one of unknown origin runs nothing of its own.
#[test]
fn untrusted_scenarios_execute_nothing() {
    for (text, place, key) in [
        (
            "why = \"w\"\nclient = { postfix = {} }\nserver = { rustls = {} }\n\
             change = { files = { 'dh:2048' = 'run:touch /tmp/owned' } }\n",
            "case.toml:1:1",
            "touch /tmp/owned",
        ),
        (
            "why = \"w\"\nclient = { rustls = {} }\nserver = { postfix = { smtpd_milters = \"inet:127.0.0.1:1\" } }\n",
            "case.toml:3:24",
            "smtpd_milters",
        ),
        (
            "why = \"w\"\nclient = { rustls = {} }\nserver = { postfix = { smtpd_tls_CAfile = \"/etc/shadow\" } }\n",
            "case.toml:3:24",
            "/etc/shadow",
        ),
    ] {
        let dir = scenarios(&[("topic/case.toml", text.as_bytes())]);
        let output = pfs(dir.path(), &["run", "--untrusted"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for word in [place, key, "--untrusted"] {
            assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
        }
    }
}

#[test]
fn engines_and_targets_of_the_environment() {
    let dir = scenarios(&[("topic/case.toml", GOOD.as_bytes())]);
    let run = |arguments: &[&str], name: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_pfs"))
            .arg("run")
            .args(arguments)
            .arg("--scenarios")
            .arg(dir.path())
            .env_remove("PFS_ENGINE")
            .env_remove("PFS_TARGETS")
            .env("PFS_CACHE", "/dev/null/nothing-may-be-started")
            .env(name, value)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), stderr)
    };
    let (code, said) = run(&[], "PFS_ENGINE", "dokcer");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("PFS_ENGINE=dokcer: expected auto, docker or chroot"),
        "{said}"
    );
    let (code, said) = run(&[], "PFS_TARGETS", "debian-12,debain-13");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`debain-13`, did you mean"), "{said}");
    // What is on the command line wins.
    let wrong = ["--target", "debain-11"];
    let (code, said) = run(&wrong, "PFS_TARGETS", "debian-12");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`debain-11`"), "{said}");
    let chosen = ["--engine", "chroot", "--target", "debain-11"];
    let (_, said) = run(&chosen, "PFS_ENGINE", "dokcer");
    assert!(said.contains("`debain-11`"), "{said}");
}

#[test]
fn doctor_says_what_is_missing_and_what_to_do() {
    let doctor = |cache: &str, docker: &str| {
        Command::new(env!("CARGO_BIN_EXE_pfs"))
            .args(["doctor", "--format", "json"])
            .env("PFS_CACHE", cache)
            .env("DOCKER_HOST", docker)
            .output()
            .unwrap()
    };
    let output = doctor("/proc/no-such-place", "unix:///no-such-socket");
    assert_eq!(output.status.code(), Some(3));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["can_run"], false);
    let check = |name: &str| {
        let mut checks = told["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == name).cloned().unwrap()
    };
    assert_eq!(check("room")["state"], "missing");
    assert!(
        check("room")["advice"]
            .as_str()
            .unwrap()
            .contains("PFS_CACHE")
    );
    assert_eq!(check("docker")["state"], "without");
    assert!(
        check("docker")["found"]
            .as_str()
            .unwrap()
            .contains("no-such-socket")
    );
}
