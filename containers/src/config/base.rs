//! What every fleet has, whatever is tested: delivery that is quick, quiet and leads nowhere but to the harness.
//!
//! Nothing here touches TLS: those defaults are the subject, and stay what this Postfix was built with.

use super::{MainCf, Service, ServiceKind};
use crate::TargetFacts;

/// Where a fleet's own files are; everything in [`FleetSpec::files`](crate::FleetSpec) must be below it.
pub const FILES: &str = "/etc/postfix/pfs/";
/// Host name that always resolves to the harness inside a fleet.
pub const HARNESS_HOST: &str = "harness.pfs.test";
/// The file whose lock says that somebody uses the fleet.
pub(crate) const LEASE_FILE: &str = "/etc/postfix/pfs/lease";
/// Default TCP port of the lease.
pub const LEASE_PORT: u16 = 2500;
/// Default TCP port that takes mail for the fleet's transports, without TLS.
pub const INJECT_PORT: u16 = 2525;
/// `syslog_name` tag of the inject service.
pub const INJECT_TAG: &str = "inject";
/// Transport (and `syslog_name` tag) that delivers to the harness without TLS.
pub const SINK_TRANSPORT: &str = "sink";
/// What makes a fleet ready that is to be as its package has it (images/as-packaged.sh).
pub(crate) const PACKAGED_START: &str = "/etc/postfix/pfs/as-packaged";
/// An authority that the system of such a fleet trusts besides its own.
pub const TRUSTED_FILE: &str = "/etc/postfix/pfs/trusted.pem";
/// access(5) table that every fleet has: see [`recipient`].
pub const ROUTES_FILE: &str = "/etc/postfix/pfs/routes";
// transport_maps may not use what a pattern matched (regexp_table(5), "substitution"); access tables may.
/// What is in it.
pub const ROUTES: &str = "/@([a-z0-9-]+)\\.p([0-9]+)\\.(.+)$/  FILTER ${1}:[${3}]:${2}\n";
/// The restriction that makes [`recipient`] work.
pub const RECIPIENT_CHECK: &str = "check_recipient_access regexp:/etc/postfix/pfs/routes";
/// `texthash:` table for routes a fleet knows beforehand; empty unless the fleet brings its own.
pub const TRANSPORT_FILE: &str = "/etc/postfix/pfs/transport";

/// A recipient that every fleet delivers through `transport` to `[host]:port`, without a table
/// entry of its own: `LOCAL@TRANSPORT.pPORT.HOST`. `host` must be among the fleet's hosts.
///
/// This is done by `smtpd_recipient_restrictions` of the smtpd(8) that takes the message
/// (access(5), `FILTER`), so a service that sets its own must begin it with [`RECIPIENT_CHECK`].
#[must_use]
pub fn recipient(local: &str, transport: &str, host: &str, port: u16) -> String {
    format!("{local}@{transport}.p{port}.{host}")
}

/// main.cf without a fleet's own settings.
#[must_use]
pub fn main_cf(facts: &TargetFacts) -> MainCf {
    let mut main = MainCf::new();
    // Below 2, Postfix logs which backwards-compatible defaults it uses.
    let level = match facts.compatibility_level.as_str() {
        "" | "0" | "1" => "2",
        shipped => shipped,
    };
    main.set("compatibility_level", level);
    for (name, value) in &facts.install {
        main.set(name, value);
    }
    add_own(&mut main);
    main
}

/// The main.cf that the package ships, with what the harness must have otherwise: nothing of TLS.
#[must_use]
pub fn packaged_main_cf(facts: &TargetFacts) -> MainCf {
    let mut main = MainCf::new();
    for (name, value) in &facts.packaged.main_cf {
        main.set(name, value);
    }
    add_own(&mut main);
    main
}

/// What every fleet's main.cf says.
fn add_own(main: &mut MainCf) {
    let settings = [
        ("maillog_file", "/dev/stdout"),
        // Services name the address they listen on; a loopback address here also means that
        // smtp(8) binds to none of its own (smtp_bind_address).
        ("inet_interfaces", "127.0.0.1"),
        ("inet_protocols", "ipv4"),
        ("myhostname", "mail.example.test"),
        ("mydomain", "example.test"),
        ("myorigin", "$myhostname"),
        ("mydestination", ""),
        ("mynetworks", "0.0.0.0/0"),
        ("relay_domains", ""),
        ("local_recipient_maps", ""),
        ("alias_maps", ""),
        ("alias_database", ""),
        ("biff", "no"),
        ("append_dot_mydomain", "no"),
        ("notify_classes", ""),
        // Mail leaves only where a transport table or content_filter sends it.
        ("transport_maps", "texthash:/etc/postfix/pfs/transport"),
        ("default_transport", "error:5.4.4 no route in this fleet"),
        ("local_transport", "error:5.4.4 no route in this fleet"),
        ("relay_transport", "error:5.4.4 no route in this fleet"),
        ("smtp_host_lookup", "native"),
        ("smtp_connection_cache_on_demand", "no"),
        ("smtpd_peername_lookup", "no"),
        ("smtpd_recipient_restrictions", RECIPIENT_CHECK),
        // The route is not known before the queue manager has seen the message's filter.
        ("smtpd_reject_unlisted_recipient", "no"),
        (
            "smtpd_relay_restrictions",
            "permit_mynetworks, reject_unauth_destination",
        ),
        ("smtpd_client_connection_count_limit", "0"),
        // A refused command or a busy queue must not make the next one wait.
        ("smtpd_error_sleep_time", "0"),
        ("in_flow_delay", "0"),
        ("default_process_limit", "1000"),
        ("default_destination_concurrency_failed_cohort_limit", "0"),
        ("queue_run_delay", "1d"),
    ];
    for (name, value) in settings {
        main.set(name, value);
    }
}

