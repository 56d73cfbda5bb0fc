//! The docker engine: one container for each fleet, started through testcontainers.

mod image;
mod network;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use testcontainers::{
    GenericImage, ImageExt as _, ReuseDirective, TestcontainersError,
    bollard::{
        Docker,
        errors::Error as BollardError,
        models::{ContainerInspectResponse, HostConfig, HostConfigLogConfig, PortBinding},
        query_parameters::{
            InspectContainerOptions, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
        },
    },
    core::{Host, client::docker_client_instance},
    runners::AsyncRunner as _,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::chroot::{SUPERVISE, poll};
use crate::{
    BoxFuture, Engine, EngineName, Error, Fleet, FleetSpec, FleetState, Log, Progress, Result,
    Settings, Target, TargetFacts,
    config::ConfigError,
    fleet::{
        Backend, Home, Reach,
        files::{RootFile, RootFiles},
        lease::Lease,
        ready::{self, within},
    },
    log::follow::{self, From},
    silent,
};
use image::Image;
use network::{NETWORK, Route};

/// Label of every container started here; its value is the fleet's id.
const LABEL: &str = "pfs.fleet";
/// Where the fleet's files wait inside its container until they are unpacked.
const ARCHIVE: &str = "/pfs-fleet.tar";
/// Where the script is that starts everything.
const SCRIPT: &str = "/usr/share/pfs/supervise";
/// Most time Docker may take for an answer to a simple question.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most time a removal may take.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct DockerEngine {
    docker: Docker,
    settings: Settings,
    prepared: Mutex<HashMap<Target, Image>>,
    route: Mutex<Option<Route>>,
}

