//! What table and grid show of a case.

use crate::outcome::Outcome;
use crate::plan::Sides;

pub(super) struct Cell {
    pub(super) id: String,
    pub(super) target: String,
    pub(super) sides: Sides,
    pub(super) outcome: Outcome,
    /// The snapshot was written.
    pub(super) accepted: bool,
}
