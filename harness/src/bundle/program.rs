//! A program of the user's in a bundle: what it was told, and a shell script that runs it again as the case did.

use std::collections::BTreeMap;
use std::fs;

use pfs_certs::{Generated, GeneratedName, Pki};

use super::BundledFile;
use crate::plan::{Case, CommandPiece, CommandPlan, Paths, quoted};
use crate::session::{self, RUNNER, mode_of};

/// Longest program, beside the scenario, that is put into a bundle. Bytes.
const PROGRAM: u64 = 1 << 20;

/// How long a program is kept running. Seconds.
const RUNS: u32 = 600;

/// The sides of a case that are programs.
pub(super) fn programs(case: &Case) -> impl Iterator<Item = (&'static str, &CommandPlan)> {
    let client = case.client.program().map(|plan| ("client", plan));
    let server = case.server.program().map(|plan| ("server", plan));
    client.into_iter().chain(server)
}

/// The directory of a side's program.
pub(super) fn directory(role: &str) -> String {
    format!("{role}-program")
}

/// The script that runs a side's program.
pub(super) fn script(role: &str) -> String {
    format!("{}/run.sh", directory(role))
}

/// Its files: what it is given, what starts it.
pub(super) fn put(
    case: &Case,
    role: &str,
    plan: &CommandPlan,
    pki: &Pki,
    files: &mut BTreeMap<String, BundledFile>,
) -> Result<(), pfs_certs::Error> {
    let directory = directory(role);
    let mut put = |name: &str, text: &str, mode: u32| {
        let bytes = text.as_bytes().to_vec();
        files.insert(format!("{directory}/{name}"), BundledFile { mode, bytes });
    };
    let mut line = plan.line.clone();
    line.beside(&case.scenario.path);
    // A program of the scenario's directory goes along, where it is text.
    if let Some([CommandPiece::Text(program), ..]) = line.words.first().map(Vec::as_slice)
        && line.words != plan.line.words
        && fs::metadata(program).is_ok_and(|found| found.is_file() && found.len() <= PROGRAM)
        && let Ok(text) = fs::read_to_string(program)
    {
        line.files.insert("program".to_owned(), text);
        if let Some(first) = line.words.first_mut() {
            *first = vec![CommandPiece::OwnFile("program".to_owned())];
        }
    }
    for (name, text) in &line.files {
        put(&format!("files/{name}"), text, mode_of(text));
    }
    put("mail", &line.mail, 0o644);
    put("runner", RUNNER, 0o644);
    let mut paths = Bundled {
        pki,
        made: BTreeMap::new(),
    };
    let text = line.script(&mut paths)?;
    for (name, (contents, private)) in &paths.made {
        put(name, contents, if *private { 0o600 } else { 0o644 });
    }
    put("command", &text, 0o644);
    put("run.sh", &start(case, role), 0o755);
    Ok(())
}

/// The runner leads a session of its own: it ends all that is in it.
fn start(case: &Case, role: &str) -> String {
    let port = session::server_port(case);
    let does = match role {
        "server" => "listens at",
        _ => "connects to",
    };
    format!(
        "#!/bin/sh\n\
         # run.sh [ADDRESS PORT]: runs the {role} of the case, which {does} that. What it prints, and `run ended` with its status.\n\
         here=$(cd \"$(dirname \"$0\")\" && pwd) || exit\n\
         export here\n\
         setsid -w sh -c '{{ printf \"run\\n%s %s\\nwait\\n\" \"$1\" \"$2\"; exec sleep {RUNS}; }} | sh \"$here/runner\" \
         \"$here/command\"' sh \"${{1:-127.0.0.1}}\" \"${{2:-{port}}}\"\n"
    )
}

/// Paths in the directory of the script, which it has in `$here`; they begin with `./`.
struct Bundled<'a> {
    pki: &'a Pki,
    made: BTreeMap<String, (String, bool)>,
}

impl Paths for Bundled<'_> {
    fn generated(&mut self, name: &GeneratedName) -> Result<String, pfs_certs::Error> {
        Ok(match name.make(self.pki)? {
            Generated::Value(text) => text,
            Generated::File {
                name,
                contents,
                private,
            } => {
                let path = format!("./{name}");
                self.made.insert(name, (contents, private));
                path
            }
        })
    }

    fn own_file(&mut self, name: &str) -> String {
        format!("./files/{name}")
    }

    fn mail(&mut self) -> String {
        "./mail".to_owned()
    }

    fn word(&self, path: &str) -> String {
        match path.strip_prefix("./") {
            Some(path) => format!("\"$here\"/{}", quoted(path)),
            None => quoted(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::SystemTime;

    use super::*;
    use crate::bundle::command::tests::case;

    #[test]
    fn a_program_runs_again_with_what_it_was_given() {
        let case = case(
            "server = { postfix = {} }\n[client]\ncert = \"ecdsa-p256\"\n[client.command]\n\
             run = [\"sh\", \"-c\", \"echo at $0 $PFS_HOST:{port}; head -n 1 \\\"$1\\\" \\\"$2\\\" \\\"$3\\\" \\\"$4\\\"; exit 3\", \
             \"it's {host}\", \"{ca}\", \"{key}\", \"{mail}\", \"file:words\"]\n[files]\nwords = \"own words\"\n",
        );
        let pki = Pki::generate(SystemTime::now()).unwrap();
        let mut files = BTreeMap::new();
        let (role, plan) = programs(&case).next().unwrap();
        put(&case, role, plan, &pki, &mut files).unwrap();
        let at = tempfile::Builder::new().prefix("a 'b").tempdir().unwrap();
        for (path, file) in &files {
            let path = at.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &file.bytes).unwrap();
        }
        let key = files.iter().find(|(path, _)| path.contains("key-"));
        assert_eq!(key.map(|(_, file)| file.mode), Some(0o600));
        let output = Command::new("sh")
            .arg(at.path().join(script(role)))
            .args(["127.0.0.9", "2525"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for expected in [
            "at it's 127.0.0.9 127.0.0.9:2525\n",
            "-----BEGIN CERTIFICATE-----\n",
            "PRIVATE KEY-----\n",
            "own words",
            "run ended 3\n",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}
