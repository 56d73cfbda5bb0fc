//! Mutants: the same case with one thing of the scenario changed. A case whose mutant passes shows
//! nothing about that thing. Pure: which mutants there are, and what a result means.

mod derive;
mod values;

pub use derive::{Defaults, derive};

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::outcome::Outcome;
use crate::plan::{self, Case, Decision};
use crate::scenario::{CaseId, TargetVersions};
use crate::snapshot::Comparison;

/// One change of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// The key that is changed, its parts with dots between them.
    pub key: String,
    /// What is done, in words.
    pub what: String,
    /// Keys and their new values; `None` leaves the key out.
    pub edits: Vec<(String, Option<toml::Value>)>,
    /// A piece of the difference that has to be found.
    pub changes: Option<String>,
}

impl Mutation {
    /// `document` with the change made.
    pub fn apply(&self, document: &toml::Table) -> toml::Table {
        let mut changed = document.clone();
        for (key, value) in &self.edits {
            edit(&mut changed, &split(key), value.as_ref());
        }
        changed
    }
}

/// The value at a key.
pub fn value_at<'a>(document: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    let mut parts = split(key).into_iter();
    let first = document.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// Sets or removes what `parts` lead to; tables on the way are made.
fn edit(table: &mut toml::Table, parts: &[&str], value: Option<&toml::Value>) {
    let (Some((first, rest)), value) = (parts.split_first(), value) else {
        return;
    };
    if rest.is_empty() {
        match value {
            Some(value) => table.insert((*first).to_owned(), value.clone()),
            None => table.remove(*first),
        };
        return;
    }
    let inner = table
        .entry(*first)
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let toml::Value::Table(inner) = inner {
        edit(inner, rest, value);
    }
}

/// The parts of a key; a name with dots of its own (a host under `sni`, a file) is the last part.
fn split(key: &str) -> Vec<&str> {
    if let Some(name) = key.strip_prefix("files.") {
        return vec!["files", name];
    }
    match key.split_once(".sni.") {
        Some((side, name)) if !name.is_empty() => vec![side, "sni", name],
        _ => key.split('.').collect(),
    }
}

/// A case with one thing changed, ready to be run.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The case it was made from.
    pub original: CaseId,
    /// The change.
    pub mutation: Mutation,
    /// Its plan.
    pub case: Case,
    /// What the key is in the case as it stands.
    pub value: String,
    /// The key has the same value in every case of the file: it is enough if one of them notices.
    pub constant: bool,
    /// The reason the scenario gives why it makes no difference, if it does.
    pub equivalent: Option<String>,
}

/// What came of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It could not be run.
    Broken(String),
    /// It made no difference, and the scenario says why.
    Equivalent(String),
    /// Expectations or the agreement of the witnesses noticed it: the first difference.
    Expectations(String),
    /// Nothing noticed it, but another case of the file notices a change of the same key, whose
    /// value is not what the two differ in.
    Idle,
    /// Only the snapshot noticed it.
    Snapshot,
    /// Nothing noticed it.
    Survived,
    /// Something was noticed, but not what the scenario says must be.
    Otherwise(String),
}

impl Fate {
    /// Its name in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Broken(_) => "broken",
            Self::Equivalent(_) => "equivalent",
            Self::Expectations(_) => "killed",
            Self::Idle => "idle",
            Self::Snapshot => "killed-by-snapshot",
            Self::Survived => "survived",
            Self::Otherwise(_) => "survived-otherwise",
        }
    }
}

