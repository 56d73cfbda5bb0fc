//! JUnit XML, as Jenkins, GitLab and many others read it: a suite for each target.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::words::{account, first_reason};
use super::{Report, Sink};
use crate::event::{Announced, CaseResult, Event};
use crate::outcome::Outcome;
use crate::printable::{line, printable};

/// JUnit XML.
///
/// A case that does not apply is skipped, with the reason; one that is broken is an error, not a failure. A case without a
/// snapshot, or whose text differs from a baseline's, has passed: its `system-out` tells of that.
pub struct Junit<W> {
    out: W,
    run: Arc<Announced>,
    /// With the target.
    cases: Vec<(String, TestCase)>,
}

impl<W: Sink> Junit<W> {
    /// Writes to `out`, in the end.
    pub fn new(out: W) -> Self {
        Self {
            out,
            run: Arc::default(),
            cases: Vec::new(),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut suites: Vec<TestSuite> = self
            .run
            .targets
            .iter()
            .map(|target| {
                let mut suite = TestSuite::new(line(&target.name));
                suite.add_property(("versions", &*line(&target.versions)));
                suite.add_property(("engine", &*line(&self.run.engine)));
                if let Some(shard) = self.run.shard {
                    suite.add_property(("shard", &*shard.to_string()));
                }
                suite.set_time(Duration::ZERO);
                suite
            })
            .collect();
        let key = |(_, case): &(String, TestCase)| {
            let class = case.classname.clone().map(String::from);
            (class, String::from(case.name.clone()))
        };
        self.cases.sort_by_cached_key(key);
        for (target, case) in self.cases.drain(..) {
            let target = line(&target);
            let place = suites.iter().position(|suite| *suite.name == *target);
            let place = place.unwrap_or_else(|| {
                suites.push(TestSuite::new(target));
                suites.len() - 1
            });
            if let Some(suite) = suites.get_mut(place) {
                let time = suite.time.unwrap_or_default() + case.time.unwrap_or_default();
                suite.set_time(time);
                suite.add_test_case(case);
            }
        }
        let mut report = quick_junit::Report::new("pfs");
        report.set_time(suites.iter().filter_map(|suite| suite.time).sum());
        report.add_test_suites(suites);
        let text = report.to_string().map_err(io::Error::other)?;
        self.out.write_all(text.as_bytes())?;
        self.out.whole()
    }
}

/// Tabs as spaces: quick-junit takes them out.
fn spaced(text: &str) -> String {
    text.replace('\t', "    ")
}

fn test_case(result: &CaseResult) -> TestCase {
    let status = match &result.outcome {
        Outcome::Pass | Outcome::New { fails: false, .. } | Outcome::Differs(_) => {
            TestCaseStatus::success()
        }
        Outcome::NotApplicable(why) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(line(why));
            status
        }
        Outcome::Fail(_) | Outcome::New { .. } | Outcome::Broken(_) => {
            let kind = match &result.outcome {
                Outcome::Broken(_) => NonSuccessKind::Error,
                _ => NonSuccessKind::Failure,
            };
            let mut status = TestCaseStatus::non_success(kind);
            status
                .set_type(result.outcome.word())
                .set_message(line(first_reason(result)))
                .set_description(spaced(&account(result)));
            status
        }
    };
    let id = &result.id;
    let name = match &id.variant {
        Some(variant) => format!("{}[{variant}]", id.case),
        None => id.case.clone(),
    };
    let mut case = TestCase::new(line(&name), status);
    case.set_classname(line(&format!("{}.{}", result.target, id.topic)));
    // As exact as the line of JSON, so that a report of a saved result is the same.
    let ms = u64::try_from(result.elapsed.as_millis()).unwrap_or(u64::MAX);
    case.set_time(Duration::from_millis(ms));
    if matches!(
        result.outcome,
        Outcome::New { fails: false, .. } | Outcome::Differs(_)
    ) {
        let reasons = result.outcome.reasons().join("\n");
        let text = format!(
            "{}: {}",
            result.outcome.word(),
            spaced(&printable(&reasons))
        );
        case.set_system_out(text);
    }
    case
}

impl<W: Sink> Report for Junit<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Arc::clone(run),
            Event::Case(result) => self.cases.push((result.target.clone(), test_case(result))),
            Event::Finished(_) => self.finish()?,
            Event::Begun { .. } | Event::Doing { .. } => {}
        }
        Ok(())
    }
}
