//! Settings that would have no effect, or that cannot be written: found before anything is started.

use std::collections::BTreeMap;

use pfs_containers::config::main_cf::{per_transport, refers_to};
use pfs_containers::config::quote;
use pfs_containers::config::readers::{Daemon, is_instance_wide, is_read, pages};

use super::check::Wrong;
use super::expect::SideName;
use super::file::{Postfix, ScenarioFile};
use super::nexthop::NextHop;

/// Columns of master.cf (master(5)) by the names that postconf -M gives them.
const MASTER_CF: [&str; 6] = [
    "chroot",
    "private",
    "unprivileged",
    "wakeup",
    "maxproc",
    "process_limit",
];

/// Every setting of a Postfix side is read by a daemon of that side.
pub(super) fn effects(file: &ScenarioFile) -> Result<(), Wrong> {
    let server: &[Daemon] = match file.server.postscreen {
        true => &[Daemon::Smtpd, Daemon::Postscreen, Daemon::TlsproxyServer],
        false => &[Daemon::Smtpd],
    };
    let client: &[Daemon] = match file.client.reuses_connections() {
        true => &[Daemon::Smtp, Daemon::TlsproxyClient],
        false => &[Daemon::Smtp],
    };
    let sides = [
        (SideName::Server, &file.server.postfix, server),
        (SideName::Client, &file.client.postfix, client),
    ];
    for (side, written, daemons) in sides {
        let Some(written) = written else { continue };
        for (name, value) in written {
            let (place, name) = (name.span().start, name.get_ref().as_str());
            let value_at = value.span().start;
            let value = value.get_ref();
            if MASTER_CF.contains(&name) {
                return Err(Wrong {
                    at: place,
                    message: format!("`{name}` is a column of master.cf, not a parameter"),
                    help: Some("no line of the harness is chrooted by Postfix itself".to_owned()),
                });
            }
            if !value.is_built_in()
                && !is_instance_wide(name)
                && let Err(error) = quote::override_argument(name, value.as_str())
            {
                return Err(Wrong {
                    at: value_at,
                    message: error.to_string(),
                    help: None,
                });
            }
            if name == "relayhost"
                && side == SideName::Client
                && let Err(message) = value.as_str().parse::<NextHop>()
            {
                return Err(Wrong {
                    at: value_at,
                    message,
                    help: None,
                });
            }
            if has_effect(side, name, written, daemons, file) {
                continue;
            }
            return Err(Wrong {
                at: place,
                message: message(side, name, daemons),
                help: None,
            });
        }
    }
    Ok(())
}

fn has_effect(
    side: SideName,
    name: &str,
    written: &Postfix,
    daemons: &[Daemon],
    file: &ScenarioFile,
) -> bool {
    let is_client = side == SideName::Client;
    if name == "relayhost" {
        // It is the next hop, unless that is said another way.
        return is_client && file.client.nexthop.is_none();
    }
    if per_transport(name).is_some() {
        return is_client;
    }
    // What no Postfix of the table has, the target's own may.
    is_instance_wide(name)
        || is_read(name, daemons).unwrap_or(true)
        || is_referred_to(name, written)
}

/// Whether another setting of that side refers to it, as `$name`.
pub(crate) fn is_referred_to(name: &str, written: &Postfix) -> bool {
    let others: BTreeMap<&str, &str> = written
        .iter()
        .map(|(other, value)| (other.get_ref().as_str(), value.get_ref().as_str()))
        .collect();
    others
        .iter()
        .any(|(other, value)| *other != name && refers_to(value, name))
}

fn message(side: SideName, name: &str, daemons: &[Daemon]) -> String {
    if name == "relayhost" && side == SideName::Client {
        return "`relayhost` has no effect where `client.nexthop` is given; leave one of them out"
            .to_owned();
    }
    let own: Vec<String> = daemons.iter().map(|daemon| daemon.page()).collect();
    let mut others = pages(name);
    if others.is_empty() {
        others.push("qmgr(8)".to_owned());
    }
    let who = match side {
        SideName::Server => "server",
        SideName::Client => "client",
    };
    format!(
        "`{name}` has no effect on this {who}: {} not read it; {} would",
        match own.as_slice() {
            [one] => format!("{one} does"),
            several => format!("{} do", several.join(", ")),
        },
        others.join(", ")
    )
}
