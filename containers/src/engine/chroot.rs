//! The chroot engine: no Docker, only root. A fleet's root is a directory of hard links, its network one loopback
//! address of its own. Nothing is mounted and no namespace made, so that it works inside containers and build
//! chroots, too.

mod process;
mod root;

pub(crate) use process::{SUPERVISE, poll};

use std::{
    collections::HashMap,
    fs::{self, File},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{process::Command, sync::Mutex, time::Instant};

use super::bootstrap;
use crate::{
    BoxFuture, Engine, EngineName, Error, Fleet, FleetSpec, FleetState, Log, Progress,
    ProgressEvent, Result, Settings, Target, TargetFacts, TargetKind,
    cache::in_thread,
    fleet::{
        Backend, Home, Reach,
        files::RootFile,
        lease::Lease,
        ready::{self, within},
    },
    log::follow::{self, From},
    recipe::{PREPARE, Recipe},
    silent,
};
use process::{Claim, Supervisor, kill_all};

/// Where the harness listens: one address for all its fleets.
const HARNESS: Ipv4Addr = Ipv4Addr::new(127, 10, 0, 1);
/// First file of a fleet's home; `images/supervise.sh` removes no directory without it.
const MARKER: &str = "pfs-fleet";
/// Postfix, finding no /proc behind /dev/stdout, makes it a file: its log.
const LOG: &str = "root/dev/stdout";
/// Most time `images/prepare.sh` may take in a new root.
const PREPARE_DEADLINE: Duration = Duration::from_secs(120);
/// Most time a stop may take.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// Most time joining a running fleet may take.
const ATTACH_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct ChrootEngine {
    settings: Settings,
    prepared: Mutex<HashMap<Target, TargetFacts>>,
}

impl ChrootEngine {
    pub(crate) fn open(settings: Settings) -> Result<ChrootEngine> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        Ok(ChrootEngine {
            settings,
            prepared: Mutex::default(),
        })
    }

    /// The directory a target's root is kept in, and the release it is made from.
    fn kept(&self, target: &Target) -> Result<(PathBuf, String)> {
        let TargetKind::Debian { release } = target.kind() else {
            let why = "an image is unpacked by Docker".to_owned();
            return Err(Error::TargetNeedsDocker {
                target: target.name().to_owned(),
                why,
            });
        };
        let name = format!("{target}-{}", Recipe::of(target, "").hash());
        Ok((
            self.settings.cache.subdirectory("roots")?.join(name),
            release.clone(),
        ))
    }

    async fn prepare(&self, target: &Target, progress: &dyn Progress) -> Result<TargetFacts> {
        // Held while it is made: whoever asks next finds it.
        let mut prepared = self.prepared.lock().await;
        if let Some(facts) = prepared.get(target) {
            return Ok(facts.clone());
        }
        let (kept, release) = self.kept(target)?;
        if !kept.exists() {
            self.make(target, &release, &kept, progress).await?;
        }
        let path = kept.join("root/usr/share/pfs/facts");
        let text = fs::read_to_string(&path).map_err(Error::io("reading", &path))?;
        let facts = TargetFacts::parse(target, &text)?;
        prepared.insert(target.clone(), facts.clone());
        progress.event(ProgressEvent::Ready {
            target: target.name().to_owned(),
        });
        Ok(facts)
    }

    async fn make(
        &self,
        target: &Target,
        release: &str,
        kept: &Path,
        progress: &dyn Progress,
    ) -> Result<()> {
        let cache = &self.settings.cache;
        let name = kept.file_name().unwrap_or_default().to_string_lossy();
        let purpose = format!("building the root of {target}");
        let _one = cache
            .lock(&format!("root-{name}"), &purpose, target.name(), progress)
            .await?;
        if kept.exists() {
            return Ok(());
        }
        let tar = bootstrap::base(cache, target, release, progress).await?;
        progress.event(ProgressEvent::Building {
            target: target.name().to_owned(),
        });
        let new = Unfinished(kept.with_extension(format!("new-{}", std::process::id())));
        let root = new.0.join("root");
        let unpacked = root.clone();
        in_thread(move || root::unpack(&tar, &unpacked)).await?;
        run_prepare(target, &root).await?;
        fs::rename(&new.0, kept).map_err(Error::io("renaming", &new.0))
    }

    async fn start(&self, spec: &FleetSpec) -> Result<Fleet> {
        let deadline = Instant::now() + spec.deadline;
        let facts = self.prepare(&spec.target, &silent()).await?;
        let (kept, _) = self.kept(&spec.target)?;
        let claim = Claim::take(spec.lease_port)?;
        let address = claim.address;
        let mut files = spec.render(&address.to_string())?;
        // Nobody answers there: names are in /etc/hosts, and none is anybody else's business.
        let resolver = RootFile::public(format!("nameserver {address}\n"));
        files.insert("/etc/resolv.conf".to_owned(), resolver);
        files.insert("/etc/hosts".to_owned(), RootFile::public(hosts(spec)));
        let new = self.new_home(&spec.id).await?;
        let path = new.path.clone();
        let made = in_thread(move || {
            root::share(&kept.join("root"), &path.join("root"))?;
            root::write_files(&path.join("root"), &files)
        });
        within(deadline, &spec.id, "making its root directory", made).await?;

        let log = open_log(&new.path.join(LOG))?;
        let supervisor = Supervisor::start(
            &new.path,
            &facts.daemon_directory,
            spec.lifetime,
            claim,
            log,
        )?;
        let state = FleetState {
            id: spec.id.clone(),
            engine: EngineName::Chroot,
            target: spec.target.clone(),
            home: Home::Directory {
                path: new.path.clone(),
                supervisor: supervisor.pid,
            },
            reach: Reach::Direct(address),
            harness: IpAddr::V4(HARNESS),
            spec_hash: spec.hash()?,
            inject_port: spec.inject_port,
            lease_port: spec.lease_port,
        };
        let supervisor = Arc::new(supervisor);
        let log = Log::new();
        let lines = log.subscribe_all();
        let follower = follow(&log, &new.path, From::Start, &supervisor)?;
        let lease = ready::started(&state, &log, lines, deadline).await?;
        ready::ready(
            &state,
            &log,
            deadline.saturating_duration_since(Instant::now()),
        )
        .await?;
        let backend = Arc::new(Running {
            home: new.keep(),
            supervisor,
        });
        Ok(Fleet::new(state, log, lease, backend, follower))
    }

    /// A directory for a fleet, which is removed again unless it is kept.
    async fn new_home(&self, id: &str) -> Result<NewHome> {
        let fleets = self.settings.cache.subdirectory("fleets")?;
        // Against a sweep that looks between the two steps.
        let _lock = self
            .settings
            .cache
            .lock("fleets", "making a fleet's directory", id, &silent())
            .await?;
        // The kernel tells a process's root without symbolic links in it.
        let path = fleets
            .canonicalize()
            .map_err(Error::io("resolving", &fleets))?
            .join(id);
        let doing = "creating (does a fleet of that id run?)";
        fs::create_dir(&path).map_err(Error::io(doing, &path))?;
        let mut new = NewHome {
            path,
            marker: None,
            kept: false,
        };
        let marker = new.path.join(MARKER);
        let file = File::create(&marker).map_err(Error::io("creating", &marker))?;
        file.lock().map_err(Error::io("locking", &marker))?;
        new.marker = Some(file);
        Ok(new)
    }

    async fn attach(&self, state: &FleetState) -> Result<Fleet> {
        let Home::Directory { path, supervisor } = &state.home else {
            return Err(state.gone("it is a container, and this is the chroot engine"));
        };
        let supervisor = Supervisor::attach(*supervisor, path)
            .map(Arc::new)
            .ok_or_else(|| state.gone("its supervisor does not run any more"))?;
        let log = Log::new();
        let follower = follow(&log, path, From::Now, &supervisor)?;
        let address = state.address_of(state.lease_port);
        let deadline = Instant::now() + ATTACH_DEADLINE;
        let lease = within(deadline, &state.id, "taking its lease", async {
            Lease::take(address)
                .await
                .map_err(|error| state.gone(format!("{address}: {error}")))
        })
        .await?;
        ready::ready(state, &log, ATTACH_DEADLINE).await?;
        let backend = Arc::new(Running {
            home: path.clone(),
            supervisor,
        });
        Ok(Fleet::new(state.clone(), log, lease, backend, follower))
    }

    async fn sweep(&self) -> Result<usize> {
        let fleets = self.settings.cache.subdirectory("fleets")?;
        let _lock = self
            .settings
            .cache
            .lock("fleets", "sweeping", "", &silent())
            .await?;
        in_thread(move || {
            let found = fs::read_dir(&fleets).map_err(Error::io("reading", &fleets))?;
            let dead: Vec<PathBuf> = found
                .flatten()
                .map(|entry| entry.path())
                .filter(|home| is_dead(home))
                .collect();
            dead.iter().try_for_each(|home| remove(home))?;
            Ok(dead.len())
        })
        .await
    }
}

