//! What a search for the first bad revision wants to know of a run.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Report;
use crate::event::{CaseResult, Event};
use crate::outcome::{
    EXIT_ABORT, EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, EXIT_SKIP, EXIT_USAGE, Outcome,
};

/// Looks for a text in what the witnesses say and in why a case failed.
#[derive(Debug, Default)]
pub struct Watch {
    /// The text; without one, a failure is what is looked for.
    wanted: Option<String>,
    /// How many cases have shown something of Postfix.
    judged: AtomicUsize,
    seen: AtomicBool,
}

impl Watch {
    /// Looks for `wanted`, or for any failure.
    pub fn for_text(wanted: Option<String>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// The exit code for `git bisect run`, of a run whose own is `code`.
    pub fn exit_code(&self, code: u8) -> u8 {
        let seen = self.seen.load(Ordering::Acquire);
        let judged = self.judged.load(Ordering::Acquire) > 0;
        match code {
            EXIT_INTERRUPTED => EXIT_INTERRUPTED,
            EXIT_USAGE => EXIT_ABORT,
            // What is seen once is there, whatever became of other cases.
            _ if seen => EXIT_FAIL,
            EXIT_BROKEN => EXIT_SKIP,
            _ if !judged => EXIT_SKIP,
            EXIT_PASS | EXIT_FAIL => EXIT_PASS,
            _ => EXIT_SKIP,
        }
    }

    fn shows(&self, result: &CaseResult) -> bool {
        let Some(wanted) = &self.wanted else {
            return matches!(result.outcome, Outcome::Fail(_));
        };
        let reasons = result.outcome.reasons().iter();
        let facts = result.facts();
        let said = facts.witnesses.values().chain(facts.raw.values());
        reasons.chain(said).any(|text| text.contains(wanted))
    }
}

impl Report for std::sync::Arc<Watch> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Event::Case(result) = event else {
            return Ok(());
        };
        if matches!(
            result.outcome,
            Outcome::NotApplicable(_) | Outcome::Broken(_)
        ) {
            return Ok(());
        }
        self.judged.fetch_add(1, Ordering::AcqRel);
        if self.shows(result) {
            self.seen.store(true, Ordering::Release);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// The exit code after these outcomes, of a run that ends with `code`.
    fn code(wanted: Option<&str>, outcomes: Vec<Outcome>, code: u8) -> u8 {
        let watch = Arc::new(Watch::for_text(wanted.map(str::to_owned)));
        for outcome in outcomes {
            let mut result = CaseResult::incomplete("t", String::new());
            result.outcome = outcome;
            let event = Event::Case(Arc::new(result));
            Arc::clone(&watch).event(&event).unwrap();
        }
        watch.exit_code(code)
    }

    #[test]
    fn git_is_told_good_bad_skip_or_stop() {
        let fail = || Outcome::Fail(vec!["key exchange: expected a, found b".to_owned()]);
        let broken = || Outcome::Broken("disk".to_owned());
        let none = || Outcome::NotApplicable("old".to_owned());
        assert_eq!(code(None, vec![Outcome::Pass], EXIT_PASS), 0);
        assert_eq!(code(None, vec![Outcome::Pass, fail()], EXIT_FAIL), 1);
        assert_eq!(code(None, vec![broken()], EXIT_BROKEN), 125);
        assert_eq!(code(None, vec![none()], EXIT_PASS), 125);
        assert_eq!(code(None, Vec::new(), EXIT_USAGE), 129);
        assert_eq!(code(None, vec![fail()], EXIT_INTERRUPTED), 130);
    }

    #[test]
    fn another_symptom_is_not_the_one_that_is_wanted() {
        let fail = || Outcome::Fail(vec!["key exchange: expected a, found b".to_owned()]);
        let broken = || Outcome::Broken("found b".to_owned());
        assert_eq!(code(Some("found b"), vec![fail()], EXIT_FAIL), 1);
        assert_eq!(code(Some("found c"), vec![fail()], EXIT_FAIL), 0);
        // What broke has shown nothing; what another case has shown is there.
        assert_eq!(code(Some("found b"), vec![broken()], EXIT_BROKEN), 125);
        assert_eq!(
            code(Some("found b"), vec![broken(), fail()], EXIT_BROKEN),
            1
        );
    }
}
