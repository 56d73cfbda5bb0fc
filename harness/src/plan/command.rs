//! A program of the user's as one side of a case: its words, with what only the run knows still by name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use pfs_certs::GeneratedName;
use serde::{Deserialize, Serialize};

use crate::scenario::{
    Begins, CommandOptions, Placeholder, ScenarioFile, SideName, ValuePiece, Word, WordPiece,
};

/// The authority that has signed what the test PKI makes.
const AUTHORITY: &str = "ca:root";

/// The name of every server.
const NAME: &str = "mail.example.test";

/// What is run, and what it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    /// Is it the server?
    pub is_server: bool,
    /// The program and its arguments.
    pub words: Vec<Vec<CommandPiece>>,
    /// Variables of its environment.
    pub variables: BTreeMap<String, Vec<CommandPiece>>,
    /// The files of `[files]` that it names.
    pub files: BTreeMap<String, String>,
    /// The mail, lines ended as on this system.
    pub mail: String,
    /// The recipient of the mail.
    pub recipient: String,
    /// SMTP is spoken for it through its standard input and output.
    pub dialogue: bool,
    /// There is no STARTTLS: the server speaks first, inside TLS.
    pub implicit: bool,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandPiece {
    /// As the program gets it.
    Text(String),
    /// The word for a generated thing: a file, whose path it gets, or a value.
    Generated(String),
    /// The path of a file of `[files]`.
    OwnFile(String),
    /// The path of the mail.
    Mail,
    /// The address to connect to or to listen at.
    Host,
    /// Its port.
    Port,
}

/// What a piece stands for, where that is a file or a value.
pub trait Paths {
    /// The path or the value of a generated thing.
    ///
    /// # Errors
    /// It cannot be made.
    fn generated(&mut self, name: &GeneratedName) -> Result<String, pfs_certs::Error>;

    /// The path of a file of `[files]`.
    fn own_file(&mut self, name: &str) -> String;

    /// The path of the mail.
    fn mail(&mut self) -> String;

    /// A path, or a generated value, as a word of the shell that reads the script.
    fn word(&self, path: &str) -> String {
        quoted(path)
    }
}

impl CommandLine {
    /// The command of one side. `certificate` is that of the side, if it has one.
    pub(super) fn of(
        options: &CommandOptions,
        is_server: bool,
        certificate: Option<&str>,
        file: &ScenarioFile,
        recipient: String,
        mail: String,
    ) -> Self {
        let side = match is_server {
            true => SideName::Server,
            false => SideName::Client,
        };
        let piece = |placeholder| match placeholder {
            Placeholder::Host => Some(CommandPiece::Host),
            Placeholder::Port => Some(CommandPiece::Port),
            Placeholder::Ca => Some(CommandPiece::Generated(AUTHORITY.to_owned())),
            Placeholder::Cert => Some(CommandPiece::Generated(format!("cert:{}", certificate?))),
            Placeholder::Key => Some(CommandPiece::Generated(format!("key:{}", certificate?))),
            Placeholder::Name => Some(CommandPiece::Text(NAME.to_owned())),
            Placeholder::Mail => Some(CommandPiece::Mail),
            Placeholder::Recipient => Some(CommandPiece::Text(recipient.clone())),
        };
        let word = |word: &Word| {
            let pieces = word.pieces().iter().filter_map(|part| match part {
                WordPiece::Placeholder(placeholder) => piece(*placeholder),
                WordPiece::Value(ValuePiece::Text(text)) => Some(CommandPiece::Text(text.clone())),
                WordPiece::Value(ValuePiece::OwnFile(name)) => {
                    Some(CommandPiece::OwnFile(name.clone()))
                }
                WordPiece::Value(ValuePiece::Generated(name)) => {
                    Some(CommandPiece::Generated(name.to_string()))
                }
            });
            pieces.collect()
        };
        let variables = Placeholder::ALL.into_iter().filter_map(|placeholder| {
            let name = format!("PFS_{}", placeholder.name().to_uppercase());
            Some((name, vec![piece(placeholder)?]))
        });
        let files = file.files.iter();
        Self {
            is_server,
            words: options.run.iter().map(word).collect(),
            variables: variables.collect(),
            files: files
                .map(|(name, text)| (name.get_ref().clone(), text.clone()))
                .collect(),
            mail,
            dialogue: options.dialogue,
            implicit: file.begins(side) == Begins::Implicit,
            recipient,
        }
    }

