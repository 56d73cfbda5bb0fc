//! The scenarios that `pfs` was built with, with their snapshots, claims and schemas, in the program itself.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use tar::Archive;

/// A tar of the directory `scenarios`, compressed by gzip (RFC 1952); made by `build.rs`.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/scenarios.tar.gz"));

/// A name that no other scenarios have: the first 64 bits of the SHA-256 of all of them.
pub fn digest() -> String {
    let digest = Sha256::digest(PACKED);
    digest[..8]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// Writes them into a directory, as they stand in a checkout's `scenarios`.
///
/// # Errors
/// The file system's. What was written until then stays.
pub fn write_into(directory: &Path) -> io::Result<()> {
    let mut archive = Archive::new(GzDecoder::new(PACKED));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = directory.join(entry.path()?);
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents)?;
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(&path, contents).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    /// Every file of a directory with its contents, by its name there.
    fn files(directory: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
        let mut found = std::collections::BTreeMap::new();
        let mut left = vec![directory.to_owned()];
        while let Some(path) = left.pop() {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => left.push(path),
                    false => {
                        let name = path.strip_prefix(directory).unwrap().display().to_string();
                        found.insert(name, fs::read(&path).unwrap());
                    }
                }
            }
        }
        found
    }

    #[test]
    fn they_are_those_of_the_checkout() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let directory = tempfile::tempdir().unwrap();
        write_into(directory.path()).unwrap();
        let ids =
            |of: &Path| -> Vec<_> { load(of).unwrap().into_iter().map(|one| one.id).collect() };
        assert_eq!(ids(directory.path()), ids(&checkout));
        let (within, there) = (files(directory.path()), files(&checkout));
        assert!(within.len() > 1000 && within.contains_key("schema.json"));
        for (name, contents) in &within {
            assert!(there.get(name) == Some(contents), "{name}");
        }
        let made = |name: &str| {
            ["claims/", "corpus/", "run.rs"]
                .iter()
                .any(|one| name.starts_with(one))
        };
        for name in there.keys().filter(|name| !made(name)) {
            let left = name.contains("/.") || name.ends_with(".snap.new") || name.ends_with('~');
            assert!(left || within.contains_key(name), "{name}");
        }
        assert_eq!(digest().len(), 16);
    }
}
