//! Proof that a fleet works.

use std::time::Duration;

use crate::{FleetState, Log, Result};

pub(crate) async fn ready(_state: &FleetState, _log: &Log, _deadline: Duration) -> Result<()> {
    Ok(())
}