impl DockerEngine {
    pub(crate) async fn open(settings: Settings) -> Result<DockerEngine> {
        let unreachable = |why: String| Error::DockerUnreachable { why };
        let docker = docker_client_instance()
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        match timeout(PATIENCE, docker.ping()).await {
            Ok(Ok(_)) => Ok(DockerEngine {
                docker,
                settings,
                prepared: Mutex::default(),
                route: Mutex::default(),
            }),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(unreachable(format!(
                "no answer within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    async fn prepare(&self, target: &Target, progress: &dyn Progress) -> Result<Image> {
        // Held while it is built: whoever asks next finds it. Other targets have a call of their own.
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

    async fn route(&self) -> Result<Route> {
        let mut known = self.route.lock().await;
        if let Some(route) = *known {
            return Ok(route);
        }
        let route = Route::find(&self.docker, self.settings.address).await?;
        Ok(*known.insert(route))
    }

    async fn start(&self, spec: &FleetSpec) -> Result<Fleet> {
        let deadline = Instant::now() + spec.deadline;
        let image = self.prepare(&spec.target, &silent()).await?;
        let route = self.route().await?;
        let mut files = spec.render("0.0.0.0")?;
        files.insert(SCRIPT.to_owned(), RootFile::public(SUPERVISE));
        let archive = archive(&files).map_err(Error::io("packing", ARCHIVE))?;
        let state = |home, reach| -> Result<FleetState, ConfigError> {
            Ok(FleetState {
                id: spec.id.clone(),
                engine: EngineName::Docker,
                target: spec.target.clone(),
                home: Home::Container(home),
                reach,
                harness: route.harness(),
                spec_hash: spec.hash()?,
                inject_port: spec.inject_port,
                lease_port: spec.lease_port,
            })
        };
        let guard = Created {
            docker: self.docker.clone(),
            name: container_name(&spec.id),
            kept: false,
        };
        let container = within(deadline, &spec.id, "starting its container", async {
            request(spec, &image, route, archive)
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

        let log = Log::new();
        let lines = log.subscribe_all();
        let follower = follow::container(log.clone(), &self.docker, &id, From::Start);
        let reach = within(
            deadline,
            &spec.id,
            "asking for its address",
            self.reach(&id, route),
        )
        .await?;
        let state = state(id, reach)?;
        let lease = ready::started(&state, &log, lines, deadline).await?;
        ready::ready(
            &state,
            &log,
            deadline.saturating_duration_since(Instant::now()),
        )
        .await?;
        let backend = Arc::new(Running {
            docker: self.docker.clone(),
            name: guard.keep(),
        });
        Ok(Fleet::new(state, log, lease, backend, follower))
    }

    async fn reach(&self, id: &str, route: Route) -> Result<Reach> {
        let found = self
            .docker
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .map_err(error("inspecting a container"))?;
        let reach = match route {
            Route::Bridge { .. } => bridge_address(&found).map(Reach::Direct),
            Route::Published { .. } => published(&found).map(Reach::Published),
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
        let deadline = Instant::now() + PATIENCE;
        let lease = within(deadline, &state.id, "taking its lease", async {
            Lease::take(address)
                .await
                .map_err(|error| state.gone(format!("{address}: {error}")))
        })
        .await?;
        ready::ready(state, &log, PATIENCE).await?;
        let backend = Arc::new(Running {
            docker: self.docker.clone(),
            name: id.clone(),
        });
        Ok(Fleet::new(state.clone(), log, lease, backend, follower))
    }

    async fn sweep(&self) -> Result<usize> {
        let filters = HashMap::from([
            ("label", vec![LABEL]),
            // One that runs ends by itself.
            ("status", vec!["created", "exited", "dead"]),
        ]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let listed = timeout(PATIENCE, self.docker.list_containers(Some(options))).await;
        let dead = match listed {
            Ok(dead) => dead.map_err(error("listing containers"))?,
            Err(_) => {
                return Err(Error::DockerUnreachable {
                    why: "no list of containers within 10 s".to_owned(),
                });
            }
        };
        let hour_ago = SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |now| now.as_secs() as i64 - 60);
        let mut count = 0;
        for container in dead {
            // One just created may be about to be started.
            let fresh = container.created.is_some_and(|created| created > hour_ago);
            if let Some(id) = container.id.filter(|_| !fresh) {
                remove(&self.docker, &id).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}

fn container_name(id: &str) -> String {
    format!("pfs-{id}")
}

/// What testcontainers is asked to start.
fn request(
    spec: &FleetSpec,
    image: &Image,
    route: Route,
    archive: Vec<u8>,
) -> testcontainers::ContainerRequest<GenericImage> {
    let ports: Vec<u16> = match route {
        Route::Bridge { .. } => Vec::new(),
        Route::Published { .. } => spec.ports().collect(),
    };
    let unpack =
        format!("tar -xf {ARCHIVE} -C / && rm -f {ARCHIVE} && exec /bin/sh {SCRIPT} \"$@\"");
    let daemons = &image.facts.daemon_directory;
    let mut generic = GenericImage::new(&image.name, &image.tag).with_entrypoint("/bin/sh");
    for port in &ports {
        generic = generic.with_exposed_port((*port).into());
    }
    let mut request = generic
        .with_cmd([
            "-c",
            &unpack,
            "supervise",
            "",
            daemons,
            &poll(spec.lifetime),
        ])
        .with_container_name(container_name(&spec.id))
        .with_label(LABEL, &spec.id)
        // Only keeps testcontainers from removing it with this process: other processes may use it.
        .with_reuse(ReuseDirective::Always)
        .with_label("pfs.instance", instance())
        .with_network(NETWORK)
        .with_user("0")
        .with_startup_timeout(spec.deadline)
        .with_copy_to(ARCHIVE, archive)
        .with_host_config_modifier(move |config| host_config(config, &ports));
    for host in spec.host_names() {
        let address = match route {
            Route::Bridge { harness } => Host::Addr(harness.into()),
            Route::Published { .. } => Host::HostGateway,
        };
        request = request.with_host(host, address);
    }
    request
}

fn host_config(config: &mut HostConfig, ports: &[u16]) {
    config.auto_remove = Some(true);
    config.publish_all_ports = Some(false);
    // Whatever the daemon's default is: this is the one that can be read back at once.
    config.log_config = Some(HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::new()),
    });
    // Nobody answers there: names are in /etc/hosts, and none is anybody else's business.
    config.dns = Some(vec!["127.0.0.1".to_owned()]);
    let loopback = || {
        Some(vec![PortBinding {
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: None,
        }])
    };
    config.port_bindings = Some(
        ports
            .iter()
            .map(|port| (format!("{port}/tcp"), loopback()))
            .collect(),
    );
}

/// A word that no other container's label has, so that none is taken for this one.
fn instance() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    format!("{}-{}", std::process::id(), now.as_nanos())
}

/// All files as one archive: each one for itself would be a question to Docker. They look an hour old, since Postfix
/// waits for newer ones to "cool down".
fn archive(files: &RootFiles) -> io::Result<Vec<u8>> {
    let hour_ago = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |now| now.as_secs().saturating_sub(3600));
    let mut archive = tar::Builder::new(Vec::new());
    let mut directories = std::collections::BTreeSet::new();
    for (path, file) in files {
        let path = path.trim_start_matches('/');
        // tar would make a missing one with the umask's mode.
        let own = |directory: &&std::path::Path| directory.starts_with("etc/postfix/pfs");
        let parents: Vec<_> = std::path::Path::new(path)
            .ancestors()
            .skip(1)
            .take_while(own)
            .collect();
        for directory in parents.into_iter().rev() {
            if directories.insert(directory.to_owned()) {
                let mut header = header(0o755, 0, hour_ago);
                header.set_entry_type(tar::EntryType::Directory);
                archive.append_data(&mut header, directory, io::empty())?;
            }
        }
        let mut header = header(file.mode, file.bytes.len() as u64, hour_ago);
        archive.append_data(&mut header, path, file.bytes.as_slice())?;
    }
    archive.into_inner()
}

fn header(mode: u32, size: u64, modified: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(modified);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn bridge_address(found: &ContainerInspectResponse) -> Option<Ipv4Addr> {
    let networks = found.network_settings.as_ref()?.networks.as_ref()?;
    networks.get(NETWORK)?.ip_address.as_deref()?.parse().ok()
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

fn is_missing(error: &BollardError) -> bool {
    matches!(
        error,
        BollardError::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
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

/// Wraps Docker's answer with what was being done.
fn error(doing: &str) -> impl FnOnce(BollardError) -> Error {
    let doing = doing.to_owned();
    move |error| match error {
        BollardError::DockerResponseServerError { message, .. }
            if message.contains("no space left on device") =>
        {
            Error::DiskFull {
                path: "/var/lib/docker".into(),
            }
        }
        BollardError::DockerResponseServerError { message, .. } => Error::Docker {
            doing,
            why: message,
        },
        other => Error::Docker {
            doing,
            why: other.to_string(),
        },
    }
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
