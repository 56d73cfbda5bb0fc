//! The space: axes with values, and what never goes together. Data, read from a TOML file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::model::Model;
use crate::scenario::{CaseVersions, OneOrMany, Predicate, TargetVersions};

/// Most values of an axis: a set of them is the bits of a word.
const MOST_VALUES: usize = 64;

/// The id of a value that sets nothing.
pub(super) const UNSET: &str = "-";

/// Why a space cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// It cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or has keys of no space.
    #[error("{}: {source}", .path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        source: Box<toml::de::Error>,
    },
    /// It contradicts itself.
    #[error("{}: {what}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Which key, what was found, what was expected.
        what: String,
    },
}

/// Axes, their values, and constraints.
#[derive(Clone, Debug)]
pub struct Space {
    /// In the order in which they are applied to the scenario.
    pub axes: Vec<Axis>,
    /// Values that never stand in one row.
    pub never: Vec<Never>,
    /// Values of which no session comes when they stand in one row.
    pub refused: Vec<Never>,
}

/// One thing that varies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name: that of the parameter, where it is one.
    pub name: String,
    /// The key of the scenario that a value is put at which does not say it itself.
    key: Option<String>,
    /// Values of other axes without which this one keeps its first value.
    #[serde(default)]
    needs: BTreeMap<String, OneOrMany>,
    /// One of those whose triples are tried.
    #[serde(default)]
    pub main: bool,
    /// The first one is what it is by default.
    pub values: Vec<Choice>,
}

/// One value of an axis.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Written")]
pub struct Choice {
    /// Its name; what `<axis>` stands for in other values.
    pub id: String,
    /// Keys of the scenario and what is put there. `None`: the id, at the axis' key.
    pub(super) set: Option<BTreeMap<String, toml::Value>>,
    /// It is wrong on purpose: a Postfix may give up for it.
    pub invalid: bool,
    /// All of these hold for the targets that have it.
    targets: OneOrMany<Predicate>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Id(String),
    Table(WrittenTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    id: String,
    set: Option<BTreeMap<String, toml::Value>>,
    #[serde(default)]
    invalid: bool,
    #[serde(default)]
    targets: OneOrMany<Predicate>,
}

impl From<Written> for Choice {
    fn from(written: Written) -> Self {
        match written {
            Written::Id(id) => Self {
                id,
                set: None,
                invalid: false,
                targets: OneOrMany::default(),
            },
            Written::Table(WrittenTable {
                id,
                set,
                invalid,
                targets,
            }) => Self {
                id,
                set,
                invalid,
                targets,
            },
        }
    }
}

/// Values that never stand in one row: all of these at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// Axes, and the values meant of each.
    pub when: BTreeMap<String, OneOrMany>,
    /// Why such a row would say nothing.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpaceFile {
    axis: Vec<Axis>,
    #[serde(default)]
    never: Vec<Never>,
    #[serde(default)]
    refused: Vec<Never>,
}

impl Axis {
    /// Where a value is put that does not say so itself.
    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.values.iter().position(|value| value.id == id)
    }
}

