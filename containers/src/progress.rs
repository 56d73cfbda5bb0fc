//! What an engine tells while it works, for the caller to show.

use std::path::PathBuf;

/// One thing that is being done, or that the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgressEvent {
    /// The base image is being pulled from a registry.
    Pulling {
        /// Name of the target.
        target: String,
        /// The image asked for, such as `debian:trixie-slim`.
        image: String,
    },
    /// A base system is being made from a Debian mirror; one event for each line of `mmdebstrap`.
    Bootstrapping {
        /// Name of the target.
        target: String,
        /// What `mmdebstrap` said last.
        line: String,
    },
    /// A program makes the target's root; one event for each line it says.
    Making {
        /// Name of the target.
        target: String,
        /// What it said last.
        line: String,
    },
    /// The image or root directory is being built on its base.
    Building {
        /// Name of the target.
        target: String,
    },
    /// Another process does the same work, or two builds run already: waiting for it.
    Waiting {
        /// Name of the target.
        target: String,
        /// What the other process is doing, in its own words.
        reason: String,
        /// The lock waited for.
        lock: PathBuf,
    },
    /// Nothing to wait for, but something the user should know.
    Note {
        /// Name of the target.
        target: String,
        /// One sentence.
        text: String,
    },
    /// The image or root directory is there.
    Ready {
        /// Name of the target.
        target: String,
    },
}

/// Where an engine's progress goes. Implemented by every `Fn(ProgressEvent)`.
pub trait Progress: Send + Sync {
    /// Takes one event; called from any thread, must not block.
    fn event(&self, event: ProgressEvent);
}

impl<F: Fn(ProgressEvent) + Send + Sync> Progress for F {
    fn event(&self, event: ProgressEvent) {
        self(event);
    }
}

/// A [`Progress`] that drops every event.
#[must_use]
pub fn silent() -> impl Progress {
    |_event: ProgressEvent| {}
}