/// A root directory in the making, removed unless it was renamed.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A fleet's directory, removed unless the fleet got ready.
struct NewHome {
    path: PathBuf,
    marker: Option<File>,
    kept: bool,
}

impl NewHome {
    fn keep(mut self) -> PathBuf {
        self.kept = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for NewHome {
    fn drop(&mut self) {
        if !self.kept {
            let _ = remove(&self.path);
        }
    }
}

/// Ends what runs in a home, and removes it.
fn remove(home: &Path) -> Result<()> {
    // A master that is killed starts nothing new; its children may still be starting.
    while kill_all(&home.join("root")) > 0 {
        std::thread::yield_now();
    }
    match fs::remove_dir_all(home) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("removing", home)(error))
        }
        _ => Ok(()),
    }
}

/// Whether nobody makes or runs a fleet in this home: its maker has locked the marker, its supervisor the log.
fn is_dead(home: &Path) -> bool {
    let free = |path: PathBuf| File::open(path).map_or(true, |file| file.try_lock().is_ok());
    home.is_dir() && free(home.join(MARKER)) && free(home.join(LOG))
}

fn hosts(spec: &FleetSpec) -> String {
    let names = spec.host_names().map(|host| format!("{HARNESS} {host}\n"));
    ["127.0.0.1 localhost\n".to_owned()]
        .into_iter()
        .chain(names)
        .collect()
}

