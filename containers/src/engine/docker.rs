//! The docker engine: one container for each fleet, started through testcontainers.

mod build;
mod image;
mod network;
mod request;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use testcontainers::{
    TestcontainersError,
    bollard::{
        Docker,
        errors::Error as BollardError,
        models::ContainerInspectResponse,
        query_parameters::{
            InspectContainerOptions, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
            RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
        },
    },
    runners::AsyncRunner as _,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{
    BoxFuture, Engine, EngineName, Error, Fleet, FleetSpec, FleetState, Holder, Log, Progress,
    Result, Settings, Target, TargetFacts,
    config::ConfigError,
    fleet::{
        Backend, Home, Names, Reach,
        files::RootFiles,
        lease::Lease,
        ready::{self, within},
    },
    holder::CACHE_ID,
    images::{self, PATIENCE, error, is_missing},
    log::follow::{self, From},
    silent,
};
use image::Image;
use network::{Place, Route};
use request::pack;

/// The lock that an engine holds for itself.
const OWN_LOCK: &str = "docker-engine.lock";
/// Most time a removal may take.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct DockerEngine {
    docker: Docker,
    settings: Settings,
    prepared: Mutex<HashMap<Target, Image>>,
    place: Mutex<Option<Place>>,
    /// Whose the networks of fleets are that are for nobody in particular, and the lock that says so.
    own: (Holder, File),
}

impl DockerEngine {
    pub(crate) async fn open(settings: Settings) -> Result<DockerEngine> {
        let docker = images::open().await?;
        let path = settings.cache.subdirectory("locks")?.join(OWN_LOCK);
        let opened = File::options().create(true).append(true).open(&path);
        let lock = opened.map_err(Error::io("opening", &path))?;
        lock.lock_shared().map_err(Error::io("locking", &path))?;
        Ok(DockerEngine {
            docker,
            own: (Holder::new(&settings.cache, &path)?, lock),
            settings,
            prepared: Mutex::default(),
            place: Mutex::default(),
        })
    }

    async fn prepare(&self, target: &Target, progress: &dyn Progress) -> Result<Image> {
        if let Some(image) = self.prepared.lock().await.get(target) {
            return Ok(image.clone());
        }
        let image = image::prepare(&self.docker, &self.settings.cache, target, progress).await?;
        self.prepared
            .lock()
            .await
            .insert(target.clone(), image.clone());
        Ok(image)
    }

    async fn place(&self) -> Result<Place> {
        let mut known = self.place.lock().await;
        if let Some(place) = &*known {
            return Ok(place.clone());
        }
        let place = Place::find(&self.docker, self.settings.address).await?;
        Ok(known.insert(place).clone())
    }

    async fn route(&self, spec: &FleetSpec) -> Result<Route> {
        let holder = spec.holder.as_ref().unwrap_or(&self.own.0);
        self.place().await?.route(&self.docker, holder).await
    }