impl Space {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no space.
    pub fn read(path: &Path) -> Result<Self, SpaceError> {
        let text = std::fs::read_to_string(path).map_err(|source| SpaceError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// Parses a file's text.
    ///
    /// # Errors
    /// It is no space.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SpaceError> {
        let file: SpaceFile = toml::from_str(text).map_err(|source| SpaceError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let space = Self {
            axes: file.axis,
            never: file.never,
            refused: file.refused,
        };
        space.consistent().map_err(|what| SpaceError::Wrong {
            path: path.to_owned(),
            what,
        })?;
        Ok(space)
    }

    fn consistent(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for axis in &self.axes {
            let name = &axis.name;
            if !names.insert(name) {
                return Err(format!("the axis `{name}` stands there twice"));
            }
            if axis.values.is_empty() || axis.values.len() > MOST_VALUES {
                return Err(format!(
                    "the axis `{name}` has {} values; expected 1 to {MOST_VALUES}",
                    axis.values.len()
                ));
            }
            let mut ids = BTreeSet::new();
            for value in &axis.values {
                if !ids.insert(&value.id) {
                    return Err(format!("the axis `{name}` has `{}` twice", value.id));
                }
                if value.set.is_none() && axis.key.is_none() && value.id != UNSET {
                    return Err(format!(
                        "`{}` of the axis `{name}` is put nowhere: give the axis a `key`, or the value a `set`",
                        value.id
                    ));
                }
            }
            self.known(&axis.needs, &format!("`needs` of the axis `{name}`"))?;
        }
        for never in self.never.iter().chain(&self.refused) {
            self.known(&never.when, &format!("`never` ({})", never.why))?;
        }
        Ok(())
    }

    fn known(&self, all: &BTreeMap<String, OneOrMany>, place: &str) -> Result<(), String> {
        for (name, ids) in all {
            let Some(axis) = self.axis(name) else {
                return Err(format!("{place} names `{name}`, which is no axis"));
            };
            if let Some(id) = ids.iter().find(|id| axis.position(id).is_none()) {
                let known: Vec<_> = axis.values.iter().map(|value| value.id.as_str()).collect();
                return Err(format!(
                    "{place} names `{id}` of `{name}`; expected one of {}",
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// The axis of this name.
    pub fn axis(&self, name: &str) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.name == name)
    }

    /// What a target has of it: without values that are not meant for it, and without those that set a parameter it lacks.
    /// A value that is named where it is not any more is one that is never chosen.
    #[must_use]
    pub fn on(&self, target: &TargetVersions, has: &dyn Fn(&str) -> bool) -> Self {
        let versions = CaseVersions {
            own: target,
            client: target,
            server: target,
        };
        let mut narrowed = self.clone();
        for axis in &mut narrowed.axes {
            let key = axis.key.clone();
            let applies = |value: &Choice| {
                let keys = value.set.iter().flat_map(BTreeMap::keys);
                let own = key
                    .iter()
                    .filter(|_| value.set.is_none() && value.id != UNSET);
                value.targets.iter().all(|one| one.holds(versions))
                    && keys.chain(own).all(|key| parameter(key).is_none_or(has))
            };
            // The first one is what the target does by itself.
            let mut number = 0;
            axis.values.retain(|value| {
                number += 1;
                number == 1 || applies(value)
            });
        }
        narrowed
    }

    /// The numbers that the covering array is made of.
    pub fn model(&self) -> Model {
        let mask = |axis: &Axis, ids: &OneOrMany| {
            let places = ids.iter().filter_map(|id| axis.position(id));
            places.fold(0_u64, |mask, place| mask | 1 << place)
        };
        let place = |name: &str| self.axes.iter().position(|axis| axis.name == name);
        let mut model = Model::new(self.axes.iter().map(|axis| axis.values.len()));
        for (number, axis) in self.axes.iter().enumerate() {
            for (needed, ids) in &axis.needs {
                if let Some(other) = place(needed) {
                    let all = mask_of(self.axes[other].values.len());
                    let without = all & !mask(&self.axes[other], ids);
                    model.forbid(vec![
                        (other, without),
                        (number, mask_of(axis.values.len()) & !1),
                    ]);
                }
            }
            for (value, choice) in axis.values.iter().enumerate() {
                if choice.invalid {
                    model.invalid(number, value);
                }
            }
        }
        let clause = |never: &Never| -> Vec<(usize, u64)> {
            let parts = never.when.iter().filter_map(|(name, ids)| {
                let axis = place(name)?;
                Some((axis, mask(&self.axes[axis], ids)))
            });
            parts.collect()
        };
        for never in &self.never {
            model.forbid(clause(never));
        }
        for refused in &self.refused {
            model.refuse(clause(refused));
        }
        model
    }

    /// The axes whose triples are tried.
    pub fn main_axes(&self) -> Vec<usize> {
        let numbered = self.axes.iter().enumerate();
        numbered
            .filter(|(_, axis)| axis.main)
            .map(|(number, _)| number)
            .collect()
    }
}

/// All of so many values.
fn mask_of(count: usize) -> u64 {
    if count >= MOST_VALUES {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// The Postfix parameter that a key of a scenario sets, if it does.
fn parameter(key: &str) -> Option<&str> {
    ["client.postfix.", "server.postfix."]
        .iter()
        .find_map(|side| key.strip_prefix(side))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size that a user waits for, and that every combination is a scenario.
    #[test]
    fn the_space_of_the_suite_is_covered_by_valid_scenarios() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/space.toml");
        let space = Space::read(&path).unwrap();
        let values: usize = space.axes.iter().map(|axis| axis.values.len()).sum();
        assert!(
            space.axes.len() >= 25 && values >= 120,
            "{}, {values}",
            space.axes.len()
        );
        let model = space.model();
        let axes: Vec<usize> = (0..space.axes.len()).collect();
        let rows = crate::explore::cover(&model, &axes, 2, 1);
        let counted = crate::explore::coverage(&model, &axes, 2, &rows);
        assert_eq!(counted.covered, counted.possible);
        for (number, row) in rows.iter().enumerate() {
            let document = crate::explore::document(&space, row);
            if let Err(error) = crate::explore::scenario(&document, &number.to_string()) {
                panic!("{error}\n{document}");
            }
        }
        assert!(rows.len() < 1000, "{}", rows.len());
        assert!((5..=10).contains(&space.main_axes().len()));
    }

    fn wrong(text: &str) -> String {
        Space::parse(Path::new("space.toml"), text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn errors_name_the_axis_and_what_was_expected() {
        let axis = |rest: &str| format!("[[axis]]\nname = \"a\"\n{rest}\n");
        let error = wrong(&axis("values = [\"x\"]"));
        assert!(
            error.contains("`x` of the axis `a` is put nowhere"),
            "{error}"
        );
        let error = wrong(&axis("key = \"why\"\nvalues = [\"x\", \"x\"]"));
        assert!(error.contains("has `x` twice"), "{error}");
        let error = wrong(&axis(
            "key = \"why\"\nvalues = [\"x\"]\n[[never]]\nwhy = \"w\"\nwhen = { a = \"y\" }",
        ));
        assert!(
            error.contains("names `y` of `a`; expected one of x"),
            "{error}"
        );
        let error = wrong(&axis("values = [\"-\"]\nneeds = { b = \"x\" }"));
        assert!(error.contains("`b`, which is no axis"), "{error}");
        let error = wrong(&axis("values = [\"-\"]\ncolour = 1"));
        assert!(error.contains("line 4"), "{error}");
    }

    #[test]
    fn a_target_has_only_what_is_meant_for_it() {
        let text = "[[axis]]\nname = \"a\"\nkey = \"client.postfix.new\"\nvalues = [\"-\", \"x\", { id = \"y\", set = { why = \"y\" } }, { id = \"z\", targets = \"postfix >= 3.9\", set = {} }]";
        let space = Space::parse(Path::new("space.toml"), text).unwrap();
        let target = TargetVersions {
            name: "t".to_owned(),
            postfix: "3.5".parse().unwrap(),
            openssl: "1.1.1".parse().unwrap(),
        };
        let ids = |space: &Space| -> Vec<String> {
            space.axes[0]
                .values
                .iter()
                .map(|one| one.id.clone())
                .collect()
        };
        assert_eq!(ids(&space.on(&target, &|_| false)), ["-", "y"]);
        assert_eq!(ids(&space.on(&target, &|_| true)), ["-", "x", "y"]);
    }
}