fn open_log(path: &Path) -> Result<File> {
    let file = File::options()
        .append(true)
        .create_new(true)
        .open(path)
        .map_err(Error::io("creating", path))?;
    file.lock().map_err(Error::io("locking", path))?;
    Ok(file)
}

fn follow(
    log: &Log,
    home: &Path,
    from: From,
    supervisor: &Arc<Supervisor>,
) -> Result<follow::Follower> {
    let path = home.join(LOG);
    let supervisor = Arc::clone(supervisor);
    follow::file(
        log.clone(),
        &path,
        from,
        async move { supervisor.ended().await },
    )
    .map_err(Error::io("following", path))
}

async fn run_prepare(target: &Target, root: &Path) -> Result<()> {
    let script = root.join("usr/share/pfs/prepare.sh");
    fs::create_dir_all(root.join("usr/share/pfs"))
        .map_err(Error::io("creating", root.join("usr/share/pfs")))?;
    fs::write(&script, PREPARE).map_err(Error::io("writing", &script))?;
    let run = Command::new("chroot")
        .arg(root)
        .args(["/bin/sh", "/usr/share/pfs/prepare.sh"])
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = within(
        Instant::now() + PREPARE_DEADLINE,
        target.name(),
        "running prepare.sh in its root",
        async { run.await.map_err(Error::io("running", "chroot")) },
    )
    .await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<String> = said.lines().map(str::to_owned).collect();
    let tail = lines[lines.len().saturating_sub(15)..].to_vec();
    Err(Error::ImageBuild {
        target: target.name().to_owned(),
        tail,
    })
}

/// A running fleet.
struct Running {
    home: PathBuf,
    supervisor: Arc<Supervisor>,
}

impl Backend for Running {
    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.supervisor.terminate();
            let (root, home) = (self.home.join("root"), self.home.clone());
            let name = self.home.file_name().unwrap_or_default().to_string_lossy();
            within(
                Instant::now() + STOP_DEADLINE,
                &name,
                "stopping it",
                async {
                    // What the supervisor does not know of: those who held others' leases.
                    in_thread(move || Ok(kill_all(&root))).await?;
                    self.supervisor.ended().await;
                    in_thread(move || remove(&home)).await
                },
            )
            .await
        })
    }
}

impl Engine for ChrootEngine {
    fn name(&self) -> EngineName {
        EngineName::Chroot
    }

    fn prepare<'a>(
        &'a self,
        target: &'a Target,
        progress: &'a dyn Progress,
    ) -> BoxFuture<'a, Result<TargetFacts>> {
        Box::pin(self.prepare(target, progress))
    }

    fn start<'a>(&'a self, spec: &'a FleetSpec) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(self.start(spec))
    }

    fn attach<'a>(&'a self, state: &'a FleetState) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(self.attach(state))
    }

    fn sweep(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.sweep())
    }
}
