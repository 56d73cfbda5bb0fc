//! A comparison as text for a terminal, as Markdown that fits where people paste it, and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Class, Finding, Way};
use crate::printable::markdown::{self, code, escaped};
use crate::printable::{Text, line};

/// Ways of one finding that are shown.
const WAYS: usize = 6;
/// Cases that are named where all cannot be.
const CASES: usize = 3;

/// What is known of one of the two targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Its name, or that of a file.
    pub name: String,
    /// Postfix, OpenSSL and `compatibility_level`; empty for a file.
    pub versions: String,
    /// What `--target` takes for it.
    pub argument: String,
}

/// Everything that came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The first target.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// The cases that both have.
    pub compared: usize,
    /// Those of them in which nothing differs.
    pub same: usize,
    /// The findings, most serious first.
    pub findings: Vec<Finding>,
    /// Findings that were not seen again when their cases ran once more.
    pub unstable: Vec<Finding>,
    /// Cases that could not be run on one side, with the reason.
    pub broken: Vec<(String, String)>,
    /// How many findings a file of accepted differences took away.
    pub accepted: usize,
    /// A shell line that runs one case, but for its name; empty where nothing was run.
    pub reproduce: String,
}

impl Comparison {
    /// Whether anything but text differs.
    pub fn differs_in_behaviour(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.class.is_behaviour())
    }

    fn summary(&self) -> String {
        let mut words = format!("{} cases compared, {} the same", self.compared, self.same);
        let count =
            |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let _ = write!(
            words,
            "; {}",
            count(self.findings.len(), "finding", "findings")
        );
        for (n, what) in [
            (self.unstable.len(), "unstable"),
            (self.accepted, "accepted"),
            (self.broken.len(), "broken"),
        ] {
            if n > 0 {
                let _ = write!(words, ", {n} {what}");
            }
        }
        words
    }

    /// For a terminal: only what changed.
    pub fn text(&self) -> Text {
        let mut out = Text::for_stdout();
        for (mark, side) in [("-", &self.a), ("+", &self.b)] {
            let _ = writeln!(out, "{mark} {}  {}", line(&side.name), line(&side.versions));
        }
        for (number, finding) in self.findings.iter().enumerate() {
            let _ = writeln!(out);
            out.paint("1", &format!("{}. {}", number + 1, heading(finding)));
            let _ = writeln!(out);
            self.ways(&mut out, finding);
        }
        if !self.unstable.is_empty() {
            let _ = writeln!(
                out,
                "\nunstable: not seen again when the cases ran once more"
            );
            for finding in &self.unstable {
                let _ = writeln!(
                    out,
                    "  {}: {}",
                    line(&heading(finding)),
                    line(&named(&finding.cases))
                );
            }
        }
        if !self.broken.is_empty() {
            let _ = writeln!(out, "\nbroken: nothing was learned");
            for (case, why) in self.broken.iter().take(CASES) {
                let _ = writeln!(out, "  {}: {}", line(case), line(why));
            }
            if self.broken.len() > CASES {
                let _ = writeln!(out, "  … and {} more", self.broken.len() - CASES);
            }
        }
        let _ = writeln!(out, "\n{}", self.summary());
        out
    }

    fn ways(&self, out: &mut Text, finding: &Finding) {
        for (number, way) in finding.ways.iter().take(WAYS).enumerate() {
            if !finding.class.is_text_like() {
                let _ = writeln!(out, "   {}", line(&change(way)));
            }
            if number == 0 {
                for one in &way.example {
                    let code = if one.starts_with('-') { "31" } else { "32" };
                    let _ = write!(out, "     ");
                    out.paint(code, &one.replace('\t', " "));
                    let _ = writeln!(out);
                }
                if let (Some(case), false) = (way.cases.first(), self.reproduce.is_empty()) {
                    let case = crate::printable::shell_word(case);
                    let _ = writeln!(out, "     {}", self.reproduce.replace("{}", &case));
                }
            }
        }
        if finding.ways.len() > WAYS {
            let _ = writeln!(
                out,
                "   … and in {} more ways: --format json tells all",
                finding.ways.len() - WAYS
            );
        }
        let _ = writeln!(
            out,
            "   in {}; key `{}`",
            line(&named(&finding.cases)),
            line(&finding.key)
        );
    }

    /// As Markdown. Where it would be too long, the least serious findings are left out, and it says so.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "### `{}` → `{}`\n",
            code(&self.a.name),
            code(&self.b.name)
        );
        for (mark, side) in [("−", &self.a), ("+", &self.b)] {
            let _ = writeln!(
                out,
                "{mark} `{}` {}  ",
                code(&side.name),
                escaped(&side.versions)
            );
        }
        let _ = writeln!(out, "\n{}\n", self.summary());
        for (number, finding) in self.findings.iter().enumerate() {
            let mut part = format!(
                "{}. **{}**: {}\n",
                number + 1,
                escaped(&heading(finding)),
                escaped(&named(&finding.cases))
            );
            for way in finding.ways.iter().take(WAYS) {
                if !finding.class.is_text_like() {
                    let _ = writeln!(part, "   - `{}`", code(&change(way)));
                }
            }
            if let Some(way) = finding.ways.first().filter(|way| !way.example.is_empty()) {
                let _ = writeln!(part, "\n   ```diff");
                for one in &way.example {
                    let _ = writeln!(part, "   {}", line(one).replace("```", "'''"));
                }
                let _ = writeln!(part, "   ```");
            }
            if out.len() + part.len() > markdown::LIMIT - 200 {
                let left = self.findings.len() - number;
                let _ = writeln!(
                    out,
                    "\n… {left} less serious findings are left out here: they are in the JSON report."
                );
                break;
            }
            out.push_str(&part);
        }
        out
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Class {
    /// Whether the heading says it all, word by word.
    fn is_text_like(self) -> bool {
        self >= Self::LogText || self == Self::Default
    }
}

fn heading(finding: &Finding) -> String {
    let class = finding.class.words();
    let words = match finding.ways.as_slice() {
        [way] => format!("{class}: {}: {}", finding.field, change(way)),
        _ => format!("{class}: {}", finding.field),
    };
    let kinds: BTreeSet<Class> = finding.ways.iter().map(|way| way.class).collect();
    let of = |class: Class| {
        let ways = finding.ways.iter().filter(|way| way.class == class);
        let cases: BTreeSet<&String> = ways.flat_map(|way| &way.cases).collect();
        format!("{} {}", cases.len(), class.words())
    };
    let parts = match kinds.len() {
        0 | 1 => String::new(),
        _ => format!(
            ": {}",
            kinds.into_iter().map(of).collect::<Vec<_>>().join(", ")
        ),
    };
    match finding.cases.len() {
        0 => words,
        1 => format!("{words} (1 case{parts})"),
        n => format!("{words} ({n} cases{parts})"),
    }
}

fn change(way: &Way) -> String {
    let words = match (way.old.as_str(), way.new.as_str()) {
        ("", new) => format!("+ {new}"),
        (old, "") => format!("- {old}"),
        (old, new) => format!("{old} → {new}"),
    };
    match way.cases.len() {
        0 | 1 => words,
        n => format!("{words}, {n} cases"),
    }
}

fn named(cases: &[String]) -> String {
    match cases {
        [] => "`postconf -d`".to_owned(),
        some if some.len() <= CASES => some.join(", "),
        some => format!("{}, … ({} in all)", some[..CASES].join(", "), some.len()),
    }
}
