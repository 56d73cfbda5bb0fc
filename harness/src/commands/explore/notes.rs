//! What has run, noted in a file, so that an interrupted run can be gone on with.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::commands::Error;
use crate::explore::Finding;

/// What came of a combination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    /// The target.
    pub(super) target: String,
    /// The combination's document: a note counts for nothing else.
    pub(super) document: String,
    /// Why it could not be run.
    pub(super) broken: Option<String>,
    /// What broke a rule.
    pub(super) findings: Vec<Finding>,
    /// What the witnesses said, redacted.
    pub(super) text: String,
}

/// A file of notes, or none.
#[derive(Default)]
pub(super) struct Notes {
    file: Option<File>,
    known: BTreeMap<(String, String), Done>,
}

impl Notes {
    /// Opens a file for more notes, and reads those that are there.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let failed = |error: std::io::Error| Error::Usage(format!("{}: {error}", path.display()));
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path);
        let file = file.map_err(failed)?;
        let mut known = BTreeMap::new();
        for (number, line) in BufReader::new(&file).lines().enumerate() {
            let line = line.map_err(failed)?;
            match serde_json::from_str::<Done>(&line) {
                Ok(done) => known.insert((done.target.clone(), done.document.clone()), done),
                // The last line of a run that was killed may be cut.
                Err(_) if !line.ends_with('}') => None,
                Err(error) => {
                    return Err(Error::Usage(format!(
                        "{}:{}: not a note of pfs explore: {error}",
                        path.display(),
                        number + 1
                    )));
                }
            };
        }
        Ok(Self {
            file: Some(file),
            known,
        })
    }

    /// What is noted of a combination.
    pub(super) fn of(&self, target: &str, document: &str) -> Option<&Done> {
        self.known.get(&(target.to_owned(), document.to_owned()))
    }

    /// Notes one more.
    pub(super) fn add(&mut self, done: &Done) -> Result<(), Error> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let line = serde_json::to_string(done)
            .map_err(std::io::Error::other)
            .and_then(|line| writeln!(file, "{line}"));
        line.map_err(|error| Error::Report(format!("the notes: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_known_the_next_time_and_a_cut_line_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.jsonl");
        let done = Done {
            target: "t".to_owned(),
            document: "d".to_owned(),
            broken: None,
            findings: Vec::new(),
            text: "x".to_owned(),
        };
        Notes::open(Some(&path)).unwrap().add(&done).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"target\": \"t");
        std::fs::write(&path, text).unwrap();
        let notes = Notes::open(Some(&path)).unwrap();
        assert_eq!(notes.of("t", "d").unwrap().text, "x");
        assert!(notes.of("u", "d").is_none());
        std::fs::write(&path, "{}\n").unwrap();
        let error = Notes::open(Some(&path)).err().unwrap().to_string();
        assert!(error.contains("notes.jsonl:1: not a note"), "{error}");
    }
}
