//! Exim as a line of master.cf: its configuration, and the two programs by which Postfix's pipe(8) and spawn(8) run it.
//!
//! Nothing of Exim is installed in a target but its program. It runs as `nobody`, with a spool that lasts as long as the
//! one message it is for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pfs_certs::{Generated, Pki};
use pfs_containers::config::ServiceKind;
use pfs_containers::{FleetFile, Service};

use super::lines::{Ports, SERVER_NAME};
use crate::plan::{Value, path_of};

/// Where images have it (`containers/images/peers.sh`).
const PROGRAM: &str = "/opt/exim/usr/sbin/exim4";

/// What both programs say where it is not.
pub(crate) const MISSING: &str = "pfs: no Exim at /opt/exim/usr/sbin/exim4";

/// Delivers the message on standard input and says in few words, as pipe(8) passes on a hundred characters of them, what
/// Exim has logged: its failures in TLS, and the session in which the message went. To be tried again unless it did.
const CLIENT: &str = r#"#!/bin/sh
# exim-client CONFIGURATION RECIPIENT
[ -x /opt/exim/usr/sbin/exim4 ] || { echo 'pfs: no Exim at /opt/exim/usr/sbin/exim4'; exit 75; }
spool=$(mktemp -d) || exit 75
trap 'rm -rf "$spool"' EXIT
/opt/exim/usr/sbin/exim4 -C "$1" "-DSPOOL=$spool" -odf -i -f '<>' "$2" >"$spool/said" 2>&1
log() { cat "$spool/mainlog" "$spool/said" 2>/dev/null; }
log | grep -oE 'TLS session: .*' | head -n 1
if log | grep -q ' => '; then
    log | grep ' => ' | grep -oE 'X=[^ ]+( CV=[^ ]+)?' || echo 'in clear'
    exit 0
fi
log | grep -q 'TLS session: ' || log
exit 75
"#;

/// One SMTP session on standard input and output; what it takes goes to the harness at once.
const SERVER: &str = r#"#!/bin/sh
# exim-server CONFIGURATION
[ -x /opt/exim/usr/sbin/exim4 ] || { printf '421 pfs: no Exim at /opt/exim/usr/sbin/exim4\r\n'; exit; }
spool=$(mktemp -d) || exit 75
trap 'rm -rf "$spool"' EXIT
/opt/exim/usr/sbin/exim4 -C "$1" "-DSPOOL=$spool" -odf -bs 2>/dev/null
"#;

/// What a line needs: the two programs, and the configuration.
pub(super) fn files(
    tag: &str,
    is_server: bool,
    ports: Ports,
    options: &BTreeMap<String, String>,
) -> [FleetFile; 3] {
    [
        FleetFile::public(path_of("exim-client"), CLIENT),
        FleetFile::public(path_of("exim-server"), SERVER),
        configuration(tag, is_server, ports, options),
    ]
}

/// A value with names of generated things replaced, by copies of the files that `nobody` can read.
pub(super) fn readable(
    value: &Value,
    pki: &Pki,
    files: &mut BTreeMap<String, FleetFile>,
) -> Result<String, pfs_certs::Error> {
    value.render(|name| match name.make(pki)? {
        Generated::File { name, contents, .. } => {
            let path = path_of(&format!("readable-{name}"));
            files.insert(path.clone(), FleetFile::public(&path, contents));
            Ok(path)
        }
        Generated::Value(text) => Ok(text),
    })
}

/// The line of a client: a transport.
pub(super) fn client(tag: &str) -> Service {
    run(Service::unix(tag, "pipe"), tag, "exim-client").argument("${recipient}")
}

/// The line of a server: a port.
pub(super) fn server(tag: &str, port: u16) -> Service {
    run(
        Service::new(ServiceKind::Inet(port), "spawn"),
        tag,
        "exim-server",
    )
}

fn run(service: Service, tag: &str, program: &str) -> Service {
    service
        .privileged()
        .tag(tag)
        .set("max_use", "1")
        .argument("user=nobody")
        .argument("argv=/bin/sh")
        .argument(path_of(program))
        .argument(path_of(&configuration_file(tag)))
}

fn configuration_file(tag: &str) -> String {
    format!("{tag}.exim")
}

/// What both roles have. The header names no version, which changes with every security update.
const COMMON: &str = r#"exim_path = PROGRAM
spool_directory = SPOOL
log_file_path = SPOOL/%slog
keep_environment =
host_lookup =
never_users =
log_selector = +tls_cipher +tls_certificate_verified +tls_sni
acl_smtp_rcpt = accept
acl_smtp_data = accept
received_header_text = Received: from ${if def:sender_helo_name{$sender_helo_name}{nobody}}\n\t\
  by $primary_hostname (Exim) with $received_protocol${if def:tls_in_cipher{\n\t\
  (tls $tls_in_ver $tls_in_cipher verified=$tls_in_certificate_verified)}}
"#;

/// The configuration of a client (`options` are those of its smtp transport) or of a server (main options).
fn configuration(
    tag: &str,
    is_server: bool,
    ports: Ports,
    options: &BTreeMap<String, String>,
) -> FleetFile {
    let mut text = COMMON.replace("PROGRAM", PROGRAM);
    let set = |text: &mut String, indent: &str| {
        for (name, value) in options {
            let _ = writeln!(text, "{indent}{name} = {value}");
        }
    };
    let name = if is_server {
        SERVER_NAME
    } else {
        "client.example.test"
    };
    let _ = writeln!(text, "primary_hostname = {name}");
    if is_server {
        text.push_str("tls_advertise_hosts = *\n");
        set(&mut text, "");
    }
    let _ = write!(
        text,
        "begin acl\naccept:\n  accept\nbegin routers\nharness:\n  driver = manualroute\n  \
         route_list = * {SERVER_NAME} byname\n  self = send\n  transport = harness\n\
         begin transports\nharness:\n  driver = smtp\n  port = {}\n  allow_localhost\n  \
         hosts_try_fastopen =\n  hosts_try_chunking =\n",
        ports.harness
    );
    if is_server {
        text.push_str("  hosts_avoid_tls = *\n");
    } else {
        set(&mut text, "  ");
    }
    FleetFile::public(path_of(&configuration_file(tag)), text)
}