/// All mutants of a case. `defaults` tells the default of a Postfix parameter on the target of a
/// side.
///
/// # Errors
/// A mutation that makes no valid scenario.
pub fn mutants(
    case: &Case,
    own: &TargetVersions,
    all: &[TargetVersions],
    defaults: &Defaults<'_>,
) -> Result<Vec<Mutant>, String> {
    let scenario = &case.scenario;
    let document = scenario.document().map_err(|error| error.to_string())?;
    let versions = plan::versions_of(scenario, own, all);
    let given = scenario.file.mutation.iter().map(|given| {
        let set = given
            .set
            .iter()
            .map(|(key, value)| (key.clone(), Some(value.clone())));
        let dropped = given.drop.iter().map(|key| (key.clone(), None));
        Mutation {
            key: given
                .set
                .keys()
                .chain(&given.drop)
                .next()
                .cloned()
                .unwrap_or_default(),
            what: given.why.clone(),
            edits: set.chain(dropped).collect(),
            changes: given.changes.clone(),
        }
    });
    let given = given.map(|mutation| (mutation, true));
    let derived = derive(&document, defaults).into_iter();
    let mutations = given.chain(derived.map(|mutation| (mutation, false)));
    let mut mutants = Vec::new();
    for (mutation, is_given) in mutations {
        // Its name becomes part of a mail domain: a short one, without dots.
        let name = format!("{} {} {}", scenario.id, own.name, mutation.what);
        let label = format!("mutant-{:08x}", number_of(&name));
        let mutated = match scenario.with(&mutation.apply(&document), label) {
            Ok(mutated) => mutated,
            // What is changed was refused before it could run, such as a setting that nothing reads any more: it is noticed.
            Err(_) if !is_given => continue,
            Err(error) => return Err(format!("{} ({}): {error}", scenario.id, mutation.what)),
        };
        let variant = scenario.id.variant.as_deref().unwrap_or_default();
        let equivalent = scenario.file.equivalent.iter().find(|one| {
            one.key.iter().any(|key| *key == mutation.key)
                && one
                    .targets
                    .iter()
                    .all(|condition| condition.holds(versions))
                && (one.cases.is_empty()
                    || one
                        .cases
                        .iter()
                        .any(|case| variant.split(',').any(|part| part == case)))
        });
        if let Decision::Run(plan) = plan::plan(&Arc::new(mutated), own, all) {
            mutants.push(Mutant {
                original: case.id.clone(),
                equivalent: equivalent.map(|one| one.why.clone()),
                value: value_at(&document, &mutation.key)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                mutation,
                constant: false,
                case: *plan,
            });
        }
    }
    Ok(mutants)
}

/// The same for the same text, on every machine.
fn number_of(text: &str) -> u32 {
    let digest = Sha256::digest(text.as_bytes());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

impl Mutant {
    /// Is it part of a sample of one in `n`? The same ones always, and all that change the same key
    /// of a file.
    pub fn in_sample(&self, n: u32) -> bool {
        let name = format!(
            "{}/{} {}",
            self.original.topic, self.original.case, self.mutation.key
        );
        number_of(&name).is_multiple_of(n.max(1))
    }

    /// What a result means: `outcome` of the mutant, and how what was seen compares with the
    /// snapshot of the case it was made from.
    pub fn fate(&self, outcome: &Outcome, compared: Result<Comparison, String>) -> Fate {
        let differences = match outcome {
            Outcome::Broken(why) | Outcome::NotApplicable(why) => return Fate::Broken(why.clone()),
            Outcome::Fail(differences) => differences.clone(),
            Outcome::Pass | Outcome::New { .. } | Outcome::Differs(_) => Vec::new(),
        };
        let compared = match compared {
            Ok(compared) => compared,
            Err(why) => return Fate::Broken(why),
        };
        if let Some(wanted) = &self.mutation.changes {
            if differences.iter().any(|one| one.contains(wanted)) {
                return Fate::Expectations(wanted.clone());
            }
            if !differences.is_empty() || matches!(compared, Comparison::Different(_)) {
                return Fate::Otherwise(format!("no difference has `{wanted}`"));
            }
        }
        match (differences.into_iter().next(), compared, &self.equivalent) {
            (Some(first), ..) => Fate::Expectations(first),
            (None, Comparison::Different(_), _) => Fate::Snapshot,
            (None, Comparison::Missing, _) => {
                Fate::Broken("the case has no snapshot; accept one first".to_owned())
            }
            (None, Comparison::Same, Some(why)) => Fate::Equivalent(why.clone()),
            (None, Comparison::Same, None) => Fate::Survived,
        }
    }
}

#[cfg(test)]
mod tests;
