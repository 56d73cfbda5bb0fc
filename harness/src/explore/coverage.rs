//! What share of all tuples of values has been in a row. Counted from the rows alone, by code that shares nothing with the
//! code that chose them: every combination is asked for by trying it.

use std::collections::BTreeSet;

use super::model::{Choose, Model, Row};

/// A count of tuples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Tuples of values of different axes.
    pub all: usize,
    /// Those that no constraint rules out.
    pub possible: usize,
    /// Those in a row of which a session can come, unless they are themselves the reason why none does.
    pub covered: usize,
}

impl Coverage {
    /// In percent of what is possible, rounded down: 100 is all of it.
    pub fn percent(&self) -> usize {
        (self.covered * 100)
            .checked_div(self.possible)
            .unwrap_or(100)
    }
}

/// Counts the tuples of `strength` (2 or 3) values over `axes`.
pub fn coverage(model: &Model, axes: &[usize], strength: usize, rows: &[Row]) -> Coverage {
    let mut seen: BTreeSet<Vec<(usize, usize)>> = BTreeSet::new();
    for row in rows.iter().filter(|row| model.allows(row)) {
        let values: Vec<(usize, usize)> = axes.iter().map(|axis| (*axis, row[*axis])).collect();
        let mut add = |tuple: Vec<(usize, usize)>| {
            if !seen.contains(&tuple) && !model.masks(row, &tuple) {
                seen.insert(tuple);
            }
        };
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate().skip(i + 1) {
                if strength == 2 {
                    add(vec![*a, *b]);
                    continue;
                }
                for c in &values[j + 1..] {
                    add(vec![*a, *b, *c]);
                }
            }
        }
    }
    let (mut all, mut possible) = (0, 0);
    let mut count = |tuple: Vec<(usize, usize)>| {
        all += 1;
        possible += usize::from(seen.contains(&tuple) || model.is_possible(&tuple, Choose::All));
    };
    let values = |axis: usize| (0..model.sizes()[axis]).map(move |value| (axis, value));
    for (i, a) in axes.iter().enumerate() {
        for (j, b) in axes.iter().enumerate().skip(i + 1) {
            for x in values(*a) {
                for y in values(*b) {
                    if strength == 2 {
                        count(vec![x, y]);
                        continue;
                    }
                    for c in &axes[j + 1..] {
                        values(*c).for_each(|z| count(vec![x, y, z]));
                    }
                }
            }
        }
    }
    Coverage {
        all,
        possible,
        covered: seen.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_there_and_what_could_be() {
        let mut model = Model::new([2, 2, 2]);
        model.forbid(vec![(0, 0b10), (1, 0b10)]);
        let counted = coverage(&model, &[0, 1, 2], 2, &[vec![0, 0, 0], vec![1, 0, 1]]);
        let expected = Coverage {
            all: 12,
            possible: 11,
            covered: 6,
        };
        assert_eq!(counted, expected);
        // A row that may not be counts for nothing.
        assert_eq!(coverage(&model, &[0, 1, 2], 2, &[vec![1, 1, 0]]).covered, 0);
    }
}
