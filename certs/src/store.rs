//! The directory that keys and certificates are kept in, shared by processes.
//!
//! ```text
//! keys/NAME.KIND.pem            private key, kept for good: RSA keys are slow to make
//! certs-CLOCK/NAME-HASH.pem     certificate; HASH is of all that it says, so an old one is never
//!                               mistaken for a new one
//! locks/NAME                    locked while a key or certificate of that name is being made
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::pem_text;

pub(crate) struct Store {
    directory: PathBuf,
    /// Removes the directory in the end.
    _temporary: Option<TempDir>,
}

impl Store {
    /// A directory of its own, removed with the value.
    pub(crate) fn temporary() -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix("pfs-certs-")
            .tempdir()
            .map_err(|source| Error::Io {
                action: "create a directory in",
                path: std::env::temp_dir(),
                source,
            })?;
        let mut store = Self::open(directory.path(), |_| false)?;
        store._temporary = Some(directory);
        Ok(store)
    }

    /// Creates the directory as needed and removes certificate folders the caller calls `stale`.
    pub(crate) fn open(directory: &Path, stale: impl Fn(&str) -> bool) -> Result<Self, Error> {
        for folder in ["keys", "locks"] {
            let path = directory.join(folder);
            fs::create_dir_all(&path).map_err(|source| Error::Io {
                action: "create directory",
                path,
                source,
            })?;
        }
        let entries = fs::read_dir(directory).map_err(|source| Error::Io {
            action: "list",
            path: directory.to_owned(),
            source,
        })?;
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(&stale) {
                // Another process may be faster; what stays only takes space.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            _temporary: None,
        })
    }

    /// The contents of the PEM file `file`, made with `make` if there is none yet.
    ///
    /// `lock` names what processes must not make at the same time. Files appear whole or not at
    /// all, so that an existing one is read without the lock.
    pub(crate) fn find_or_make(
        &self,
        file: &Path,
        lock: &str,
        tag: &'static str,
        make: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<(Vec<u8>, PathBuf), Error> {
        let path = self.directory.join(file);
        if let Some(found) = read(&path, tag)? {
            return Ok((found, path));
        }
        let _held = hold(self.directory.join("locks").join(lock))?;
        if let Some(found) = read(&path, tag)? {
            return Ok((found, path));
        }
        let made = make()?;
        write(&path, &pem_text::encode(tag, &made)).map_err(|source| Error::Io {
            action: "write",
            path: path.clone(),
            source,
        })?;
        Ok((made, path))
    }
}

fn read(path: &Path, tag: &'static str) -> Result<Option<Vec<u8>>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => pem_text::decode(tag, &text)
            .map(Some)
            .map_err(|detail| Error::Corrupt {
                path: path.to_owned(),
                expected: tag,
                detail,
            }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// The lock lasts until the file is closed, also by the death of the process.
fn hold(path: PathBuf) -> Result<File, Error> {
    let locked = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| Error::Io {
        action: "lock",
        path,
        source,
    })
}

/// Temporary files are made with mode 0600, which the file keeps.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
