//! Packs the scenarios into one file, which becomes a part of `pfs`: see `src/scenario/embedded.rs`. The tests of
//! `scenarios/run.rs` are made from the same files: a new file needs a new build.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

/// What stands beside the topics and is no part of any scenario: what is made from them, and a program of this package.
const LEFT_OUT: [&str; 3] = ["claims", "corpus", "run.rs"];

fn main() -> Result<(), Box<dyn Error>> {
    // A link to the directory beside this package; in a published one, the directory itself.
    let scenarios = Path::new("scenarios").canonicalize()?;
    println!("cargo::rerun-if-changed={}", scenarios.display());
    println!("cargo::rerun-if-changed=build.rs");
    let output = PathBuf::from(env::var("OUT_DIR")?).join("scenarios.tar.gz");
    let packed = GzEncoder::new(File::create(output)?, Compression::default());
    let mut tar = Builder::new(packed);
    for name in names(&scenarios)? {
        if !LEFT_OUT.contains(&name.as_str()) {
            append(&mut tar, &scenarios, &name)?;
        }
    }
    tar.into_inner()?.finish()?;
    Ok(())
}

/// Adds a file, or all below a directory. The same files make the same octets, whoever owns them and whenever they were
/// written.
fn append(
    tar: &mut Builder<GzEncoder<File>>,
    scenarios: &Path,
    name: &str,
) -> Result<(), Box<dyn Error>> {
    let path = scenarios.join(name);
    if path.is_dir() {
        for below in names(&path)? {
            append(tar, scenarios, &format!("{name}/{below}"))?;
        }
        return Ok(());
    }
    let contents = fs::read(&path)?;
    let mut header = Header::new_gnu();
    header.set_size(u64::try_from(contents.len())?);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    tar.append_data(&mut header, name, contents.as_slice())?;
    Ok(())
}

/// Names in a directory, sorted, without those that editors and insta leave.
fn names(directory: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name
            .into_string()
            .map_err(|name| format!("{}: not UTF-8", name.display()))?;
        let left = name.starts_with('.') || name.ends_with('~') || name.ends_with(".snap.new");
        if !left {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
