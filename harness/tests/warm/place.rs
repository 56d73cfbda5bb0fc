//! A cache with one target in it, one scenario, and the command `pfs` between them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use pfs_containers::{Cache, EngineChoice, Settings, Target, silent};
use tempfile::TempDir;

const TARGET: &str = "debian-13";
const SCENARIO: &str = r#"
why    = "Any handshake will do."
server = { postfix = {} }
client = { rustls = {} }
expect = { forward-secrecy = true }
"#;

pub(crate) struct Place {
    directory: TempDir,
}

/// What a command said on both of its outputs, and its exit code.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    pub(crate) fn passes(&self) {
        assert_eq!(self.code, Some(0), "{}", self.text);
    }
}

impl Place {
    /// Beside the user's own cache, since its root is shared by hard links.
    pub(crate) async fn new() -> Place {
        let users = Cache::of_user();
        let engine = EngineChoice::Chroot
            .open(Settings::new(users.clone()))
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let target = Target::parse(TARGET).unwrap();
        engine
            .prepare(&target, &silent())
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let tests = users.subdirectory("tests").unwrap();
        let place = Place {
            directory: TempDir::new_in(tests).unwrap(),
        };
        let roots = place.cache().join("roots");
        fs::create_dir_all(&roots).unwrap();
        for root in entries(&users.directory().join("roots")) {
            let name = root.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(TARGET) && !name.contains(".new") {
                let copied = Command::new("cp")
                    .arg("-al")
                    .arg(&root)
                    .arg(&roots)
                    .status();
                assert!(copied.unwrap().success(), "{}", root.display());
            }
        }
        place.scenario(SCENARIO);
        place
    }

    /// Makes this the scenario.
    pub(crate) fn scenario(&self, text: &str) {
        let topic = self.scenarios().join("t");
        fs::create_dir_all(&topic).unwrap();
        fs::write(topic.join("case.toml"), text).unwrap();
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    fn scenarios(&self) -> PathBuf {
        self.directory.path().join("scenarios")
    }

    /// The directories of the fleets that there are.
    pub(crate) fn fleets(&self) -> Vec<PathBuf> {
        entries(&self.cache().join("fleets"))
    }

    /// Waits until one of the fleets has this file.
    pub(crate) fn appears(&self, name: &str) -> PathBuf {
        let deadline = Instant::now() + Duration::from_secs(60);
        // Nothing tells of a file that somebody else makes in a directory that is not there yet.
        while Instant::now() < deadline {
            let paths = self.fleets().into_iter().map(|fleet| fleet.join(name));
            if let Some(path) = paths.into_iter().find(|path| path.exists()) {
                return path;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no fleet has {name}");
    }

    pub(crate) fn pfs(&self, arguments: &[&str]) -> Said {
        self.run(Path::new(env!("CARGO_BIN_EXE_pfs")), arguments)
    }

    /// What a command said, either output for itself.
    pub(crate) fn outputs(&self, arguments: &[&str]) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_pfs"));
        self.command(program, arguments).output().unwrap()
    }

    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) -> Said {
        let output = self.command(program, arguments).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Said {
            text,
            code: output.status.code(),
        }
    }

    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        self.command_on("chroot", TARGET, program, arguments)
    }

    /// The command on an engine and a target of one's own.
    pub(crate) fn command_on(
        &self,
        engine: &str,
        target: &str,
        program: &Path,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--engine", engine])
            .env("PFS_CACHE", self.cache())
            .stdin(Stdio::null());
        if !["down", "import"].contains(&arguments[0]) {
            command.arg("--scenarios").arg(self.scenarios());
        }
        if arguments[0] != "down" {
            command.args(["--target", target]);
        }
        command
    }

    /// Makes the target's root anew, with another program in it.
    pub(crate) fn rebuild(&self, program: &str, text: &str) {
        for kept in entries(&self.cache().join("roots")) {
            // What a root says of itself is written when it is made.
            let facts = "var/lib/pfs/facts";
            let Ok(said) = fs::read(kept.join("root").join(facts)) else {
                // Of an earlier version of pfs.
                continue;
            };
            for (path, bytes) in [(program, text.as_bytes()), (facts, &said)] {
                let path = kept.join("root").join(path);
                // Never written to: it is the user's own, too.
                fs::remove_file(&path).unwrap();
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }

    /// Another name for a program of the target's root, which [`Self::rebuild`] leaves alone.
    pub(crate) fn keep(&self, program: &str, as_name: &str) {
        for kept in entries(&self.cache().join("roots")) {
            let root = kept.join("root");
            if root.join("var/lib/pfs/facts").exists() {
                fs::create_dir_all(root.join(as_name).parent().unwrap()).unwrap();
                fs::hard_link(root.join(program), root.join(as_name)).unwrap();
            }
        }
    }

    /// Holds the warm session as a run does.
    pub(crate) fn hold_session(&self) -> File {
        let in_use = File::open(self.session().join("in-use")).unwrap();
        in_use.lock_shared().unwrap();
        in_use
    }

    fn session(&self) -> PathBuf {
        let sessions = entries(&self.cache().join("sessions"));
        let is_warm = |path: &&PathBuf| path.to_string_lossy().contains("warm-chroot");
        sessions.iter().find(is_warm).unwrap().clone()
    }

    /// Removes what is written down about the fleets.
    pub(crate) fn forget_records(&self) {
        for path in entries(&self.session()) {
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Every process that has something of this cache on its command line or as its root.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let cache = self.cache();
        let cache = cache.to_str().unwrap();
        let is_its = |pid: &u32| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let root = fs::read_link(format!("/proc/{pid}/root")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains(cache) || root.starts_with(cache)
        };
        let all = fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(is_its)
            .collect()
    }

    /// As a machine that loses its power does.
    pub(crate) fn kill_everything(&self) {
        assert!(!self.processes().is_empty());
        let mut left = self.processes();
        while !left.is_empty() {
            let numbers = left.iter().map(u32::to_string);
            // Some have ended by now.
            let _ = Command::new("kill").arg("-KILL").args(numbers).output();
            left = self.processes();
        }
    }

    /// The same program as another file, as a new build is.
    pub(crate) fn copy_of_pfs(&self) -> PathBuf {
        let copy = self.directory.path().join("pfs");
        fs::copy(env!("CARGO_BIN_EXE_pfs"), &copy).unwrap();
        copy
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

impl Drop for Place {
    fn drop(&mut self) {
        self.run(Path::new(env!("CARGO_BIN_EXE_pfs")), &["down"]);
    }
}