/// The services every fleet has.
///
/// The greeting of the inject service tells the generation.
#[must_use]
pub fn services(inject_port: u16, lease_port: u16, generation: u32) -> Vec<Service> {
    let unix = Service::unix;
    let mut services = vec![
        Service::new(
            ServiceKind::UnixDgram {
                name: "postlog".to_owned(),
                private: false,
            },
            "postlogd",
        )
        .max_processes(1),
        Service::smtpd(inject_port)
            .tag(INJECT_TAG)
            .set(
                "smtpd_banner",
                format!("$myhostname ESMTP generation {generation}"),
            )
            .set("smtpd_tls_security_level", "none")
            // Which addresses are the machine's own hangs on the network it is in: no header is added for any of them.
            .set("local_header_rewrite_clients", ""),
        lease(lease_port),
        unix("pickup", "pickup")
            .public()
            .wakeup("60")
            .max_processes(1),
        unix("cleanup", "cleanup").public().max_processes(0),
        unix("qmgr", "qmgr").public().wakeup("300").max_processes(1),
        unix("tlsmgr", "tlsmgr").wakeup("1000?").max_processes(1),
        unix("rewrite", "trivial-rewrite"),
        unix("bounce", "bounce").max_processes(0),
        unix("defer", "bounce").max_processes(0),
        unix("trace", "bounce").max_processes(0),
        unix("verify", "verify").max_processes(1),
        unix("flush", "flush")
            .public()
            .wakeup("1000?")
            .max_processes(0),
        unix("proxymap", "proxymap"),
        unix("proxywrite", "proxymap").max_processes(1),
        Service::smtp("smtp"),
        Service::smtp("relay"),
        Service::smtp(SINK_TRANSPORT)
            .tag(SINK_TRANSPORT)
            .set("smtp_tls_security_level", "none"),
        unix("anvil", "anvil").max_processes(1),
        unix("scache", "scache").max_processes(1),
        unix("tlsproxy", "tlsproxy").max_processes(0),
    ];
    services.extend(["discard", "error", "lmtp"].map(|name| unix(name, name)));
    services.push(unix("retry", "error"));
    services.extend(["local", "virtual"].map(|name| unix(name, name).privileged()));
    services
}

/// A TCP port that holds a shared lock on [`LEASE_FILE`] for each connection to it.
fn lease(port: u16) -> Service {
    Service::new(ServiceKind::Inet(port), "spawn")
        .privileged()
        .max_processes(0)
        .set("command_time_limit", "1000d")
        .argument("user=nobody")
        .argument("argv=/bin/sh")
        .argument("-c")
        // When it was given up tells how long the fleet has not been used (images/supervise.sh).
        .argument(format!(
            "exec flock -s {LEASE_FILE} sh -c 'cat; touch {LEASE_FILE}'"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MasterCf;

    #[test]
    fn quiet_levels_and_install_parameters() {
        let mut facts = TargetFacts::for_tests(&[]);
        facts
            .install
            .insert("daemon_directory".to_owned(), "/opt/postfix".to_owned());
        let main = main_cf(&facts);
        assert_eq!(main.get("compatibility_level"), Some("3.9"));
        assert_eq!(main.get("daemon_directory"), Some("/opt/postfix"));
        facts.compatibility_level = String::new();
        assert_eq!(main_cf(&facts).get("compatibility_level"), Some("2"));
        assert!(main.iter().all(|(name, _)| !name.contains("tls")));
        assert!(main.render().is_ok());
    }

    #[test]
    fn as_packaged_keeps_what_the_package_says_of_tls() {
        let mut facts = TargetFacts::for_tests(&[]);
        let shipped = [
            ("smtpd_tls_security_level", "may"),
            ("mynetworks", "127.0.0.0/8"),
            ("compatibility_level", "1"),
        ];
        facts.packaged.main_cf = shipped
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let main = packaged_main_cf(&facts);
        assert_eq!(main.get("smtpd_tls_security_level"), Some("may"));
        assert_eq!(main.get("compatibility_level"), Some("1"));
        assert_eq!(main.get("mynetworks"), Some("0.0.0.0/0"));
        assert_eq!(main.get("maillog_file"), Some("/dev/stdout"));
    }

    #[test]
    fn the_lease_is_one_argument_of_sh() {
        let text = MasterCf::new(services(2525, 2500, 0))
            .render("127.10.1.1")
            .unwrap();
        assert!(
            text.contains(
                "    argv=/bin/sh\n    -c\n    {exec flock -s /etc/postfix/pfs/lease sh -c 'cat; touch /etc/postfix/pfs/lease'}\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("127.10.1.1:2525 inet n y n - - smtpd"),
            "{text}"
        );
    }

    #[test]
    fn recipients_carry_their_route() {
        assert_eq!(
            recipient("t", "c12", "mail.example.test", 40123),
            "t@c12.p40123.mail.example.test"
        );
    }
}
