//! What came of a case, and the exit codes of `pfs`.

/// What came of a case on a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All as expected, all witnesses agree, the snapshot is the same.
    Pass,
    /// Postfix or a peer did something else; every difference found.
    Fail(Vec<String>),
    /// As expected, and all witnesses agree; there is no snapshot of it.
    New {
        /// What is missing.
        why: String,
        /// The target keeps snapshots of its own, so that this counts as a failure until one is accepted: else a
        /// snapshot that got lost would pass.
        fails: bool,
    },
    /// As expected, and all witnesses agree; the texts differ from those of another target, and in which words.
    Differs(Vec<String>),
    /// The target lacks what the case is about.
    NotApplicable(String),
    /// Docker, an image, the harness: nothing was learned about Postfix.
    Broken(String),
}

impl Outcome {
    /// The word for it in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::New { .. } => "new",
            Self::Differs(_) => "differs",
            Self::NotApplicable(_) => "not-applicable",
            Self::Broken(_) => "broken",
        }
    }

    /// What is to be said about it, line by line; nothing about a case that passed.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Pass => &[],
            Self::Fail(differences) | Self::Differs(differences) => differences,
            Self::New { why, .. } | Self::NotApplicable(why) | Self::Broken(why) => {
                std::slice::from_ref(why)
            }
        }
    }
}

/// How many of each there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Passed without a snapshot.
    pub new: usize,
    /// Those of them that count as failures.
    pub unaccepted: usize,
    /// Passed with texts other than another target's.
    pub differs: usize,
    /// Not meant for the target.
    pub not_applicable: usize,
    /// Could not be run.
    pub broken: usize,
}

/// `pfs` ended well: every case that applies has passed.
pub const EXIT_PASS: u8 = 0;
/// Some case failed, or has no snapshot where there must be one.
pub const EXIT_FAIL: u8 = 1;
/// A scenario or an option is wrong; nothing was started.
pub const EXIT_USAGE: u8 = 2;
/// The environment is broken: Docker, an image, a port, the disk.
pub const EXIT_BROKEN: u8 = 3;
/// Two targets differ in text only (`pfs diff`).
pub const EXIT_TEXT: u8 = 4;
/// To `git bisect run`: nothing was learned of this revision.
pub const EXIT_SKIP: u8 = 125;
/// To `git bisect run`: give the search up, as a scenario or an option is wrong.
pub const EXIT_ABORT: u8 = 129;
/// Interrupted by SIGINT or SIGTERM.
pub const EXIT_INTERRUPTED: u8 = 130;

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Pass => self.pass += 1,
            Outcome::Fail(_) => self.fail += 1,
            Outcome::New { fails, .. } => {
                self.new += 1;
                self.unaccepted += usize::from(*fails);
            }
            Outcome::Differs(_) => self.differs += 1,
            Outcome::NotApplicable(_) => self.not_applicable += 1,
            Outcome::Broken(_) => self.broken += 1,
        }
    }

    /// The exit code. Broken outweighs failed: what broke may be why it failed.
    pub fn exit_code(&self) -> u8 {
        match (self.broken, self.fail + self.unaccepted) {
            (0, 0) => EXIT_PASS,
            (0, _) => EXIT_FAIL,
            _ => EXIT_BROKEN,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed", self.pass)?;
        for (count, word) in [
            (self.fail, "failed"),
            (self.differs, "different in text from their baseline"),
            (self.new, "without a snapshot"),
            (self.broken, "broken"),
            (self.not_applicable, "not applicable"),
        ] {
            if count > 0 {
                write!(f, ", {count} {word}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_accepted_is_no_success() {
        let new = |fails| {
            let mut tally = Tally::default();
            tally.add(&Outcome::New {
                why: "no snapshot".into(),
                fails,
            });
            (tally.new, tally.fail, tally.exit_code())
        };
        assert_eq!(new(true), (1, 0, EXIT_FAIL));
        assert_eq!(new(false), (1, 0, EXIT_PASS));
    }

    #[test]
    fn broken_is_never_counted_as_fail() {
        let mut tally = Tally::default();
        tally.add(&Outcome::Broken("no Docker".into()));
        assert_eq!((tally.fail, tally.exit_code()), (0, EXIT_BROKEN));
    }

    #[test]
    fn neither_new_nor_different_texts_fail_a_run() {
        let mut tally = Tally::default();
        tally.add(&Outcome::New {
            why: "no snapshot".into(),
            fails: false,
        });
        tally.add(&Outcome::Differs(vec!["log: a → b".into()]));
        assert_eq!(tally.exit_code(), EXIT_PASS);
        let text = tally.to_string();
        assert!(
            text.contains("1 different in text") && text.contains("1 without a snapshot"),
            "{text}"
        );
    }

    #[test]
    fn not_applicable_does_not_fail_a_run() {
        let mut tally = Tally::default();
        tally.add(&Outcome::NotApplicable("old".into()));
        tally.add(&Outcome::Pass);
        assert_eq!(tally.exit_code(), EXIT_PASS);
    }
}
