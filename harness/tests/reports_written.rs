//! Reports of the kinds that people paste, in the forms that mail programs, forums and terminals give them; each with what a
//! scenario of it must have. They are made up.

#![expect(clippy::panic, reason = "a test that cannot read its data has failed")]

use std::path::Path;

use harness::import::import;
use harness::scenario::{self, Scenario};

struct Report {
    name: &'static str,
    text: &'static str,
    /// Whether the Postfix it is about is the server.
    is_server: bool,
    /// What the scenario must have.
    has: &'static [&'static str],
    /// What it must not have, comments aside.
    lacks: &'static [&'static str],
}

const REPORTS: [Report; 12] = [
    Report {
        name: "one file for certificate and key, which do not fit, in a panel's shell",
        text: "[root@panel ~]# postconf -n | grep tls\n\
               smtpd_tls_cert_file = /etc/postfix/postfix_default.pem\n\
               smtpd_tls_key_file = $smtpd_tls_cert_file\n\
               smtpd_tls_security_level = may\n\
               [root@panel ~]# tail /var/log/maillog\n\
               Jul 14 08:30:01 panel postfix/smtpd[3121]: warning: cannot get RSA private key from file \
               \"/etc/postfix/postfix_default.pem\": disabling TLS support\n\
               Jul 14 08:30:01 panel postfix/smtpd[3121]: warning: TLS library problem: error:05800074:x509 certificate \
               routines::key values mismatch:../crypto/x509/x509_cmp.c:405:\n",
        is_server: true,
        has: &["key:rsa3072", "key values mismatch"],
        lacks: &["no-such", "$smtpd_tls_cert_file"],
    },
    Report {
        name: "a compose file with a level of the image's own",
        text: "    environment:\n      - TLS_LEVEL=modern\n      - SSL_TYPE=manual\n      - RELAY_PASSWORD=hunter2secret\n\n\
               mailserver  | Mar  3 10:11:12 mail postfix/smtpd[812]: SSL_accept error from unknown[203.0.113.9]: -1\n\
               mailserver  | Mar  3 10:11:12 mail postfix/smtpd[812]: warning: TLS library problem: error:0A000102:SSL \
               routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:\n",
        is_server: true,
        has: &["!SSLv2,!SSLv3,!TLSv1,!TLSv1.1", "unsupported protocol"],
        lacks: &["hunter2secret", "smtp_tls_protocols"],
    },
    Report {
        name: "HTML entities and tags, as a forum's source has them",
        text: "<pre><code>smtp_tls_security_level = verify<br/>\n\
               smtp_tls_policy_maps = hash:/etc/postfix/tls_policy</code></pre>\n\
               <p>Nov 22 08:00:01 mx postfix/smtp[11]: 4F1B2C3D4E: to=&lt;jane@example.org&gt;, relay=mail.example.org[192.0.2.1]:25, \
               delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (Server certificate not trusted)</p>\n",
        is_server: false,
        has: &["smtp_tls_security_level", "Server certificate not trusted"],
        lacks: &["<br", "&lt;", "jane@"],
    },
    Report {
        name: "CRLF and a byte-order mark, from a Windows terminal",
        text: "\u{feff}smtpd_tls_security_level = may\r\nsmtpd_tls_protocols = >=TLSv1.3\r\n\r\n\
               Nov 22 08:00:01 mx postfix/smtpd[11]: SSL_accept error from unknown[192.0.2.1]: -1\r\n\
               Nov 22 08:00:01 mx postfix/smtpd[11]: warning: TLS library problem: error:0A000102:SSL routines::unsupported \
               protocol:../ssl/statem/statem_srvr.c:1657:\r\n",
        is_server: true,
        has: &["smtpd_tls_protocols", ">=TLSv1.3", "unsupported protocol"],
        lacks: &["\r"],
    },
    Report {
        name: "wrapped and quoted twice, on a mailing list",
        text: "On Tue, Nov 21, 2023 at 10:02:03AM +0100, Somebody wrote:\n\
               > > Nov 21 10:01:01 mx postfix/smtpd[2411]: warning: TLS\n\
               > > library problem: error:0A0000C1:SSL routines::no shared\n\
               > > cipher:ssl/statem/statem_srvr.c:2220:\n\
               > What does postconf -n say?\n\
               > > smtpd_tls_security_level = may\n\
               > > smtpd_tls_mandatory_ciphers = high\n\
               > > tls_high_cipherlist = ECDHE-ECDSA-AES256-GCM-SHA384\n\
               > > smtpd_tls_ciphers = high\n",
        is_server: true,
        has: &[
            "tls_high_cipherlist",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "no shared cipher",
        ],
        lacks: &["Somebody"],
    },
    Report {
        name: "the environment of mailcow, and its log",
        text: "```yaml\n    postfix-mailcow:\n      environment:\n        - TZ=Europe/Berlin\n        - DBPASS=FAKE-pw-1\n```\n\
               extra.cf:\n```\nsmtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\nmyhostname = mail.example.net\n```\n\
               ```\npostfix-mailcow-1  | Nov 22 08:00:01 d3adbeef postfix/smtp[391]: 4F1B2C3D4E: to=<x@example.org>, \
               relay=none, delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (TLSA lookup error for mail.example.org:25)\n```\n",
        is_server: false,
        has: &["smtp_tls_security_level", "dane", "TLSA lookup error"],
        lacks: &["FAKE", "DBPASS"],
    },
    Report {
        name: "docker-mailserver, with a setting of its own",
        text: "docker-compose.yml:\n\n    environment:\n      - TLS_LEVEL=modern\n      - SSL_TYPE=letsencrypt\n      - RELAY_HOST=smtp.relay.example\n      - RELAY_PORT=587\n      - RELAY_PASSWORD=FAKE-pw-2\n\n\
               mail.log:\n\nNov 22 08:00:01 mail postfix/smtp[391]: 4F1B2C3D4E: to=<x@example.org>, \
               relay=smtp.relay.example[192.0.2.5]:587, delay=1, delays=0/0/1/0, dsn=4.7.4, status=deferred (TLS is required, but was \
               not offered by host smtp.relay.example[192.0.2.5])\n",
        is_server: false,
        has: &[":587", "TLS is required, but was not offered by host"],
        lacks: &["FAKE", "SSL_TYPE"],
    },
    Report {
        name: "poste.io, from docker logs in JSON",
        text: "docker run -e HTTPS=OFF -e DISABLE_CLAMAV=TRUE -h mail.example.net analogic/poste.io\n\n\
               {\"log\":\"2023-11-22T08:00:01+00:00 mail postfix/smtpd[77]: SSL_accept error from x.example.org[192.0.2.7]: -1\\n\",\"stream\":\"stdout\",\"time\":\"2023-11-22T08:00:01.1Z\"}\n\
               {\"log\":\"2023-11-22T08:00:01+00:00 mail postfix/smtpd[77]: warning: TLS library problem: error:0A000418:SSL routines::tlsv1 alert unknown ca:../ssl/record/rec_layer_s3.c:1586:SSL alert number 48:\\n\",\"stream\":\"stdout\",\"time\":\"2023-11-22T08:00:01.1Z\"}\n",
        is_server: true,
        has: &["alert"],
        lacks: &["HTTPS", "DISABLE_CLAMAV"],
    },
    Report {
        name: "rows of a policy table alone",
        text: "My /etc/postfix/tls_policy:\n\nexample.org       secure match=mail.example.org:.example.org\n\n\
               gives\n\nNov 22 08:00:01 mx postfix/smtp[391]: 4F1B2C3D4E: to=<x@example.org>, relay=mail.example.org[192.0.2.5]:25, \
               delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (Server certificate not verified)\n",
        is_server: false,
        has: &["secure", "Server certificate not verified"],
        lacks: &[],
    },
    Report {
        name: "postconf in full",
        text: "# postconf\n2bounce_notice_recipient = postmaster\nmail_version = 3.7.11\nsmtp_tls_ciphers = medium\n\
               smtpd_tls_ciphers = medium\nsmtpd_tls_eecdh_grade = auto\nsmtpd_tls_security_level = encrypt\n\
               smtpd_tls_loglevel = 0\nsmtpd_tls_protocols = >=TLSv1\nsmtpd_tls_dh1024_param_file =\nzyx_unknown = 1\n\n\
               Nov 22 08:00:01 mx postfix/smtpd[11]: NOQUEUE: lost connection after STARTTLS from unknown[192.0.2.1]\n",
        is_server: true,
        has: &["smtpd_tls_security_level", "Reported for Postfix 3.7.11"],
        lacks: &[
            "smtpd_tls_eecdh_grade",
            "2bounce_notice_recipient",
            "smtp_tls_ciphers",
        ],
    },
    Report {
        name: "both roles, the line is the client's",
        text: "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /etc/letsencrypt/live/mx/fullchain.pem\n\
               smtpd_tls_key_file = /etc/letsencrypt/live/mx/privkey.pem\nsmtp_tls_security_level = fingerprint\n\
               smtp_tls_fingerprint_digest = sha256\n\n\
               Nov 22 08:00:01 mx postfix/smtpd[10]: connect from a.example[192.0.2.9]\n\
               Nov 22 08:00:02 mx postfix/smtp[391]: 4F1B2C3D4E: to=<x@example.org>, relay=mail.example.org[192.0.2.5]:25, \
               delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (Server certificate not verified)\n",
        is_server: false,
        has: &["fingerprint", "Server certificate not verified"],
        lacks: &["smtpd_tls_cert_file", "letsencrypt"],
    },
    Report {
        name: "master.cf with overrides, and a journal",
        text: "submission inet n       -       y       -       -       smtpd\n  -o syslog_name=postfix/submission\n\
               \x20 -o smtpd_tls_security_level=encrypt\n  -o smtpd_sasl_auth_enable=yes\n\n\
               Nov 22 08:00:01 mx postfix/submission/smtpd[11]: SSL_accept error from unknown[192.0.2.1]: lost connection\n\
               Nov 22 08:00:01 mx postfix/submission/smtpd[11]: lost connection after STARTTLS from unknown[192.0.2.1]\n",
        is_server: true,
        has: &["encrypt", "lost connection"],
        lacks: &["syslog_name"],
    },
];

fn scenarios(text: &str) -> Vec<Scenario> {
    scenario::parse(Path::new("reports/imported.toml"), text)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn reports_in_every_form_become_a_scenario_of_what_they_say() {
    let mut wrong = Vec::new();
    for report in &REPORTS {
        let imported = import(report.text.as_bytes(), "report");
        let imported = imported.unwrap_or_else(|error| panic!("{}: {error}", report.name));
        let text = &imported.scenario;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let body = lines.collect::<Vec<_>>().join("\n");
        let cases = scenarios(text);
        let file = &cases[0].file;
        let is_postfix = match report.is_server {
            true => file.server.postfix.is_some(),
            false => file.client.postfix.is_some(),
        };
        if !is_postfix {
            wrong.push(format!("{}: the other side\n{text}", report.name));
        }
        for piece in report.has {
            if !text.contains(piece) {
                wrong.push(format!("{}: `{piece}` is not in\n{text}", report.name));
            }
        }
        for piece in report.lacks {
            if body.contains(piece) {
                wrong.push(format!("{}: `{piece}` is in\n{text}", report.name));
            }
        }
        if text.contains("FAKE-") {
            wrong.push(format!("{}: a secret\n{text}", report.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
