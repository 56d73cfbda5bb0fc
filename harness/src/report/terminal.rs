//! For people: a progress bar while it runs, then what came of each topic or case by target, then what failed, once for
//! each cause.

mod cell;
mod failures;
mod grid;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::cell::Cell;
use super::Report;
use super::causes;
use super::words::{self, name};
use crate::event::{Announced, CaseResult, Event};
use crate::note;
use crate::outcome::{Outcome, Tally};
use crate::printable::{Text, is_quiet, line, told_on_a_terminal};

/// Differences of text that are shown; each of them may be in hundreds of cases.
const DIFFERENT: usize = 20;

/// A case that took at least this long is named.
const SLOW: Duration = Duration::from_secs(10);

/// Most slow cases that are named.
const SLOW_SHOWN: usize = 5;

/// Most cases without a snapshot whose witnesses are shown.
const NEW_WHOLE: usize = 3;

/// Most cases without a snapshot that are named.
const NEW_SHOWN: usize = 10;

/// A case that has been running for at least this long is what is waited for.
const LONG: Duration = Duration::from_secs(5);

/// The terminal report.
pub struct Terminal {
    bar: ProgressBar,
    /// When a run of now started.
    started: Option<Instant>,
    run: Arc<Announced>,
    cells: Vec<Cell>,
    /// With all that the witnesses said.
    failed: Vec<Arc<CaseResult>>,
    /// As expected, and to be accepted.
    unaccepted: Vec<Arc<CaseResult>>,
    not_applicable: Vec<Arc<CaseResult>>,
    /// Cases that took long.
    slow: Vec<(Duration, String)>,
    /// Cases that run, and since when.
    running: BTreeMap<String, Instant>,
    tally: Tally,
    /// Every case, and all that the witnesses said.
    verbose: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Terminal {
    /// Nothing is printed before the first event.
    pub fn new() -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            started: Some(Instant::now()),
            run: Arc::default(),
            cells: Vec::new(),
            failed: Vec::new(),
            unaccepted: Vec::new(),
            not_applicable: Vec::new(),
            slow: Vec::new(),
            running: BTreeMap::new(),
            tally: Tally::default(),
            verbose: false,
        }
    }

    /// For results of earlier runs, whose duration is not known.
    pub fn of_saved() -> Self {
        Self {
            started: None,
            ..Self::new()
        }
    }

    /// Tells every case, and all that the witnesses said.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// In which words texts differ from another target's, each once.
    fn different(&self, out: &mut Text) {
        let mut words: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for cell in &self.cells {
            if let Outcome::Differs(differences) = &cell.outcome {
                for one in differences {
                    words.entry(one).or_default().push(&cell.id);
                }
            }
        }
        if words.is_empty() {
            return;
        }
        let mut words: Vec<_> = words.into_iter().collect();
        words.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
        let _ = writeln!(out, "Texts that differ from those of the baseline:");
        for (words, cases) in words.iter().take(DIFFERENT) {
            let case = cases.first().copied().unwrap_or_default();
            let _ = writeln!(out, "  {:>5} × {}", cases.len(), line(words));
            let _ = writeln!(out, "          such as {}", line(case));
        }
        if words.len() > DIFFERENT {
            let _ = writeln!(
                out,
                "  … and {} more: --format json tells all",
                words.len() - DIFFERENT
            );
        }
        let _ = writeln!(out);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
        let mut out = table::table(&self.cells, &self.run.targets, self.verbose);
        let _ = writeln!(out);
        if let Some(grid) = grid::grid(&self.cells) {
            let _ = writeln!(out, "{grid}");
        }
        self.different(&mut out);
        if self.verbose {
            out.append(&failures::not_applicable(&self.not_applicable));
        }
        self.unaccepted(&mut out);
        for block in causes::blocks(&self.failed) {
            out.append(&failures::block(&block, self.verbose));
            let _ = writeln!(out);
        }
        self.slowest(&mut out);
        let more = self.tally.fail + self.tally.broken + self.tally.not_applicable > 0;
        if more && !self.verbose {
            let _ = writeln!(
                out,
                "-v tells all: each case, every witness, the configuration, why a case is not applicable"
            );
        }
        let _ = write!(out, "{}", self.tally);
        if let Some(started) = self.started {
            let _ = write!(out, " in {:.1} s", started.elapsed().as_secs_f64());
        }
        let _ = writeln!(out, " ({})", self.run.engine);
        out.say();
    }

    /// Cases without the snapshot they must have, with what is to be looked at if they are few.
    fn unaccepted(&self, out: &mut Text) {
        if self.unaccepted.is_empty() {
            return;
        }
        if self.verbose || self.unaccepted.len() <= NEW_WHOLE {
            for result in &self.unaccepted {
                out.append(&failures::block(&[result], true));
                let _ = writeln!(out);
            }
            return;
        }
        let _ = writeln!(
            out,
            "New, as expected, and without a snapshot; -v shows what the witnesses said, --accept keeps it:"
        );
        for result in self.unaccepted.iter().take(NEW_SHOWN) {
            let _ = writeln!(out, "  {}", name(result));
        }
        if self.unaccepted.len() > NEW_SHOWN {
            let more = self.unaccepted.len() - NEW_SHOWN;
            let _ = writeln!(out, "  … and {more} more");
        }
        let _ = writeln!(out);
    }

    /// Cases that took long.
    fn slowest(&self, out: &mut Text) {
        if self.slow.is_empty() {
            return;
        }
        let mut slow: Vec<&(Duration, String)> = self.slow.iter().collect();
        slow.sort_by(|a, b| b.cmp(a));
        let _ = writeln!(out, "Slow:");
        for (elapsed, name) in slow.iter().take(SLOW_SHOWN) {
            let _ = writeln!(out, "  {:>6.1} s  {name}", elapsed.as_secs_f64());
        }
        let _ = writeln!(out);
    }

    /// What the bar says: the case that has been running for longest, where it is long.
    fn waiting(&self, last: String) -> String {
        let oldest = self.running.iter().min_by_key(|(_, since)| **since);
        match oldest {
            Some((name, since)) if since.elapsed() >= LONG => format!("waiting for {name}"),
            _ => last,
        }
    }
}

