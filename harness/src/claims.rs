//! From the claims of the documentation to the scenarios that carry them, and to what each target
//! really does, as the committed snapshots have it. Pure but for reading these.

mod coverage;
mod entry;
mod facts;
mod page;

pub use coverage::{Gap, gaps};
pub use facts::{Fact, Facts};
pub use page::pages;
