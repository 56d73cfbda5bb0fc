//! master.cf: one [`Service`] for each line, with its overrides.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{ConfigError, main_cf, quote};
use crate::TargetFacts;

/// What a service listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceKind {
    /// A TCP port; the engine decides on which address.
    Inet(u16),
    /// The same by its name in services(5), such as `submission`.
    InetService {
        /// The name.
        name: String,
        /// The port it stands for on every target.
        port: u16,
    },
    /// A UNIX-domain socket that receives open connections from another daemon (master(5), `pass`).
    Pass {
        /// The service's name.
        name: String,
    },
    /// A UNIX-domain socket of this name.
    Unix {
        /// The service's name.
        name: String,
        /// Whether only Postfix itself may connect (master(5), "private").
        private: bool,
    },
    /// As [`Unix`](ServiceKind::Unix), for datagrams.
    UnixDgram {
        /// The service's name.
        name: String,
        /// Whether only Postfix itself may connect.
        private: bool,
    },
}

/// One line of master.cf. No service is chrooted by Postfix itself unless a fleet is to be as its package has it: the
/// whole fleet is confined already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    kind: ServiceKind,
    unprivileged: bool,
    chrooted: bool,
    wakeup: Option<String>,
    max_processes: Option<u32>,
    program: String,
    arguments: Vec<String>,
    overrides: Vec<(String, String)>,
}

impl Service {
    /// Any service: `program` is a daemon of Postfix such as `smtpd`.
    pub fn new(kind: ServiceKind, program: impl Into<String>) -> Service {
        Service {
            kind,
            unprivileged: true,
            chrooted: false,
            wakeup: None,
            max_processes: None,
            program: program.into(),
            arguments: Vec::new(),
            overrides: Vec::new(),
        }
    }

    /// An smtpd(8) on a TCP port.
    #[must_use]
    pub fn smtpd(port: u16) -> Service {
        Service::new(ServiceKind::Inet(port), "smtpd")
    }

    /// An smtp(8) client as the transport `name`.
    pub fn smtp(name: impl Into<String>) -> Service {
        Service::unix(name, "smtp")
    }

    /// A daemon behind a private UNIX-domain socket.
    pub fn unix(name: impl Into<String>, program: impl Into<String>) -> Service {
        Service::new(
            ServiceKind::Unix {
                name: name.into(),
                private: true,
            },
            program,
        )
    }

    /// Overrides a parameter for this service alone, in place if done before.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Service {
        let (name, value) = (name.into(), value.into());
        match self.overrides.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.overrides.push((name, value)),
        }
        self
    }

    /// Sets `syslog_name` to `postfix/TAG`: its log lines arrive under that name.
    #[must_use]
    pub fn tag(self, tag: &str) -> Service {
        self.set("syslog_name", format!("postfix/{tag}"))
    }

    /// Adds an argument behind the program and its overrides.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Service {
        self.arguments.push(argument.into());
        self
    }

    /// Makes the socket public (master(5), "private" = n).
    #[must_use]
    pub fn public(mut self) -> Service {
        match &mut self.kind {
            ServiceKind::Unix { private, .. } | ServiceKind::UnixDgram { private, .. } => {
                *private = false
            }
            ServiceKind::Inet(_) | ServiceKind::InetService { .. } | ServiceKind::Pass { .. } => {}
        }
        self
    }

    /// Lets the daemon keep root's privileges (master(5), "unprivileged" = n): local(8), virtual(8),
    /// pipe(8) and spawn(8) need that, smtpd(8) refuses it.
    #[must_use]
    pub fn privileged(mut self) -> Service {
        self.unprivileged = false;
        self
    }

    /// Has master(8) confine the daemon to the queue directory (master(5), "chroot" = y).
    #[must_use]
    pub fn chrooted(mut self, yes: bool) -> Service {
        self.chrooted = yes;
        self
    }

    /// The daemon it runs.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Overrides a parameter that it does not override already.
    #[must_use]
    pub fn set_default(self, name: &str, value: &str) -> Service {
        match self.overrides.iter().any(|(known, _)| known == name) {
            true => self,
            false => self.set(name, value),
        }
    }

    /// Wakes the service up, such as `60` seconds, or `60?` only once it is in use.
    #[must_use]
    pub fn wakeup(mut self, seconds: impl Into<String>) -> Service {
        self.wakeup = Some(seconds.into());
        self
    }

    /// Most processes at a time; 0 is no limit, unset is `default_process_limit`.
    #[must_use]
    pub fn max_processes(mut self, limit: u32) -> Service {
        self.max_processes = Some(limit);
        self
    }

    /// What it listens on.
    #[must_use]
    pub fn kind(&self) -> &ServiceKind {
        &self.kind
    }

    /// The TCP port, if it listens on one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self.kind {
            ServiceKind::Inet(port) | ServiceKind::InetService { port, .. } => Some(port),
            ServiceKind::Pass { .. } | ServiceKind::Unix { .. } | ServiceKind::UnixDgram { .. } => {
                None
            }
        }
    }

    /// Every override and its value, in order.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.overrides
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The line's text, continued over several; `bind` is the address TCP services listen on.
    ///
    /// # Errors
    /// A part that master.cf cannot hold.
    pub fn render(&self, bind: &str) -> Result<String, ConfigError> {
        let (name, kind, private) = match &self.kind {
            ServiceKind::Inet(port) => (format!("{bind}:{port}"), "inet", false),
            ServiceKind::InetService { name, .. } => (
                format!("{bind}:{}", word("service name", name)?),
                "inet",
                false,
            ),
            ServiceKind::Pass { name } => (word("service name", name)?.to_owned(), "pass", true),
            ServiceKind::Unix { name, private } => {
                (word("service name", name)?.to_owned(), "unix", *private)
            }
            ServiceKind::UnixDgram { name, private } => (
                word("service name", name)?.to_owned(),
                "unix-dgram",
                *private,
            ),
        };
        let yes_no = |yes| if yes { "y" } else { "n" };
        let mut line = format!(
            "{name} {kind} {} {} {} {} {} {}",
            yes_no(private),
            yes_no(self.unprivileged),
            yes_no(self.chrooted),
            self.wakeup
                .as_deref()
                .map_or(Ok("-"), |wakeup| word("wakeup time", wakeup))?,
            self.max_processes
                .map_or_else(|| "-".to_owned(), |limit| limit.to_string()),
            word("program", &self.program)?,
        );
        for (name, value) in self.overrides() {
            let _ = write!(line, "\n    -o {}", quote::override_argument(name, value)?);
        }
        for argument in &self.arguments {
            let _ = write!(line, "\n    {}", quote::argument(argument)?);
        }
        line.push('\n');
        Ok(line)
    }

    fn key(&self) -> String {
        match &self.kind {
            ServiceKind::Inet(port) | ServiceKind::InetService { port, .. } => {
                format!("{port}/inet")
            }
            ServiceKind::Pass { name } => format!("{name}/pass"),
            ServiceKind::Unix { name, .. } => format!("{name}/unix"),
            ServiceKind::UnixDgram { name, .. } => format!("{name}/unix-dgram"),
        }
    }
}

