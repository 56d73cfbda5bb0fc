//! A peer that is a program of the user's: what is run, where, and how it is told what to do.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::nearest;
use super::parameter::{Parameter, ValuePiece};

/// A program as a peer: the list of its words, or a table with that list and more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(pub CommandOptions);

/// A program as a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandOptions {
    /// The program and its arguments, one word each; no shell looks at them. `{host}`, `{port}`, `{ca}`, `{cert}`, `{key}`,
    /// `{name}`, `{mail}` and `{recipient}` are replaced, as are `file:NAME`, `cert:NAME` and the like.
    pub run: Vec<Word>,
    /// Where it runs. Default: on this machine.
    #[serde(default, rename = "in")]
    pub place: CommandPlace,
    /// The program does the TLS alone, as s_client(1) and gnutls-cli(1) do: the mail goes through its standard input and
    /// output, on which SMTP is spoken for it.
    #[serde(default)]
    pub dialogue: bool,
    /// A piece of its output which says that it cannot do what is asked: the case does not apply then, as it does not where
    /// it ends with status 127.
    pub unsupported: Option<String>,
    /// A piece of its output which says that it takes connections. Default: that something listens at its port. For
    /// servers.
    pub ready: Option<String>,
    /// The user it runs as, where `pfs` is run by root: a name of /etc/passwd. Default: `nobody`. For programs of this
    /// machine.
    pub user: Option<String>,
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommandPlace {
    /// On this machine, beside `pfs`.
    #[default]
    Machine,
    /// In the target's root or image, beside its Postfix.
    Target,
}

/// A word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    text: String,
    pieces: Vec<WordPiece>,
}

/// What a word is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordPiece {
    /// As it is written, or a word for a generated thing.
    Value(ValuePiece),
    /// In braces: what only the run knows.
    Placeholder(Placeholder),
}

/// What is put in for the name in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The address to connect to or to listen at.
    Host,
    /// Its TCP port.
    Port,
    /// The PEM file of the authority that has signed what the test PKI makes.
    Ca,
    /// The PEM file of `cert` and what leads from it to the authority.
    Cert,
    /// The PEM file of its private key.
    Key,
    /// The server's name.
    Name,
    /// The file of the mail, lines ended as on this system.
    Mail,
    /// The recipient of the mail.
    Recipient,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Host,
        Self::Port,
        Self::Ca,
        Self::Cert,
        Self::Key,
        Self::Name,
        Self::Mail,
        Self::Recipient,
    ];

    /// As it stands between the braces; in capitals and after `PFS_`, the variable that has the same.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Port => "port",
            Self::Ca => "ca",
            Self::Cert => "cert",
            Self::Key => "key",
            Self::Name => "name",
            Self::Mail => "mail",
            Self::Recipient => "recipient",
        }
    }
}

impl Word {
    /// Reads a word.
    ///
    /// # Errors
    /// A line break, an unknown name in braces, or a word that begins as that for a generated thing and is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = Parameter::parse(text)
            .map_err(|why| why.replace("a main.cf value is one logical line; it", "a word"))?;
        let mut pieces = Vec::new();
        for piece in value.pieces() {
            match piece {
                ValuePiece::Text(text) => placeholders(text, &mut pieces)?,
                other => pieces.push(WordPiece::Value(other.clone())),
            }
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

    /// What it is made of, in order.
    pub fn pieces(&self) -> &[WordPiece] {
        &self.pieces
    }

    /// The files of `[files]` that it names.
    pub(super) fn own_files(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            WordPiece::Value(ValuePiece::OwnFile(name)) => Some(name.as_str()),
            _ => None,
        })
    }
}

fn placeholders(text: &str, pieces: &mut Vec<WordPiece>) -> Result<(), String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        let name = after.split_once('}').filter(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())
        });
        let Some((name, tail)) = name else {
            plain.push('{');
            rest = after;
            continue;
        };
        let names = || Placeholder::ALL.into_iter().map(Placeholder::name);
        let Some(known) = Placeholder::ALL.into_iter().find(|one| one.name() == name) else {
            let near = nearest(name, names()).map(|near| format!("; did you mean `{{{near}}}`?"));
            let all: Vec<_> = names().map(|name| format!("{{{name}}}")).collect();
            return Err(format!(
                "nothing stands for `{{{name}}}`{}: expected one of {}",
                near.unwrap_or_default(),
                all.join(" ")
            ));
        };
        if !plain.is_empty() {
            let text = std::mem::take(&mut plain);
            pieces.push(WordPiece::Value(ValuePiece::Text(text)));
        }
        pieces.push(WordPiece::Placeholder(known));
        rest = tail;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(WordPiece::Value(ValuePiece::Text(plain)));
    }
    Ok(())
}

impl CommandOptions {
    /// Whether a word names this placeholder.
    pub(super) fn names(&self, wanted: Placeholder) -> bool {
        let pieces = self.run.iter().flat_map(Word::pieces);
        pieces
            .into_iter()
            .any(|piece| *piece == WordPiece::Placeholder(wanted))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::value::parsed(deserializer, "a word of a command line", Word::parse)
    }
}

impl JsonSchema for Word {
    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A word of a command line. `{host}`, `{port}` and the like, `file:NAME`, `cert:NAME` and the like stand for what the run knows.",
            "type": "string"
        })
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Command;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words, or a table with `run`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Command, A::Error> {
                let run = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Command(CommandOptions {
                    run,
                    ..CommandOptions::default()
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Command, A::Error> {
                CommandOptions::deserialize(MapAccessDeserializer::new(map)).map(Command)
            }
        }
        let command = deserializer.deserialize_any(Either)?;
        if command
            .0
            .run
            .first()
            .is_none_or(|word| word.text.is_empty())
        {
            return Err(de::Error::custom("a command needs a program to run"));
        }
        Ok(command)
    }
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let words = generator.subschema_for::<Vec<Word>>();
        let table = generator.subschema_for::<CommandOptions>();
        json_schema!({
            "description": "A program of the user's: the list of its words, or a table with that list and more.",
            "anyOf": [words, table]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Vec<String> {
        let word = Word::parse(text).unwrap();
        let show = |piece: &WordPiece| match piece {
            WordPiece::Value(ValuePiece::Text(text)) => text.clone(),
            WordPiece::Value(other) => format!("{other:?}"),
            WordPiece::Placeholder(placeholder) => format!("<{}>", placeholder.name()),
        };
        word.pieces().iter().map(show).collect()
    }

    #[test]
    fn names_in_braces_are_replaced_and_nothing_else() {
        assert_eq!(word("{host}:{port}"), ["<host>", ":", "<port>"]);
        assert_eq!(word("a{0}{}{A}{ x"), ["a{0}{}{A}{ x"]);
        let error = Word::parse("{hosts}").unwrap_err();
        assert!(error.contains("did you mean `{host}`?"), "{error}");
        assert!(Word::parse("ca:rot").is_err());
    }

    #[test]
    fn a_list_or_a_table() {
        let read = |text: &str| toml::from_str::<std::collections::BTreeMap<String, Command>>(text);
        let list = read("c = [\"a\", \"{port}\"]").unwrap();
        let table = read("c = { run = [\"a\", \"{port}\"], in = \"machine\" }").unwrap();
        assert_eq!(list, table);
        for wrong in [
            "c = []",
            "c = { in = \"target\" }",
            "c = { run = [\"a\"], on = 1 }",
            "c = 1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
