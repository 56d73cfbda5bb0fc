//! A case and its name.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeTable;

use super::error::{Place, ScenarioError};
use super::file::ScenarioFile;
use super::load::parse;
use super::matrix;

/// Seconds a case may take if its file does not say otherwise.
const DEADLINE: u32 = 30;

/// Name of a case: `topic/case`, or `topic/case[variant]` where the file has a matrix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    /// The folder.
    pub topic: String,
    /// The file's name without `.toml`.
    pub case: String,
    /// The values of the matrix axes, joined by commas.
    pub variant: Option<String>,
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.case)?;
        self.variant
            .as_ref()
            .map_or(Ok(()), |variant| write!(f, "[{variant}]"))
    }
}

impl CaseId {
    /// The case of this full name, as [`CaseId`] writes it; `None` where no topic is named.
    pub fn of(name: &str) -> Option<Self> {
        let (topic, rest) = name.split_once('/')?;
        let (case, variant) = match rest.strip_suffix(']').and_then(|all| all.split_once('[')) {
            Some((case, variant)) => (case, Some(variant.to_owned())),
            None => (rest, None),
        };
        Some(Self {
            topic: topic.to_owned(),
            case: case.to_owned(),
            variant,
        })
    }

    /// The name of its snapshots, without the target's: what no file system takes is replaced.
    pub fn file_stem(&self) -> String {
        let Some(variant) = &self.variant else {
            return self.case.clone();
        };
        let clean: String = variant
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || ".,_-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        format!("{}[{clean}]", self.case)
    }
}

/// One case: a scenario file, or one variant of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub id: CaseId,
    /// The file it comes from.
    pub path: PathBuf,
    /// Its contents, placeholders replaced.
    pub file: ScenarioFile,
    /// The text of the file, for errors found later.
    pub(super) text: std::sync::Arc<str>,
}

impl Scenario {
    /// The text of its file, which may be that of other variants, too.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How long the case may take before it is given up.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.file.deadline.unwrap_or(DEADLINE).into())
    }

    /// How many mails are sent.
    pub fn mails(&self) -> u8 {
        let fewest = if self.file.change.is_some() { 2 } else { 1 };
        self.file.message.count.unwrap_or(fewest)
    }

    /// The file with the matrix' values put in, as a table.
    ///
    /// # Errors
    /// None that reading the scenario would not have found.
    pub fn document(&self) -> Result<toml::Table, ScenarioError> {
        let from_toml =
            |error: &toml::de::Error| ScenarioError::from_toml(&self.path, &self.text, error);
        let root = DeTable::parse(&self.text).map_err(|e| from_toml(&e))?;
        let variants = matrix::expand(root).map_err(|(span, message)| {
            ScenarioError::invalid(&self.path, &self.text, span.start, message, None)
        })?;
        let own = variants
            .into_iter()
            .find(|(variant, _)| *variant == self.id.variant);
        match own {
            Some((_, document)) => matrix::deserialize(document).map_err(|e| from_toml(&e)),
            None => Ok(toml::Table::new()),
        }
    }

    /// A scenario of the same name but for `variant`, made of another document.
    ///
    /// # Errors
    /// The document is no scenario.
    pub fn with(&self, document: &toml::Table, variant: String) -> Result<Self, ScenarioError> {
        let text = document.to_string();
        let mut cases = parse(&self.path, &text)?;
        let mut one = cases
            .pop()
            .ok_or_else(|| ScenarioError::Empty(self.path.clone()))?;
        one.id.variant = Some(variant);
        Ok(one)
    }

    /// Where the file's matrix begins; 0 where it has none.
    pub(super) fn matrix_at(&self) -> usize {
        let root = DeTable::parse(&self.text).ok();
        let key = root.as_ref().and_then(|root| {
            let mut keys = root.get_ref().iter();
            keys.find(|(key, _)| key.get_ref() == "matrix")
        });
        key.map_or(0, |(key, _)| key.span().start)
    }

    /// The place of byte `offset` of the file, for complaints about a key or value in it.
    pub fn place(&self, offset: usize) -> Place {
        Place::at(&self.path, &self.text, offset)
    }
}
