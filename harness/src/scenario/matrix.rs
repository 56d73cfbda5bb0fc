//! `[matrix]`: one file, several cases. Each axis is a list; every combination is a case, in
//! which `<axis>` (or `<axis.key>`, where the value is a table) is replaced everywhere.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::de::Error as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// The name of a variant (values of the axes, joined by commas; empty without a matrix), and the
/// document with the placeholders replaced. Spans still point into the original text.
pub(super) type Variant<'i> = (Option<String>, Spanned<DeTable<'i>>);

/// A complaint and the bytes it is about.
pub(super) type Complaint = (Range<usize>, String);

struct Axis<'i> {
    name: String,
    span: Range<usize>,
    choices: Vec<(String, DeValue<'i>)>,
}

/// Expands the matrix of a document; a document without one is its own only variant.
pub(super) fn expand<'i>(mut root: Spanned<DeTable<'i>>) -> Result<Vec<Variant<'i>>, Complaint> {
    let Some(matrix) = root.get_mut().remove("matrix") else {
        return Ok(vec![(None, root)]);
    };
    let axes = axes(matrix)?;
    let count: usize = axes.iter().map(|axis| axis.choices.len()).product();
    let mut variants = Vec::with_capacity(count);
    let mut used = BTreeSet::new();
    for number in 0..count {
        let mut rest = number;
        let mut names = Vec::new();
        let mut chosen = Vec::new();
        for axis in axes.iter().rev() {
            let (name, value) = &axis.choices[rest % axis.choices.len()];
            rest /= axis.choices.len();
            names.insert(0, name.as_str());
            chosen.push((axis.name.as_str(), name.as_str(), value));
        }
        let mut document = root.clone();
        replace_in_table(document.get_mut(), &chosen, &mut used);
        variants.push((Some(names.join(",")), document));
    }
    for axis in &axes {
        if !used.contains(&axis.name) {
            return Err((
                axis.span.clone(),
                format!(
                    "the axis `{0}` is not used; write `<{0}>` where its value belongs",
                    axis.name
                ),
            ));
        }
    }
    Ok(variants)
}

fn axes(matrix: Spanned<DeValue<'_>>) -> Result<Vec<Axis<'_>>, Complaint> {
    let span = matrix.span();
    let DeValue::Table(table) = matrix.into_inner() else {
        return Err((
            span,
            "`matrix` must be a table of lists, e.g. [matrix] group = [\"X25519\"]".into(),
        ));
    };
    let mut axes = Vec::new();
    let mut count = 1_usize;
    for (name, values) in table {
        let (name_span, values_span) = (name.span(), values.span());
        let DeValue::Array(values) = values.into_inner() else {
            return Err((
                values_span,
                format!("the axis `{}` must be a list", name.get_ref()),
            ));
        };
        if values.is_empty() {
            return Err((
                values_span,
                format!("the axis `{}` is empty", name.get_ref()),
            ));
        }
        count = count.saturating_mul(values.len());
        if count > 1000 {
            return Err((
                span,
                format!("the matrix makes {count} cases; at most 1000 are allowed"),
            ));
        }
        let mut choices = Vec::new();
        for value in values {
            let span = value.span();
            let id = match value.get_ref() {
                DeValue::Table(table) => table.get("id").and_then(|id| scalar(id.get_ref())),
                other => scalar(other),
            };
            let Some(id) = id else {
                return Err((
                    span,
                    "expected a string, a number, or a table with an `id`".into(),
                ));
            };
            if choices.iter().any(|(known, _)| *known == id) {
                return Err((span, format!("`{id}` stands twice in this axis")));
            }
            choices.push((id, value.into_inner()));
        }
        axes.push(Axis {
            name: name.into_inner().into_owned(),
            span: name_span,
            choices,
        });
    }
    Ok(axes)
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    }
}

type Chosen<'a, 'i> = [(&'a str, &'a str, &'a DeValue<'i>)];

/// The value that a placeholder (without its brackets) stands for.
fn lookup<'a, 'i>(
    placeholder: &str,
    chosen: &Chosen<'a, 'i>,
    used: &mut BTreeSet<String>,
) -> Option<Cow<'a, DeValue<'i>>> {
    let (axis, key) = match placeholder.split_once('.') {
        Some((axis, key)) => (axis, Some(key)),
        None => (placeholder, None),
    };
    let (_, id, value) = chosen.iter().find(|(name, ..)| *name == axis)?;
    used.insert(axis.to_owned());
    match (key, value) {
        (None, DeValue::Table(_)) => {
            Some(Cow::Owned(DeValue::String(Cow::Owned((*id).to_owned()))))
        }
        (None, value) => Some(Cow::Borrowed(value)),
        (Some(key), DeValue::Table(table)) => table.get(key).map(|v| Cow::Borrowed(v.get_ref())),
        (Some(_), _) => None,
    }
}

fn replace_in_value<'i>(
    value: &mut DeValue<'i>,
    chosen: &Chosen<'_, 'i>,
    used: &mut BTreeSet<String>,
) {
    match value {
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                replace_in_value(item.get_mut(), chosen, used);
            }
        }
        DeValue::Table(table) => replace_in_table(table, chosen, used),
        DeValue::String(text) => {
            let whole = text
                .strip_prefix('<')
                .and_then(|rest| rest.strip_suffix('>'));
            // A string that is one placeholder takes the value with its type.
            if let Some(found) = whole.and_then(|name| lookup(name, chosen, used)) {
                *value = found.into_owned();
            } else if let Some(replaced) = replace_in_text(text, chosen, used) {
                *value = DeValue::String(Cow::Owned(replaced));
            }
        }
        _ => {}
    }
}

fn replace_in_text(
    text: &str,
    chosen: &Chosen<'_, '_>,
    used: &mut BTreeSet<String>,
) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(open) = rest.find('<') {
        let (before, tail) = rest.split_at(open);
        out.push_str(before);
        let name = tail[1..]
            .split('>')
            .next()
            .filter(|name| tail.len() > name.len() + 1);
        match name.and_then(|name| Some((name, scalar(&*lookup(name, chosen, used)?)?))) {
            Some((name, value)) => {
                out.push_str(&value);
                rest = &tail[name.len() + 2..];
                changed = true;
            }
            None => {
                out.push('<');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn replace_in_table<'i>(
    table: &mut DeTable<'i>,
    chosen: &Chosen<'_, 'i>,
    used: &mut BTreeSet<String>,
) {
    let entries = std::mem::take(table);
    for (key, mut value) in entries {
        replace_in_value(value.get_mut(), chosen, used);
        let key = match replace_in_text(key.get_ref(), chosen, used) {
            Some(replaced) => Spanned::new(key.span(), Cow::Owned(replaced)),
            None => key,
        };
        table.insert(key, value);
    }
}

/// Deserializes one variant.
pub(super) fn deserialize<T: serde::de::DeserializeOwned>(
    document: Spanned<DeTable<'_>>,
) -> Result<T, Error> {
    let value = toml::de::ValueDeserializer::from(Spanned::new(
        document.span(),
        DeValue::Table(document.into_inner()),
    ));
    T::deserialize(value).map_err(|error| match error.span() {
        Some(_) => error,
        None => Error::custom(error.message()),
    })
}
