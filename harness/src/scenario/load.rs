//! From a directory of files to a list of cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::case::{CaseId, Scenario};
use super::check::check;
use super::claim::Catalogue;
use super::error::{Place, ScenarioError};
use super::file::ScenarioFile;
use super::matrix;

/// More than any scenario has reason to hold, and little enough to read at once. Bytes.
const SIZE_LIMIT: u64 = 256 * 1024;

/// What was read of some scenario files.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// The cases, in the order of their files.
    pub(super) scenarios: Vec<Scenario>,
    /// Files that cannot be used, and what is wrong with each.
    pub(super) broken: Vec<(PathBuf, ScenarioError)>,
}

impl Loaded {
    /// Reads these files.
    pub(super) fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut loaded = Self::default();
        for path in files {
            match read(&path).and_then(|text| parse(&path, &text)) {
                Ok(cases) => loaded.scenarios.extend(cases),
                Err(error) => loaded.broken.push((path, error)),
            }
        }
        loaded
    }
}

/// Names that stand for two cases, or for the snapshots of two.
pub(super) fn duplicates<'a>(
    scenarios: impl IntoIterator<Item = &'a Scenario>,
) -> Vec<ScenarioError> {
    let mut seen: BTreeMap<(String, String), &Scenario> = BTreeMap::new();
    let mut errors = Vec::new();
    for scenario in scenarios {
        // Differences of case only would collide on some file systems, as snapshots do.
        let topic = scenario.id.topic.to_lowercase();
        let stem = scenario.id.file_stem().to_lowercase();
        let Some(other) = seen.insert((topic, stem), scenario) else {
            continue;
        };
        let same_file = other.path == scenario.path;
        let at = if same_file { scenario.matrix_at() } else { 0 };
        errors.push(ScenarioError::Duplicate {
            place: scenario.place(at),
            id: scenario.id.to_string(),
            other: if same_file {
                other.id.to_string()
            } else {
                format!("{} of {}", other.id, other.path.display())
            },
        });
    }
    errors
}

/// Reads every `<topic>/<case>.toml` below `dir`, in the order of their names.
///
/// # Errors
/// All that is wrong with any of the files, not only the first.
pub fn load(dir: &Path) -> Result<Vec<Scenario>, Vec<ScenarioError>> {
    let files = scenario_files(dir).map_err(|error| vec![error])?;
    let loaded = Loaded::of(files);
    let mut errors: Vec<_> = loaded.broken.into_iter().map(|(_, error)| error).collect();
    errors.extend(duplicates(&loaded.scenarios));
    errors.extend(unknown_claims(dir, &loaded.scenarios));
    if errors.is_empty() {
        Ok(loaded.scenarios)
    } else {
        Err(errors)
    }
}

/// Claims that the cases name and the catalogue of `dir` does not have.
pub(super) fn unknown_claims(dir: &Path, scenarios: &[Scenario]) -> Vec<ScenarioError> {
    match Catalogue::load(dir) {
        Ok(catalogue) => catalogue
            .iter()
            .flat_map(|one| one.unknown(scenarios))
            .collect(),
        Err(error) => vec![error],
    }
}

/// The cases of one file. `text` is its contents.
///
/// # Errors
/// The first thing that is wrong with it, with its place.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let from_toml = |error: &toml::de::Error| ScenarioError::from_toml(path, text, error);
    let root = DeTable::parse(text).map_err(|e| from_toml(&e))?;
    if root.get_ref().is_empty() {
        return Err(ScenarioError::Empty(path.to_owned()));
    }
    let shared: std::sync::Arc<str> = text.into();
    let variants = matrix::expand(root)
        .map_err(|(span, message)| ScenarioError::invalid(path, text, span.start, message, None))?;
    let name = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let mut cases = Vec::new();
    for (variant, document) in variants {
        let file: ScenarioFile = matrix::deserialize(document).map_err(|e| from_toml(&e))?;
        let scenario = Scenario {
            id: CaseId {
                topic: name(path.parent().and_then(Path::file_name)),
                case: name(path.file_stem()),
                variant,
            },
            path: path.to_owned(),
            file,
            text: shared.clone(),
        };
        check(&scenario).map_err(|wrong| {
            ScenarioError::invalid(path, text, wrong.at, wrong.message, wrong.help)
        })?;
        cases.push(scenario);
    }
    Ok(cases)
}

pub(super) fn read(path: &Path) -> Result<String, ScenarioError> {
    let failed = |source| ScenarioError::Read {
        path: path.to_owned(),
        source,
    };
    let found = std::fs::metadata(path).map_err(failed)?.len();
    if found > SIZE_LIMIT {
        return Err(ScenarioError::TooLarge {
            path: path.to_owned(),
            found,
            limit: SIZE_LIMIT,
        });
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        ScenarioError::NotUtf8 {
            place: Place::at(path, &text, text.len()),
        }
    })
}

/// Every scenario file below `dir`, in the order of their names.
///
/// # Errors
/// A directory that cannot be read, or that holds none.
pub(super) fn scenario_files(dir: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut files = Vec::new();
    for topic in entries(dir)? {
        if topic.is_dir() {
            files.extend(
                entries(&topic)?
                    .into_iter()
                    .filter(|path| path.extension().is_some_and(|e| e == "toml")),
            );
        }
    }
    if files.is_empty() {
        return Err(ScenarioError::NoneFound(dir.to_owned()));
    }
    files.sort();
    Ok(files)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let failed = |source| ScenarioError::Read {
        path: dir.to_owned(),
        source,
    };
    std::fs::read_dir(dir)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect()
}

/// The JSON schema of the scenario format.
pub fn schema() -> String {
    let schema = schemars::schema_for!(ScenarioFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
