//! Values of Postfix' parameters, parsed once into what they are made of.

use std::borrow::Cow;
use std::fmt;

use pfs_certs::GeneratedName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The value of a setting that is not made: instead of the harness's own, what this Postfix has built in.
const BUILT_IN: &str = "(default)";

/// How a file of `[files]` is named in a value.
const OWN_FILE: &str = "file:";

/// The value of a Postfix parameter as one would write it in main.cf. A TOML integer stands for
/// its digits, a TOML boolean for Postfix's `yes` and `no`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    text: String,
    pieces: Vec<ValuePiece>,
}

/// What a value is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuePiece {
    /// What Postfix gets as it is written.
    Text(String),
    /// `file:NAME`: the path of a file of `[files]`.
    OwnFile(String),
    /// `cert:NAME` and the like: the path of a generated file, or a value computed from it.
    Generated(GeneratedName),
}

impl Parameter {
    /// Reads a value.
    ///
    /// # Errors
    /// A line break, or a word that begins as that for a generated thing and is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['\n', '\r', '\0']) {
            return Err(
                "a main.cf value is one logical line; it cannot hold a line break or NUL"
                    .to_owned(),
            );
        }
        let mut names = Vec::new();
        // NUL, which the text does not hold, stands where a name was.
        let rest = GeneratedName::substitute(text, |name| {
            names.push(name);
            Ok::<_, pfs_certs::Error>("\0".to_owned())
        })
        .map_err(|error| error.to_string())?;
        let mut pieces = Vec::new();
        let mut names = names.into_iter();
        for between in rest.split('\0') {
            own_files(between, &mut pieces);
            pieces.extend(names.next().map(ValuePiece::Generated));
        }
        Ok(Self {
            text: text.to_owned(),
            pieces,
        })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is made of, in order; empty for an empty value.
    pub fn pieces(&self) -> &[ValuePiece] {
        &self.pieces
    }

    /// Does it say that the setting is not to be made?
    pub fn is_built_in(&self) -> bool {
        self.text == BUILT_IN
    }
}

/// Text with the files of `[files]` that it names.
fn own_files(text: &str, pieces: &mut Vec<ValuePiece>) {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = rest.find(OWN_FILE) {
        let (before, tail) = rest.split_at(at);
        let (word, tail) = tail.split_at(OWN_FILE.len());
        plain.push_str(before);
        let end = tail.find(|c: char| !in_file_name(c)).unwrap_or(tail.len());
        let (name, after) = tail.split_at(end);
        let within_a_word =
            plain.ends_with(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c));
        if within_a_word || name.is_empty() {
            plain.push_str(word);
            rest = tail;
            continue;
        }
        if !plain.is_empty() {
            pieces.push(ValuePiece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(ValuePiece::OwnFile(name.to_owned()));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(ValuePiece::Text(plain));
    }
}

fn in_file_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// Whether a file of `[files]` may have this name.
pub(super) fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 60 && !name.starts_with('.') && name.chars().all(in_file_name)
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Parameter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a main.cf value: a string, an integer or a boolean")
            }

            fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Parameter, E> {
                self.visit_str(if yes { "yes" } else { "no" })
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Parameter, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Parameter, E> {
                Parameter::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

impl JsonSchema for Parameter {
    fn schema_name() -> Cow<'static, str> {
        "Parameter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A main.cf value. `cert:NAME`, `key:NAME`, `chain:NAME`, `ca:NAME`, `dh:NAME` stand for generated files.",
            "type": ["string", "integer", "boolean"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each piece in a word.
    fn pieces(text: &str) -> Vec<String> {
        let value = Parameter::parse(text).unwrap();
        let word = |piece: &ValuePiece| match piece {
            ValuePiece::Text(text) => text.clone(),
            ValuePiece::OwnFile(name) => format!("<{name}>"),
            ValuePiece::Generated(name) => format!("[{name}]"),
        };
        value.pieces().iter().map(word).collect()
    }

    #[test]
    fn a_name_is_taken_whole() {
        assert_eq!(pieces("texthash:file:map.new"), ["texthash:", "<map.new>"]);
        assert_eq!(pieces("file:a,file:a-b"), ["<a>", ",", "<a-b>"]);
        assert_eq!(pieces("profile:x"), ["profile:x"]);
        assert_eq!(
            pieces("inline:{{x = secure match=fp-sha256:rsa2048 tafile=file:ta.pem}}"),
            [
                "inline:{{x = secure match=",
                "[fp-sha256:rsa2048]",
                " tafile=",
                "<ta.pem>",
                "}}"
            ]
        );
        assert_eq!(
            pieces("chain:rsa2048, chain:ecdsa-p256"),
            ["[chain:rsa2048]", ", ", "[chain:ecdsa-p256]"]
        );
        assert!(pieces("").is_empty());
    }

    #[test]
    fn what_is_meant_as_a_generated_name_must_be_one() {
        let error = Parameter::parse("chain:rsa204").unwrap_err();
        assert!(error.contains("rsa2048"), "{error}");
    }
}
