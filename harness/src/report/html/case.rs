//! A case: what its witnesses said on each target, side by side.

use std::collections::BTreeMap;

use maud::{Markup, html};
use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::model::{CaseRow, Model, Outcomes, key_exchange, safe};
use crate::evidence::Section;
use crate::evidence::facts::{SessionFacts, WitnessName};
use crate::outcome::Outcome;

/// Texts of at least this length stand on the page once, in octets.
const LONG: usize = 160;

/// All of them.
pub(super) fn cases(model: &Model<'_>) -> Markup {
    let mut texts = Texts::default();
    html! {
        @for case in model.cases.values() {
            details.case id=(case.anchor) {
                summary { (safe(&case.id)) }
                (one(case, model, &mut texts))
            }
        }
    }
}

/// Long texts that stand on the page already, and where.
#[derive(Default)]
struct Texts(BTreeMap<String, (usize, String)>);

fn one(case: &CaseRow<'_>, model: &Model<'_>, texts: &mut Texts) -> Markup {
    let results: Vec<(&str, &Outcomes<'_>)> = model
        .targets
        .iter()
        .filter_map(|target| Some((*target, case.results.get(target)?)))
        .collect();
    let why = results.first().map(|(_, one)| one.result.why.trim());
    html! {
        @if let Some(why) = why { p { (safe(why)) } }
        (facts(&results))
        @for (target, one) in &results {
            @if !matches!(one.result.outcome, Outcome::Pass) {
                p { strong { (one.result.outcome.word()) } " on " (safe(target)) ":" }
                @for text in one.result.outcome.reasons() { (reason(text)) }
            }
            @if matches!(one.result.outcome, Outcome::Fail(_) | Outcome::Differs(_)) {
                @if !one.result.configuration.is_empty() {
                    details { summary { "configuration" } pre { (safe(&one.result.configuration)) } }
                }
                @if !one.result.reproduce.is_empty() { pre { (safe(&one.result.reproduce)) } }
            }
        }
        @for section in shown(&results) { (witness(case, section, &results, texts)) }
    }
}

/// The sections that are shown: of a case that passed everywhere without what the client offered, which is by far the longest,
/// and of which the scenario says what matters.
fn shown(results: &[(&str, &Outcomes<'_>)]) -> Vec<Section> {
    let passed = results.iter().all(|(_, one)| {
        matches!(
            one.result.outcome,
            Outcome::Pass | Outcome::NotApplicable(_)
        )
    });
    let wanted = |section: &Section| !(passed && *section == Section::ClientHello);
    Section::ALL.into_iter().filter(wanted).collect()
}

/// A row of facts: its heading, and what a session has of it.
type Row = (&'static str, fn(&SessionFacts) -> Option<String>);

const ROWS: [Row; 8] = [
    ("version", |it| Some(it.protocol.clone())),
    ("cipher", |it| Some(it.cipher.clone())),
    ("key exchange", |it| Some(key_exchange(it))),
    ("server signature", |it| {
        it.server_signature.as_ref().map(|one| one.text.clone())
    }),
    ("client signature", |it| {
        it.client_signature.as_ref().map(|one| one.text.clone())
    }),
    ("server name", |it| it.sni.clone()),
    ("forward secret", |it| {
        Some(
            if it.forward_secrecy.holds {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        )
    }),
    ("status", |it| it.status.clone()),
];

/// What the witnesses say, a column for each target; who says it where they do not say the same.
fn facts(results: &[(&str, &Outcomes<'_>)]) -> Markup {
    if results
        .iter()
        .all(|(_, one)| one.facts.testimonies.is_empty())
    {
        return html! {};
    }
    let rows = ROWS.iter().map(|(heading, of)| {
        let cells: Vec<Vec<(String, Vec<&str>)>> = results
            .iter()
            .map(|(_, one)| {
                let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
                for testimony in &one.facts.testimonies {
                    if let Some(value) = of(&testimony.session) {
                        said.entry(value).or_default().push(who(testimony.witness));
                    }
                }
                said.into_iter().collect()
            })
            .collect();
        (*heading, cells)
    });
    html! {
        div.scroll { table {
            thead { tr {
                td {}
                @for (target, _) in results { th scope="col" { (safe(target)) } }
            } }
            tbody {
                @for (heading, cells) in rows {
                    @if cells.iter().any(|cell| !cell.is_empty()) {
                        tr.changed[differ(&cells)] {
                            th scope="row" { (heading) }
                            @for cell in &cells { td { (said(cell)) } }
                        }
                    }
                }
            }
        } }
    }
}

fn differ(cells: &[Vec<(String, Vec<&str>)>]) -> bool {
    let values = |cell: &Vec<(String, Vec<&str>)>| -> Vec<String> {
        cell.iter().map(|(value, _)| value.clone()).collect()
    };
    let told: Vec<_> = cells
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(values)
        .collect();
    told.windows(2).any(|pair| pair[0] != pair[1])
}

fn said(cell: &[(String, Vec<&str>)]) -> Markup {
    html! {
        @match cell {
            [] => {},
            [(value, witnesses)] => { (safe(value)) @if witnesses.len() > 1 { small { " ✓" (witnesses.len()) } } },
            several => {
                @for (value, witnesses) in several { div { (safe(value)) small { " " (witnesses.join(", ")) } } }
            },
        }
    }
}

fn who(witness: WitnessName) -> &'static str {
    match witness {
        WitnessName::ServerLog => "server log",
        WitnessName::ClientLog => "client log",
        WitnessName::Received => "received",
        WitnessName::Peer => "peer",
        WitnessName::Wire => "wire",
    }
}

/// What one witness said on each target: once where it is the same, else the lines that are not.
fn witness(
    case: &CaseRow<'_>,
    section: Section,
    results: &[(&str, &Outcomes<'_>)],
    texts: &mut Texts,
) -> Markup {
    let mut distinct: Vec<(String, Vec<&str>)> = Vec::new();
    for (target, one) in results {
        let Some(text) = one.facts.witnesses.get(section.name()) else {
            continue;
        };
        match distinct.iter_mut().find(|(known, _)| known == text) {
            Some((_, targets)) => targets.push(target),
            None => distinct.push((text.clone(), vec![target])),
        }
    }
    let Some(((first, targets), others)) = distinct.split_first() else {
        return html! {};
    };
    html! {
        h4 { (section.name()) @if !others.is_empty() { small { " " (safe(&targets.join(", "))) } } }
        (stored(case, first, texts))
        @for (other, targets) in others {
            p.dim { (safe(&targets.join(", "))) " differs:" }
            (difference(first, other))
        }
    }
}

/// A text, or where the same stands.
fn stored(case: &CaseRow<'_>, text: &str, texts: &mut Texts) -> Markup {
    if text.len() < LONG {
        return html! { pre { (safe(text.trim_end())) } };
    }
    if let Some((number, id)) = texts.0.get(text) {
        return html! { p { a href=(format!("#t{number}")) { "as in " (safe(id)) } } };
    }
    let number = texts.0.len();
    texts.0.insert(text.to_owned(), (number, case.id.clone()));
    html! { pre id=(format!("t{number}")) { (safe(text.trim_end())) } }
}

/// The lines of `new` that are not those of `old`, with the words marked.
fn difference(old: &str, new: &str) -> Markup {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    html! {
        pre {
            @for op in ops {
                @let (tag, of_old, of_new) = op.as_tag_tuple();
                @if tag != DiffTag::Equal {
                    @let (was, is) = (old.get(of_old).unwrap_or_default(), new.get(of_new).unwrap_or_default());
                    @for place in 0..was.len().max(is.len()) {
                        (words(was.get(place).copied(), is.get(place).copied()))
                    }
                }
            }
        }
    }
}

/// A line that went, one that came, or one that took the other's place.
fn words(was: Option<&str>, is: Option<&str>) -> Markup {
    let split = |text: Option<&str>| -> Vec<String> {
        let text = text.unwrap_or_default();
        text.split_inclusive([' ', '\t'])
            .map(str::to_owned)
            .collect()
    };
    let (was_words, is_words) = (split(was), split(is));
    let ops = capture_diff_slices(Algorithm::Myers, &was_words, &is_words);
    let pieces = |is_old: bool| {
        let pieces = ops.iter().map(|op| {
            let (tag, of_old, of_new) = op.as_tag_tuple();
            let words = match is_old {
                true => was_words.get(of_old),
                false => is_words.get(of_new),
            };
            (
                tag == DiffTag::Equal,
                safe(&words.unwrap_or_default().concat()),
            )
        });
        pieces
            .filter(|(_, text)| !text.is_empty())
            .collect::<Vec<_>>()
    };
    html! {
        @if was.is_some() {
            "- " @for (same, text) in pieces(true) { @if same { (text) } @else { del { (text) } } } "\n"
        }
        @if is.is_some() {
            "+ " @for (same, text) in pieces(false) { @if same { (text) } @else { ins { (text) } } } "\n"
        }
    }
}

/// A reason; a line that took another's place with its words marked.
pub(super) fn reason(text: &str) -> Markup {
    let mut lines = text.trim_end().lines().peekable();
    let mut pairs: Vec<(Option<&str>, Option<&str>, Option<&str>)> = Vec::new();
    while let Some(line) = lines.next() {
        let next = lines.peek().and_then(|next| next.strip_prefix("+ "));
        match (line.strip_prefix("- "), next, line.strip_prefix("+ ")) {
            (Some(old), Some(new), _) => {
                pairs.push((None, Some(old), Some(new)));
                lines.next();
            }
            (Some(old), None, _) => pairs.push((None, Some(old), None)),
            (None, _, Some(new)) => pairs.push((None, None, Some(new))),
            (None, _, None) => pairs.push((Some(line), None, None)),
        }
    }
    html! {
        pre {
            @for (plain, was, is) in pairs {
                @if let Some(plain) = plain { (safe(plain)) "\n" } @else { (words(was, is)) }
            }
        }
    }
}
