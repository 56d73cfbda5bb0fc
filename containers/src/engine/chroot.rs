//! The chroot engine: no Docker, only root. A fleet's root is a directory of hard links, its network one loopback
//! address of its own. Nothing is mounted and no namespace made where that can be helped, so that it works inside
//! containers and build chroots, too.

mod home;
mod kept;
mod process;
mod root;

use std::{
    collections::HashMap,
    fs,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{
    BoxFuture, Cache, Engine, EngineName, Error, Fleet, FleetSpec, FleetState, Holder, Log,
    Progress, ProgressEvent, Result, Settings, Target, TargetFacts,
    cache::in_thread,
    engine::supervise::RESOLVER_OPTIONS,
    fleet::{
        Backend, Home, Names, Reach,
        files::{RootFile, RootFiles},
        lease::Lease,
        ready::{self, within},
    },
    log::follow::{self, From},
    owned::{Owned, Purpose},
    recipe::FACTS_PATH,
    silent,
};
pub(crate) use home::remove as remove_home;
use home::{LOG, NewHome, remove_at};
use kept::Kept;
use process::{Claim, Supervisor, end_inside};
use root::write_files;

/// Where the harness listens for the fleet at `address`. Whoever has claimed the one has the other, on the whole machine:
/// no two fleets want the same port of the harness, whatever caches they are of.
fn harness_of(address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d + 1)
}

/// Most time a stop may take.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// Most time joining a running fleet may take.
const ATTACH_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct ChrootEngine {
    settings: Settings,
    prepared: Mutex<HashMap<Target, Kept>>,
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

    async fn prepare(&self, target: &Target, progress: &dyn Progress) -> Result<Kept> {
        if let Some(kept) = self.prepared.lock().await.get(target) {
            return Ok(kept.clone());
        }
        let kept = kept::prepare(&self.settings.cache, target, progress).await?;
        self.prepared
            .lock()
            .await
            .insert(target.clone(), kept.clone());
        progress.event(ProgressEvent::Ready {
            target: target.name().to_owned(),
        });
        Ok(kept)
    }

    /// The kept root by its name, and by a file that is written once, when it is made.
    async fn made_of(&self, target: &Target) -> Result<String> {
        let kept = self.prepare(target, &silent()).await?;
        let facts = kept
            .path
            .join("root")
            .join(FACTS_PATH.trim_start_matches('/'));
        let found = fs::metadata(&facts).map_err(Error::io("reading", &facts))?;
        Ok(format!(
            "{} {} {}:{} {}.{:09}",
            kept.facts.key,
            kept.path.display(),
            found.dev(),
            found.ino(),
            found.mtime(),
            found.mtime_nsec()
        ))
    }

    async fn start(&self, spec: &FleetSpec) -> Result<Fleet> {
        let deadline = Instant::now() + spec.deadline;
        let Kept {
            path: kept,
            shown,
            facts,
            ..
        } = self.prepare(&spec.target, &silent()).await?;
        let claim = Claim::take(spec.lease_port)?;
        let address = claim.address;
        let mut files = spec.render(&address.to_string())?;
        // A fleet with zones answers there itself, others have their names in /etc/hosts: none is anybody else's business.
        let resolver = RootFile::public(format!(
            "nameserver {address}\noptions {}\n",
            RESOLVER_OPTIONS.join(" ")
        ));
        files.insert("/etc/resolv.conf".to_owned(), resolver);
        files.insert(
            "/etc/hosts".to_owned(),
            RootFile::public(hosts(spec, harness_of(address))),
        );
        let new = NewHome::make(&self.settings.cache, &spec.id)?;
        if let Some(holder) = &spec.holder {
            home::mark(&new.path, holder)?;
        }
        let path = new.path.clone();
        let mut own = facts.written.clone();
        own.push(facts.config_directory.clone());
        let mut spawned = None;
        let started = async {
            let made = in_thread({
                let path = path.clone();
                move || {
                    root::share(&kept.join("root"), &path.join("root"), &own)?;
                    root::write_files(&path.join("root"), &files)
                }
            });
            within(deadline, &spec.id, "making its root directory", made).await?;

            let log = home::open_log(&path)?;
            let supervisor = Supervisor::start(
                &path,
                &shown,
                &facts.daemon_directory,
                spec.lifetime,
                claim,
                log,
            )?;
            let mut state = FleetState {
                id: spec.id.clone(),
                engine: EngineName::Chroot,
                target: spec.target.clone(),
                home: Home::Directory {
                    path: path.clone(),
                    supervisor: supervisor.pid,
                },
                reach: Reach::Direct(address),
                harness: IpAddr::V4(harness_of(address)),
                spec_hash: spec.hash()?,
                inject_port: spec.inject_port,
                lease_port: spec.lease_port,
                names: Names::NotWanted,
            };
            let supervisor = spawned.insert(Arc::new(supervisor)).clone();
            let log = Log::new();
            let lines = log.subscribe_all();
            let follower = follow(&log, &path, From::Start, &supervisor)?;
            let lease;
            (lease, state.names) = ready::started(&state, &log, lines, spec, deadline).await?;
            ready::ready(
                &state,
                &log,
                deadline.saturating_duration_since(Instant::now()),
            )
            .await?;
            Ok((state, log, lease, follower, supervisor))
        };
        match started.await {
            Ok((state, log, lease, follower, supervisor)) => {
                let backend = Arc::new(Running {
                    home: path,
                    supervisor,
                    _in_use: new.keep(),
                });
                Ok(Fleet::new(state, log, lease, backend, follower))
            }
            Err(error) => {
                // It removes the directory as its last act: not when another fleet has the place.
                if let Some(supervisor) = spawned {
                    supervisor.terminate();
                    let _ = timeout(STOP_DEADLINE, supervisor.ended()).await;
                }
                new.discard().await;
                Err(error)
            }
        }
    }

    async fn attach(&self, state: &FleetState) -> Result<Fleet> {
        let Home::Directory { path, supervisor } = &state.home else {
            return Err(state.gone("it is a container, and this is the chroot engine"));
        };
        let in_use = Owned::join(path, Purpose::Fleet)
            .map_err(|error| state.gone(format!("{}: {error}", path.display())))?;
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
            _in_use: Some(in_use),
        });
        Ok(Fleet::new(state.clone(), log, lease, backend, follower))
    }

    async fn end(&self, holder: &Holder) -> Result<usize> {
        let mut result = Ok(());
        let mut count = 0;
        for home in home::of(&self.settings.cache, holder)? {
            if Owned::join(&home, Purpose::Fleet).is_err() {
                continue;
            }
            match stop(&home, Supervisor::of(&home).as_ref()).await {
                Ok(()) => count += 1,
                Err(error) => result = Err(error),
            }
        }
        result.map(|()| count)
    }
}

