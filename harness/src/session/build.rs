//! Which build of this program it is: its files are read by no other.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use sha2::{Digest as _, Sha256};

/// The version, and a digest of which file runs: a program that was built anew is another file, or has another time. Where
/// that cannot be told, nobody else is the same build.
pub(super) fn build() -> String {
    let file = fs::metadata("/proc/self/exe").map(|found| {
        format!(
            "{}:{} {} {}.{} {}.{}",
            found.dev(),
            found.ino(),
            found.size(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec()
        )
    });
    let file = file.unwrap_or_else(|_| format!("process {}", std::process::id()));
    let digest = Sha256::digest(file.as_bytes());
    let digits: String = digest[..6].iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{digits}", env!("CARGO_PKG_VERSION"))
}
