//! Values arrive at a real Postfix as they were given.

use pfs_containers::{EngineChoice, FleetFile, Service};

use crate::{mail::banner, open, spec, start};

/// As given, and as smtpd(8) shows it in its banner.
const VALUES: [(&str, &str); 16] = [
    ("plain", "plain"),
    ("", ""),
    ("two words,  and a comma", "two words,  and a comma"),
    ("  blanks at the ends\t", "blanks at the ends"),
    ("{braces}", "{braces}"),
    ("a {b {c} d} e", "a {b {c} d} e"),
    ("inline:{{a=b, c}}", "inline:{{a=b, c}}"),
    ("$myhostname", "mail.example.test"),
    ("${myhostname}", "mail.example.test"),
    ("${nothing?{yes}:{no}}", "no"),
    ("$$5", "$5"),
    ("a=b = c", "a=b = c"),
    ("# no comment", "# no comment"),
    ("\"quoted\" 'twice'", "\"quoted\" 'twice'"),
    ("back\\slash\\", "back\\slash\\"),
    ("-o x=y", "-o x=y"),
];

#[tokio::test]
async fn every_value_arrives() {
    let engine = open(EngineChoice::Chroot).await;
    for target in ["debian-11", "debian-13"] {
        let mut spec = spec(&*engine, &format!("values-{target}")).await;
        spec.target = pfs_containers::Target::parse(target).unwrap();
        let facts = engine
            .prepare(&spec.target, &pfs_containers::silent())
            .await
            .unwrap();
        spec.main_cf = pfs_containers::config::base::main_cf(&facts);
        // In a parameter of our own: Postfix has none that is shown and may be empty.
        let shown =
            |port: u16, name: &str| Service::smtpd(port).set("smtpd_banner", format!("[${name}]"));
        spec.services = (20_000..)
            .zip(VALUES)
            .map(|(port, (value, _))| shown(port, "own").set("own", value))
            .collect();
        // The same in main.cf.
        for (n, (value, _)) in VALUES.iter().enumerate() {
            spec.main_cf.set(format!("own_{n}"), *value);
            spec.services
                .push(shown(21_000 + n as u16, &format!("own_{n}")));
        }
        spec.files.push(FleetFile::secret(
            "/etc/postfix/pfs/deep/er/key.pem",
            "secret",
        ));
        let fleet = start(&*engine, &spec).await;
        for (n, (value, shown)) in (0_u16..).zip(VALUES) {
            for port in [20_000 + n, 21_000 + n] {
                let line = banner(fleet.address_of(port)).await;
                assert_eq!(
                    line,
                    format!("220 [{shown}]\r\n"),
                    "{target} {port}: {value:?}"
                );
            }
        }
        fleet.stop().await.unwrap();
    }
}
