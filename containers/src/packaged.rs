//! A Postfix as its package ships it: its own main.cf, and what its master.cf says of daemons that the harness starts, too.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Service, config::ServiceKind, facts::setting};

/// What a package ships in main.cf and master.cf.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packaged {
    /// main.cf (`postconf -n`).
    pub main_cf: BTreeMap<String, String>,
    /// Daemons that master(8) confines to the queue directory.
    pub chrooted: BTreeSet<String>,
    /// What its smtpd(8) on port 25 and its transport `smtp` override (`postconf -P`), by daemon.
    pub overrides: BTreeMap<String, BTreeMap<String, String>>,
}

impl Packaged {
    /// Reads the lines of `postconf -M` and `postconf -P`.
    pub(crate) fn parse(
        master: &[&str],
        overrides: &[&str],
        main_cf: BTreeMap<String, String>,
    ) -> Packaged {
        // A hyphen is the default: confined before compatibility_level 1, not confined since.
        let level = main_cf
            .get("compatibility_level")
            .and_then(|level| level.split('.').next()?.parse::<u32>().ok());
        let by_default = level.unwrap_or(0) < 1;
        let chrooted = master.iter().filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, _, _, _, chroot, _, _, program, ..] = fields.as_slice() else {
                return None;
            };
            let yes = *chroot == "y" || (*chroot == "-" && by_default);
            yes.then(|| (*program).to_owned())
        });
        let mut by_daemon: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for line in overrides {
            let Some((path, value)) = setting(line) else {
                continue;
            };
            let (daemon, name) = match (
                path.strip_prefix("smtp/inet/"),
                path.strip_prefix("smtp/unix/"),
            ) {
                (Some(name), _) => ("smtpd", name),
                (_, Some(name)) => ("smtp", name),
                _ => continue,
            };
            by_daemon
                .entry(daemon.to_owned())
                .or_default()
                .insert(name.to_owned(), value);
        }
        Packaged {
            chrooted: chrooted.collect(),
            overrides: by_daemon,
            main_cf,
        }
    }

    /// Whether master(8) confines a daemon to the queue directory.
    #[must_use]
    pub fn is_chrooted(&self, program: &str) -> bool {
        self.chrooted.contains(program)
    }

    /// A service of the harness as the package's master.cf would have it.
    pub(crate) fn applied(&self, service: Service) -> Service {
        let program = service.program().to_owned();
        let is_shipped = match service.kind() {
            ServiceKind::Inet(_) | ServiceKind::InetService { .. } | ServiceKind::Pass { .. } => {
                program == "smtpd"
            }
            ServiceKind::Unix { .. } | ServiceKind::UnixDgram { .. } => program == "smtp",
        };
        let overrides = self.overrides.get(&program).filter(|_| is_shipped);
        let service = service.chrooted(self.is_chrooted(&program));
        overrides
            .into_iter()
            .flatten()
            .fold(service, |service, (name, value)| {
                service.set_default(name, value)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packaged(level: &str) -> Packaged {
        let master = [
            "smtp       inet  n       -       y       -       -       smtpd",
            "qmgr       unix  n       -       n       300     1       qmgr",
            "tlsmgr     unix  -       -       -       1000?   1       tlsmgr",
            "broken",
        ];
        let overrides = [
            "smtp/inet/smtpd_tls_security_level = may",
            "relay/unix/syslog_name = x",
            "odd",
        ];
        let main = BTreeMap::from([("compatibility_level".to_owned(), level.to_owned())]);
        Packaged::parse(&master, &overrides, main)
    }

    #[test]
    fn confined_as_master_cf_says() {
        assert_eq!(
            packaged("3.6").chrooted,
            BTreeSet::from(["smtpd".to_owned()])
        );
        assert!(packaged("0").is_chrooted("tlsmgr"));
        assert!(packaged("").is_chrooted("tlsmgr"));
    }

    #[test]
    fn services_of_the_harness_are_as_the_package_has_them() {
        let packaged = packaged("3.6");
        let smtpd = packaged
            .applied(Service::smtpd(25))
            .render("127.0.0.1")
            .unwrap();
        assert_eq!(
            smtpd,
            "127.0.0.1:25 inet n y y - - smtpd\n    -o {smtpd_tls_security_level=may}\n"
        );
        let own = packaged.applied(Service::smtpd(25).set("smtpd_tls_security_level", "none"));
        assert!(
            own.render("")
                .unwrap()
                .ends_with("-o {smtpd_tls_security_level=none}\n")
        );
        let qmgr = packaged
            .applied(Service::unix("qmgr", "qmgr"))
            .render("")
            .unwrap();
        assert_eq!(qmgr, "qmgr unix y y n - - qmgr\n");
    }
}
