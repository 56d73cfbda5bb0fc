use std::path::Path;

use super::*;
use crate::scenario::{load, parse};

fn refused(text: &str) -> Option<String> {
    let scenarios = match parse(Path::new("topic/case.toml"), text) {
        Ok(scenarios) => scenarios,
        // What the server's daemons do not read is refused before.
        Err(error) => return Some(error.to_string()),
    };
    let errors = check_untrusted(&scenarios).err()?;
    Some(
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

fn with(server: &str, rest: &str) -> String {
    format!(
        "why = \"w\"\nserver = {{ postfix = {{ {server} }} }}\nclient = {{ rustls = {{}} }}\n{rest}"
    )
}

#[test]
fn what_can_execute_or_reach_out() {
    for setting in [
        "smtpd_tls_CAfile = '/etc/ssl/certs/ca-certificates.crt'",
        "smtpd_tls_CApath = 'etc/ssl'",
        "smtpd_tls_key_file = '$daemon_directory/x'",
        "smtpd_tls_key_file = '${config_directory}'",
        "mailbox_command = 'touch /tmp/x'",
        "debugger_command = 'sh'",
        "daemon_directory = 'x'",
        "import_environment = 'LD_PRELOAD=x.so'",
        "smtpd_milters = 'inet:127.0.0.1:1'",
        "content_filter = 'smtp:[192.0.2.1]'",
        "transport_maps = 'static:smtp:[192.0.2.1]'",
        "relayhost = '[192.0.2.1]'",
        "smtpd_tls_session_cache_database = 'btree:/tmp/x'",
        "smtpd_tls_session_cache_database = 'btree:$data_directory/../../x'",
        "relay_clientcerts = 'tcp:192.0.2.1:25'",
        "relay_clientcerts = 'ldap:x'",
        "relay_clientcerts = 'proxy:mysql:x'",
        "relay_clientcerts = 'socketmap:inet:127.0.0.1:1:x'",
        "relay_clientcerts = 'unionmap:{static:a,pgsql:x}'",
        "relay_clientcerts = 'environ:x'",
        "relay_clientcerts = 'new-type:x'",
        "smtpd_client_restrictions = 'check_policy_service { inet:127.0.0.1:1, timeout=1s }'",
        "smtpd_client_restrictions = 'reject_rbl_client list.example.test'",
        "smtpd_client_restrictions = 'check_client_access tcp:192.0.2.1:1'",
        "tls_random_source = 'dev:/dev/mem'",
        "tls_config_file = '/tmp/openssl.cnf'",
    ] {
        let name = setting.split(' ').next().unwrap();
        let said = refused(&with(setting, "")).unwrap_or_else(|| panic!("{setting}"));
        assert!(said.contains("topic/case.toml:2:"), "{said}");
        assert!(said.contains(name), "{said}");
    }
    for rest in [
        "[change]\nfiles = { 'dh:2048' = 'run:touch /tmp/x' }",
        "[files]\nmap = 'a /etc/passwd'",
        "[files]\nmap = 'a check_policy_service inet:127.0.0.1:1'",
    ] {
        refused(&with("smtpd_tls_loglevel = 1", rest)).unwrap_or_else(|| panic!("{rest}"));
    }
    let openssl = with(
        "tls_config_file = 'file:cnf', tls_config_name = 'mine'",
        "[files]\ncnf = '''\nmine = s\n[s]\nssl_conf = t\n[t]\nmodule = x.so\n'''",
    );
    assert!(refused(&openssl).unwrap().contains("`module`"));
    let exim = "why = \"w\"\nserver = { exim = { tls_certificate = '${run{/bin/id}}' } }\nclient = { postfix = {} }\n";
    assert!(refused(exim).unwrap().contains("tls_certificate"));
    let acl = exim.replace("tls_certificate", "acl_smtp_connect");
    assert!(refused(&acl).unwrap().contains("acl_smtp_connect"));
    for place in ["machine", "target"] {
        let command = format!(
            "why = \"w\"\nserver = {{ postfix = {{}} }}\nclient = {{ command = {{ run = ['id', '-u'], in = '{place}' }} }}\n"
        );
        assert!(refused(&command).unwrap().contains("`id`"), "{place}");
    }
    let client = |client: &str| {
        format!(
            "why = \"w\"\nserver = {{ rustls = {{}} }}\nclient = {{ postfix = {{}}, {client} }}\n"
        )
    };
    for out in [
        "nexthop = '[192.0.2.1]:25'",
        "nexthop = '192.0.2.1'",
        "on = 'x=image:evil'",
    ] {
        assert!(refused(&client(out)).is_some(), "{out}");
    }
    assert_eq!(
        refused(&client("nexthop = '[mail.example.test]:587'")),
        None
    );
}

#[test]
fn what_stays_within_the_case() {
    for setting in [
        "smtpd_tls_chain_files = 'chain:rsa2048, chain:ecdsa-p256'",
        "tls_medium_cipherlist = 'aNULL:-aNULL:HIGH:@SECLEVEL=0'",
        "smtpd_tls_protocols = '!SSLv2, !SSLv3, >=TLSv1'",
        "smtpd_tls_session_cache_database = 'btree:${data_directory}/smtpd_scache'",
        "relay_clientcerts = 'texthash:file:map'",
        "smtpd_tls_exclude_ciphers = 'A1:B2:C3'",
        "relay_clientcerts = 'cidr:{{127.0.0.0/8 permit}}'",
        "relay_clientcerts = 'inline:{ mail.example.test=encrypt }'",
        "tls_eecdh_auto_curves = '$tls_eecdh_strong_curve'",
    ] {
        let said = refused(&with(setting, "[files]\nmap = 'a permit'"));
        assert_eq!(said, None, "{setting}");
    }
}

/// Most of the suite needs nothing else, programs in the pair aside: a list that refused it would be of no use to an importer.
#[test]
fn the_suite_is_trusted_for_the_most_part() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut all = load(&dir).unwrap();
    all.retain(|one| one.file.client.command.is_none() && one.file.server.command.is_none());
    let refused: Vec<_> = all
        .iter()
        .filter_map(|one| check_untrusted([one]).err().map(|why| (&one.id, why)))
        .collect();
    assert!(
        refused.len() * 5 < all.len(),
        "{} of {}: {refused:#?}",
        refused.len(),
        all.len()
    );
    assert!(!refused.is_empty(), "some run commands");
}

#[test]
fn logins_are_of_the_case() {
    let of_client = |setting: &str| {
        format!(
            "why = \"w\"\nserver = {{ rustls = {{}} }}\nclient = {{ postfix = {{ {setting} }} }}\n"
        )
    };
    for setting in [
        "smtp_sasl_password_maps = 'ldap:x'",
        "smtp_sasl_password_maps = '/etc/postfix/sasl_passwd'",
        "smtp_sasl_path = 'x'",
        "smtp_tlsrpt_socket_name = 'x'",
    ] {
        assert!(refused(&of_client(setting)).is_some(), "{setting}");
    }
    for setting in [
        "smtp_sasl_password_maps = 'inline:{{[mail.example.test] = some.user:not-a-password}}'",
        "smtp_sasl_mechanism_filter = 'plain, login'",
    ] {
        assert_eq!(refused(&of_client(setting)), None, "{setting}");
    }
}
