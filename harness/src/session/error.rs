//! Why a fleet is not there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The environment's fault, or a setting that Postfix refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A name of a generated file, or a key that cannot be made.
    #[error(transparent)]
    Certificates(#[from] pfs_certs::Error),
    /// The engine, or Postfix refusing its configuration.
    #[error(transparent)]
    Containers(#[from] pfs_containers::Error),
    /// The fleet could not be started when another case wanted it; it is not tried again.
    #[error(transparent)]
    Earlier(Arc<SessionError>),
    /// The runtime is shutting down.
    #[error("interrupted")]
    Interrupted,
    /// A file of the session.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too many runs at once on this machine.
    #[error(
        "no free ports for {lines} cases on {fleet}: too many runs at once; wait for one of them, \
         or run fewer cases"
    )]
    NoPorts {
        /// The fleet.
        fleet: String,
        /// How many lines it has.
        lines: usize,
    },
    /// A case names a target that the run does not know.
    #[error("unknown target `{0}`; name it with --target, or see `pfs targets`")]
    UnknownTarget(String),
}

impl SessionError {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            path: path.clone(),
            source,
        }
    }
}
