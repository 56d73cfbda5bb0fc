//! Results by cause: the same difference on three targets or in twenty cases is one thing to tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::CaseResult;
use crate::outcome::Outcome;

/// Results that have the same to say, those with the most first.
pub(super) fn blocks(failed: &[Arc<CaseResult>]) -> Vec<Vec<&CaseResult>> {
    let mut places: BTreeMap<(&str, Vec<&str>), usize> = BTreeMap::new();
    let mut blocks: Vec<Vec<&CaseResult>> = Vec::new();
    for result in failed {
        let key = (result.outcome.word(), cause(&result.outcome));
        let place = *places.entry(key).or_insert(blocks.len());
        match blocks.get_mut(place) {
            Some(block) => block.push(result),
            None => blocks.push(vec![result]),
        }
    }
    blocks.sort_by_key(|block| std::cmp::Reverse(block.len()));
    blocks
}

/// The lines of the reasons that tell one cause from another: what is the same around a changed line is of the case.
fn cause(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.reasons().iter().flat_map(|reason| reason.lines());
    lines.filter(|line| !line.starts_with("  ")).collect()
}
