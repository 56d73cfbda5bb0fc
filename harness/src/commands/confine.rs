//! A run in a network of its own.

use std::future::Future;
use std::panic::resume_unwind;

use pfs_containers::{EngineName, Network};
use tokio::runtime::{Builder, Runtime};

use super::Error;
use crate::outcome::EXIT_BROKEN;
use crate::session::{Kind, SessionError};
use crate::{note, tell};

/// Does the work of a session so that nothing of it can leave this machine, or meet another run, where that can be had: a
/// private session of the chroot engine runs in a network namespace. Docker's containers have theirs, and fleets that
/// other processes are to join are in the network of all of them.
pub(super) async fn confined<T: Send + 'static>(
    engine: EngineName,
    kind: &Kind,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    if engine != EngineName::Chroot || *kind != Kind::Private {
        return work.await;
    }
    let network = match Network::new() {
        Ok(network) => network,
        Err(error) => {
            note!(
                "no network namespace can be made here ({error}): mail for an address that a scenario names may leave \
                 this machine; CAP_SYS_ADMIN allows it"
            );
            return work.await;
        }
    };
    // Its threads, and whatever they start, are there from their beginning.
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(move || {
            if let Err(error) = network.enter() {
                tell!("pfs: entering the network of this run: {error}");
                std::process::exit(i32::from(EXIT_BROKEN));
            }
        })
        .build()
        .map_err(|_| SessionError::Interrupted)?;
    let runtime = Inside(Some(runtime));
    let Some(inside) = &runtime.0 else {
        return Err(SessionError::Interrupted.into());
    };
    match inside.spawn(work).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => resume_unwind(failed.into_panic()),
        Err(_) => Err(SessionError::Interrupted.into()),
    }
}

/// Ends without waiting for anything, which must not be done where others' work goes on.
struct Inside(Option<Runtime>);

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
