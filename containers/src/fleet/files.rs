//! Everything a fleet's root gets on top of its target's, rendered and checked before anything is started.

use std::collections::BTreeMap;

use crate::{
    FleetFile, FleetSpec, MasterCf, Result,
    config::{
        ConfigError,
        base::{self, FILES, LEASE_FILE, PACKAGED_START, ROUTES, ROUTES_FILE, TRANSPORT_FILE},
    },
    recipe::{AS_PACKAGED, hash},
};

/// A file as it will be written: its mode and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootFile {
    pub(crate) mode: u32,
    pub(crate) bytes: Vec<u8>,
}

impl RootFile {
    /// A file everybody may read.
    pub(crate) fn public(text: impl Into<Vec<u8>>) -> RootFile {
        RootFile {
            mode: 0o644,
            bytes: text.into(),
        }
    }
}

/// Whoever gives up a lease writes the time of it there.
fn lease() -> RootFile {
    RootFile {
        mode: 0o666,
        bytes: Vec::new(),
    }
}

/// Files by their absolute path.
pub(crate) type RootFiles = BTreeMap<String, RootFile>;

/// A fleet's own files, each of them below [`FILES`].
pub(crate) fn own_files(own: &[FleetFile]) -> Result<RootFiles, ConfigError> {
    let mut files = RootFiles::new();
    for file in own {
        let inside = file.path.strip_prefix(FILES).is_some_and(|rest| {
            rest.split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..")
                && !rest.contains(char::is_control)
        });
        if !inside {
            return Err(ConfigError::BadFile {
                path: file.path.clone(),
            });
        }
        files.insert(
            file.path.clone(),
            RootFile {
                mode: file.mode & 0o777,
                bytes: file.bytes.clone(),
            },
        );
    }
    Ok(files)
}

impl FleetSpec {
    /// Names what this fleet is made of, whatever its id, its lifetime and its deadline: two fleets of the same hash
    /// do the same.
    ///
    /// # Errors
    /// [`ConfigError`] for a part that cannot be written.
    pub fn hash(&self) -> Result<String, ConfigError> {
        let files = self.render("0.0.0.0")?;
        let mut parts = vec![
            self.target.name().as_bytes().to_vec(),
            self.hosts.join(" ").into_bytes(),
        ];
        for (path, file) in files {
            parts.extend([
                path.into_bytes(),
                file.mode.to_be_bytes().to_vec(),
                file.bytes,
            ]);
        }
        Ok(hash(&parts))
    }

    /// main.cf, master.cf and every other file; `bind` is the address services listen on.
    pub(crate) fn render(&self, bind: &str) -> Result<RootFiles, ConfigError> {
        self.check_words()?;
        let mut master = MasterCf::new(base::services(
            self.inject_port,
            self.lease_port,
            self.generation,
        ));
        master.extend(self.services.iter().cloned());
        if let Some(packaged) = &self.packaged {
            let services = master.services().iter().cloned();
            master = MasterCf::new(services.map(|service| packaged.applied(service)));
        }
        let mut files = RootFiles::from([
            (
                format!("{}/main.cf", self.config_directory),
                RootFile::public(self.main_cf.render()?),
            ),
            (
                format!("{}/master.cf", self.config_directory),
                RootFile::public(master.render(bind)?),
            ),
            (LEASE_FILE.to_owned(), lease()),
            (ROUTES_FILE.to_owned(), RootFile::public(ROUTES)),
            (TRANSPORT_FILE.to_owned(), RootFile::public("")),
        ]);
        if self.packaged.is_some() {
            let start = RootFile::public(AS_PACKAGED);
            files.insert(PACKAGED_START.to_owned(), start);
        }
        if let Some(dns) = &self.dns {
            files.extend(dns.render(self.generation)?);
        }
        files.extend(own_files(&self.files)?);
        Ok(files)
    }

    /// Every port a service listens on.
    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        [self.inject_port, self.lease_port]
            .into_iter()
            .chain(self.services.iter().filter_map(crate::Service::port))
            .chain(self.listened.iter().copied())
    }

    /// Host names that resolve to the harness, the crate's own included.
    pub(crate) fn host_names(&self) -> impl Iterator<Item = &str> {
        self.hosts
            .iter()
            .map(String::as_str)
            .chain([base::HARNESS_HOST])
    }

    fn check_words(&self) -> Result<(), ConfigError> {
        let id_is_plain = (1..=40).contains(&self.id.len())
            && !self.id.starts_with('-')
            && self
                .id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !id_is_plain {
            let expected = "1 to 40 of a-z, 0-9 and `-`, not starting with `-`";
            return Err(ConfigError::BadWord {
                what: "fleet id",
                text: self.id.clone(),
                expected,
            });
        }
        let host_is_plain = |host: &&String| {
            (1..=253).contains(&host.len())
                && !host.starts_with(['-', '.'])
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        match self.hosts.iter().find(|host| !host_is_plain(host)) {
            Some(host) => Err(ConfigError::BadWord {
                what: "host name",
                text: host.clone(),
                expected: "letters, digits, `-`, `_` and `.`, at most 253",
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FleetFile, Service, Target, TargetFacts};

    fn spec() -> FleetSpec {
        FleetSpec::new(
            "t-1",
            Target::parse("debian-13").unwrap(),
            &TargetFacts::for_tests(&[]),
        )
    }

    #[test]
    fn renders_everything() {
        let mut spec = spec();
        spec.services.push(Service::smtpd(20001));
        spec.files
            .push(FleetFile::secret("/etc/postfix/pfs/certs/key.pem", "k"));
        let files = spec.render("127.10.1.1").unwrap();
        assert_eq!(files["/etc/postfix/pfs/certs/key.pem"].mode, 0o600);
        let master = String::from_utf8(files["/etc/postfix/master.cf"].bytes.clone()).unwrap();
        assert!(
            master.ends_with("127.10.1.1:20001 inet n y n - - smtpd\n"),
            "{master}"
        );
        assert_eq!(spec.ports().collect::<Vec<_>>(), [2525, 2500, 20001]);
    }

    #[test]
    fn the_hash_is_of_what_it_does() {
        let one = spec();
        let mut two = FleetSpec {
            id: "other".to_owned(),
            ..one.clone()
        };
        assert_eq!(one.hash(), two.hash());
        two.main_cf.set("x", "y");
        assert_ne!(one.hash(), two.hash());
        let host = FleetSpec {
            hosts: vec!["a.test".to_owned()],
            ..one.clone()
        };
        assert_ne!(one.hash(), host.hash());
    }

    #[test]
    fn refuses_paths_and_words_that_lead_elsewhere() {
        for path in [
            "/etc/passwd",
            "/etc/postfix/pfs/../main.cf",
            "/etc/postfix/pfs/",
            "/etc/postfix/pfs//x",
            "x",
        ] {
            let mut spec = spec();
            spec.files.push(FleetFile::public(path, ""));
            assert!(
                matches!(spec.render(""), Err(ConfigError::BadFile { .. })),
                "{path}"
            );
        }
        for id in ["", "A", "a b", "../x", "-a"] {
            let spec = FleetSpec {
                id: id.to_owned(),
                ..spec()
            };
            assert!(
                matches!(spec.hash(), Err(ConfigError::BadWord { .. })),
                "{id}"
            );
        }
        let spec = FleetSpec {
            hosts: vec!["a\n127.0.0.1 b".to_owned()],
            ..spec()
        };
        assert!(spec.hash().is_err());
    }
}
