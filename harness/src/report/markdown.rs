//! Markdown for a comment or the summary of a job: what changed and what failed first. What there is no room for is left
//! out from the end, what has passed before all else, and it says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use super::words::{account, first_reason, name};
use super::{Report, Sink};
use crate::event::{Announced, CaseResult, Event};
use crate::outcome::{Outcome, Tally};
use crate::printable::markdown::{LIMIT, code, escaped, fenced, html};

/// Octets that are kept for saying what was left out.
const RESERVE: usize = 400;
/// Characters of a reason in a list.
const REASON: usize = 300;

/// A Markdown page of at most 60 KiB.
pub struct Markdown<W> {
    out: W,
    run: Arc<Announced>,
    results: Vec<Arc<CaseResult>>,
    /// Names by target: they have nothing else to say.
    passed: BTreeMap<String, Vec<String>>,
    tallies: BTreeMap<String, Tally>,
}

impl<W: Sink> Markdown<W> {
    /// Writes to `out`, in the end.
    pub fn new(out: W) -> Self {
        Self {
            out,
            run: Arc::default(),
            results: Vec::new(),
            passed: BTreeMap::new(),
            tallies: BTreeMap::new(),
        }
    }

    fn page(&mut self, tally: &Tally) -> String {
        let key = |result: &Arc<CaseResult>| (result.id.clone(), result.target.clone());
        self.results.sort_by_cached_key(key);
        let mut page = Page {
            text: self.head(tally),
            left_out: Vec::new(),
        };
        let of = |wanted: fn(&Outcome) -> bool| {
            let all = self.results.iter().map(AsRef::as_ref);
            all.filter(move |result| wanted(&result.outcome))
        };
        let failed = || of(|outcome| matches!(outcome, Outcome::Fail(_)));
        page.part("Failed", "failed cases", failed().map(one_line));
        page.part(
            "Broken: nothing was learned",
            "reasons why cases are broken",
            by_reason(of(|outcome| matches!(outcome, Outcome::Broken(_)))),
        );
        page.part(
            "Texts that differ from those of the baseline",
            "differences of text",
            by_reason(of(|outcome| matches!(outcome, Outcome::Differs(_)))),
        );
        page.part(
            "Without a snapshot",
            "reasons why cases are new",
            by_reason(of(|outcome| matches!(outcome, Outcome::New { .. }))),
        );
        let details = failed().map(|result| {
            format!(
                "<details><summary>{}</summary>\n\n{}\n</details>\n\n",
                html(&name(result)),
                fenced(&account(result))
            )
        });
        page.part(
            "What the witnesses said",
            "accounts of failed cases",
            details,
        );
        page.part(
            "Not applicable",
            "reasons why cases do not apply",
            by_reason(of(|outcome| matches!(outcome, Outcome::NotApplicable(_)))),
        );
        let passed = self.passed.iter_mut().map(|(target, names)| {
            names.sort_unstable();
            let names: Vec<String> = names.iter().map(|id| format!("`{}`", code(id))).collect();
            format!(
                "<details><summary>{} on {}</summary>\n\n{}\n</details>\n\n",
                names.len(),
                html(target),
                names.join(", ")
            )
        });
        page.part("Passed", "lists of passed cases", passed);
        page.end()
    }

    fn head(&self, tally: &Tally) -> String {
        let mut out = format!("### pfs: {tally}\n\nEngine {}", escaped(&self.run.engine));
        // Writing to a string does not fail.
        if let Some(shard) = self.run.shard {
            let _ = write!(out, ", shard {shard}");
        }
        let _ = write!(
            out,
            "\n\n| target | | failed | broken | differ in text | new | passed | n/a |\n|---|---|--:|--:|--:|--:|--:|--:|\n"
        );
        for target in &self.run.targets {
            let its = self.tallies.get(&target.name).copied().unwrap_or_default();
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                escaped(&target.name),
                escaped(&target.versions),
                its.fail,
                its.broken,
                its.differs,
                its.new,
                its.pass,
                its.not_applicable
            );
        }
        out
    }
}

/// A case in a list.
fn one_line(result: &CaseResult) -> String {
    format!(
        "- `{}` on `{}`: {}\n",
        code(&result.id.to_string()),
        code(&result.target),
        escaped(&cut(first_reason(result)))
    )
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Each reason once, the commonest first, with the number of cases and one of them.
fn by_reason<'a>(results: impl Iterator<Item = &'a CaseResult>) -> Vec<String> {
    let mut cases: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in results {
        for reason in result.outcome.reasons() {
            cases.entry(reason).or_default().push(result);
        }
    }
    let mut cases: Vec<_> = cases.into_iter().collect();
    cases.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let lines = cases.into_iter().map(|(reason, cases)| {
        let first = cases.first().map(|result| name(result));
        format!(
            "- {} × {}, such as `{}`\n",
            cases.len(),
            escaped(&cut(reason.lines().next().unwrap_or_default())),
            code(&first.unwrap_or_default())
        )
    });
    lines.collect()
}

/// A page that fills up, the most important first.
struct Page {
    text: String,
    left_out: Vec<String>,
}

impl Page {
    /// Adds as many items under a heading as there is room for. Once something had to be left out, nothing that is less
    /// important goes in.
    fn part(&mut self, heading: &str, what: &str, items: impl IntoIterator<Item = String>) {
        let mut items = items.into_iter();
        let Some(first) = items.next() else { return };
        let mut left = 0;
        let mut next = format!("\n#### {heading}\n\n{first}");
        loop {
            if self.left_out.is_empty()
                && left == 0
                && self.text.len() + next.len() <= LIMIT - RESERVE
            {
                self.text.push_str(&next);
            } else {
                left += 1;
            }
            match items.next() {
                Some(item) => next = item,
                None => break,
            }
        }
        if left > 0 {
            self.left_out.push(format!("{left} {what}"));
        }
    }

    fn end(mut self) -> String {
        if !self.left_out.is_empty() {
            let what = self.left_out.join(", ");
            let _ = writeln!(
                self.text,
                "\nLeft out, as there is no room for them in {} KiB: {what}. The JSON report has all.",
                LIMIT / 1024
            );
        }
        self.text
    }
}

impl<W: Sink> Report for Markdown<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Arc::clone(run),
            Event::Case(result) => {
                let tally = self.tallies.entry(result.target.clone()).or_default();
                tally.add(&result.outcome);
                if result.outcome == Outcome::Pass {
                    let names = self.passed.entry(result.target.clone()).or_default();
                    names.push(result.id.to_string());
                } else {
                    self.results.push(Arc::clone(result));
                }
            }
            Event::Finished(tally) => {
                let page = self.page(tally);
                self.out.write_all(page.as_bytes())?;
                self.out.whole()?;
            }
            Event::Begun { .. } | Event::Doing { .. } => {}
        }
        Ok(())
    }
}
