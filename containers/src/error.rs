//! One error type: what failed, in whose words, and what to do about it.

use std::{io, path::PathBuf, time::Duration};

use crate::config::ConfigError;

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a Postfix could not be prepared, started or talked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A target name that is neither built in nor of the form `NAME=KIND:ARG`.
    #[error("unknown target `{given}`{}; known: {known}; or, for a Postfix of your own, {}", did_you_mean(.nearest), crate::source::FORMS)]
    UnknownTarget {
        /// What was asked for.
        given: String,
        /// The built-in name closest to it.
        nearest: Option<String>,
        /// All built-in names.
        known: String,
    },
    /// A `NAME=KIND:ARG` that cannot be one.
    #[error("target `{given}`: {why}")]
    BadTarget {
        /// What was asked for.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// An engine name that does not exist.
    #[error("unknown engine `{given}`; known: auto, docker, chroot")]
    UnknownEngine {
        /// What was asked for.
        given: String,
    },
    /// A configuration Postfix could not have read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Neither engine works here.
    #[error(
        "no engine works here: docker: {docker}; chroot: {chroot}; start Docker, or run as root"
    )]
    NoEngine {
        /// What Docker's socket said.
        docker: String,
        /// Why the chroot engine cannot be used.
        chroot: String,
    },
    /// Docker does not answer.
    #[error(
        "docker does not answer: {why}; start it, set DOCKER_HOST, or use `--engine chroot` as root"
    )]
    DockerUnreachable {
        /// What the connection said.
        why: String,
    },
    /// Docker answered with an error.
    #[error("docker: {doing}: {why}")]
    Docker {
        /// What was being done.
        doing: String,
        /// Docker's own words.
        why: String,
    },
    /// The chroot engine needs root.
    #[error(
        "the chroot engine needs root (CAP_SYS_CHROOT, CAP_MKNOD): run as root, or use `--engine docker`"
    )]
    NotRoot,
    /// A program that is not installed.
    #[error("`{tool}` is not installed: apt-get install {package}")]
    MissingTool {
        /// The program.
        tool: String,
        /// The Debian package that has it.
        package: String,
    },
    /// A target's kind of source that containers cannot have.
    #[error("target `{target}` needs the chroot engine: {why}")]
    TargetNeedsChroot {
        /// Name of the target.
        target: String,
        /// Why.
        why: String,
    },
    /// What a target is made of is not there, or is not what it should be.
    #[error("target {target}: {why}")]
    Source {
        /// Name of the target.
        target: String,
        /// What was found and what to do.
        why: String,
    },
    /// A program that makes a target failed.
    #[error("target {target}: {doing} failed ({status}):{}", indented(.tail))]
    Making {
        /// Name of the target.
        target: String,
        /// What was being done, as a verb in -ing form.
        doing: String,
        /// Exit status in words.
        status: String,
        /// The last lines the tool printed.
        tail: Vec<String>,
    },
    /// A base system could not be had from a Debian mirror.
    #[error(
        "bootstrapping {target} with mmdebstrap failed ({status}):{}\nto take it from another mirror, set PFS_MIRROR to \
         its URL; to do without one, give an image or a root of your own: `--target NAME=image:REF`, `NAME=root:DIR`", indented(.tail)
    )]
    Bootstrap {
        /// Name of the target.
        target: String,
        /// Exit status in words.
        status: String,
        /// The last lines it printed.
        tail: Vec<String>,
    },
    /// An image could not be built.
    #[error("building the image of {target} failed:{}", indented(.tail))]
    ImageBuild {
        /// Name of the target.
        target: String,
        /// The last lines of the build.
        tail: Vec<String>,
    },
    /// What a target said of itself makes no sense.
    #[error("target {target}: {why}")]
    Facts {
        /// Name of the target.
        target: String,
        /// What was found and expected.
        why: String,
    },
    /// No room left.
    #[error("no space left on the disk of {}: free some, or set PFS_CACHE to a directory elsewhere", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb in -ing form.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Postfix refused its configuration or could not start.
    #[error("fleet {fleet}: Postfix did not start:{}", indented(.words))]
    Refused {
        /// The fleet's id.
        fleet: String,
        /// Postfix's own log lines.
        words: Vec<String>,
    },
    /// The name servers of a fleet could not be started.
    #[error("fleet {fleet}: its name servers did not start:{}", indented(.words))]
    NameServers {
        /// The fleet's id.
        fleet: String,
        /// What nsd, unbound and the tools of ldns said.
        words: Vec<String>,
    },
    /// Something took too long.
    #[error("fleet {fleet}: {doing} took longer than {} s{}", .after.as_secs_f32(), last_lines(.tail))]
    Deadline {
        /// The fleet's id, or the target's name.
        fleet: String,
        /// What was waited for.
        doing: String,
        /// How long.
        after: Duration,
        /// The last lines of the log, if there is one.
        tail: Vec<String>,
    },
    /// The fleet ended, or was ended by somebody else.
    #[error("fleet {fleet} is gone: {why}")]
    Gone {
        /// The fleet's id.
        fleet: String,
        /// How that was found out.
        why: String,
    },
}

impl Error {
    /// Whether the user asked for something that cannot be (exit status 2), as opposed to an
    /// environment that is broken (exit status 3).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Error::UnknownTarget { .. }
            | Error::BadTarget { .. }
            | Error::UnknownEngine { .. }
            | Error::Config(_)
            | Error::TargetNeedsChroot { .. }
            | Error::Source { .. } => true,
            Error::NoEngine { .. }
            | Error::DockerUnreachable { .. }
            | Error::Docker { .. }
            | Error::NotRoot
            | Error::MissingTool { .. }
            | Error::Making { .. }
            | Error::Bootstrap { .. }
            | Error::ImageBuild { .. }
            | Error::Facts { .. }
            | Error::DiskFull { .. }
            | Error::Io { .. }
            | Error::Refused { .. }
            | Error::NameServers { .. }
            | Error::Deadline { .. }
            | Error::Gone { .. } => false,
        }
    }

    /// Wraps an I/O error with what was being done to which file; a full disk gets its own variant.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { path },
            _ => Error::Io {
                doing,
                path,
                source,
            },
        }
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default()
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n    {line}")).collect()
}

fn last_lines(lines: &[String]) -> String {
    if lines.is_empty() {
        String::new()
    } else {
        format!("; the last log lines:{}", indented(lines))
    }
}
