//! One fleet for many processes: whoever comes first starts it, the others join.

use std::{fs, path::Path};

use crate::{Cache, Engine, Error, Fleet, FleetSpec, FleetState, Progress, Result};

/// Joins the fleet that another process has started from the same spec, or starts it. Processes that come at the same
/// time wait for the first. A fleet of the same id but made from something else is ended first.
///
/// The fleet ends as every other does, after the last process that holds it has gone (see
/// [`Lifetime`](crate::Lifetime)).
///
/// # Errors
/// Those of [`Engine::start`].
pub async fn start_or_join(
    engine: &dyn Engine,
    cache: &Cache,
    spec: &FleetSpec,
    progress: &dyn Progress,
) -> Result<Fleet> {
    let purpose = format!("starting fleet {}", spec.id);
    let lock = format!("fleet-{}-{}", engine.name(), spec.id);
    let _one = cache
        .lock(&lock, &purpose, spec.target.name(), progress)
        .await?;
    let path = cache
        .subdirectory("states")?
        .join(format!("{}-{}.json", engine.name(), spec.id));
    if let Some(fleet) = running(engine, &path).await {
        if fleet.state().spec_hash == spec.hash()? {
            return Ok(fleet);
        }
        fleet.stop().await?;
    }
    let fleet = engine.start(spec).await?;
    let json = serde_json::to_vec(fleet.state()).unwrap_or_default();
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    fs::write(&partial, json).map_err(Error::io("writing", &partial))?;
    fs::rename(&partial, &path).map_err(Error::io("renaming", &partial))?;
    Ok(fleet)
}

/// The fleet a state file tells of, if it still runs.
async fn running(engine: &dyn Engine, state: &Path) -> Option<Fleet> {
    let json = fs::read(state).ok()?;
    let state: FleetState = serde_json::from_slice(&json).ok()?;
    engine.attach(&state).await.ok()
}
