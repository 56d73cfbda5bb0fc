//! What stops a command before or beside its cases.

use crate::cli::BadEngine;
use crate::fixture::FixtureError;
use crate::plan::UnknownParameter;
use crate::scenario::ScenarioError;
use crate::session::SessionError;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An engine, an image, a fleet.
    #[error(transparent)]
    Containers(#[from] pfs_containers::Error),
    /// Parameters that the targets' Postfix does not have.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Parameters(Vec<UnknownParameter>),
    /// Targets that cannot be made, where nothing can be done without them.
    #[error("{0}")]
    Unmade(String),
    /// A report that cannot be written.
    #[error("a report cannot be written: {0}")]
    Report(String),
    /// Scenario files that cannot be used.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Scenarios(Vec<ScenarioError>),
    /// A Postfix that cannot be lent.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// A session that cannot be opened.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A wrong option.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Is it for the user to mend the command line or a file?
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Containers(error) => error.is_usage(),
            Self::Fixture(error) => matches!(
                error,
                FixtureError::Setting(_)
                    | FixtureError::Lacking { .. }
                    | FixtureError::Unknown { .. }
            ),
            Self::Report(_) | Self::Unmade(_) => false,
            Self::Parameters(_) | Self::Scenarios(_) | Self::Usage(_) => true,
            Self::Session(error) => matches!(error, SessionError::UnknownTarget(_)),
        }
    }

    /// The whole of it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let text = match self {
            Self::Scenarios(errors) => return errors.iter().map(ToString::to_string).collect(),
            Self::Parameters(errors) => return errors.iter().map(ToString::to_string).collect(),
            other => other.to_string(),
        };
        text.lines().map(str::to_owned).collect()
    }
}

impl From<BadEngine> for Error {
    fn from(error: BadEngine) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Vec<ScenarioError>> for Error {
    fn from(errors: Vec<ScenarioError>) -> Self {
        Self::Scenarios(errors)
    }
}
