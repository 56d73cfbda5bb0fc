//! Rows in which every tuple of values stands that can: a covering array, made greedily a row at a time as AETG does (Cohen,
//! Dalal, Fredman, Patton: The AETG System, IEEE Transactions on Software Engineering 23(7), 1997), with constraints and
//! with invalid values kept apart as Czerwonka describes for PICT (Pairwise Testing in the Real World, 2006).

use super::model::{Choose, Model, Row};

/// Rows that are tried for each that is taken. AETG found little beyond 50; the time is better spent on running them.
const CANDIDATES: usize = 8;

/// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (OOPSLA 2014). The same on every machine and for all
/// time: a seed is part of a report.
pub(super) struct SplitMix(u64);

impl SplitMix {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Fisher and Yates.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.next() % (last as u64 + 1)).unwrap_or_default();
            items.swap(last, other);
        }
    }
}

/// Tuples that stand in no row yet, by the numbers of their values over all axes.
struct Left {
    values: usize,
    strength: usize,
    left: Vec<bool>,
}

impl Left {
    fn new(values: usize, strength: usize) -> Self {
        let size = (0..strength).fold(1, |size, _| size * values);
        Self {
            values,
            strength,
            left: vec![false; size],
        }
    }

    /// The place of a tuple, whatever the order of its values.
    fn place(&self, numbers: &mut [usize]) -> usize {
        numbers.sort_unstable();
        let numbers = numbers.iter();
        numbers.fold(0, |place, number| place * self.values + number)
    }

    /// Calls `found` with the place of each tuple that `own` makes with others.
    fn with(&self, own: usize, others: &[usize], found: &mut dyn FnMut(usize)) {
        for (i, a) in others.iter().enumerate() {
            if self.strength == 2 {
                found(self.place(&mut [*a, own]));
                continue;
            }
            for b in &others[i + 1..] {
                found(self.place(&mut [*a, *b, own]));
            }
        }
    }

    /// How many are left of the tuples that `own` makes with others.
    fn count(&self, own: usize, others: &[usize]) -> usize {
        let mut count = 0;
        self.with(own, others, &mut |place| {
            count += usize::from(self.left[place])
        });
        count
    }
}

/// Rows over `axes` in which each possible tuple of `strength` (2 or 3) values of different axes stands; the other axes keep
/// their first value where they may. The same for the same seed.
pub fn cover(model: &Model, axes: &[usize], strength: usize, seed: u64) -> Vec<Row> {
    let sizes = model.sizes();
    let first: Vec<usize> = sizes
        .iter()
        .scan(0, |sum, size| {
            let first = *sum;
            *sum += size;
            Some(first)
        })
        .collect();
    let mut left = Left::new(sizes.iter().sum(), strength);
    let mut queue = Vec::new();
    tuples(model, axes, strength, &mut Vec::new(), &mut queue);
    let (mut queue, mut alone): (Vec<_>, Vec<_>) = queue
        .into_iter()
        .partition(|tuple| model.is_possible(tuple, Choose::Sessions));
    alone.retain(|tuple| model.is_possible(tuple, Choose::All));
    let place = |left: &Left, tuple: &[(usize, usize)]| {
        let numbers = tuple.iter().map(|(axis, value)| first[*axis] + value);
        left.place(&mut numbers.collect::<Vec<_>>())
    };
    for tuple in &queue {
        let place = place(&left, tuple);
        left.left[place] = true;
    }
    let mut random = SplitMix::new(seed);
    random.shuffle(&mut queue);
    // What is wrong on purpose comes last, in rows that say nothing of their other values.
    let has_invalid = |tuple: &[(usize, usize)]| tuple.iter().any(|one| model.is_invalid(*one));
    queue.sort_by_key(|tuple| !has_invalid(tuple));
    let others: Vec<usize> = (0..sizes.len())
        .filter(|axis| !axes.contains(axis))
        .collect();
    let wrong: Vec<usize> = (0..sizes.len())
        .flat_map(|axis| (0..sizes[axis]).map(move |value| (axis, value)))
        .filter(|one| model.is_invalid(*one))
        .map(|(axis, value)| first[axis] + value)
        .collect();
    let numbers = |row: &Row| -> Vec<usize> {
        let numbers = axes.iter().map(|axis| first[*axis] + row[*axis]);
        numbers.collect()
    };
    let mut rows = Vec::new();
    while let Some(tuple) = queue.pop() {
        if !left.left[place(&left, &tuple)] {
            continue;
        }
        let invalid = has_invalid(&tuple);
        let mut best: Option<(usize, Row)> = None;
        for candidate in 0..=CANDIDATES {
            // That it is possible was found by the plain order, which finds it again where luck fails.
            if candidate == CANDIDATES && best.is_some() {
                break;
            }
            let mut order = axes.to_vec();
            if candidate < CANDIDATES {
                random.shuffle(&mut order);
                order.extend(&others);
            } else {
                order = (0..sizes.len()).collect();
            }
            let row = model.complete(&tuple, Choose::Sessions, &order, &mut |chosen, axis| {
                let values = 0..sizes[axis];
                let mut values: Vec<usize> = values
                    .filter(|value| !model.is_invalid((axis, *value)))
                    .collect();
                if candidate < CANDIDATES && !others.contains(&axis) {
                    random.shuffle(&mut values);
                    let known = axes.iter();
                    let known: Vec<usize> = known
                        .filter_map(|other| Some(first[*other] + chosen[*other]?))
                        .collect();
                    values.sort_by_cached_key(|value| {
                        std::cmp::Reverse(left.count(first[axis] + value, &known))
                    });
                }
                values
            });
            let Some(row) = row else { continue };
            let all = numbers(&row);
            let new = (1..all.len())
                .map(|end| left.count(all[end], &all[..end]))
                .sum();
            if best.as_ref().is_none_or(|(most, _)| new > *most) {
                best = Some((new, row));
            }
        }
        let Some((_, row)) = best else { continue };
        let all = numbers(&row);
        let mut places = Vec::new();
        for end in 1..all.len() {
            left.with(all[end], &all[..end], &mut |place| places.push(place));
        }
        if invalid {
            let mut own: Vec<usize> = tuple
                .iter()
                .map(|(axis, value)| first[*axis] + value)
                .collect();
            own.retain(|number| wrong.contains(number));
            places.clear();
            for (end, number) in all
                .iter()
                .enumerate()
                .filter(|(_, number)| own.contains(number))
            {
                let rest = [&all[..end], &all[end + 1..]].concat();
                left.with(*number, &rest, &mut |place| places.push(place));
            }
        }
        for place in places {
            left.left[place] = false;
        }
        rows.push(row);
    }
    // Of these no session comes: each has a row for itself, in which all else is as by default.
    let order: Vec<usize> = (0..sizes.len()).collect();
    rows.extend(alone.iter().filter_map(|tuple| {
        model.complete(tuple, Choose::All, &order, &mut |_, axis| {
            (0..sizes[axis]).collect()
        })
    }));
    rows
}

