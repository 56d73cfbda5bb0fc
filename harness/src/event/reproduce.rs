//! The command that runs one case of a run alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pfs_containers::Target;

use crate::printable::shell_word;
use crate::scenario::CaseId;

/// The command line of a run, as far as it has to be the same for one of its cases alone.
#[derive(Clone, Debug, Default)]
pub struct Reproduce {
    /// The directory of scenarios, where it is not the default.
    directory: Option<PathBuf>,
    /// Files of cases that were named by their files, by the case's name.
    files: BTreeMap<String, PathBuf>,
    /// Targets as they were written, by their names.
    targets: BTreeMap<String, String>,
    /// `docker` or `chroot`.
    engine: String,
}

impl Reproduce {
    /// For cases of `directory`, where it is not the default, on targets as `written`.
    pub fn new(directory: Option<&Path>, written: &[String]) -> Self {
        let targets = written.iter().filter_map(|target| {
            let name = Target::parse(target).ok()?.name().to_owned();
            Some((name, target.clone()))
        });
        Self {
            directory: directory.map(Path::to_owned),
            files: BTreeMap::new(),
            targets: targets.collect(),
            engine: String::new(),
        }
    }

    /// For these cases, which were named by their files.
    pub fn with_files<'a>(mut self, cases: impl Iterator<Item = (&'a CaseId, &'a Path)>) -> Self {
        let files = cases.map(|(id, path)| (id.to_string(), path.to_owned()));
        self.files.extend(files);
        self
    }

    /// On this engine.
    pub fn on(mut self, engine: impl ToString) -> Self {
        self.engine = engine.to_string();
        self
    }

    /// The shell line that runs one case alone.
    pub fn line(&self, id: &CaseId, target: &str) -> String {
        let id = id.to_string();
        let mut words = vec!["pfs".to_owned(), "run".to_owned()];
        if let Some(directory) = &self.directory {
            words.push("--scenarios".to_owned());
            words.push(shell_word(&directory.to_string_lossy()));
        }
        if let Some(file) = self.files.get(&id) {
            words.push(shell_word(&file.to_string_lossy()));
        }
        words.push(shell_word(&id));
        let written = self.targets.get(target).map_or(target, String::as_str);
        words.push("--target".to_owned());
        words.push(shell_word(written));
        if !self.engine.is_empty() {
            words.push("--engine".to_owned());
            words.push(shell_word(&self.engine));
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_and_a_file_are_named_in_full() {
        let id = CaseId {
            topic: "my".to_owned(),
            case: "case".to_owned(),
            variant: Some("a b".to_owned()),
        };
        let written = ["mine=image:registry.test/postfix:3.9".to_owned()];
        let plain = Reproduce::new(None, &written).on("docker");
        assert_eq!(
            plain.line(&id, "mine"),
            "pfs run 'my/case[a b]' --target 'mine=image:registry.test/postfix:3.9' --engine docker"
        );
        let file = Path::new("/tmp/my/case.toml");
        let named =
            Reproduce::new(Some(Path::new("other")), &[]).with_files([(&id, file)].into_iter());
        assert_eq!(
            named.line(&id, "debian-12"),
            "pfs run --scenarios other /tmp/my/case.toml 'my/case[a b]' --target debian-12"
        );
    }
    #[test]
    fn the_command_means_this_case_and_this_target_alone() {
        use clap::Parser as _;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t/it's.toml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = "why = \"<a>\"\nmatrix = { a = [\"x\", \"x y\"] }\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
        std::fs::write(&path, text).unwrap();
        let written = ["mine=image:registry.test/postfix:3.9".to_owned()];
        let id = CaseId {
            topic: "t".to_owned(),
            case: "it's".to_owned(),
            variant: Some("x y".to_owned()),
        };
        let named = Reproduce::new(None, &written).with_files([(&id, path.as_path())].into_iter());
        let whole = Reproduce::new(Some(dir.path()), &written);
        for reproduce in [named, whole] {
            let command = reproduce.on("chroot").line(&id, "mine");
            let words = shlex::split(&command).unwrap();
            let crate::cli::Command::Run(run) = crate::cli::Cli::parse_from(words).command else {
                panic!("{command}")
            };
            assert_eq!(run.targets.targets, written);
            let selected = crate::scenario::Selection::of(&run.filters).select(
                run.scenarios
                    .dir
                    .as_deref()
                    .unwrap_or(Path::new("scenarios")),
            );
            let ids: Vec<_> = selected
                .unwrap()
                .scenarios
                .into_iter()
                .map(|one| one.id)
                .collect();
            assert_eq!(ids, std::slice::from_ref(&id), "{command}");
        }
    }
}
