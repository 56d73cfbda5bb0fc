//! What is not as expected, in words.

use std::fmt::Display;

/// Collects differences.
#[derive(Debug, Default)]
pub(super) struct Differences(pub(super) Vec<String>);

impl Differences {
    /// `what` should be `expected`.
    pub(super) fn compare(
        &mut self,
        what: &str,
        expected: impl Display,
        found: Option<impl Display>,
    ) {
        let expected = expected.to_string();
        match found.map(|found| found.to_string()) {
            Some(found) if found == expected => {}
            Some(found) => self
                .0
                .push(format!("{what}: expected {expected}, found {found}")),
            None => self
                .0
                .push(format!("{what}: expected {expected}, but no witness tells")),
        }
    }

    pub(super) fn check(&mut self, holds: bool, difference: impl FnOnce() -> String) {
        if !holds {
            self.0.push(difference());
        }
    }
}
