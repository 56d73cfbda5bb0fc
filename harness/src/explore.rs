//! Combinations of settings that nobody wrote down, and what must hold for any of them. Pure: which combinations there
//! are, the scenario that each is, what rules say of what was seen.
//!
//! ```text
//! scenarios/space.toml
//!   → space      axes, their values, what never goes together
//!   → cover      rows in which every pair (or triple) of values stands
//!   → render     a row as a scenario like any other
//!   → rules      what the documentation says of every session
//!   → finding    what breaks a rule, by rule and cause
//! ```

mod cover;
mod coverage;
mod finding;
mod intent;
mod known;
mod model;
mod render;
mod rules;
mod space;
mod twins;

pub use cover::cover;
pub use coverage::{Coverage, coverage};
pub use finding::{Finding, Group, group};
pub use intent::Intent;
pub use known::{Known, KnownFindings};
pub use model::{Model, Row};
pub use render::{document, scenario};
pub use rules::{Broken, RULES, Rule, Seen, check};
pub use space::{Space, SpaceError};
pub use twins::{TWINS, Twin, differences};
