//! For people: a progress bar while it runs, then a table scenario × target, then what failed.

mod grid;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Event, Report, TargetLine};
use crate::outcome::{CaseResult, Outcome, Tally};
use crate::redact::printable;

/// The terminal report.
pub struct Terminal {
    bar: ProgressBar,
    started: Instant,
    engine: String,
    targets: Vec<TargetLine>,
    results: Vec<CaseResult>,
    tally: Tally,
    color: bool,
    reproduce: String,
}

impl Terminal {
    /// `reproduce` is the command line that runs one case alone, up to the case's name.
    pub fn new(reproduce: String) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            started: Instant::now(),
            engine: String::new(),
            targets: Vec::new(),
            results: Vec::new(),
            tally: Tally::default(),
            color: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            reproduce,
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn mark(&self, outcome: &Outcome, accepted: bool) -> String {
        match outcome {
            Outcome::Pass if accepted => self.paint("36", "new"),
            Outcome::Pass => self.paint("32", "pass"),
            Outcome::Fail(_) => self.paint("1;31", "FAIL"),
            Outcome::NotApplicable(_) => self.paint("2", "n/a"),
            Outcome::Broken(_) => self.paint("1;33", "BROKEN"),
        }
    }

    fn table(&self) -> String {
        let mut rows: BTreeMap<String, BTreeMap<&str, &CaseResult>> = BTreeMap::new();
        for result in &self.results {
            rows.entry(result.id.to_string())
                .or_default()
                .insert(&result.target, result);
        }
        let first = rows
            .keys()
            .map(|id| id.chars().count())
            .max()
            .unwrap_or(0)
            .max(8)
            + 2;
        let widths: Vec<usize> = self
            .targets
            .iter()
            .map(|t| t.name.len().max(8) + 2)
            .collect();
        let mut out = String::new();
        let _ = write!(out, "{:first$}", "");
        for (target, width) in self.targets.iter().zip(&widths) {
            let _ = write!(out, "{:>width$}", target.name);
        }
        out.push('\n');
        for (id, by_target) in &rows {
            let _ = write!(out, "{id:first$}");
            for (target, width) in self.targets.iter().zip(&widths) {
                let (mark, plain) = match by_target.get(target.name.as_str()) {
                    Some(result) => {
                        let plain = Terminal::width(&result.outcome, result.accepted);
                        (self.mark(&result.outcome, result.accepted), plain)
                    }
                    None => (String::new(), 0),
                };
                let _ = write!(out, "{:pad$}{mark}", "", pad = width - plain);
            }
            out.push('\n');
        }
        out
    }

    fn width(outcome: &Outcome, accepted: bool) -> usize {
        match outcome {
            Outcome::Pass if accepted => 3,
            Outcome::Broken(_) => 6,
            Outcome::NotApplicable(_) => 3,
            Outcome::Pass | Outcome::Fail(_) => 4,
        }
    }

    fn explain(&self, result: &CaseResult) -> String {
        let mut out = String::new();
        let head = format!("{} on {}", result.id, result.target);
        let (word, reasons): (_, &[String]) = match &result.outcome {
            Outcome::Fail(reasons) => (self.paint("1;31", "FAIL"), reasons),
            Outcome::Broken(why) => (self.paint("1;33", "BROKEN"), std::slice::from_ref(why)),
            Outcome::Pass | Outcome::NotApplicable(_) => return out,
        };
        let _ = writeln!(out, "{word} {}", self.paint("1", &head));
        let _ = writeln!(out, "  {}", result.why.trim());
        for reason in reasons {
            indented(&mut out, "  ", reason);
        }
        for (name, said) in &result.witnesses {
            let _ = writeln!(out, "  {}", self.paint("1", name));
            indented(&mut out, "    ", said);
        }
        if !result.configuration.is_empty() {
            let _ = writeln!(out, "  {}", self.paint("1", "configuration"));
            indented(&mut out, "    ", &result.configuration);
        }
        let _ = writeln!(
            out,
            "  reproduce: {} '{}' --target {} --engine {}",
            self.reproduce, result.id, result.target, self.engine
        );
        out
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", self.table());
        if let Some(grid) = grid::grid(&self.results) {
            let _ = writeln!(out, "{grid}");
        }
        for result in &self.results {
            let text = self.explain(result);
            if !text.is_empty() {
                let _ = writeln!(out, "{text}");
            }
        }
        let tally = &self.tally;
        let mut line = format!("{} passed", tally.pass);
        for (count, word) in [
            (tally.fail, "failed"),
            (tally.broken, "broken"),
            (tally.not_applicable, "not applicable"),
        ] {
            if count > 0 {
                let _ = write!(line, ", {count} {word}");
            }
        }
        let _ = writeln!(
            out,
            "{line} in {:.1} s ({})",
            self.started.elapsed().as_secs_f64(),
            self.engine
        );
    }
}

/// Text of unknown origin, line by line behind a margin.
fn indented(out: &mut String, margin: &str, text: &str) {
    for line in text.trim_end().lines() {
        let _ = writeln!(out, "{margin}{}", printable(line));
    }
}

impl Report for Terminal {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Doing { target, what } => {
                let line = format!("{target}: {}", printable(what));
                if io::stderr().is_terminal() {
                    self.bar.set_message(line);
                } else {
                    eprintln!("{line}");
                }
            }
            Event::Case(result) => {
                self.tally.add(&result.outcome);
                self.bar.inc(1);
                self.bar
                    .set_message(format!("{} on {}", result.id, result.target));
                if matches!(result.outcome, Outcome::Fail(_) | Outcome::Broken(_)) {
                    let word = self.mark(&result.outcome, false);
                    self.bar
                        .suspend(|| eprintln!("{word} {} on {}", result.id, result.target));
                }
                self.results.push((**result).clone());
            }
            Event::Finished(_) => self.finish(),
            Event::Started {
                engine,
                targets,
                cases,
            } => {
                self.engine.clone_from(engine);
                self.targets.clone_from(targets);
                let names: Vec<String> = targets
                    .iter()
                    .map(|t| match t.versions.as_str() {
                        "" => t.name.clone(),
                        versions => format!("{} ({versions})", t.name),
                    })
                    .collect();
                eprintln!("{cases} cases, engine {engine}: {}", names.join(", "));
                self.bar = ProgressBar::new(*cases as u64).with_style(
                    ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {pos}/{len} {wide_msg}")
                        .unwrap_or_else(|_| ProgressStyle::default_bar())
                        .progress_chars("=> "),
                );
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
        }
    }
}