    async fn start(&self, spec: &FleetSpec) -> Result<Fleet> {
        let deadline = Instant::now() + spec.deadline;
        let image = self.prepare(&spec.target, &silent()).await?;
        let route = self.route(spec).await?;
        let archive = request::archive(spec)?;
        let state = |home, reach| -> Result<FleetState, ConfigError> {
            Ok(FleetState {
                id: spec.id.clone(),
                engine: EngineName::Docker,
                target: spec.target.clone(),
                home: Home::Container(home),
                reach,
                harness: route.harness,
                spec_hash: spec.hash()?,
                inject_port: spec.inject_port,
                lease_port: spec.lease_port,
                names: Names::NotWanted,
            })
        };
        let guard = Created {
            docker: self.docker.clone(),
            name: request::container_name(&spec.id),
            kept: false,
        };
        let container = within(deadline, &spec.id, "starting its container", async {
            request::request(spec, &image, &route, archive)
                .start()
                .await
                .map_err(failed("starting a container"))
        });
        let container = match container.await {
            // Somebody else's, of the same name.
            Err(Error::Docker { why, .. }) if why.contains("is already in use") => {
                guard.keep();
                let doing = format!("starting fleet {}", spec.id);
                return Err(Error::Docker {
                    doing,
                    why: "a fleet of that id runs already".to_owned(),
                });
            }
            started => started?,
        };
        let id = container.id().to_owned();
        // It is ours to remove from here on: `container` is marked for reuse, and does nothing when dropped.
        drop(container);
        let running = async {
            let log = Log::new();
            let lines = log.subscribe_all();
            let follower = follow::container(log.clone(), &self.docker, &id, From::Start);
            let reach = within(
                deadline,
                &spec.id,
                "asking for its address",
                self.reach(&id, &route),
            )
            .await?;
            let mut state = state(id, reach)?;
            let lease;
            (lease, state.names) = ready::started(&state, &log, lines, spec, deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            ready::ready(&state, &log, left).await?;
            Ok((state, log, lease, follower))
        };
        match running.await {
            Ok((state, log, lease, follower)) => {
                let backend = Arc::new(Running {
                    docker: self.docker.clone(),
                    name: guard.keep(),
                });
                Ok(Fleet::new(state, log, lease, backend, follower))
            }
            Err(error) => {
                // Why it could not be started says more than why it could not be removed.
                let _ = remove(&self.docker, &guard.keep()).await;
                Err(error)
            }
        }
    }

    async fn reach(&self, id: &str, route: &Route) -> Result<Reach> {
        let found = self
            .docker
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .map_err(error("inspecting a container"))?;
        let reach = match route.published {
            false => address_in(&found, &route.network).map(Reach::Direct),
            true => published(&found).map(Reach::Published),
        };
        reach.ok_or_else(|| Error::Docker {
            doing: "inspecting a container".to_owned(),
            why: "it tells no address: it may have ended".to_owned(),
        })
    }

    async fn attach(&self, state: &FleetState) -> Result<Fleet> {
        let Home::Container(id) = &state.home else {
            return Err(state.gone("it is a directory, and this is the docker engine"));
        };
        let log = Log::new();
        let follower = follow::container(log.clone(), &self.docker, id, From::Now);
        let address = state.address_of(state.lease_port);
        let lease = async {
            Lease::take(address)
                .await
                .map_err(|error| state.gone(format!("{address}: {error}")))
        };
        // An address nobody has any more takes seconds to say so; Docker knows at once.
        let exists = async {
            let found = self
                .docker
                .inspect_container(id, None::<InspectContainerOptions>)
                .await;
            found
                .map(drop)
                .map_err(|error| state.gone(error.to_string()))
        };
        let both = async { tokio::try_join!(lease, exists) };
        let deadline = Instant::now() + PATIENCE;
        let (lease, ()) = within(deadline, &state.id, "taking its lease", both).await?;
        ready::ready(state, &log, PATIENCE).await?;
        let backend = Arc::new(Running {
            docker: self.docker.clone(),
            name: id.clone(),
        });
        Ok(Fleet::new(state.clone(), log, lease, backend, follower))
    }

    async fn sweep(&self) -> Result<usize> {
        let in_cache = super::chroot::sweep(&self.settings.cache).await;
        // One that runs ends by itself; one that is being made or removed has not got there yet.
        let ended = ["created", "exited", "dead"];
        let filters = HashMap::from([
            ("label", vec![CACHE_ID.to_owned()]),
            ("status", ended.map(str::to_owned).to_vec()),
        ]);
        let removed = self.remove_all(filters, |labels| {
            Holder::of_labels(labels).is_some_and(|holder| holder.is_dead())
        });
        let removed = removed.await;
        network::sweep(&self.docker).await?;
        Ok(removed? + in_cache?)
    }

    async fn end(&self, holder: &Holder) -> Result<usize> {
        let labels = holder.labels();
        let labels = labels.map(|(name, value)| format!("{name}={value}"));
        let filters = HashMap::from([("label", labels.to_vec())]);
        let removed = self
            .remove_all(filters, |labels| {
                Holder::of_labels(labels).as_ref() == Some(holder)
            })
            .await?;
        network::remove_of(&self.docker, holder).await?;
        Ok(removed)
    }

    /// Removes the containers that Docker finds and `is_ours` is sure of; the first error is told when the others have
    /// been removed.
    async fn remove_all(
        &self,
        filters: HashMap<&'static str, Vec<String>>,
        is_ours: impl Fn(&HashMap<String, String>) -> bool,
    ) -> Result<usize> {
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let listed = timeout(PATIENCE, self.docker.list_containers(Some(options))).await;
        let found = match listed {
            Ok(found) => found.map_err(error("listing containers"))?,
            Err(_) => {
                return Err(Error::DockerUnreachable {
                    why: "no list of containers within 10 s".to_owned(),
                });
            }
        };
        let ours = found.into_iter().filter_map(|container| {
            let labels = container.labels.unwrap_or_default();
            container.id.filter(|_| is_ours(&labels))
        });
        let removed = ours.map(|id| async move { remove(&self.docker, &id).await });
        let removed: Vec<_> = futures_util::future::join_all(removed).await;
        let count = removed.iter().filter(|removed| removed.is_ok()).count();
        removed.into_iter().collect::<Result<()>>()?;
        Ok(count)
    }
}

fn address_in(found: &ContainerInspectResponse, network: &str) -> Option<Ipv4Addr> {
    let networks = found.network_settings.as_ref()?.networks.as_ref()?;
    networks.get(network)?.ip_address.as_deref()?.parse().ok()
}

fn published(found: &ContainerInspectResponse) -> Option<BTreeMap<u16, u16>> {
    let ports = found.network_settings.as_ref()?.ports.as_ref()?;
    let mapped: BTreeMap<u16, u16> = ports
        .iter()
        .filter_map(|(inside, bindings)| {
            let inside = inside.strip_suffix("/tcp")?.parse().ok()?;
            let outside = bindings
                .as_ref()?
                .iter()
                .find_map(|binding| binding.host_port.as_deref()?.parse().ok())?;
            Some((inside, outside))
        })
        .collect();
    (!mapped.is_empty()).then_some(mapped)
}

/// A container that is removed unless its fleet got ready.
struct Created {
    docker: Docker,
    name: String,
    kept: bool,
}

impl Created {
    fn keep(mut self) -> String {
        self.kept = true;
        std::mem::take(&mut self.name)
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let (docker, name) = (self.docker.clone(), std::mem::take(&mut self.name));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { remove(&docker, &name).await });
        }
    }
}

