//! A bug report in, a scenario out: text into what it says, that into a decision, the decision into TOML. Pure; nothing is
//! run, looked up or read from here.

mod decide;
mod draft;
mod log;
mod names;
mod read;
pub mod report;
mod secret;
mod settings;
mod symptom;
mod text;
mod values;
mod write;

pub use report::Report;
pub use symptom::{Kind, kind_of};
pub use text::LARGEST_REPORT;

use std::path::Path;

use crate::scenario::{self, SideName};
use draft::{Draft, Peer};

/// What came of a report.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The scenario's text.
    pub scenario: String,
    /// The kind of the line it is about; [`Kind::Established`] where nothing failed.
    pub kind: Kind,
    /// The side that is the report's Postfix.
    pub side: SideName,
    /// What was read.
    pub report: Report,
}

/// Nothing of Postfix's is in it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No setting and no line of a log.
    #[error(
        "{from}: no setting of main.cf, no line of Postfix's log and no Received: header of a Postfix was found; paste `postconf -n` and \
         the lines of the log"
    )]
    Nothing {
        /// Where it came from.
        from: String,
    },
    /// What was written is not taken back: a fault of this program.
    #[error("{from}: no scenario could be made of it: {why}")]
    Unwritable {
        /// Where it came from.
        from: String,
        /// The complaint.
        why: String,
    },
}

/// A file of a report that has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Its name, for comments.
    pub name: String,
    /// The command that prints the same, such as `cat main.cf`, by which it is known what it is; none for a log.
    pub command: Option<String>,
    /// What it holds.
    pub text: Vec<u8>,
}

/// Makes a scenario of a report that has several files.
///
/// # Errors
/// As [`import`].
pub fn import_files(files: &[ReportFile], from: &str) -> Result<Imported, ImportError> {
    let mut text = Vec::new();
    let mut places = Vec::new();
    let mut lines = 1;
    for file in files {
        // As if somebody had typed the command: what was open in the file before ends here.
        let head = match &file.command {
            Some(command) => format!("\n\n# {command}\n"),
            None => "\n\n".to_owned(),
        };
        lines += head.matches('\n').count();
        places.push((lines, file.name.clone()));
        text.extend(head.bytes());
        text.extend(&file.text);
        lines += file.text.iter().filter(|octet| **octet == b'\n').count();
    }
    made(&text, from, places)
}

/// Makes a scenario of a report. `from` is its name, for comments.
///
/// # Errors
/// The report has nothing of Postfix's in it.
pub fn import(text: &[u8], from: &str) -> Result<Imported, ImportError> {
    made(text, from, Vec::new())
}

fn made(text: &[u8], from: &str, files: Vec<(usize, String)>) -> Result<Imported, ImportError> {
    let mut report = read::read(text);
    report.files = files;
    if text.len() > LARGEST_REPORT {
        report.drop(
            "the end of the report",
            format!("more than {} MiB", LARGEST_REPORT / 1024 / 1024),
        );
    }
    let nothing = || ImportError::Nothing {
        from: from.to_owned(),
    };
    let mut draft = decide::decide(&mut report).ok_or_else(nothing)?;
    let first = symptom::symptoms(&report).first().copied();
    let side = draft.about;
    let scenario = loadable(&mut draft, &mut report, from)?;
    Ok(Imported {
        scenario,
        kind: first.map_or(Kind::Established, |first| first.kind),
        side,
        report,
    })
}

/// The text of the draft, once the format takes it: what it does not take is left out, and named.
fn loadable(draft: &mut Draft, report: &mut Report, from: &str) -> Result<String, ImportError> {
    let path = Path::new("reports/imported.toml");
    let parsed = |draft: &Draft, report: &Report| {
        let text = write::write(draft, report, from);
        scenario::parse(path, &text)
            .map(|_| text)
            .map_err(|error| error.to_string())
    };
    let first = match parsed(draft, report) {
        Ok(text) => return Ok(text),
        Err(why) => why,
    };
    // Names of ciphers and groups that this program does not know.
    for side in [&mut draft.server, &mut draft.client] {
        if let Peer::Own(_, options) = &mut side.peer {
            for name in ["ciphers", "groups", "versions"] {
                options.remove(name);
            }
        }
    }
    for name in ["cipher", "key-exchange", "client-signature"] {
        draft.expect.remove(name);
    }
    draft
        .notes
        .push("the session's cipher or group is none that this program knows".to_owned());
    if let Ok(text) = parsed(draft, report) {
        return Ok(text);
    }
    // A value that the format reads as one of its own words.
    for side in [SideName::Server, SideName::Client] {
        let Peer::Postfix(settings) = &draft.side(side).peer else {
            continue;
        };
        for setting in settings.clone() {
            let mut alone = Draft::new(side);
            alone.why = "x".to_owned();
            alone.files.clone_from(&draft.files);
            alone.side(side).peer = Peer::Postfix(vec![setting.clone()]);
            if parsed(&alone, &Report::default()).is_err() {
                report.drop(setting.name.as_str(), "a value that no scenario can hold");
                if let Peer::Postfix(settings) = &mut draft.side(side).peer {
                    settings.retain(|known| *known != setting);
                }
            }
        }
    }
    parsed(draft, report).map_err(|_| ImportError::Unwritable {
        from: from.to_owned(),
        why: first,
    })
}
