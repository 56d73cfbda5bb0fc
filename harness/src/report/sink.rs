//! What a report is written to.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::printable::Stdout;

/// Where a report goes.
pub trait Sink: Write + Send {
    /// All has been written.
    ///
    /// # Errors
    /// It cannot be kept.
    fn whole(&mut self) -> io::Result<()>;
}

impl Sink for Stdout {
    fn whole(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Sink for &mut Vec<u8> {
    fn whole(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is there only when it is whole: what is read is never the half of a report, nor the report of an earlier run.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// Beside its place, which it takes in the end.
    Beside(NamedTempFile),
    /// A pipe or a device, which nothing can take the place of.
    Straight(File),
    /// It has been kept, or could not be.
    Ended,
}

impl WholeFile {
    /// Removes what has been there, and finds out whether the file can be written.
    ///
    /// # Errors
    /// It cannot.
    pub fn create(path: &Path) -> io::Result<Self> {
        let there = match fs::metadata(path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let kept = Kept::Straight(File::options().write(true).open(path)?);
            let path = path.to_owned();
            return Ok(Self { path, kept });
        }
        // What a link points to is replaced, not the link.
        let path = match there {
            Some(_) => fs::canonicalize(path)?,
            None => path.to_owned(),
        };
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let beside = tempfile::Builder::new()
            .prefix(".pfs-report-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let kept = Kept::Beside(beside);
        Ok(Self { path, kept })
    }
}

impl Write for WholeFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match &mut self.kept {
            Kept::Beside(file) => file.write(octets),
            Kept::Straight(file) => file.write(octets),
            Kept::Ended => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.kept {
            Kept::Beside(file) => file.flush(),
            Kept::Straight(file) => file.flush(),
            Kept::Ended => Ok(()),
        }
    }
}

impl Sink for WholeFile {
    fn whole(&mut self) -> io::Result<()> {
        self.flush()?;
        match std::mem::replace(&mut self.kept, Kept::Ended) {
            Kept::Beside(file) => {
                file.persist(&self.path).map_err(|error| error.error)?;
                Ok(())
            }
            Kept::Straight(_) | Kept::Ended => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.xml");
        fs::write(&path, "of an earlier run").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        assert!(!path.exists(), "what is there is of this run");
        file.write_all(b"all of it").unwrap();
        assert!(!path.exists());
        file.whole().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "all of it");
        // One that is given up leaves nothing.
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"half of it").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_and_devices_stay_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("report"), dir.path().join("link"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = WholeFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.whole().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let mut null = WholeFile::create(Path::new("/dev/null")).unwrap();
        null.write_all(b"gone").unwrap();
        null.whole().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_is_known_at_once() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            dir.path().to_owned(),
            dir.path().join("no/such"),
            PathBuf::from("/proc/x"),
        ] {
            assert!(WholeFile::create(&path).is_err(), "{}", path.display());
        }
    }
}
