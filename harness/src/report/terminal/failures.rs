//! What did not pass, once for each cause: the same difference on three targets or in twenty cases is one block.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::mark;
use crate::event::CaseResult;
use crate::outcome::Outcome;
use crate::printable::{Text, line};
use crate::report::words::{name, parts};

/// Names that are listed of the cases of one block.
const NAMES: usize = 12;

/// Lines that are shown of a witness which no reason points at.
const LINES: usize = 12;

/// A block; with `all`, everything that each witness of its first case said.
pub(super) fn block(results: &[&CaseResult], all: bool) -> Text {
    let mut out = Text::for_stdout();
    let Some(first) = results.first() else {
        return out;
    };
    let (code, word) = mark(&first.outcome, false);
    for (place, result) in results
        .iter()
        .take(if all { usize::MAX } else { NAMES })
        .enumerate()
    {
        match place {
            0 => out.paint(code, word),
            _ => {
                let _ = write!(out, "{:1$}", "", word.len());
            }
        }
        let _ = write!(out, " ");
        out.paint("1", &name(result));
        let _ = writeln!(out);
    }
    if !all && results.len() > NAMES {
        let _ = writeln!(
            out,
            "{:2$} … and {} more",
            "",
            results.len() - NAMES,
            word.len()
        );
    }
    out.indented("  ", first.why.trim());
    for reason in first.outcome.reasons() {
        self::reason(&mut out, reason);
    }
    let shown = match all {
        true => parts(first),
        false => relevant(first),
    };
    if results.len() > 1 && !shown.is_empty() {
        let _ = writeln!(out, "  of {}:", name(first));
    }
    for (heading, said) in shown {
        let _ = write!(out, "  ");
        out.paint("1", heading);
        let _ = writeln!(out);
        out.indented("    ", &said);
    }
    if !first.reproduce.is_empty() {
        let _ = writeln!(out, "  reproduce: {}", first.reproduce);
    }
    out
}

