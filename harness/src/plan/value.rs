//! Values of settings on a target: names and paths put in, generated things still by their names.

use std::fmt;

use pfs_certs::GeneratedName;
use serde::{Deserialize, Serialize};

use super::parameters::path_of;

/// The value of a setting of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Value(Vec<Piece>);

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// As Postfix gets it.
    Text(String),
    /// The word for a generated thing: a file, whose path Postfix gets, or a value.
    Generated(String),
}

impl Value {
    /// A value of these pieces.
    pub(super) fn of(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// Its pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The generated things that it names.
    pub fn generated(&self) -> impl Iterator<Item = GeneratedName> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Generated(word) => GeneratedName::parse(word).ok(),
            Piece::Text(_) => None,
        })
    }

    /// The value as Postfix gets it. `make` tells what stands for a generated thing.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn render(
        &self,
        mut make: impl FnMut(&GeneratedName) -> Result<String, pfs_certs::Error>,
    ) -> Result<String, pfs_certs::Error> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Generated(word) => text.push_str(&make(&GeneratedName::parse(word)?)?),
            }
        }
        Ok(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }
}

/// As Postfix gets it, but for digests, which are known only when the certificates are made.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => f.write_str(plain)?,
                Piece::Generated(word) => {
                    let file = GeneratedName::parse(word)
                        .ok()
                        .and_then(|name| name.file_name());
                    match file {
                        Some(file) => f.write_str(&path_of(&file))?,
                        None => f.write_str(word)?,
                    }
                }
            }
        }
        Ok(())
    }
}