/// Removes what dead runs left in a cache, whatever engine they used; returns how many fleets that were.
pub(super) async fn sweep(cache: &Cache) -> Result<usize> {
    let making = {
        let cache = cache.clone();
        in_thread(move || cache.sweep()).await
    };
    let fleets = home::sweep(cache).await;
    making.and(fleets)
}

fn hosts(spec: &FleetSpec, harness: Ipv4Addr) -> String {
    let names = spec.host_names().map(|host| format!("{harness} {host}\n"));
    ["127.0.0.1 localhost\n".to_owned()]
        .into_iter()
        .chain(names)
        .collect()
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

/// A running fleet.
struct Running {
    home: PathBuf,
    supervisor: Arc<Supervisor>,
    /// No sweep takes it while this process uses it.
    _in_use: Option<Owned>,
}

impl Backend for Running {
    fn put(&self, files: RootFiles) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let root = self.home.join("root");
            in_thread(move || write_files(&root, &files)).await
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.supervisor.reload();
            Ok(())
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(stop(&self.home, Some(&self.supervisor)))
    }
}

/// Ends what runs in a home, and removes it.
async fn stop(home: &Path, supervisor: Option<&Supervisor>) -> Result<()> {
    if let Some(supervisor) = supervisor {
        supervisor.terminate();
    }
    let (root, path) = (home.join("root"), home.to_owned());
    let name = home.file_name().unwrap_or_default().to_string_lossy();
    within(
        Instant::now() + STOP_DEADLINE,
        &name,
        "stopping it",
        async {
            // What the supervisor does not know of: those who held others' leases.
            in_thread(move || end_inside(&root)).await?;
            if let Some(supervisor) = supervisor {
                supervisor.ended().await;
            }
            in_thread(move || remove_at(&path)).await
        },
    )
    .await
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
        Box::pin(async { Ok(self.prepare(target, progress).await?.facts) })
    }

    fn made_of<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<String>> {
        Box::pin(self.made_of(target))
    }

    fn start<'a>(&'a self, spec: &'a FleetSpec) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(self.start(spec))
    }

    fn attach<'a>(&'a self, state: &'a FleetState) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(self.attach(state))
    }

    fn end<'a>(&'a self, holder: &'a Holder) -> BoxFuture<'a, Result<usize>> {
        Box::pin(self.end(holder))
    }

    fn close<'a>(&'a self, _holder: &'a Holder) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Who opens it decides on the network that it is in.
    fn leads_out(&self) -> BoxFuture<'_, Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    fn sweep(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(sweep(&self.settings.cache))
    }
}
