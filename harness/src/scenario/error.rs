//! What can be wrong with a scenario file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// A place in a file: line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The place of byte `offset` in `text`, the contents of `file`.
    pub fn at(file: &Path, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|&c| c != '\n').count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Why a scenario file was refused. Nothing has been started when one of these is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Two files, or two variants of one file, have the same name.
    #[error(
        "{place}: duplicate case `{id}`: its snapshots would be those of `{other}` too; give one of them another name"
    )]
    Duplicate {
        /// Where the second one stands.
        place: Place,
        /// Its name.
        id: String,
        /// The name of the first one, and its file where that is another.
        other: String,
    },
    /// The file has no keys at all.
    #[error(
        "{file}: the file is empty; a scenario needs at least `why`, `[server]` and `[client]`",
        file = .0.display()
    )]
    Empty(PathBuf),
    /// A key or value is not what the format says.
    #[error("{place}: {message}{help}", help = .help.as_deref().map(|h| format!("; {h}")).unwrap_or_default())]
    Invalid {
        /// Where.
        place: Place,
        /// What was found and what was expected.
        message: String,
        /// What to do, where we can guess.
        help: Option<String>,
    },
    /// A filter that no case goes by.
    #[error("no case of {within} goes by `{filter}`{near}",
        near = .nearest.as_deref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    NoMatch {
        /// As given.
        filter: String,
        /// Where it was looked for.
        within: String,
        /// The name most like it.
        nearest: Option<String>,
    },
    /// No scenario file in the directory.
    #[error("{dir}: no scenario files (<topic>/<case>.toml) found", dir = .0.display())]
    NoneFound(PathBuf),
    /// The file is not UTF-8, as TOML has to be.
    #[error("{place}: not UTF-8; a scenario file is TOML, which is UTF-8 text")]
    NotUtf8 {
        /// The first byte that is not UTF-8.
        place: Place,
    },
    /// The file or directory could not be read.
    #[error("{path}: cannot be read: {source}", path = .path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not.
        source: std::io::Error,
    },
    /// The file is larger than any scenario has reason to be.
    #[error(
        "{path}: {found} bytes; a scenario file has at most {limit} bytes",
        path = .path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl ScenarioError {
    /// An [`ScenarioError::Invalid`] out of what the TOML deserializer said.
    pub(super) fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let offset = error.span().map_or(0, |span| span.start);
        Self::Invalid {
            place: Place::at(file, text, offset),
            message: error.message().trim().replace('\n', " "),
            help: nearest_field(error.message()),
        }
    }

    /// An [`ScenarioError::Invalid`] at byte `offset` of `text`.
    pub(super) fn invalid(
        file: &Path,
        text: &str,
        offset: usize,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        Self::Invalid {
            place: Place::at(file, text, offset),
            message: message.into(),
            help,
        }
    }
}

/// serde says ``unknown field `a`, expected one of `b`, `c` ``: the nearest of them, as advice.
fn nearest_field(message: &str) -> Option<String> {
    if !message.contains("unknown field") && !message.contains("unknown variant") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let found = quoted.next()?;
    nearest(found, quoted).map(|name| format!("did you mean `{name}`?"))
}

/// The candidate most like `found`, if any is like it at all.
pub(crate) fn nearest<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|name| {
            (
                strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase()),
                name,
            )
        })
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_counts_characters_from_one() {
        let text = "a = 1\nwhy = \"é\" x";
        let place = Place::at(Path::new("f.toml"), text, text.len() - 1);
        assert_eq!(place.to_string(), "f.toml:2:11");
    }

    #[test]
    fn nearest_names_what_was_meant() {
        assert_eq!(
            nearest("smtpd_tls_chiphers", ["smtpd_tls_ciphers", "biff"]),
            Some("smtpd_tls_ciphers")
        );
        assert_eq!(nearest("zzz", ["smtpd_tls_ciphers"]), None);
    }
}
