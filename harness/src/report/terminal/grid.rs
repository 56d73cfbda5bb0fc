//! Client × server, for cases that fix the target of a side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::cell::Cell;
use crate::outcome::{Outcome, Tally};

/// A line for each client target, a column for each server target; `None` where no case fixes one.
pub(super) fn grid(cells: &[Cell]) -> Option<String> {
    let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
    for result in cells.iter().filter(|result| result.sides.fixed) {
        if let (Some(client), Some(server)) = (&result.sides.client, &result.sides.server) {
            tallies
                .entry((client, server))
                .or_default()
                .add(&result.outcome);
        }
    }
    let clients: BTreeSet<&str> = tallies.keys().map(|(client, _)| *client).collect();
    let servers: BTreeSet<&str> = tallies.keys().map(|(_, server)| *server).collect();
    let first = clients.iter().map(|name| name.len()).max()?.max(15) + 2;
    let width = |server: &str| server.len().max(16) + 2;
    let mut out = format!("{:first$}", "client \\ server");
    for server in &servers {
        let _ = write!(out, "{server:>0$}", width(server));
    }
    out.push('\n');
    for client in &clients {
        let _ = write!(out, "{client:first$}");
        for server in &servers {
            let words = tallies
                .get(&(*client, *server))
                .map(words)
                .unwrap_or_default();
            let _ = write!(out, "{words:>0$}", width(server));
        }
        out.push('\n');
    }
    Some(out)
}

fn words(tally: &Tally) -> String {
    let counted = [
        (tally.broken, Outcome::Broken(String::new())),
        (tally.fail, Outcome::Fail(Vec::new())),
        (tally.pass, Outcome::Pass),
    ];
    let words: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, outcome)| match outcome {
            Outcome::Pass => format!("{count} pass"),
            other => format!("{count} {}", other.word().to_uppercase()),
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Sides;

    fn result(client: &str, server: &str, fixed: bool, outcome: Outcome) -> Cell {
        Cell {
            id: format!("pairs/default[{server}]"),
            target: client.into(),
            sides: Sides {
                client: Some(client.into()),
                server: Some(server.into()),
                fixed,
            },
            outcome,
            accepted: false,
        }
    }

    #[test]
    fn each_pair_counts_where_it_belongs() {
        let results = [
            result("debian-11", "debian-12", true, Outcome::Pass),
            result("debian-11", "debian-12", true, Outcome::Fail(Vec::new())),
            result("debian-12", "debian-11", true, Outcome::Pass),
            result("debian-12", "debian-12", false, Outcome::Pass),
        ];
        let grid = grid(&results).unwrap();
        let lines: Vec<Vec<&str>> = grid
            .lines()
            .map(|line| {
                line.split("  ")
                    .map(str::trim)
                    .filter(|w| !w.is_empty())
                    .collect()
            })
            .collect();
        assert_eq!(lines[0], ["client \\ server", "debian-11", "debian-12"]);
        assert_eq!(lines[1], ["debian-11", "1 FAIL, 1 pass"]);
        assert_eq!(lines[2], ["debian-12", "1 pass"]);
        assert_eq!(super::grid(&results[3..]), None);
    }
}
