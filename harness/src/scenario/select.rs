//! Which cases are meant: files widen what is looked at, filters narrow it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::case::{CaseId, Scenario};
use super::error::{ScenarioError, nearest};
use super::load::{Loaded, duplicates, scenario_files, unknown_claims};

/// What was asked for. Without files, a directory's cases are looked at; without filters, all of them are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Scenario files, wherever they are.
    pub files: Vec<PathBuf>,
    /// Names of cases or files, which mean these alone, or pieces of names.
    pub filters: Vec<String>,
}

/// The cases that are meant.
#[derive(Debug)]
pub struct Selected {
    /// In the order of their files, each once.
    pub scenarios: Vec<Scenario>,
    /// What is wrong with files that no filter asks for.
    pub left_out: Vec<ScenarioError>,
}

impl Selection {
    /// Sorts what stands on a command line: what ends in `.toml` is a file, all else a filter.
    pub fn of(arguments: &[String]) -> Self {
        let (files, filters): (Vec<_>, Vec<_>) = arguments
            .iter()
            .cloned()
            .partition(|argument| argument.ends_with(".toml"));
        Self {
            files: files.into_iter().map(PathBuf::from).collect(),
            filters,
        }
    }

    /// The cases meant, of the files named or else of `dir`.
    ///
    /// # Errors
    /// A file that is meant and cannot be used, two cases of one name, a filter that no case goes by.
    pub fn select(&self, dir: &Path) -> Result<Selected, Vec<ScenarioError>> {
        let files = match self.files.is_empty() {
            true => scenario_files(dir).map_err(|error| vec![error])?,
            false => once(&self.files),
        };
        let Loaded {
            mut scenarios,
            broken,
        } = Loaded::of(files);
        let meant: Vec<Meaning> = self
            .filters
            .iter()
            .map(|filter| Meaning::of(filter, &scenarios))
            .collect();
        let (asked, left_out): (Vec<_>, Vec<_>) = broken
            .into_iter()
            .partition(|(path, _)| meant.is_empty() || meant.iter().any(|m| m.may_mean(path)));
        let mut errors: Vec<_> = asked.into_iter().map(|(_, error)| error).collect();
        for meaning in &meant {
            let found = scenarios.iter().any(|one| meaning.means(&one.id));
            // A file that could not be read may have been the one: its error says more.
            if !found && errors.is_empty() {
                errors.push(self.no_match(meaning.filter(), dir, &scenarios));
            }
        }
        scenarios.retain(|one| meant.is_empty() || meant.iter().any(|m| m.means(&one.id)));
        errors.extend(duplicates(&scenarios));
        if self.files.is_empty() {
            errors.extend(unknown_claims(dir, &scenarios));
        }
        if errors.is_empty() {
            Ok(Selected {
                scenarios,
                left_out: left_out.into_iter().map(|(_, error)| error).collect(),
            })
        } else {
            Err(errors)
        }
    }

    fn no_match(&self, filter: &str, dir: &Path, scenarios: &[Scenario]) -> ScenarioError {
        let names: Vec<String> = scenarios.iter().map(|one| one.id.to_string()).collect();
        let within = match self.files.as_slice() {
            [] => dir.display().to_string(),
            [one] => one.display().to_string(),
            [first, rest @ ..] => format!("{} and {} more files", first.display(), rest.len()),
        };
        ScenarioError::NoMatch {
            filter: filter.to_owned(),
            within,
            nearest: nearest(filter, names.iter().map(String::as_str)).map(str::to_owned),
        }
    }
}

/// Each file once, by whatever paths it is named.
fn once(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let one =
        |path: &&PathBuf| seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_path_buf()));
    files.iter().filter(one).cloned().collect()
}

