//! Results of earlier runs, from their lines of JSON, put together: shards of one run, or runs on several targets.

use std::collections::{BTreeMap, BTreeSet};

use super::result::ResultLine;
use crate::event::{Announced, CaseResult, TargetLine, is_of_run};
use crate::scenario::CaseId;

/// Missing shards that are named.
const SHARDS: usize = 10;

/// Lines of JSON that cannot be reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// A line that is none of a result.
    #[error(
        "{file}: line {line}: {why}; expected what `pfs run --format json` of this version prints"
    )]
    NoResult {
        /// The file.
        file: String,
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing to report.
    #[error("no result in {0}")]
    Empty(String),
    /// Two results of one case that are not the same.
    #[error("{id} on {target}: {first}, {second}; expected one result, or the same one")]
    Twice {
        /// The case.
        id: String,
        /// The target.
        target: String,
        /// What came of it in one file.
        first: String,
        /// And in another.
        second: String,
    },
}

/// A file of results.
#[derive(Clone, Debug)]
pub struct SavedFile {
    name: String,
    lines: Vec<ResultLine>,
}

impl SavedFile {
    /// Reads lines of JSON; `name` is what errors call them by.
    ///
    /// # Errors
    /// The first line that is none.
    pub fn parse(name: &str, text: &str) -> Result<Self, SavedError> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |why: String| SavedError::NoResult {
                file: name.to_owned(),
                line: index + 1,
                why,
            };
            let result: ResultLine =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            if !result.id.contains('/') {
                return Err(wrong(format!("the id `{}` is not TOPIC/CASE", result.id)));
            }
            lines.push(result);
        }
        Ok(Self {
            name: name.to_owned(),
            lines,
        })
    }
}

/// Results put together.
#[derive(Clone, Debug)]
pub struct Joined {
    /// As if it had been one run.
    pub run: Announced,
    /// Each case on each target once, and what is missing.
    pub results: Vec<CaseResult>,
}

/// Puts the results of several files together. A case that is there twice, with the same outcome for the same reasons, counts
/// once. Results that were announced and are not there are told by a result of their own, which is broken.
///
/// # Errors
/// Nothing is in the files, or a case has two results.
pub fn join(files: Vec<SavedFile>) -> Result<Joined, SavedError> {
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let mut parts = Parts::default();
    let mut kept: BTreeMap<(String, String), (String, ResultLine)> = BTreeMap::new();
    for file in files {
        for line in file.lines {
            parts.add(&file.name, &line);
            let key = (line.id.clone(), line.target.clone());
            match kept.get(&key) {
                None => {
                    kept.insert(key, (file.name.clone(), line));
                }
                Some((_, known))
                    if (known.outcome, &known.differences) == (line.outcome, &line.differences) => {
                }
                Some((known_file, known)) => {
                    let (id, target) = key;
                    return Err(SavedError::Twice {
                        id,
                        target,
                        first: told(known_file, known),
                        second: told(&file.name, &line),
                    });
                }
            }
        }
    }
    if kept.is_empty() {
        return Err(SavedError::Empty(names.join(", ")));
    }
    let mut run = parts.as_one();
    let results = kept.into_values();
    let mut results: Vec<CaseResult> = results.filter_map(|(_, line)| line.result()).collect();
    run.cases = results.iter().filter(|result| !result.is_of_run()).count();
    run.of = run.cases;
    let known: BTreeSet<(String, String)> = results
        .iter()
        .map(|result| (result.id.to_string(), result.target.clone()))
        .collect();
    let missing = parts.missing().into_iter();
    results.extend(missing.filter(|result| {
        // One that was told before.
        !known.contains(&(result.id.to_string(), result.target.clone()))
    }));
    Ok(Joined { run, results })
}

/// What came of a case in a file.
fn told(file: &str, line: &ResultLine) -> String {
    let word = serde_json::to_value(line.outcome).unwrap_or_default();
    let word = word.as_str().unwrap_or_default().to_owned();
    let first = line.differences.first();
    match first.and_then(|text| text.lines().next()) {
        Some(first) => format!("{word} ({first}) in {file}"),
        None => format!("{word} in {file}"),
    }
}