/// What the witnesses say of the reasons: the lines that have what was found in them; of a failure that names none, the logs.
fn relevant(result: &CaseResult) -> Vec<(&'static str, String)> {
    let reasons = result.outcome.reasons().iter();
    let found = reasons
        .flat_map(|reason| reason.lines())
        .filter_map(|line| {
            let new = line.strip_prefix("+ ");
            new.or_else(|| line.rsplit_once(", found ").map(|(_, found)| found))
        });
    let found: Vec<&str> = found.filter(|found| !found.trim().is_empty()).collect();
    let sections = result.sections();
    let pointed: Vec<(&'static str, String)> = sections
        .iter()
        // That a mail did not arrive is the reason itself; the logs say why.
        .filter(|(section, _)| *section != crate::evidence::Section::Mail)
        .filter_map(|(section, said)| {
            let lines = said.lines();
            let own = lines.filter(|line| found.iter().any(|found| line.contains(found)));
            let own: Vec<&str> = own.collect();
            (!own.is_empty()).then(|| (section.name(), own.join("\n")))
        })
        .collect();
    if !pointed.is_empty() {
        return pointed;
    }
    let logs = sections.iter().filter(|(section, _)| {
        use crate::evidence::Section::{ClientLog, Peer, ServerLog};
        [ClientLog, ServerLog, Peer].contains(section)
    });
    let begun = logs.map(|(section, said)| {
        let mut lines: Vec<&str> = said.lines().take(LINES).collect();
        if said.lines().nth(LINES).is_some() {
            lines.push("…");
        }
        (section.name(), lines.join("\n"))
    });
    begun.collect()
}

/// A reason; a line that took another's place with the words in colour that are not the same.
fn reason(out: &mut Text, reason: &str) {
    let mut lines = reason.trim_end().lines().peekable();
    while let Some(one) = lines.next() {
        let next = lines.peek().copied();
        if let (Some(old), Some(new)) = (
            one.strip_prefix("- "),
            next.and_then(|next| next.strip_prefix("+ ")),
        ) {
            changed(out, old, new);
            lines.next();
            continue;
        }
        let code = match one.get(..2) {
            Some("- ") => "31",
            Some("+ ") => "32",
            _ => {
                let _ = writeln!(out, "  {}", line(one));
                continue;
            }
        };
        let _ = write!(out, "  ");
        out.paint(code, one);
        let _ = writeln!(out);
    }
}

fn changed(out: &mut Text, old: &str, new: &str) {
    let words = |text: &str| -> Vec<String> {
        text.split_inclusive([' ', '\t'])
            .map(str::to_owned)
            .collect()
    };
    let (old, new) = (words(old), words(new));
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    for (sign, code, is_old) in [("- ", "31", true), ("+ ", "32", false)] {
        let _ = write!(out, "  ");
        out.paint(code, sign);
        for op in &ops {
            let (tag, of_old, of_new) = op.as_tag_tuple();
            let words = match is_old {
                true => old.get(of_old),
                false => new.get(of_new),
            };
            let words = words.unwrap_or_default().concat();
            if words.is_empty() {
                continue;
            }
            match tag {
                DiffTag::Equal => out.paint(code, &words),
                _ => out.paint(&format!("1;7;{code}"), &words),
            }
        }
        let _ = writeln!(out);
    }
}

/// Why what is not applicable is not, each reason once.
pub(super) fn not_applicable(results: &[Arc<CaseResult>]) -> Text {
    let mut reasons: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in results {
        if let Outcome::NotApplicable(why) = &result.outcome {
            reasons.entry(why).or_default().push(result);
        }
    }
    let mut out = Text::for_stdout();
    if reasons.is_empty() {
        return out;
    }
    let _ = writeln!(out, "Not applicable:");
    for (why, results) in reasons {
        let _ = writeln!(out, "  {:>5} × {}", results.len(), line(why));
        if let Some(first) = results.first() {
            let _ = writeln!(out, "          such as {}", name(first));
        }
    }
    let _ = writeln!(out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::causes::blocks;
    use crate::scenario::CaseId;

    fn failed(case: &str, target: &str, reasons: &[&str]) -> Arc<CaseResult> {
        let mut result = CaseResult::incomplete(target, String::new());
        result.id = CaseId {
            topic: "t".to_owned(),
            case: case.to_owned(),
            variant: None,
        };
        result.why = "The claim.".to_owned();
        let reasons = reasons.iter().map(ToString::to_string).collect();
        result.outcome = Outcome::Fail(reasons);
        Arc::new(result)
    }

    #[test]
    fn one_cause_is_one_block() {
        let changed = "  [server log]\n- a b c\n+ a x c";
        let elsewhere = "  another line around it\n- a b c\n+ a x c";
        let all = [
            failed("one", "debian-11", &["cipher: expected A, found B"]),
            failed("two", "debian-11", &[changed]),
            failed("two", "debian-12", &[elsewhere]),
            failed("three", "debian-12", &[elsewhere]),
        ];
        let blocks = blocks(&all);
        let sizes: Vec<usize> = blocks.iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 1]);
        let text = block(&blocks[0], false);
        assert_eq!(
            text.as_str(),
            "FAIL t/two on debian-11\n     t/two on debian-12\n     t/three on debian-12\n  The claim.\n    \
             [server log]\n  - a b c\n  + a x c\n"
        );
    }

    #[test]
    fn a_hundred_cases_are_a_dozen_names() {
        let all: Vec<_> = (0..100)
            .map(|n| failed(&format!("c{n}"), "debian-11", &["x: expected 1, found 2"]))
            .collect();
        let blocks = blocks(&all);
        assert_eq!(blocks.len(), 1);
        let text = block(&blocks[0], false);
        assert!(text.as_str().contains("… and 88 more"), "{}", text.as_str());
        assert_eq!(
            block(&blocks[0], true)
                .as_str()
                .matches(" on debian-11")
                .count(),
            100
        );
    }
}
