//! What runs fleets: one small trait, two engines behind it.

mod chroot;
#[cfg(feature = "docker")]
mod docker;
mod supervise;

pub(crate) use chroot::remove_home;

use std::{future::Future, pin::Pin, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::{
    Cache, Error, Fleet, FleetSpec, FleetState, Holder, Progress, Result, Target, TargetFacts,
};

/// Most time that Docker has to sweep what is left in it.
const SWEEP_PATIENCE: Duration = Duration::from_secs(5);

/// A future behind a pointer, so that [`Engine`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs fleets.
pub trait Engine: Send + Sync {
    /// Which engine this is.
    fn name(&self) -> EngineName;

    /// Makes sure that the target's image or root directory exists, which takes a minute the first time, and
    /// tells what is in it.
    ///
    /// # Errors
    /// The environment's: no tool, no mirror, no room, Docker gone.
    fn prepare<'a>(
        &'a self,
        target: &'a Target,
        progress: &'a dyn Progress,
    ) -> BoxFuture<'a, Result<TargetFacts>>;

    /// What the target's fleets are made of at present, such as an image's id: another text after every rebuild, also
    /// under the same name. Prepares the target first if nobody did. To be compared with others of this engine only.
    ///
    /// # Errors
    /// Those of [`prepare`](Engine::prepare).
    fn made_of<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<String>>;

    /// Starts a fleet, and returns once it is ready (see [`Fleet::ready`]). Prepares the target first if nobody
    /// did, without telling anybody.
    ///
    /// # Errors
    /// [`Error::Config`] for what cannot be written, [`Error::Refused`] with Postfix's own words, and the
    /// environment's. Nothing is left behind.
    fn start<'a>(&'a self, spec: &'a FleetSpec) -> BoxFuture<'a, Result<Fleet>>;

    /// Joins a running fleet that another process started.
    ///
    /// # Errors
    /// [`Error::Gone`] if it does not run any more.
    fn attach<'a>(&'a self, state: &'a FleetState) -> BoxFuture<'a, Result<Fleet>>;

    /// Ends every fleet of this holder, whatever state it is in and whether or not a record of it is left; returns how many
    /// there were. The caller holds the holder's lock for itself.
    ///
    /// # Errors
    /// The environment's; what could be ended has been.
    fn end<'a>(&'a self, holder: &'a Holder) -> BoxFuture<'a, Result<usize>>;

    /// Removes what the fleets of this holder had in common, such as a network, once they have ended. The caller holds the
    /// holder's lock, and starts none after this.
    ///
    /// # Errors
    /// The environment's.
    fn close<'a>(&'a self, holder: &'a Holder) -> BoxFuture<'a, Result<()>>;

    /// Why what a fleet sends to an address that a scenario names may leave this machine, if the engine knows that it may.
    ///
    /// # Errors
    /// The environment's.
    fn leads_out(&self) -> BoxFuture<'_, Result<Option<String>>>;

    /// Removes what dead runs left behind; returns how many fleets that were.
    ///
    /// # Errors
    /// The environment's.
    fn sweep(&self) -> BoxFuture<'_, Result<usize>>;
}

/// Name of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// Containers, through testcontainers.
    Docker,
    /// A root directory on this machine.
    Chroot,
}

impl std::fmt::Display for EngineName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EngineName::Docker => "docker",
            EngineName::Chroot => "chroot",
        })
    }
}

/// How a container's ports are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Address {
    /// At its address in a network of ours that leads nowhere, if this process is on Docker's host; at its address on Docker's
    /// own network, if this process is in a container there; else published.
    #[default]
    Auto,
    /// At its address on Docker's own network.
    Bridge,
    /// Published on 127.0.0.1, from Docker's own network.
    Published,
}

/// What an engine needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where built roots, bases and running fleets are kept.
    pub cache: Cache,
    /// How a container's ports are reached.
    pub address: Address,
}

impl Settings {
    /// The defaults around a cache.
    #[must_use]
    pub fn new(cache: Cache) -> Settings {
        Settings {
            cache,
            address: Address::Auto,
        }
    }
}

/// What a user may ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Docker if its socket answers, else chroot.
    #[default]
    Auto,
    /// Docker.
    Docker,
    /// Chroot.
    Chroot,
}

impl FromStr for EngineChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<EngineChoice> {
        match text {
            "auto" => Ok(EngineChoice::Auto),
            "docker" => Ok(EngineChoice::Docker),
            "chroot" => Ok(EngineChoice::Chroot),
            _ => Err(Error::UnknownEngine {
                given: text.to_owned(),
            }),
        }
    }
}

impl EngineChoice {
    /// The engine chosen, after checking that it works here.
    ///
    /// # Errors
    /// [`Error::DockerUnreachable`], [`Error::NotRoot`] or, for `Auto`, [`Error::NoEngine`].
    pub async fn open(self, settings: Settings) -> Result<Box<dyn Engine>> {
        match self {
            EngineChoice::Docker => docker_engine(settings).await,
            EngineChoice::Chroot => Ok(Box::new(chroot::ChrootEngine::open(settings)?)),
            EngineChoice::Auto => match docker_engine(settings.clone()).await {
                Ok(docker) => Ok(docker),
                Err(docker) => match chroot::ChrootEngine::open(settings) {
                    Ok(chroot) => Ok(Box::new(chroot)),
                    Err(chroot) => Err(Error::NoEngine {
                        docker: docker.to_string(),
                        chroot: chroot.to_string(),
                    }),
                },
            },
        }
    }
}

/// The engine `docker`, if it is part of this build and its socket answers.
#[cfg(feature = "docker")]
async fn docker_engine(settings: Settings) -> Result<Box<dyn Engine>> {
    Ok(Box::new(docker::DockerEngine::open(settings).await?))
}

#[cfg(not(feature = "docker"))]
async fn docker_engine(_settings: Settings) -> Result<Box<dyn Engine>> {
    match crate::images::open().await? {}
}

/// Removes what dead runs of any engine left behind. What cannot be looked at stays: there may be no Docker, or no right
/// to look.
pub async fn sweep_all(settings: Settings) {
    if let Ok(chroot) = chroot::ChrootEngine::open(settings.clone()) {
        let _ = Engine::sweep(&chroot).await;
    }
    // A Docker that hangs must not hold up a run that does without it.
    let docker = async {
        if let Ok(docker) = docker_engine(settings).await {
            let _ = docker.sweep().await;
        }
    };
    let _ = timeout(SWEEP_PATIENCE, docker).await;
}

#[cfg(all(test, not(feature = "docker")))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_docker_it_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let opened = EngineChoice::Docker.open(Settings::new(cache)).await;
        let said = opened.err().unwrap().to_string();
        assert!(said.contains("without the feature `docker`"), "{said}");
    }
}
