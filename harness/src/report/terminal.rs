//! For people: a progress bar while it runs, then a table scenario × target, then what failed.

mod grid;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Event, Report, TargetLine};
use crate::outcome::{CaseResult, Outcome, Tally};
use crate::printable::{Text, line, shell_word, told_on_a_terminal};
use crate::tell;

/// The terminal report.
pub struct Terminal {
    bar: ProgressBar,
    started: Instant,
    engine: String,
    targets: Vec<TargetLine>,
    results: Vec<CaseResult>,
    tally: Tally,
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
            reproduce,
        }
    }

    fn table(&self) -> Text {
        let mut rows: BTreeMap<String, BTreeMap<&str, &CaseResult>> = BTreeMap::new();
        for result in &self.results {
            rows.entry(line(&result.id.to_string()))
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
        let mut out = Text::for_stdout();
        let _ = write!(out, "{:first$}", "");
        for (target, width) in self.targets.iter().zip(&widths) {
            let _ = write!(out, "{:>width$}", target.name);
        }
        let _ = writeln!(out);
        for (id, by_target) in &rows {
            let _ = write!(out, "{id:first$}");
            for (target, width) in self.targets.iter().zip(&widths) {
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

    /// What a failing case has to say; nothing of others.
    fn explain(&self, result: &CaseResult) -> Text {
        let mut out = Text::for_stdout();
        let reasons: &[String] = match &result.outcome {
            Outcome::Fail(reasons) => reasons,
            Outcome::Broken(why) => std::slice::from_ref(why),
            Outcome::Pass | Outcome::NotApplicable(_) => return out,
        };
        let (code, word) = mark(&result.outcome, false);
        out.paint(code, word);
        let _ = write!(out, " ");
        out.paint("1", &name(result));
        let _ = writeln!(out);
        out.indented("  ", result.why.trim());
        for reason in reasons {
            out.indented("  ", reason);
        }
        let configuration = [("configuration".to_owned(), result.configuration.clone())];
        for (name, said) in result.witnesses.iter().chain(&configuration) {
            if name == "configuration" && said.is_empty() {
                continue;
            }
            let _ = write!(out, "  ");
            out.paint("1", name);
            let _ = writeln!(out);
            out.indented("    ", said);
        }
        let _ = writeln!(
            out,
            "  reproduce: {} {} --target {} --engine {}",
            self.reproduce,
            shell_word(&result.id.to_string()),
            shell_word(&result.target),
            self.engine
        );
        out
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
        let mut out = self.table();
        let _ = writeln!(out);
        if let Some(grid) = grid::grid(&self.results) {
            let _ = writeln!(out, "{grid}");
        }
        for result in &self.results {
            let text = self.explain(result);
            if !text.is_empty() {
                out.append(&text);
                let _ = writeln!(out);
            }
        }
        let tally = &self.tally;
        let _ = write!(out, "{} passed", tally.pass);
        for (count, word) in [
            (tally.fail, "failed"),
            (tally.broken, "broken"),
            (tally.not_applicable, "not applicable"),
        ] {
            if count > 0 {
                let _ = write!(out, ", {count} {word}");
            }
        }
        let _ = writeln!(
            out,
            " in {:.1} s ({})",
            self.started.elapsed().as_secs_f64(),
            self.engine
        );
        out.say();
    }
}

/// The word for an outcome and its colour (ECMA-48, SGR).
fn mark(outcome: &Outcome, accepted: bool) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Pass if accepted => ("36", "new"),
        Outcome::Pass => ("32", "pass"),
        Outcome::Fail(_) => ("1;31", "FAIL"),
        Outcome::NotApplicable(_) => ("2", "n/a"),
        Outcome::Broken(_) => ("1;33", "BROKEN"),
    }
}

/// The case and the target.
fn name(result: &CaseResult) -> String {
    line(&format!("{} on {}", result.id, result.target))
}

impl Report for Terminal {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Doing { target, what } => {
                let doing = line(&format!("{target}: {what}"));
                if told_on_a_terminal() {
                    self.bar.set_message(doing);
                } else {
                    tell!("{doing}");
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
                    self.bar.suspend(|| failed.tell());
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
                tell!("{cases} cases, engine {engine}: {}", names.join(", "));
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
