//! Why there is no Postfix, or nothing from it.

use std::sync::Arc;

use harness::fixture::FixtureError;

/// What has gone wrong; its text says what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] pub(crate) Arc<FixtureError>);

impl Error {
    /// Whether it is for lack of Docker and root alone that no Postfix can be run: nothing can be said of the program under
    /// test, and [`ServerBuilder::start_or_skip`](crate::ServerBuilder::start_or_skip) skips its test.
    pub fn is_unavailable(&self) -> bool {
        self.0.is_unavailable()
    }

    pub(crate) fn broken(text: impl Into<String>) -> Self {
        FixtureError::Broken(text.into()).into()
    }
}

impl From<FixtureError> for Error {
    fn from(error: FixtureError) -> Self {
        Self(Arc::new(error))
    }
}
