//! A row as a scenario like any other.

use std::path::Path;

use super::model::Row;
use super::space::{Space, UNSET};
use crate::mutate::Mutation;
use crate::scenario::{Scenario, ScenarioError, parse};

/// The document of a row: what each of its values sets, in the order of the axes.
pub fn document(space: &Space, row: &Row) -> toml::Table {
    let chosen: Vec<_> = space
        .axes
        .iter()
        .zip(row)
        .map(|(axis, value)| (axis, &axis.values[*value]))
        .collect();
    let named: Vec<String> = chosen
        .iter()
        .filter(|(axis, value)| value.id != axis.values[0].id)
        .map(|(axis, value)| format!("{} {}", axis.name, value.id))
        .collect();
    let mut document = toml::Table::new();
    let why = format!(
        "What holds for every session holds with {}.",
        named.join(", ")
    );
    document.insert("why".to_owned(), why.into());
    // A value may name that of another axis, which may name a third one.
    let replaced = |text: &str| {
        let mut text = text.to_owned();
        for (axis, value) in &chosen {
            text = text.replace(&format!("<{}>", axis.name), &value.id);
        }
        text
    };
    let mut edits = Vec::new();
    for (axis, value) in &chosen {
        match (&value.set, axis.key()) {
            (Some(set), _) => {
                for (key, value) in set {
                    edits.push((key.clone(), Some(fill(value, &replaced))));
                }
            }
            (None, Some(key)) if value.id != UNSET => {
                edits.push((
                    key.to_owned(),
                    Some(toml::Value::String(replaced(&value.id))),
                ));
            }
            (None, _) => {}
        }
    }
    let whole = Mutation {
        key: String::new(),
        what: String::new(),
        edits,
        changes: None,
    };
    whole.apply(&document)
}

fn fill(value: &toml::Value, replaced: &dyn Fn(&str) -> String) -> toml::Value {
    match value {
        toml::Value::String(text) => toml::Value::String(replaced(text)),
        toml::Value::Array(items) => {
            toml::Value::Array(items.iter().map(|item| fill(item, replaced)).collect())
        }
        toml::Value::Table(table) => {
            let pairs = table.iter();
            let filled = pairs.map(|(key, value)| (replaced(key), fill(value, replaced)));
            toml::Value::Table(filled.collect())
        }
        other => other.clone(),
    }
}

/// The scenario of a document, by the name `explore/combination[NAME]`.
///
/// # Errors
/// The space has a value that is none, or sets what no daemon reads.
pub fn scenario(document: &toml::Table, name: &str) -> Result<Scenario, ScenarioError> {
    let path = Path::new("explore/combination.toml");
    let mut cases = parse(path, &document.to_string())?;
    let mut one = cases
        .pop()
        .ok_or_else(|| ScenarioError::Empty(path.to_owned()))?;
    one.id.variant = Some(name.to_owned());
    Ok(one)
}
