//! Differences that somebody has looked at and accepted, in a file with the reason and a day on which to look again.

use std::path::Path;

use serde::Deserialize;

use super::Finding;

/// A file of accepted differences.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Each of them.
    #[serde(default)]
    accepted: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The key of a finding, as a report shows it.
    finding: String,
    /// Why it is all right.
    reason: String,
    /// The day after which it is looked at again.
    expires: toml::value::Datetime,
}

/// Why a file of accepted differences cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AcceptedError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Unreadable(String, std::io::Error),
    /// It is not as it should be.
    #[error("{0}: {1}")]
    Malformed(String, String),
    /// An entry is of no use any more.
    #[error("{file}: `{finding}` {why}")]
    Stale {
        /// The file.
        file: String,
        /// The key it names.
        finding: String,
        /// What is the matter and what to do.
        why: String,
    },
}

impl Accepted {
    /// Reads a file: a table `[[accepted]]` for each difference, with `finding`, `reason` and `expires`, a date.
    ///
    /// # Errors
    /// It cannot be read, is no such file, or an entry has no reason or no date.
    pub fn read(path: &Path) -> Result<Self, AcceptedError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| AcceptedError::Unreadable(name.clone(), error))?;
        let read: Self = toml::from_str(&text)
            .map_err(|error| AcceptedError::Malformed(name.clone(), error.to_string()))?;
        for entry in &read.accepted {
            if entry.reason.trim().is_empty() {
                let why = format!("`{}` has no reason", entry.finding);
                return Err(AcceptedError::Malformed(name, why));
            }
            if entry.expires.date.is_none() {
                let why = format!(
                    "`{}`: `expires` is no date such as 2027-06-30",
                    entry.finding
                );
                return Err(AcceptedError::Malformed(name, why));
            }
        }
        Ok(read)
    }

    /// Takes what is accepted out of `findings`; returns how many that were.
    ///
    /// # Errors
    /// An entry has expired by `today` (year, month, day), or nothing differs that way any more.
    pub fn take_from(
        &self,
        path: &Path,
        findings: &mut Vec<Finding>,
        today: (u16, u8, u8),
    ) -> Result<usize, AcceptedError> {
        let stale = |finding: &str, why: &str| AcceptedError::Stale {
            file: path.display().to_string(),
            finding: finding.to_owned(),
            why: why.to_owned(),
        };
        let before = findings.len();
        for entry in &self.accepted {
            let until = entry
                .expires
                .date
                .map(|date| (date.year, date.month, date.day));
            if until.is_none_or(|until| until < today) {
                return Err(stale(
                    &entry.finding,
                    "has expired: look at it again, then give it another date",
                ));
            }
            let known = findings.len();
            findings.retain(|finding| finding.key != entry.finding);
            if findings.len() == known {
                return Err(stale(
                    &entry.finding,
                    "is accepted, and no such difference was found: remove it",
                ));
            }
        }
        Ok(before - findings.len())
    }
}
