//! What came of each case, or of each topic where there are many, by target.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::cell::Cell;
use super::mark;
use crate::event::TargetLine;
use crate::outcome::{Outcome, Tally};
use crate::printable::{Text, line};

/// Cases that are shown one by one without being asked for; of more, topics are.
const FEW: usize = 25;

/// A line for each case, or, unless `all` are wanted, for each topic where there are many.
pub(super) fn table(cells: &[Cell], targets: &[TargetLine], all: bool) -> Text {
    let mut ids: Vec<&str> = cells.iter().map(|cell| cell.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match all || ids.len() <= FEW {
        true => of_cases(cells, targets),
        false => of_topics(cells, targets),
    }
}

fn of_cases(cells: &[Cell], targets: &[TargetLine]) -> Text {
    let mut rows: BTreeMap<String, BTreeMap<&str, &Cell>> = BTreeMap::new();
    for cell in cells {
        let row = rows.entry(line(&cell.id)).or_default();
        row.insert(&cell.target, cell);
    }
    let rows = rows.into_iter().map(|(id, by_target)| {
        let words = targets.iter().map(|target| {
            let cell = by_target.get(target.name.as_str());
            let word = cell.map(|cell| mark(&cell.outcome, cell.accepted));
            word.map_or_else(Vec::new, |(code, word)| vec![(code, word.to_owned())])
        });
        (id, words.collect())
    });
    laid_out(rows.collect(), targets)
}

fn of_topics(cells: &[Cell], targets: &[TargetLine]) -> Text {
    let mut rows: BTreeMap<String, BTreeMap<&str, Tally>> = BTreeMap::new();
    for cell in cells {
        let topic = cell.id.split('/').next().unwrap_or_default();
        let row = rows.entry(line(topic)).or_default();
        row.entry(&cell.target).or_default().add(&cell.outcome);
    }
    let rows = rows.into_iter().map(|(topic, by_target)| {
        let words = targets.iter().map(|target| {
            let tally = by_target.get(target.name.as_str());
            tally.map_or_else(Vec::new, counted)
        });
        (topic, words.collect())
    });
    laid_out(rows.collect(), targets)
}

/// How many of each there were, each in its colour.
fn counted(tally: &Tally) -> Vec<(&'static str, String)> {
    let of = |count: usize, outcome: Outcome| {
        let (code, word) = mark(&outcome, false);
        (count > 0).then(|| (code, format!("{count} {word}")))
    };
    let all = [
        of(tally.pass, Outcome::Pass),
        of(tally.fail, Outcome::Fail(Vec::new())),
        of(tally.broken, Outcome::Broken(String::new())),
        of(tally.differs, Outcome::Differs(Vec::new())),
        of(
            tally.new,
            Outcome::New {
                why: String::new(),
                fails: false,
            },
        ),
        of(tally.not_applicable, Outcome::NotApplicable(String::new())),
    ];
    all.into_iter().flatten().collect()
}

/// Painted words, which have one blank between them.
type Words = Vec<(&'static str, String)>;

fn width(words: &Words) -> usize {
    let letters: usize = words.iter().map(|(_, word)| word.chars().count()).sum();
    letters + words.len().saturating_sub(1)
}

fn laid_out(rows: Vec<(String, Vec<Words>)>, targets: &[TargetLine]) -> Text {
    let heads = rows.iter().map(|(head, _)| head.chars().count());
    let first = heads.max().unwrap_or(0).max(8) + 2;
    let columns = targets.iter().enumerate().map(|(place, target)| {
        let own = rows.iter().filter_map(|(_, cells)| cells.get(place));
        let widest = own.map(width).max().unwrap_or(0);
        widest.max(target.name.chars().count()) + 2
    });
    let columns: Vec<usize> = columns.collect();
    let mut out = Text::for_stdout();
    let _ = write!(out, "{:first$}", "");
    for (target, column) in targets.iter().zip(&columns) {
        let _ = write!(out, "{:>column$}", target.name);
    }
    let _ = writeln!(out);
    for (head, cells) in &rows {
        let _ = write!(out, "{head:first$}");
        for (words, column) in cells.iter().zip(&columns) {
            let _ = write!(out, "{:1$}", "", column.saturating_sub(width(words)));
            for (place, (code, word)) in words.iter().enumerate() {
                if place > 0 {
                    let _ = write!(out, " ");
                }
                out.paint(code, word);
            }
        }
        let _ = writeln!(out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Sides;

    fn cell(id: &str, target: &str, outcome: Outcome) -> Cell {
        Cell {
            id: id.to_owned(),
            target: target.to_owned(),
            sides: Sides::default(),
            outcome,
            accepted: false,
        }
    }

    fn targets() -> [TargetLine; 2] {
        ["debian-11", "debian-12"].map(|name| TargetLine {
            name: name.to_owned(),
            versions: String::new(),
        })
    }

    #[test]
    fn many_cases_are_a_line_for_each_topic() {
        let mut cells: Vec<Cell> = (0..30)
            .map(|n| cell(&format!("sni/c{n}"), "debian-11", Outcome::Pass))
            .collect();
        cells.push(cell("dane/a", "debian-11", Outcome::Fail(Vec::new())));
        cells.push(cell("dane/b", "debian-11", Outcome::Pass));
        cells.push(cell(
            "dane/b",
            "debian-12",
            Outcome::NotApplicable(String::new()),
        ));
        let text = table(&cells, &targets(), false);
        assert_eq!(
            text.as_str(),
            "                debian-11  debian-12\n\
             dane        1 pass 1 FAIL      1 n/a\n\
             sni               30 pass           \n"
        );
        let all = table(&cells, &targets(), true);
        assert_eq!(all.as_str().lines().count(), 33);
        assert!(all.as_str().lines().all(|line| line.len() <= 80));
    }
}
