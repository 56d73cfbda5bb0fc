//! A test that cannot be run here says so where nobody can miss it, and fails where it is told to.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's output is shown where it fails alone: this is to be seen where it passes, too"
)]

use std::io::Write as _;

use crate::Error;

/// The value; nothing where a test is to be skipped, which is written to the standard error of the process, past what a test
/// runner captures.
///
/// # Panics
/// With any other error; with this one too where `PFS_REQUIRE` is set to anything but nothing or `0`.
#[track_caller]
#[expect(clippy::panic, reason = "so a test fails")]
pub(crate) fn or_skip<T>(result: Result<T, Error>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let required = std::env::var_os("PFS_REQUIRE").is_some_and(|set| !set.is_empty() && set != "0");
    assert!(error.is_unavailable(), "no Postfix for this test: {error}");
    if required {
        panic!("no Postfix for this test, and PFS_REQUIRE is set: {error}");
    }
    let place = std::panic::Location::caller();
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("?");
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {test} ({place}): {error}; PFS_REQUIRE=1 makes this a failure"
    );
    None
}