/// The word for an outcome and its colour (ECMA-48, SGR).
fn mark(outcome: &Outcome, accepted: bool) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Pass if accepted => ("36", "new"),
        Outcome::Pass => ("32", "pass"),
        Outcome::Fail(_) => ("1;31", "FAIL"),
        Outcome::New { .. } => ("36", "new"),
        Outcome::Differs(_) => ("33", "differs"),
        Outcome::NotApplicable(_) => ("2", "n/a"),
        Outcome::Broken(_) => ("1;33", "BROKEN"),
    }
}

impl Report for Terminal {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Doing { target, what } => {
                let doing = line(&format!("{target}: {what}"));
                if told_on_a_terminal() {
                    self.bar.set_message(doing);
                } else {
                    note!("{doing}");
                }
            }
            Event::Begun { id, target } => {
                let name = line(&format!("{id} on {target}"));
                self.running.insert(name, Instant::now());
            }
            Event::Case(result) => {
                self.tally.add(&result.outcome);
                self.bar.inc(1);
                let name = name(result);
                self.running.remove(&name);
                if result.elapsed >= SLOW {
                    self.slow.push((result.elapsed, name.clone()));
                }
                self.bar.set_message(self.waiting(name));
                if matches!(result.outcome, Outcome::New { fails: true, .. }) {
                    self.unaccepted.push(Arc::clone(result));
                }
                if matches!(result.outcome, Outcome::NotApplicable(_)) {
                    self.not_applicable.push(Arc::clone(result));
                }
                if matches!(result.outcome, Outcome::Fail(_) | Outcome::Broken(_)) {
                    let (code, word) = mark(&result.outcome, false);
                    let mut failed = Text::for_stderr();
                    failed.paint(code, word);
                    let _ = writeln!(failed, " {}", words::name(result));
                    if !is_quiet() && self.started.is_some() {
                        self.bar.suspend(|| failed.tell());
                    }
                    self.failed.push(Arc::clone(result));
                }
                self.cells.push(Cell {
                    id: result.id.to_string(),
                    target: result.target.clone(),
                    sides: result.sides.clone(),
                    outcome: result.outcome.clone(),
                    accepted: result.accepted,
                });
            }
            Event::Finished(_) => self.finish(),
            Event::Started(run) => {
                self.run = Arc::clone(run);
                let names: Vec<String> = run
                    .targets
                    .iter()
                    .map(|t| match t.versions.as_str() {
                        "" => t.name.clone(),
                        versions => format!("{} ({versions})", t.name),
                    })
                    .collect();
                let shard = run.shard.map_or_else(String::new, |shard| {
                    format!(" of {} (shard {shard})", run.of)
                });
                note!(
                    "{} cases{shard}, engine {}: {}",
                    run.cases,
                    run.engine,
                    names.join(", ")
                );
                if is_quiet() || self.started.is_none() {
                    return Ok(());
                }
                self.bar = ProgressBar::new(run.cases as u64).with_style(
                    ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {pos}/{len} {wide_msg}")
                        .unwrap_or_else(|_| ProgressStyle::default_bar())
                        .progress_chars("=> "),
                );
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
        }
        Ok(())
    }
}