/// All tuples of values of different axes.
fn tuples(
    model: &Model,
    axes: &[usize],
    strength: usize,
    begun: &mut Vec<(usize, usize)>,
    out: &mut Vec<Vec<(usize, usize)>>,
) {
    if strength == 0 {
        out.push(begun.clone());
        return;
    }
    for (place, axis) in axes.iter().enumerate() {
        for value in 0..model.sizes()[*axis] {
            begun.push((*axis, value));
            tuples(model, &axes[place + 1..], strength - 1, begun, out);
            begun.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::coverage;

    fn model() -> Model {
        let mut model = Model::new([3, 4, 2, 5, 3]);
        // Where the first axis is 2 the fourth is 0; the last two never both 1.
        model.forbid(vec![(0, 0b100), (3, 0b11110)]);
        model.forbid(vec![(3, 0b10), (4, 0b10)]);
        model.invalid(1, 3);
        model.refuse(vec![(0, 0b1), (2, 0b10)]);
        model.invalid(4, 2);
        model
    }

    #[test]
    fn every_tuple_that_can_be_is_in_a_row_and_no_row_breaks_a_constraint() {
        let model = model();
        let axes = [0, 1, 2, 3, 4];
        for strength in [2, 3] {
            let rows = cover(&model, &axes, strength, 7);
            assert!(rows.iter().all(|row| model.allows(row)));
            let counted = coverage(&model, &axes, strength, &rows);
            assert_eq!(counted.covered, counted.possible, "{strength}");
            assert!(counted.possible < counted.all);
            assert_eq!(rows, cover(&model, &axes, strength, 7));
            assert_ne!(rows, cover(&model, &axes, strength, 8));
        }
        // The two largest axes alone make 20 pairs; all combinations would be 360.
        assert!(cover(&model, &axes, 2, 7).len() < 45);
    }

    #[test]
    fn two_invalid_values_are_never_in_one_row() {
        let rows = cover(&model(), &[0, 1, 2, 3, 4], 2, 1);
        assert!(rows.iter().all(|row| row[1] != 3 || row[4] != 2));
        assert!(rows.iter().any(|row| row[1] == 3) && rows.iter().any(|row| row[4] == 2));
    }
}
