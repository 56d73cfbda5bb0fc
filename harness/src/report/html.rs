//! One self-contained page: what came of every case on every target, what each witness said, and where they differ.
//!
//! Nothing is fetched, and nothing runs but the one script whose hash the page's policy names (Content Security Policy Level 3):
//! text of logs is data, whatever is in it. It is readable without the script.

mod case;
mod matrix;
mod model;

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use self::model::{Model, safe};
use super::words::name;
use super::{Report, Sink, causes};
use crate::event::{Announced, CaseResult, Event};
use crate::outcome::{Outcome, Tally};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Names that a block of failures lists.
const NAMES: usize = 30;

/// The page.
#[derive(Debug)]
pub struct Html<W> {
    out: W,
    run: Arc<Announced>,
    results: Vec<Arc<CaseResult>>,
}

impl<W: Sink> Html<W> {
    /// To `out`, when the run has ended.
    pub fn new(out: W) -> Self {
        Self {
            out,
            run: Arc::default(),
            results: Vec::new(),
        }
    }
}

impl<W: Sink> Report for Html<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Arc::clone(run),
            Event::Case(result) => self.results.push(Arc::clone(result)),
            Event::Finished(tally) => {
                let page = page(&self.run, &self.results, tally).into_string();
                self.out.write_all(page.as_bytes())?;
                self.out.whole()?;
            }
            Event::Begun { .. } | Event::Doing { .. } => {}
        }
        Ok(())
    }
}

/// `'sha256-…'` of what stands in a `style` or a `script`.
fn source(text: &str) -> String {
    format!(
        "'sha256-{}'",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}

fn policy() -> String {
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    )
}

fn page(run: &Announced, results: &[Arc<CaseResult>], tally: &Tally) -> Markup {
    let model = Model::of(run, results);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "pfs: " (tally.to_string()) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#matrix" { "To the results" }
                header {
                    h1 { "Forward secrecy in Postfix: " (tally.to_string()) }
                    (targets(run, results))
                }
                main {
                    (failures(results))
                    @if let Some(grid) = matrix::grid(results) {
                        h2 #grid { "Client × server" }
                        (grid)
                    }
                    h2 #matrix { "Scenario × target" }
                    (matrix::filters(&model))
                    (matrix::matrix(&model))
                    h2 #cases { "Cases" }
                    p.dim {
                        "Where all targets say the same it is told once; where one differs, its lines are below, the "
                        "words that are not the same marked."
                    }
                    (case::cases(&model))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// The targets with their versions, and how many of each outcome they have.
fn targets(run: &Announced, results: &[Arc<CaseResult>]) -> Markup {
    let tally = |target: &str| {
        let mut tally = Tally::default();
        for result in results.iter().filter(|result| result.target == target) {
            tally.add(&result.outcome);
        }
        tally
    };
    html! {
        p.dim { "Engine " (safe(&run.engine)) "." }
        div.scroll {
            table.tally {
                thead { tr {
                    th scope="col" { "target" }
                    th scope="col" { "versions" }
                    @for word in ["passed", "failed", "broken", "differs", "new", "n/a"] { th scope="col" { (word) } }
                } }
                tbody {
                    @for target in &run.targets {
                        @let tally = tally(&target.name);
                        tr {
                            th scope="row" { (safe(&target.name)) }
                            th { (safe(&target.versions)) }
                            @for (count, class) in [
                                (tally.pass, "pass"), (tally.fail, "fail"), (tally.broken, "broken"),
                                (tally.differs, "differs"), (tally.new, "new"), (tally.not_applicable, "not-applicable"),
                            ] {
                                @if count > 0 { td class=(class) { (count) } } @else { td { "0" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What did not pass, once for each cause.
fn failures(results: &[Arc<CaseResult>]) -> Markup {
    let failed = results
        .iter()
        .filter(|result| matches!(result.outcome, Outcome::Fail(_) | Outcome::Broken(_)));
    let failed: Vec<Arc<CaseResult>> = failed.cloned().collect();
    if failed.is_empty() {
        return html! {};
    }
    html! {
        h2 #failures { "What did not pass, once for each cause" }
        @for block in causes::blocks(&failed) {
            @if let Some(first) = block.first() {
                section.block.broken[matches!(first.outcome, Outcome::Broken(_))] {
                    h3 {
                        (first.outcome.word()) ": "
                        a href=(format!("#{}", model::anchor(first))) { (name(first)) }
                    }
                    @if block.len() > 1 {
                        details {
                            summary { "and " (block.len() - 1) " more" }
                            ul {
                                @for other in block.iter().skip(1).take(NAMES) {
                                    li { a href=(format!("#{}", model::anchor(other))) { (name(other)) } }
                                }
                                @if block.len() > NAMES + 1 { li { "…" } }
                            }
                        }
                    }
                    p { (safe(first.why.trim())) }
                    @for reason in first.outcome.reasons() { (case::reason(reason)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