/// What a filter means.
enum Meaning<'a> {
    /// The case of this name.
    Case(&'a str),
    /// All cases of the file of this name, `topic/case`.
    File(&'a str),
    /// All whose names have this piece.
    Piece(&'a str),
}

impl<'a> Meaning<'a> {
    fn of(filter: &'a str, scenarios: &[Scenario]) -> Self {
        if scenarios.iter().any(|one| one.id.to_string() == filter) {
            Self::Case(filter)
        } else if scenarios.iter().any(|one| file_name(&one.id) == filter) {
            Self::File(filter)
        } else {
            Self::Piece(filter)
        }
    }

    fn filter(&self) -> &'a str {
        match self {
            Self::Case(filter) | Self::File(filter) | Self::Piece(filter) => filter,
        }
    }

    fn means(&self, id: &CaseId) -> bool {
        match self {
            Self::Case(name) => id.to_string() == *name,
            Self::File(name) => file_name(id) == *name,
            Self::Piece(piece) => id.to_string().contains(piece),
        }
    }

    /// Whether a case of this file, which could not be read, may be meant: the names of its variants are not known.
    fn may_mean(&self, path: &Path) -> bool {
        let part = |part: Option<&std::ffi::OsStr>| {
            part.unwrap_or_default().to_string_lossy().into_owned()
        };
        let topic = part(path.parent().and_then(Path::file_name));
        let name = format!("{topic}/{}", part(path.file_stem()));
        match self {
            Self::Case(_) | Self::File(_) => false,
            Self::Piece(piece) => {
                let before = piece.split('[').next().unwrap_or_default();
                name.contains(piece)
                    || piece.contains('[') && !before.is_empty() && name.ends_with(before)
            }
        }
    }
}

/// `topic/case`, whatever the variant.
fn file_name(id: &CaseId) -> String {
    format!("{}/{}", id.topic, id.case)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "why = \"w\"\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
    const MATRIX: &str = "why = \"<a>\"\nmatrix = { a = [\"x\", \"y\"] }\n[server]\npostfix = {}\n[client]\nrustls = {}\n";

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    /// Names of the cases meant, or the first complaint.
    fn selected(dir: &Path, arguments: &[&str]) -> Result<Vec<String>, String> {
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        match Selection::of(&arguments).select(dir) {
            Ok(selected) => Ok(selected
                .scenarios
                .iter()
                .map(|one| one.id.to_string())
                .collect()),
            Err(errors) => Err(errors[0].to_string()),
        }
    }

    #[test]
    fn files_widen_filters_narrow_and_names_are_exact() {
        let dir = directory(&[
            ("t/one.toml", FILE),
            ("t/one-more.toml", FILE),
            ("u/both.toml", MATRIX),
        ]);
        let dir = dir.path();
        let of = |arguments: &[&str]| selected(dir, arguments).unwrap();
        assert_eq!(of(&[]).len(), 4);
        assert_eq!(of(&["t/one"]), ["t/one"]);
        assert_eq!(of(&["one"]), ["t/one-more", "t/one"]);
        assert_eq!(of(&["u/both"]), ["u/both[x]", "u/both[y]"]);
        assert_eq!(of(&["u/both[y]", "t/one"]), ["t/one", "u/both[y]"]);
        let file = |name: &str| dir.join(name).display().to_string();
        let (one, both) = (file("t/one.toml"), file("u/both.toml"));
        let elsewhere = Path::new("/nowhere");
        let of = |arguments: &[&str]| selected(elsewhere, arguments);
        assert_eq!(of(&[&one, &both]).unwrap().len(), 3);
        assert_eq!(
            of(&[&one, &one, &file("t/../t/one.toml")]).unwrap(),
            ["t/one"]
        );
        assert_eq!(of(&[&one, "t/one"]).unwrap(), ["t/one"]);
        assert_eq!(of(&[&one, &both, "u/both[y]"]).unwrap(), ["u/both[y]"]);
        let error = of(&[&one, "both"]).unwrap_err();
        assert!(error.contains("t/one.toml goes by `both`"), "{error}");
    }

    #[test]
    fn every_filter_must_mean_something() {
        let dir = directory(&[("t/one.toml", FILE), ("t/two.toml", FILE)]);
        let error = selected(dir.path(), &["one", "t/tow"]).unwrap_err();
        assert!(
            error.contains("goes by `t/tow`; did you mean `t/two`?"),
            "{error}"
        );
    }

    #[test]
    fn files_given_one_by_one_have_names_of_their_own() {
        let dir = directory(&[("a/t/one.toml", FILE), ("b/t/one.toml", FILE)]);
        let path = |name: &str| dir.path().join(name).display().to_string();
        let error =
            selected(dir.path(), &[&path("a/t/one.toml"), &path("b/t/one.toml")]).unwrap_err();
        assert!(
            error.contains("b/t/one.toml:1:1: duplicate case `t/one`"),
            "{error}"
        );
        assert!(error.contains("a/t/one.toml"), "{error}");
    }

    #[test]
    fn variants_whose_snapshots_would_be_one_are_refused() {
        let text = MATRIX.replace("[\"x\", \"y\"]", "[\"a b\", \"a-b\"]");
        let dir = directory(&[("t/one.toml", &text)]);
        let error = selected(dir.path(), &[]).unwrap_err();
        assert!(
            error.contains("one.toml:2:1: duplicate case `t/one[a-b]`"),
            "{error}"
        );
        assert!(error.contains("`t/one[a b]`"), "{error}");
    }

    #[test]
    fn a_broken_file_stops_only_those_who_ask_for_it() {
        let dir = directory(&[("t/one.toml", FILE), ("u/broken.toml", "why = 3\n")]);
        let dir = dir.path();
        assert_eq!(selected(dir, &["t/"]).unwrap(), ["t/one"]);
        for arguments in [&[][..], &["t/one", "u/"], &["broken[x]"], &["u/broken"]] {
            let error = selected(dir, arguments).unwrap_err();
            assert!(error.contains("broken.toml:1:7"), "{arguments:?}: {error}");
        }
        let selection = Selection::of(&["t/one".to_owned()]);
        assert_eq!(selection.select(dir).unwrap().left_out.len(), 1);
    }
}
