//! For people: a progress bar while it runs, then a table scenario × target, then what failed.

mod cell;
mod grid;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::cell::Cell;
use super::Report;
use super::words::{name, parts};
use crate::event::{Announced, CaseResult, Event};
use crate::note;
use crate::outcome::{Outcome, Tally};
use crate::printable::{Text, is_quiet, line, told_on_a_terminal};

/// Differences of text that are shown; each of them may be in hundreds of cases.
const DIFFERENT: usize = 20;

/// The terminal report.
pub struct Terminal {
    bar: ProgressBar,
    /// When a run of now started.
    started: Option<Instant>,
    run: Arc<Announced>,
    cells: Vec<Cell>,
    /// With all that the witnesses said.
    failed: Vec<Arc<CaseResult>>,
    tally: Tally,
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
            tally: Tally::default(),
        }
    }

    /// For results of earlier runs, whose duration is not known.
    pub fn of_saved() -> Self {
        Self {
            started: None,
            ..Self::new()
        }
    }

    fn table(&self) -> Text {
        let mut rows: BTreeMap<String, BTreeMap<&str, &Cell>> = BTreeMap::new();
        for cell in &self.cells {
            rows.entry(line(&cell.id))
                .or_default()
                .insert(&cell.target, cell);
        }
        let first = rows
            .keys()
            .map(|id| id.chars().count())
            .max()
            .unwrap_or(0)
            .max(8)
            + 2;
        let widths: Vec<usize> = self
            .run
            .targets
            .iter()
            .map(|t| t.name.len().max(8) + 2)
            .collect();
        let mut out = Text::for_stdout();
        let _ = write!(out, "{:first$}", "");
        for (target, width) in self.run.targets.iter().zip(&widths) {
            let _ = write!(out, "{:>width$}", target.name);
        }
        let _ = writeln!(out);
        for (id, by_target) in &rows {
            let _ = write!(out, "{id:first$}");
            for (target, width) in self.run.targets.iter().zip(&widths) {
                let (code, word) = by_target
                    .get(target.name.as_str())
                    .map(|result| mark(&result.outcome, result.accepted))
                    .unwrap_or_default();
                let _ = write!(out, "{:1$}", "", width - word.len());
                out.paint(code, word);
            }
            let _ = writeln!(out);
        }
        out
    }

    /// What a case that did not pass has to say.
    fn explain(&self, result: &CaseResult) -> Text {
        let mut out = Text::for_stdout();
        let (code, word) = mark(&result.outcome, false);
        out.paint(code, word);
        let _ = write!(out, " ");
        out.paint("1", &name(result));
        let _ = writeln!(out);
        out.indented("  ", result.why.trim());
        for reason in result.outcome.reasons() {
            out.indented("  ", reason);
        }
        for (heading, said) in parts(result) {
            head(&mut out, heading);
            out.indented("    ", &said);
        }
        if !result.reproduce.is_empty() {
            let _ = writeln!(out, "  reproduce: {}", result.reproduce);
        }
        out
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
        let mut out = self.table();
        let _ = writeln!(out);
        if let Some(grid) = grid::grid(&self.cells) {
            let _ = writeln!(out, "{grid}");
        }
        self.different(&mut out);
        // What breaks a target breaks all its cases: told once.
        let mut told: BTreeMap<&[String], usize> = BTreeMap::new();
        for result in &self.failed {
            if matches!(result.outcome, Outcome::Broken(_)) && result.said.is_none() {
                let times = told.entry(result.outcome.reasons()).or_default();
                *times += 1;
                if *times > 1 {
                    continue;
                }
            }
            out.append(&self.explain(result));
            let _ = writeln!(out);
        }
        for (reason, times) in told.into_iter().filter(|(_, times)| *times > 1) {
            let first = reason.iter().flat_map(|text| text.lines()).next();
            let first = line(first.unwrap_or_default());
            let _ = writeln!(out, "{} more are broken as above: {first}", times - 1);
        }
        let _ = write!(out, "{}", self.tally);
        if let Some(started) = self.started {
            let _ = write!(out, " in {:.1} s", started.elapsed().as_secs_f64());
        }
        let _ = writeln!(out, " ({})", self.run.engine);
        out.say();
    }
}

/// The heading of a part of what a case has to say.
fn head(out: &mut Text, name: &str) {
    let _ = write!(out, "  ");
    out.paint("1", name);
    let _ = writeln!(out);
}

/// The word for an outcome and its colour (ECMA-48, SGR).
fn mark(outcome: &Outcome, accepted: bool) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Pass if accepted => ("36", "new"),
        Outcome::Pass => ("32", "pass"),
        Outcome::Fail(_) => ("1;31", "FAIL"),
        Outcome::New(_) => ("36", "new"),
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
            Event::Case(result) => {
                self.tally.add(&result.outcome);
                self.bar.inc(1);
                self.bar.set_message(name(result));
                if matches!(result.outcome, Outcome::Fail(_) | Outcome::Broken(_)) {
                    let (code, word) = mark(&result.outcome, false);
                    let mut failed = Text::for_stderr();
                    failed.paint(code, word);
                    let _ = writeln!(failed, " {}", name(result));
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
