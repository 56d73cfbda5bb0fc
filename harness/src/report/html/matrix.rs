//! The tables of results: scenario × target with what was negotiated, client × server, and what filters them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use maud::{Markup, html};

use super::model::{CaseRow, Model, Outcomes, key_exchange, safe};
use crate::event::CaseResult;
use crate::outcome::Tally;

/// Choices by which the matrix is filtered; the script shows it.
pub(super) fn filters(model: &Model<'_>) -> Markup {
    let all = || model.cases.values().flat_map(|case| case.results.values());
    let sessions = || all().filter_map(Outcomes::session);
    let topics: BTreeSet<String> = model
        .cases
        .values()
        .map(|case| case.topic.to_owned())
        .collect();
    let targets: BTreeSet<String> = model.targets.iter().map(ToString::to_string).collect();
    let outcomes: BTreeSet<String> = all()
        .map(|one| one.result.outcome.word().to_owned())
        .collect();
    let groups: BTreeSet<String> = sessions().map(key_exchange).collect();
    let protocols: BTreeSet<String> = sessions().map(|one| one.protocol.clone()).collect();
    let statuses: BTreeSet<String> = all()
        .flat_map(|one| {
            one.statuses()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    html! {
        form #filters hidden {
            label { "name has" input name="q" type="search" autocomplete="off"; }
            @for (name, label, choices) in [
                ("topic", "topic", &topics), ("target", "target", &targets), ("outcome", "outcome", &outcomes),
                ("kx", "key exchange", &groups), ("protocol", "version", &protocols), ("status", "status word", &statuses),
            ] {
                label { (label)
                    select name=(name) {
                        option value="" { "all" }
                        @for choice in choices { option { (safe(choice)) } }
                    }
                }
            }
            button type="reset" { "all" }
            output #count aria-live="polite" {}
        }
    }
}

/// A table for each topic, open where something in it did not pass.
pub(super) fn matrix(model: &Model<'_>) -> Markup {
    let mut topics: BTreeMap<&str, Vec<&CaseRow<'_>>> = BTreeMap::new();
    for case in model.cases.values() {
        topics.entry(case.topic).or_default().push(case);
    }
    html! {
        p.legend {
            span.pass { "pass" } span.fail { "fail" } span.broken { "broken" } span.differs { "differs in text" }
            span.not-applicable { "n/a" } " A dashed frame: no forward secrecy."
        }
        @for (topic, cases) in topics {
            details.topic open[is_open(&cases)] {
                summary { (safe(topic)) " " small { (tally(&cases).to_string()) } }
                div.scroll { table {
                    thead { tr {
                        th scope="col" { "case" }
                        @for target in &model.targets { th scope="col" { (safe(target)) } }
                    } }
                    tbody { @for case in cases { (row(case, &model.targets)) } }
                } }
            }
        }
    }
}

fn tally(cases: &[&CaseRow<'_>]) -> Tally {
    let mut tally = Tally::default();
    for one in cases.iter().flat_map(|case| case.results.values()) {
        tally.add(&one.result.outcome);
    }
    tally
}

fn is_open(cases: &[&CaseRow<'_>]) -> bool {
    let tally = tally(cases);
    tally.fail + tally.broken + tally.differs > 0
}

fn row(case: &CaseRow<'_>, targets: &[&str]) -> Markup {
    html! {
        tr data-id=(safe(&case.id)) data-topic=(safe(case.topic)) data-case=(case.anchor) {
            th scope="row" { a href=(format!("#{}", case.anchor)) { (safe(&case.id)) } }
            @for target in targets {
                @match case.results.get(target) {
                    Some(one) => (cell(target, one)),
                    None => td {},
                }
            }
        }
    }
}

fn cell(target: &str, one: &Outcomes<'_>) -> Markup {
    let word = one.result.outcome.word();
    let session = one.session();
    let group = session.map(key_exchange);
    let statuses: Vec<&str> = one.statuses().into_iter().collect();
    let no_secrecy = session.is_some_and(|session| !session.forward_secrecy.holds);
    let hybrid = group
        .as_deref()
        .is_some_and(|group| group.contains("MLKEM"));
    let mut class = word.to_owned();
    for (holds, more) in [(no_secrecy, " no-fs"), (hybrid, " pq")] {
        if holds {
            class.push_str(more);
        }
    }
    let shown = match (word, &session, &group) {
        ("pass", Some(session), Some(group)) => format!("{} {group}", session.protocol),
        ("pass", ..) => "pass".to_owned(),
        ("not-applicable", ..) => "n/a".to_owned(),
        (other, Some(session), Some(group)) => format!("{other}: {} {group}", session.protocol),
        (other, ..) => other.to_owned(),
    };
    html! {
        td class=(class) data-target=(safe(target)) data-outcome=(word)
            data-kx=[group.map(|group| safe(&group))]
            data-protocol=[session.map(|session| safe(&session.protocol))]
            data-status=[(!statuses.is_empty()).then(|| safe(&statuses.join("|")))] { (safe(&shown)) }
    }
}

/// Client × server, of cases that fix the target of a side.
pub(super) fn grid(results: &[Arc<CaseResult>]) -> Option<Markup> {
    let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
    for result in results.iter().filter(|result| result.sides.fixed) {
        if let (Some(client), Some(server)) = (&result.sides.client, &result.sides.server) {
            let tally = tallies.entry((client, server)).or_default();
            tally.add(&result.outcome);
        }
    }
    let clients: BTreeSet<&str> = tallies.keys().map(|(client, _)| *client).collect();
    let servers: BTreeSet<&str> = tallies.keys().map(|(_, server)| *server).collect();
    let class = |tally: &Tally| match (tally.broken, tally.fail) {
        (0, 0) => "pass",
        (0, _) => "fail",
        _ => "broken",
    };
    (!tallies.is_empty()).then(|| {
        html! {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "client \\ server" }
                    @for server in &servers { th scope="col" { (safe(server)) } }
                } }
                tbody { @for client in &clients { tr {
                    th scope="row" { (safe(client)) }
                    @for server in &servers {
                        @match tallies.get(&(*client, *server)) {
                            Some(tally) => td class=(class(tally)) { (tally.to_string()) },
                            None => td {},
                        }
                    }
                } } }
            } }
        }
    })
}
