//! Files that a program brings with itself, in a directory of the cache, where other programs can read them.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    Cache, Error, Result,
    owned::{self, Owned, Purpose},
};

/// Where they are kept.
const DIRECTORY: &str = "scenarios";
/// How the name of one in the making goes on.
pub(crate) const UNFINISHED: &str = ".new-";

/// Such a directory, which nobody removes as long as the value is held.
#[derive(Debug)]
pub struct Unpacked {
    owned: Owned,
}

impl Unpacked {
    /// The directory of this name, made with `fill` if it is not there. The name must tell what is in it, such as by a
    /// digest: what is there under it is used as it is.
    ///
    /// # Errors
    /// [`Error::Io`]: those of `fill`, or there is something of that name which does not carry our mark.
    pub fn of(
        cache: &Cache,
        name: &str,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Unpacked> {
        let path = cache.subdirectory(DIRECTORY)?.join(name);
        match Owned::join(&path, Purpose::Files) {
            Ok(owned) => return Ok(Unpacked { owned }),
            // Not there, or just being removed.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::WouldBlock
                ) => {}
            Err(error) => return Err(Error::io("using", &path)(error)),
        }
        let unfinished = path.with_file_name(format!("{name}{UNFINISHED}{}", owned::unique()));
        let mut owned = Owned::make(&unfinished, Purpose::Files)?;
        if let Err(error) = fill(owned.path()) {
            let _ = owned.remove();
            return Err(Error::io("writing", &unfinished)(error));
        }
        match owned.rename(path.file_name().unwrap_or_default()) {
            Ok(()) => Ok(Unpacked { owned }),
            Err(_) => {
                let _ = owned.remove();
                // Another process was faster, or it is not ours.
                Owned::join(&path, Purpose::Files)
                    .map(|owned| Unpacked { owned })
                    .map_err(Error::io("using", &path))
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.owned.path().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_made_once_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let failed = Unpacked::of(&cache, "one", |path| {
            fs::write(path.join("half"), "")?;
            Err(io::Error::other("disk"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk"));
        let fill = |path: &Path| fs::write(path.join("whole"), "x");
        let first = Unpacked::of(&cache, "one", fill).unwrap();
        let again = Unpacked::of(&cache, "one", |_| panic!("it is there")).unwrap();
        assert_eq!(first.path(), again.path());
        let left: Vec<_> = fs::read_dir(directory.path().join(DIRECTORY))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["one"]);
        assert_eq!(fs::read_to_string(first.path().join("whole")).unwrap(), "x");
    }

    #[test]
    fn what_carries_no_mark_is_neither_used_nor_removed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let foreign = cache.subdirectory(DIRECTORY).unwrap().join("one");
        fs::create_dir(&foreign).unwrap();
        let error = Unpacked::of(&cache, "one", |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("using"), "{error}");
        assert!(foreign.is_dir());
    }
}
