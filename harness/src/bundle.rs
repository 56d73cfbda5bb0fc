//! What a maintainer needs to see a case without this harness: one archive with the configuration as files, certificates, the
//! command that shows the same where one does, and what each witness said.
//!
//! Its keys are made for it alone: those of the cache never leave the machine.

mod command;
mod page;
mod program;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use pfs_certs::{GeneratedName, Pki};
use pfs_containers::config::base;
use pfs_containers::{ConfigError, FleetSpec, MasterCf, Service, Target, TargetFacts};

use crate::event::{Announced, CaseResult, Event};
use crate::plan::{Case, FleetKey};
use crate::report::{Report, Sink};
use crate::session::alone;

/// The address at which services of a bundle listen.
const ADDRESS: &str = "127.0.0.1";

/// A bundle that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A certificate.
    #[error(transparent)]
    Certificate(#[from] pfs_certs::Error),
    /// A setting that its file cannot hold.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A target without facts.
    #[error("nothing is known of the target {0}, on which the case has a side")]
    Target(String),
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BundledFile {
    mode: u32,
    bytes: Vec<u8>,
}

/// A case on a target as files.
#[derive(Clone, Debug)]
pub struct Part {
    case: Arc<Case>,
    /// By path, below the part's own directory.
    files: BTreeMap<String, BundledFile>,
    /// The directories of Postfix instances, with the version of each.
    instances: Vec<page::Instance>,
}

impl Part {
    /// The files of a case, its certificates made anew.
    ///
    /// # Errors
    /// What cannot be written, or a target that is not among `targets`.
    pub fn of(
        case: Arc<Case>,
        targets: &BTreeMap<String, (Target, TargetFacts)>,
    ) -> Result<Self, BundleError> {
        let pki = Pki::generate(SystemTime::now())?;
        let mut files = BTreeMap::new();
        let mut instances = Vec::new();
        let mut keys: Vec<&FleetKey> = case.fleets().collect();
        keys.dedup();
        for key in keys {
            let known = targets.get(&key.target);
            let known = known.ok_or_else(|| BundleError::Target(key.target.clone()))?;
            let roles = [
                (
                    "server",
                    case.server
                        .side()
                        .filter(|_| case.server.program().is_none()),
                ),
                (
                    "client",
                    case.client
                        .side()
                        .filter(|_| case.client.program().is_none()),
                ),
            ];
            let roles = roles.into_iter();
            let own = roles.filter(|(_, side)| side.is_some_and(|side| side.fleet == *key));
            let names: Vec<&str> = own.map(|(role, _)| role).collect();
            if names.is_empty() {
                continue;
            }
            let name = names.join("-and-");
            let spec = alone(&case, key, known, &pki)?;
            configuration(&name, &spec, &mut files)?;
            instances.push(page::Instance::of(name, &spec, &known.1));
        }
        for (role, plan) in program::programs(&case) {
            program::put(&case, role, plan, &pki, &mut files)?;
        }
        if let Some(name) = command::certificate(&case) {
            put_generated(&format!("chain:{name}"), "client.pem", &pki, &mut files)?;
        }
        for name in command::server_certificates(&case) {
            let path = format!("server-{name}.pem");
            put_generated(&format!("chain:{name}"), &path, &pki, &mut files)?;
        }
        put_generated("ca:root", "ca.pem", &pki, &mut files)?;
        Ok(Self {
            case,
            files,
            instances,
        })
    }
}

/// main.cf, master.cf and what they name, at the paths that these have on the target.
fn configuration(
    name: &str,
    spec: &FleetSpec,
    files: &mut BTreeMap<String, BundledFile>,
) -> Result<(), BundleError> {
    // Nobody holds a lease on the instance, and mail comes by sendmail(1): two of them may share a network.
    let services = base::services(spec.inject_port, spec.lease_port, spec.generation);
    let services = services
        .into_iter()
        .filter(|service| service.port().is_none());
    // Who looks into the queue asks showq(8).
    let showq = Service::unix("showq", "showq").public();
    let mut master = MasterCf::new(services.chain([showq]));
    master.extend(spec.services.iter().cloned());
    let mut put = |path: &str, mode: u32, bytes: Vec<u8>| {
        let file = BundledFile { mode, bytes };
        files.insert(format!("{name}/{}", path.trim_start_matches('/')), file);
    };
    let directory = &spec.config_directory;
    let main = spec.main_cf.render()?;
    put(&format!("{directory}/main.cf"), 0o644, main.into_bytes());
    let master = master.render(ADDRESS)?;
    put(
        &format!("{directory}/master.cf"),
        0o644,
        master.into_bytes(),
    );
    let routes = base::ROUTES.as_bytes().to_vec();
    put(base::ROUTES_FILE, 0o644, routes);
    for file in &spec.files {
        put(&file.path, file.mode, file.bytes.clone());
    }
    if let Some(dns) = &spec.dns {
        put("zones.txt", 0o644, page::zones(dns).into_bytes());
    }
    Ok(())
}

fn put_generated(
    word: &str,
    path: &str,
    pki: &Pki,
    files: &mut BTreeMap<String, BundledFile>,
) -> Result<(), BundleError> {
    if let pfs_certs::Generated::File {
        contents, private, ..
    } = GeneratedName::parse(word)?.make(pki)?
    {
        let file = BundledFile {
            mode: if private { 0o600 } else { 0o644 },
            bytes: contents.into_bytes(),
        };
        files.insert(path.to_owned(), file);
    }
    Ok(())
}

/// The parts of a bundle, known before the run begins.
#[derive(Clone, Debug, Default)]
pub struct Parts(Arc<Mutex<Vec<Part>>>);

impl Parts {
    /// Takes them.
    pub fn set(&self, parts: Vec<Part>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = parts;
    }

    fn take(&self) -> Vec<Part> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes the archive (POSIX tar) when the run has ended, with what was seen in it.
#[derive(Debug)]
pub struct Bundle<W> {
    out: W,
    parts: Parts,
    run: Arc<Announced>,
    results: Vec<Arc<CaseResult>>,
}

impl<W: Sink> Bundle<W> {
    /// Of `parts`, to `out`.
    pub fn new(out: W, parts: Parts) -> Self {
        Self {
            out,
            parts,
            run: Arc::default(),
            results: Vec::new(),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let parts = self.parts.take();
        let mut tar = tar::Builder::new(&mut self.out);
        for part in &parts {
            let is_own = |result: &&Arc<CaseResult>| {
                result.id == part.case.id && result.target == part.case.target
            };
            let result = self.results.iter().find(is_own);
            let directory = format!("pfs-{}/{}", part.case.tag, part.case.target);
            let mut files = part.files.clone();
            let witnesses = page::witnesses(result.map(|one| &**one));
            let written = page::page(
                &part.case,
                &part.instances,
                &self.run,
                result.map(|one| &**one),
            )
            .into_iter()
            .chain(witnesses);
            files.extend(written.map(|(path, text)| {
                let bytes = text.into_bytes();
                (path, BundledFile { mode: 0o644, bytes })
            }));
            for (path, file) in &files {
                let mut header = tar::Header::new_ustar();
                header.set_size(file.bytes.len() as u64);
                header.set_mode(file.mode);
                header.set_entry_type(tar::EntryType::Regular);
                let path = Path::new(&directory).join(path);
                tar.append_data(&mut header, path, file.bytes.as_slice())?;
            }
        }
        tar.finish()?;
        drop(tar);
        self.out.whole()
    }
}

impl<W: Sink> Report for Bundle<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Arc::clone(run),
            Event::Case(result) => self.results.push(Arc::clone(result)),
            Event::Finished(_) => self.write()?,
            Event::Begun { .. } | Event::Doing { .. } => {}
        }
        Ok(())
    }
}