/// Runs with the same targets: shards of one, if they are shards.
#[derive(Default)]
struct Parts {
    groups: BTreeMap<Vec<String>, Group>,
    targets: Vec<TargetLine>,
    engines: BTreeSet<String>,
}

#[derive(Default)]
struct Group {
    runs: Vec<Part>,
}

/// What one file has of one run.
struct Part {
    file: String,
    run: Announced,
    /// The cases that are there, with their targets.
    cases: BTreeSet<(String, String)>,
}

impl Parts {
    fn add(&mut self, file: &str, line: &ResultLine) {
        let run = &line.run;
        let targets = run.targets.iter().map(|target| target.name.clone());
        let group = self.groups.entry(targets.collect()).or_default();
        let mut known = group.runs.iter();
        let place = known.position(|one| one.file == file && one.run == *run);
        let place = place.unwrap_or_else(|| {
            group.runs.push(Part {
                file: file.to_owned(),
                run: run.clone(),
                cases: BTreeSet::new(),
            });
            group.runs.len() - 1
        });
        let of_run = CaseId::of(&line.id).is_some_and(|id| is_of_run(&id));
        if let Some(part) = group.runs.get_mut(place).filter(|_| !of_run) {
            part.cases.insert((line.id.clone(), line.target.clone()));
        }
        self.engines.insert(run.engine.clone());
        for target in &run.targets {
            let known = self.targets.iter_mut().find(|one| one.name == target.name);
            match known {
                None => self.targets.push(target.clone()),
                Some(known)
                    if known
                        .versions
                        .split(" | ")
                        .any(|one| one == target.versions) => {}
                Some(known) => known.versions.push_str(&format!(" | {}", target.versions)),
            }
        }
    }

    fn as_one(&self) -> Announced {
        let engines: Vec<&str> = self.engines.iter().map(String::as_str).collect();
        Announced {
            engine: engines.join(", "),
            targets: self.targets.clone(),
            ..Announced::default()
        }
    }

    /// What was announced and is not there, for each group.
    fn missing(&self) -> Vec<CaseResult> {
        let all = self.groups.iter();
        let lacking = all.filter(|(_, group)| !group.missing().is_empty());
        let told = lacking.map(|(targets, group)| {
            let target = targets.first().map_or("", String::as_str);
            CaseResult::incomplete(target, group.missing().join("; "))
        });
        told.collect()
    }
}

impl Group {
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for part in &self.runs {
            let (found, announced) = (part.cases.len(), part.run.cases);
            if found < announced {
                let of = part.run.shard.map(|shard| format!(" of shard {shard}"));
                missing.push(format!(
                    "{}: {found} of {announced} results{}: the run did not end, or lines are missing",
                    part.file,
                    of.unwrap_or_default()
                ));
            }
        }
        let mut shards: BTreeMap<(u32, usize), Shards<'_>> = BTreeMap::new();
        for part in &self.runs {
            if let Some(shard) = part.run.shard {
                let key = (shard.count(), part.run.of);
                let shards = shards.entry(key).or_default();
                shards.files.insert(&part.file);
                shards.indices.insert(shard.index());
                shards.cases.extend(&part.cases);
            }
        }
        for ((count, of), shards) in shards {
            let lacking = (1..=count).filter(|index| !shards.indices.contains(index));
            let lacking: Vec<String> = lacking
                .take(SHARDS)
                .map(|index| format!("{index}/{count}"))
                .collect();
            let found = shards.cases.len();
            // A shard may have had no case at all: it is not missed where all results are there.
            if found < of && !lacking.is_empty() {
                let files: Vec<&str> = shards.files.into_iter().collect();
                missing.push(format!(
                    "{}: {found} of {of} results: missing of the shards: {}",
                    files.join(", "),
                    lacking.join(", ")
                ));
            }
        }
        missing
    }
}

/// What is there of the shards of one run.
#[derive(Default)]
struct Shards<'a> {
    files: BTreeSet<&'a str>,
    indices: BTreeSet<u32>,
    cases: BTreeSet<&'a (String, String)>,
}