    /// A program that is named by a path from the scenario's directory is found there, wherever it is run.
    pub fn beside(&mut self, scenario: &Path) {
        let Some([CommandPiece::Text(program), ..]) = self.words.first_mut().map(Vec::as_mut_slice)
        else {
            return;
        };
        if program.starts_with("./") || program.starts_with("../") {
            let directory = scenario.parent().unwrap_or(Path::new("."));
            if let Ok(path) = std::path::absolute(directory.join(&*program)) {
                *program = path.display().to_string();
            }
        }
    }

    /// The generated things that it names.
    pub fn generated(&self) -> impl Iterator<Item = GeneratedName> {
        let words = self.words.iter().chain(self.variables.values());
        words.flatten().filter_map(|piece| match piece {
            CommandPiece::Generated(word) => GeneratedName::parse(word).ok(),
            _ => None,
        })
    }

    /// What sets it up in a shell that knows `host` and `port` and runs it as `"$@"`.
    ///
    /// # Errors
    /// A generated thing that cannot be made.
    pub fn script(&self, paths: &mut dyn Paths) -> Result<String, pfs_certs::Error> {
        let mut text = String::new();
        let role = match (self.dialogue, self.is_server) {
            (false, _) => "",
            (true, true) => "server",
            (true, false) => "client",
        };
        text.push_str(&format!("role={role} implicit={}\n", self.implicit));
        text.push_str(&format!("recipient={}\n", quoted(&self.recipient)));
        let mail = paths.mail();
        text.push_str(&format!("mail={}\n", paths.word(&mail)));
        for (name, pieces) in &self.variables {
            let value = shell_word(pieces, paths)?;
            text.push_str(&format!("export {name}={value}\n"));
        }
        text.push_str("set --");
        for pieces in &self.words {
            text.push(' ');
            text.push_str(&shell_word(pieces, paths)?);
        }
        text.push('\n');
        Ok(text)
    }
}

/// Between apostrophes nothing is special to a shell but the apostrophe.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn shell_word(pieces: &[CommandPiece], paths: &mut dyn Paths) -> Result<String, pfs_certs::Error> {
    let mut word = String::new();
    for piece in pieces {
        word.push_str(&match piece {
            CommandPiece::Text(text) => quoted(text),
            CommandPiece::Generated(name) => {
                let made = paths.generated(&GeneratedName::parse(name)?)?;
                paths.word(&made)
            }
            CommandPiece::OwnFile(name) => {
                let path = paths.own_file(name);
                paths.word(&path)
            }
            CommandPiece::Mail => {
                let path = paths.mail();
                paths.word(&path)
            }
            CommandPiece::Host => "\"$host\"".to_owned(),
            CommandPiece::Port => "\"$port\"".to_owned(),
        });
    }
    if word.is_empty() {
        word.push_str("''");
    }
    Ok(word)
}

/// As a person would write it, with the names of what the run puts in.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pieces) in self.words.iter().enumerate() {
            let mut word = String::new();
            for piece in pieces {
                word.push_str(&match piece {
                    CommandPiece::Text(text) | CommandPiece::Generated(text) => text.clone(),
                    CommandPiece::OwnFile(name) => format!("file:{name}"),
                    CommandPiece::Mail => "{mail}".to_owned(),
                    CommandPiece::Host => "{host}".to_owned(),
                    CommandPiece::Port => "{port}".to_owned(),
                });
            }
            let blank = if at == 0 { "" } else { " " };
            let word = shlex::try_quote(&word).unwrap_or_default();
            write!(f, "{blank}{word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Here;

    impl Paths for Here {
        fn generated(&mut self, name: &GeneratedName) -> Result<String, pfs_certs::Error> {
            Ok(format!("/f/{name}"))
        }

        fn own_file(&mut self, name: &str) -> String {
            format!("/f/{name}")
        }

        fn mail(&mut self) -> String {
            "/f/mail".to_owned()
        }
    }

    #[test]
    fn a_shell_gets_each_word_as_it_is_written() {
        let text = |text: &str| CommandPiece::Text(text.to_owned());
        let line = CommandLine {
            is_server: false,
            words: vec![
                vec![text("printf")],
                vec![text("<%s>\\n")],
                vec![text("$(id) `id` 'it'"), CommandPiece::Host],
                vec![CommandPiece::Host, text(":"), CommandPiece::Port],
                vec![text("")],
            ],
            variables: BTreeMap::new(),
            files: BTreeMap::new(),
            mail: String::new(),
            recipient: String::new(),
            dialogue: false,
            implicit: false,
        };
        let script = line.script(&mut Here).unwrap();
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("host=h port=1\n{script}\"$@\""))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, "<$(id) `id` 'it'h>\n<h:1>\n<>\n");
    }
}
