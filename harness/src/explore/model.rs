//! A space as numbers: how many values each axis has, and which of them never stand together.

/// A value for each axis, by number.
pub type Row = Vec<usize>;

/// Values of several axes that never stand in one row.
type Clause = Vec<(usize, u64)>;

/// Given what is chosen and an axis: its values, the best ones first.
type Prefer<'a> = dyn FnMut(&[Option<usize>], usize) -> Vec<usize> + 'a;

/// Most steps of the search for the rest of a row.
const MOST_STEPS: usize = 2_000;

/// A space as numbers.
#[derive(Clone, Debug, Default)]
pub struct Model {
    sizes: Vec<usize>,
    clauses: Vec<Clause>,
    /// The clauses that speak of each axis.
    of_axis: Vec<Vec<usize>>,
    invalid: Vec<u64>,
    /// Of which no session comes: their rows say nothing of their other values.
    refused: Vec<Clause>,
}

/// What a search may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choose {
    /// Only what can end in a session.
    Sessions,
    /// What a row may have.
    All,
}

impl Model {
    /// Axes with so many values each.
    pub fn new(sizes: impl IntoIterator<Item = usize>) -> Self {
        let sizes: Vec<usize> = sizes.into_iter().collect();
        Self {
            of_axis: vec![Vec::new(); sizes.len()],
            invalid: vec![0; sizes.len()],
            clauses: Vec::new(),
            refused: Vec::new(),
            sizes,
        }
    }

    /// All of these values never stand in one row.
    pub fn forbid(&mut self, clause: Clause) {
        // A part without values is never there.
        if clause.iter().any(|(_, mask)| *mask == 0) {
            return;
        }
        for (axis, _) in &clause {
            self.of_axis[*axis].push(self.clauses.len());
        }
        self.clauses.push(clause);
    }

    /// No session comes of these values.
    pub fn refuse(&mut self, clause: Clause) {
        if clause.iter().all(|(_, mask)| *mask != 0) {
            self.refused.push(clause);
        }
    }

    /// Whether a value is wrong on purpose.
    pub fn is_invalid(&self, (axis, value): (usize, usize)) -> bool {
        self.invalid[axis] >> value & 1 == 1
    }

    /// Whether a row says nothing of some of its values, as others of them are why no session came of it.
    pub fn masks(&self, row: &[usize], tuple: &[(usize, usize)]) -> bool {
        let mut all = row.iter().copied().enumerate();
        let invalid = all.any(|one| self.is_invalid(one) && !tuple.contains(&one));
        let refused = self.refused.iter().any(|clause| {
            let mut parts = clause.iter();
            parts.all(|(axis, mask)| mask >> row[*axis] & 1 == 1)
        });
        invalid || refused && self.is_possible(tuple, Choose::Sessions)
    }

    /// The value is wrong on purpose: no row has two of that kind.
    pub fn invalid(&mut self, axis: usize, value: usize) {
        self.invalid[axis] |= 1 << value;
    }

    /// How many values each axis has.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Whether a row may be as it is.
    pub fn allows(&self, row: &[usize]) -> bool {
        let wrong = row
            .iter()
            .zip(&self.invalid)
            .filter(|(value, mask)| *mask >> **value & 1 == 1);
        wrong.count() <= 1
            && !self.clauses.iter().any(|clause| {
                clause
                    .iter()
                    .all(|(axis, mask)| mask >> row[*axis] & 1 == 1)
            })
    }

    /// Gives an axis a value and takes from all axes what cannot stand beside it any more. False where nothing is left of one.
    fn assign(&self, domains: &mut [u64], axis: usize, value: usize, choose: Choose) -> bool {
        if domains[axis] >> value & 1 == 0 {
            return false;
        }
        domains[axis] = 1 << value;
        let mut changed = vec![axis];
        if self.invalid[axis] >> value & 1 == 1 {
            for (other, mask) in self.invalid.iter().enumerate() {
                if other != axis && domains[other] & mask != 0 {
                    domains[other] &= !mask;
                    changed.push(other);
                }
            }
        }
        while let Some(axis) = changed.pop() {
            if domains[axis] == 0 {
                return false;
            }
            let own = self.of_axis[axis]
                .iter()
                .map(|number| &self.clauses[*number]);
            let refused = self.refused.iter().filter(|_| choose == Choose::Sessions);
            let refused = refused.filter(|clause| clause.iter().any(|(other, _)| *other == axis));
            for clause in own.chain(refused) {
                let mut open = clause
                    .iter()
                    .filter(|(other, mask)| domains[*other] & !mask != 0);
                match (open.next(), open.next()) {
                    (None, _) => return false,
                    (Some((other, mask)), None) if domains[*other] & mask != 0 => {
                        domains[*other] &= !mask;
                        changed.push(*other);
                    }
                    _ => {}
                }
            }
        }
        true
    }

    /// The rest of a row: each axis of `order` gets the first of the values that `prefer` names for it which leads to a whole
    /// row. `None` where there is none.
    pub fn complete(
        &self,
        fixed: &[(usize, usize)],
        choose: Choose,
        order: &[usize],
        prefer: &mut Prefer<'_>,
    ) -> Option<Row> {
        let full = |size: &usize| u64::MAX >> (u64::BITS as usize - size);
        let mut domains: Vec<u64> = self.sizes.iter().map(full).collect();
        let mut chosen = vec![None; self.sizes.len()];
        for (axis, value) in fixed {
            chosen[*axis] = Some(*value);
            if !self.assign(&mut domains, *axis, *value, choose) {
                return None;
            }
        }
        let free: Vec<usize> = order
            .iter()
            .copied()
            .filter(|axis| chosen[*axis].is_none())
            .collect();
        let mut steps = 0;
        self.search(&domains, choose, &mut chosen, &free, prefer, &mut steps)
            .then(|| {
                let values = chosen.iter().map(|value| value.unwrap_or_default());
                values.collect()
            })
    }

    fn search(
        &self,
        domains: &[u64],
        choose: Choose,
        chosen: &mut [Option<usize>],
        free: &[usize],
        prefer: &mut Prefer<'_>,
        steps: &mut usize,
    ) -> bool {
        let Some((axis, rest)) = free.split_first() else {
            return true;
        };
        for value in prefer(chosen, *axis) {
            *steps += 1;
            if *steps > MOST_STEPS {
                return false;
            }
            let mut narrowed = domains.to_vec();
            if self.assign(&mut narrowed, *axis, value, choose) {
                chosen[*axis] = Some(value);
                if self.search(&narrowed, choose, chosen, rest, prefer, steps) {
                    return true;
                }
                chosen[*axis] = None;
            }
        }
        false
    }

    /// Whether some row has these values.
    pub fn is_possible(&self, values: &[(usize, usize)], choose: Choose) -> bool {
        let order: Vec<usize> = (0..self.sizes.len()).collect();
        self.complete(values, choose, &order, &mut |_, axis| {
            (0..self.sizes[axis]).collect()
        })
        .is_some()
    }
}
