//! Stage: compare what was seen with the `.snap` beside the scenario. The files are insta's:
//! `cargo insta review` and `pfs run --accept` write the same ones.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::evidence::{Evidence, Section};
use crate::scenario::CaseId;

/// The snapshot of one case on one target.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Folder `snapshots` beside the scenario.
    pub folder: PathBuf,
    /// Name without `.snap`.
    pub name: String,
    /// The scenario file, as it is named in the snapshot's head.
    pub input: String,
}

/// How the present text relates to the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// There is none yet.
    Missing,
    /// The same.
    Same,
    /// Another: a line-by-line difference, old lines with `-`, new ones with `+`.
    Different(String),
}

impl Snapshot {
    /// Where the snapshot of a case lies.
    pub fn of(scenario: &Path, id: &CaseId, target: &str) -> Self {
        Self {
            folder: scenario
                .parent()
                .unwrap_or(Path::new("."))
                .join("snapshots"),
            name: format!("{}@{target}", id.file_stem()),
            input: format!("scenarios/{}/{}.toml", id.topic, id.case),
        }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.snap", self.name))
    }

    /// What was accepted; `None` if nothing has been yet.
    ///
    /// # Errors
    /// The file is there and cannot be read, or is no snapshot.
    pub fn read(&self) -> io::Result<Option<String>> {
        let path = self.path();
        if !path.exists() {
            return Ok(None);
        }
        let old = insta::Snapshot::from_file(&path)
            .map_err(|e| io::Error::other(format!("{}: {e}", path.display())))?;
        Ok(Some(
            old.as_text().map(ToString::to_string).unwrap_or_default(),
        ))
    }

    /// Compares `text` with the file.
    ///
    /// # Errors
    /// The file is there and cannot be read, or is no snapshot.
    pub fn compare(&self, text: &str) -> io::Result<Comparison> {
        let Some(old) = self.read()? else {
            return Ok(Comparison::Missing);
        };
        if old.trim_end() == text.trim_end() {
            return Ok(Comparison::Same);
        }
        Ok(Comparison::Different(difference(&old, text)))
    }

    /// Writes `text` as the accepted snapshot, as `cargo insta accept` would.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn accept(&self, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let head = format!(
            "---\nsource: scenarios/run.rs\nexpression: witnesses\ninput_file: {}\n---\n",
            self.input
        );
        // Whoever is killed while writing leaves what was there before.
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)?;
        writeln!(file, "{head}{}", text.trim_end())?;
        file.persist(self.path()).map_err(|error| error.error)?;
        Ok(())
    }
}

/// What belongs into the snapshot.
pub fn text(evidence: &Evidence) -> String {
    let sections = evidence.sections();
    let framed = sections
        .iter()
        // A program's own words are not ours to hold it to.
        .filter(|(section, _)| *section != Section::Output)
        .map(|(section, said)| format!("[{section}]\n{}\n", said.trim_end()));
    framed.collect::<Vec<_>>().join("\n")
}

/// The sections of an accepted text, as they were written into it.
pub fn sections(text: &str) -> Vec<(Section, String)> {
    let mut sections: Vec<(Section, String)> = Vec::new();
    for line in text.lines() {
        let head = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(Section::from_name);
        match (head, sections.last_mut()) {
            (Some(section), _) => sections.push((section, String::new())),
            (None, Some((_, said))) => {
                said.push_str(line);
                said.push('\n');
            }
            (None, None) => {}
        }
    }
    sections
}

/// Lines that differ, with one line of context, by the longest common subsequence.
fn difference(old: &str, new: &str) -> String {
    let old: Vec<_> = old.trim_end().lines().collect();
    let new: Vec<_> = new.trim_end().lines().collect();
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push(format!("  {}", old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            out.push(format!("- {}", old[i]));
            i += 1;
        } else {
            out.push(format!("+ {}", new[j]));
            j += 1;
        }
    }
    let near = |at: usize| {
        out[at.saturating_sub(1)..(at + 2).min(out.len())]
            .iter()
            .any(|line| !line.starts_with("  "))
    };
    let kept: Vec<&str> = (0..out.len())
        .filter(|&at| near(at))
        .map(|at| out[at].as_str())
        .collect();
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_text_is_the_same_when_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let id = CaseId {
            topic: "eecdh".into(),
            case: "groups".into(),
            variant: Some("P-256,a/b".into()),
        };
        let snapshot = Snapshot::of(&dir.path().join("eecdh/groups.toml"), &id, "debian-12");
        assert_eq!(snapshot.compare("a\nb\n").unwrap(), Comparison::Missing);
        snapshot.accept("a\nb\n").unwrap();
        assert_eq!(snapshot.compare("a\nb").unwrap(), Comparison::Same);
        let Comparison::Different(text) = snapshot.compare("a\nc").unwrap() else {
            panic!()
        };
        assert_eq!(text, "  a\n- b\n+ c");
        // Nothing else is left in the folder, and everybody may read what is.
        let left: Vec<_> = fs::read_dir(&snapshot.folder).unwrap().collect();
        assert_eq!(left.len(), 1);
        let mode = fs::metadata(snapshot.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600);
        // A folder that cannot take a new file leaves the old one as it was.
        let old = fs::read(snapshot.path()).unwrap();
        fs::hard_link(snapshot.path(), dir.path().join("seen")).unwrap();
        snapshot.accept("c").unwrap();
        assert_eq!(fs::read(dir.path().join("seen")).unwrap(), old);
    }
}
