//! In place of `images.rs` in a build without the feature `docker`: there is no Docker that could be asked.

use std::path::Path;

use crate::{Error, Result, source::Making};

/// As with Docker, since names in the cache are made of it.
pub(crate) const REPOSITORY: &str = "localhost/pfs";

/// A connection that nobody can have.
pub(crate) enum Docker {}

/// Never.
///
/// # Errors
/// Always, with what to do.
pub(crate) async fn open() -> Result<Docker> {
    Err(Error::DockerUnreachable {
        why: "this program was built without the feature `docker`".to_owned(),
    })
}

pub(crate) async fn id_of(docker: &Docker, _image: &str) -> Result<Option<String>> {
    match *docker {}
}

pub(crate) async fn named(docker: &Docker, _target: &str, _id: &str) -> Result<String> {
    match *docker {}
}

pub(crate) async fn pull(docker: &Docker, _making: &Making<'_>, _image: &str) -> Result<()> {
    match *docker {}
}

pub(crate) async fn import(
    docker: &Docker,
    _target: &str,
    _tar: &Path,
    _image: &str,
) -> Result<()> {
    match *docker {}
}

pub(crate) async fn export(
    docker: &Docker,
    _making: &Making<'_>,
    _image: &str,
    _tar: &Path,
) -> Result<()> {
    match *docker {}
}