fn word<'t>(what: &'static str, text: &'t str) -> Result<&'t str, ConfigError> {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_graphic() && !"{}#,".contains(c));
    let why = "expected a word without blanks, braces, commas and `#`";
    if plain {
        Ok(text)
    } else {
        Err(ConfigError::BadService {
            what,
            text: text.to_owned(),
            why,
        })
    }
}

/// A master.cf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MasterCf {
    services: Vec<Service>,
}

impl MasterCf {
    /// One with these services.
    pub fn new(services: impl IntoIterator<Item = Service>) -> MasterCf {
        MasterCf {
            services: services.into_iter().collect(),
        }
    }

    /// Its services in order.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Adds services behind those there are.
    pub fn extend(&mut self, services: impl IntoIterator<Item = Service>) {
        self.services.extend(services);
    }

    /// The file's text; `bind` is the address TCP services listen on.
    ///
    /// # Errors
    /// A part that master.cf cannot hold, or a service defined twice.
    pub fn render(&self, bind: &str) -> Result<String, ConfigError> {
        let mut seen = BTreeSet::new();
        let mut text = String::new();
        for service in &self.services {
            if !seen.insert(service.key()) {
                return Err(ConfigError::DuplicateService {
                    name: service.key(),
                });
            }
            text.push_str(&service.render(bind)?);
        }
        Ok(text)
    }

    /// Checks every override's name against what the target knows.
    ///
    /// # Errors
    /// [`ConfigError::UnknownParameter`].
    pub fn check(&self, facts: &TargetFacts) -> Result<(), ConfigError> {
        self.services
            .iter()
            .try_for_each(|service| main_cf::all_known(service.overrides(), facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_override() {
        let service = Service::smtpd(20001)
            .tag("c12")
            .set("smtpd_tls_cert_file", "/etc/postfix/pfs/a b.pem")
            .set("tls_server_sni_maps", "inline:{{sni.example.test=/x}}")
            .set("max_use", "1");
        assert_eq!(
            service.render("127.10.1.1").unwrap(),
            "127.10.1.1:20001 inet n y n - - smtpd\n    -o {syslog_name=postfix/c12}\n    \
             -o {smtpd_tls_cert_file=/etc/postfix/pfs/a b.pem}\n    \
             -o {tls_server_sni_maps=inline:{{sni.example.test=/x}}}\n    -o {max_use=1}\n"
        );
        let submission = ServiceKind::InetService {
            name: "submission".to_owned(),
            port: 587,
        };
        assert_eq!(
            Service::new(submission, "smtpd")
                .render("127.10.1.1")
                .unwrap(),
            "127.10.1.1:submission inet n y n - - smtpd\n"
        );
        let behind = ServiceKind::Pass {
            name: "behind".to_owned(),
        };
        assert_eq!(
            Service::new(behind, "smtpd").render("").unwrap(),
            "behind pass y y n - - smtpd\n"
        );
        let pickup = Service::unix("pickup", "pickup")
            .public()
            .wakeup("60")
            .max_processes(1);
        assert_eq!(
            pickup.render("").unwrap(),
            "pickup unix n y n 60 1 pickup\n"
        );
    }

    #[test]
    fn refuses_what_would_split_a_line() {
        assert!(Service::smtp("a b").render("").is_err());
        assert!(Service::smtp("").render("").is_err());
        assert!(Service::unix("a", "smtp\n-o x=y").render("").is_err());
        let twice = MasterCf::new([Service::smtpd(25), Service::smtpd(25)]);
        assert_eq!(
            twice.render("0.0.0.0"),
            Err(ConfigError::DuplicateService {
                name: "25/inet".to_owned()
            })
        );
    }
}
