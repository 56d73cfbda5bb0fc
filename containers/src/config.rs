//! main.cf and master.cf as typed values, and their quoting.
//!
//! - [`main_cf`]: parameters, in the order they were set
//! - [`master_cf`]: service lines and their `-o` overrides
//! - [`base`]: what every fleet has, whatever is tested
//! - [`readers`]: which daemons read which parameter
//! - [`quote`]: what a value may hold and how Postfix wants it written

pub mod base;
pub mod main_cf;
pub mod master_cf;
pub mod quote;
pub mod readers;

pub use main_cf::MainCf;
pub use master_cf::{MasterCf, Service, ServiceKind};

/// Why a configuration cannot be written the way it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A parameter this target does not have.
    #[error("unknown parameter `{name}`{}", .nearest.as_ref().map(|known| format!(", did you mean `{known}`?")).unwrap_or_default())]
    UnknownParameter {
        /// As given.
        name: String,
        /// The known parameter closest to it.
        nearest: Option<String>,
    },
    /// A name that cannot be a parameter's.
    #[error("`{name}` cannot be a parameter name: expected letters, digits and `_`")]
    BadName {
        /// As given.
        name: String,
    },
    /// A value with braces that do not pair, which master.cf's `-o {{name=value}}` cannot hold.
    #[error(
        "value of `{name}`: braces do not pair in `{value}`; master.cf cannot hold that: set a parameter of your own in main.cf to it and write `$that_parameter`"
    )]
    UnbalancedBraces {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
    },
    /// A value with a line break or another control character.
    #[error(
        "value of `{name}` holds the control character {character:?}, which no Postfix configuration file can"
    )]
    ControlCharacter {
        /// The parameter.
        name: String,
        /// The character.
        character: char,
    },
    /// A service name, program or argument with blanks or other characters that would split the line.
    #[error("{what} `{text}` cannot stand in master.cf: {why}")]
    BadService {
        /// Which part of the line.
        what: &'static str,
        /// As given.
        text: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Two services of the same name and type.
    #[error("service `{name}` is defined twice")]
    DuplicateService {
        /// Name and type.
        name: String,
    },
    /// A file outside the directory fleets may write to.
    #[error("file `{path}` is not under /etc/postfix/pfs/")]
    BadFile {
        /// As given.
        path: String,
    },
    /// A fleet id or host name with characters it must not have.
    #[error("{what} `{text}`: expected {expected}")]
    BadWord {
        /// What it is.
        what: &'static str,
        /// As given.
        text: String,
        /// What it may hold.
        expected: &'static str,
    },
}

/// The candidate closest to a misspelt word, if one is close enough to be meant.
pub(crate) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let reach = (given.chars().count() / 4).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}