/// Removes a container, running or not; one that is gone or going is none to complain about.
async fn remove(docker: &Docker, name: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    match timeout(STOP_DEADLINE, docker.remove_container(name, Some(options))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if is_missing(&error) || is_conflict(&error) => Ok(()),
        Ok(Err(why)) => Err(error("removing a container")(why)),
        Err(_) => Err(Error::Docker {
            doing: format!("removing {name}"),
            why: format!("not done within {} s", STOP_DEADLINE.as_secs()),
        }),
    }
}

/// Such as "removal of container … is already in progress".
fn is_conflict(error: &BollardError) -> bool {
    matches!(
        error,
        BollardError::DockerResponseServerError {
            status_code: 409,
            ..
        }
    )
}

fn failed(doing: &'static str) -> impl FnOnce(TestcontainersError) -> Error {
    move |error| Error::Docker {
        doing: doing.to_owned(),
        why: error.to_string(),
    }
}

/// A running fleet.
struct Running {
    docker: Docker,
    name: String,
}

impl Backend for Running {
    fn put(&self, files: RootFiles) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let archive = pack(&files).map_err(Error::io("packing files for", &self.name))?;
            let options = UploadToContainerOptionsBuilder::default().path("/").build();
            let body = testcontainers::bollard::body_full(archive.into());
            let put = self
                .docker
                .upload_to_container(&self.name, Some(options), body);
            put.await.map_err(error("putting files into a container"))
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let reload = KillContainerOptionsBuilder::default()
                .signal("SIGUSR1")
                .build();
            let reload = self.docker.kill_container(&self.name, Some(reload));
            reload
                .await
                .map_err(error("reloading a container's Postfix"))
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(remove(&self.docker, &self.name))
    }
}

impl Engine for DockerEngine {
    fn name(&self) -> EngineName {
        EngineName::Docker
    }

    fn prepare<'a>(
        &'a self,
        target: &'a Target,
        progress: &'a dyn Progress,
    ) -> BoxFuture<'a, Result<TargetFacts>> {
        Box::pin(async { Ok(self.prepare(target, progress).await?.facts) })
    }

    fn made_of<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<String>> {
        Box::pin(async { Ok(self.prepare(target, &silent()).await?.id) })
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

    fn close<'a>(&'a self, holder: &'a Holder) -> BoxFuture<'a, Result<()>> {
        Box::pin(network::remove_of(&self.docker, holder))
    }

    fn leads_out(&self) -> BoxFuture<'_, Result<Option<String>>> {
        Box::pin(async { Ok(self.place().await?.leads_out()) })
    }

    fn sweep(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.sweep())
    }
}
