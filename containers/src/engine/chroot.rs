//! The chroot engine.

use crate::{
    BoxFuture, Engine, EngineName, Error, Fleet, FleetSpec, FleetState, Progress, Result, Settings,
    Target, TargetFacts,
};

pub(crate) struct ChrootEngine {
    _settings: Settings,
}

impl ChrootEngine {
    pub(crate) fn open(settings: Settings) -> Result<ChrootEngine> {
        Ok(ChrootEngine {
            _settings: settings,
        })
    }
}

fn unfinished<T>() -> Result<T> {
    Err(Error::DockerUnreachable {
        why: "this engine is not finished".to_owned(),
    })
}

impl Engine for ChrootEngine {
    fn name(&self) -> EngineName {
        EngineName::Chroot
    }

    fn prepare<'a>(
        &'a self,
        _target: &'a Target,
        _progress: &'a dyn Progress,
    ) -> BoxFuture<'a, Result<TargetFacts>> {
        Box::pin(async { unfinished() })
    }

    fn start<'a>(&'a self, _spec: &'a FleetSpec) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(async { unfinished() })
    }

    fn attach<'a>(&'a self, _state: &'a FleetState) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(async { unfinished() })
    }

    fn sweep(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async { unfinished() })
    }
}
