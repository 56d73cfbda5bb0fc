//! From a directory of files to a list of cases.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pfs_certs::GeneratedName;
use toml::de::DeTable;

use super::claim::Catalogue;
use super::error::{Place, ScenarioError, nearest};
use super::expect::SideName;
use super::file::{Client, ScenarioFile, Server, command};
use super::matrix;

/// More than any scenario has reason to hold, and little enough to read at once. Bytes.
const SIZE_LIMIT: u64 = 256 * 1024;

/// Seconds a case may take if its file does not say otherwise.
const DEADLINE: u32 = 30;

/// Name of a case: `topic/case`, or `topic/case[variant]` where the file has a matrix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    /// The folder.
    pub topic: String,
    /// The file's name without `.toml`.
    pub case: String,
    /// The values of the matrix axes, joined by commas.
    pub variant: Option<String>,
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.case)?;
        self.variant
            .as_ref()
            .map_or(Ok(()), |variant| write!(f, "[{variant}]"))
    }
}

/// One case: a scenario file, or one variant of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub id: CaseId,
    /// The file it comes from.
    pub path: PathBuf,
    /// Its contents, placeholders replaced.
    pub file: ScenarioFile,
    /// The text of the file, for errors found later.
    text: std::sync::Arc<str>,
}

impl Scenario {
    /// How long the case may take before it is given up.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.file.deadline.unwrap_or(DEADLINE).into())
    }

    /// How many mails are sent.
    pub fn mails(&self) -> u8 {
        let fewest = if self.file.change.is_some() { 2 } else { 1 };
        self.file.message.count.unwrap_or(fewest)
    }

    /// The file with the matrix' values put in, as a table.
    ///
    /// # Errors
    /// None that reading the scenario would not have found.
    pub fn document(&self) -> Result<toml::Table, ScenarioError> {
        let from_toml =
            |error: &toml::de::Error| ScenarioError::from_toml(&self.path, &self.text, error);
        let root = DeTable::parse(&self.text).map_err(|e| from_toml(&e))?;
        let variants = matrix::expand(root).map_err(|(span, message)| {
            ScenarioError::invalid(&self.path, &self.text, span.start, message, None)
        })?;
        let own = variants
            .into_iter()
            .find(|(variant, _)| *variant == self.id.variant);
        match own {
            Some((_, document)) => matrix::deserialize(document).map_err(|e| from_toml(&e)),
            None => Ok(toml::Table::new()),
        }
    }

    /// A scenario of the same name but for `variant`, made of another document.
    ///
    /// # Errors
    /// The document is no scenario.
    pub fn with(&self, document: &toml::Table, variant: String) -> Result<Self, ScenarioError> {
        let text = document.to_string();
        let mut cases = parse(&self.path, &text)?;
        let mut one = cases
            .pop()
            .ok_or_else(|| ScenarioError::Empty(self.path.clone()))?;
        one.id.variant = Some(variant);
        Ok(one)
    }

    /// The place of byte `offset` of the file, for complaints about a key or value in it.
    pub fn place(&self, offset: usize) -> Place {
        Place::at(&self.path, &self.text, offset)
    }
}

/// Which cases of a directory are wanted. Without any filter: all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Pieces of case names, or whole ones.
    pub filters: Vec<String>,
}

impl Selection {
    /// Is this case wanted?
    pub fn wants(&self, id: &CaseId) -> bool {
        let name = id.to_string();
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }
}

/// Reads every `<topic>/<case>.toml` below `dir`, in the order of their names.
///
/// # Errors
/// All that is wrong with any of the files, not only the first.
pub fn load(dir: &Path) -> Result<Vec<Scenario>, Vec<ScenarioError>> {
    let mut errors = Vec::new();
    let mut scenarios: Vec<Scenario> = Vec::new();
    let files = match scenario_files(dir) {
        Ok(files) => files,
        Err(error) => return Err(vec![error]),
    };
    if files.is_empty() {
        return Err(vec![ScenarioError::NoneFound(dir.to_owned())]);
    }
    for path in files {
        match read(&path).and_then(|text| parse(&path, &text)) {
            Ok(cases) => scenarios.extend(cases),
            Err(error) => errors.push(error),
        }
    }
    let mut seen: BTreeMap<String, &Path> = BTreeMap::new();
    for scenario in &scenarios {
        let id = scenario.id.to_string();
        // Differences of case only would collide on some file systems, as snapshots do.
        if seen.insert(id.to_lowercase(), &scenario.path).is_some() {
            errors.push(ScenarioError::Duplicate {
                place: scenario.place(0),
                id,
            });
        }
    }
    match Catalogue::load(dir) {
        Ok(catalogue) => errors.extend(catalogue.iter().flat_map(|one| one.unknown(&scenarios))),
        Err(error) => errors.push(error),
    }
    if errors.is_empty() {
        Ok(scenarios)
    } else {
        Err(errors)
    }
}

/// The cases of one file. `text` is its contents.
///
/// # Errors
/// The first thing that is wrong with it, with its place.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let from_toml = |error: &toml::de::Error| ScenarioError::from_toml(path, text, error);
    let root = DeTable::parse(text).map_err(|e| from_toml(&e))?;
    if root.get_ref().is_empty() {
        return Err(ScenarioError::Empty(path.to_owned()));
    }
    let shared: std::sync::Arc<str> = text.into();
    let variants = matrix::expand(root)
        .map_err(|(span, message)| ScenarioError::invalid(path, text, span.start, message, None))?;
    let name = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let mut cases = Vec::new();
    for (variant, document) in variants {
        let file: ScenarioFile = matrix::deserialize(document).map_err(|e| from_toml(&e))?;
        let scenario = Scenario {
            id: CaseId {
                topic: name(path.parent().and_then(Path::file_name)),
                case: name(path.file_stem()),
                variant,
            },
            path: path.to_owned(),
            file,
            text: shared.clone(),
        };
        check(&scenario)
            .map_err(|(message, help)| ScenarioError::invalid(path, text, 0, message, help))?;
        cases.push(scenario);
    }
    Ok(cases)
}

/// What the types alone cannot say.
fn check(scenario: &Scenario) -> Result<(), (String, Option<String>)> {
    let Server {
        postfix,
        rustls,
        classic,
        exim,
        on,
        ..
    } = &scenario.file.server;
    let server_is_postfix = postfix.is_some();
    one_peer(
        "server",
        postfix.is_some(),
        [rustls.is_some(), classic.is_some(), exim.is_some()],
        on.is_some(),
    )?;
    let Client {
        postfix,
        rustls,
        classic,
        exim,
        on,
        ..
    } = &scenario.file.client;
    one_peer(
        "client",
        postfix.is_some(),
        [rustls.is_some(), classic.is_some(), exim.is_some()],
        on.is_some(),
    )?;
    if !server_is_postfix && postfix.is_none() {
        return Err((
            "neither side is a Postfix".into(),
            Some("one of [server] and [client] needs `postfix = { … }`".into()),
        ));
    }
    let file = &scenario.file;
    if !server_is_postfix && (file.server.postscreen || file.server.service.is_some()) {
        return Err((
            "[server] has `postscreen` or `service`, which are for Postfix only".into(),
            None,
        ));
    }
    if file.server.postscreen && file.client.reuses_connections() {
        return Err((
            "`postscreen` and `smtp_tls_connection_reuse` in one case".into(),
            Some("whose tlsproxy(8) speaks could not be told: make two cases of it".into()),
        ));
    }
    let settings = [&file.server.postfix, &file.client.postfix];
    let values = settings.into_iter().flatten().flat_map(BTreeMap::values);
    for name in values.flat_map(|value| own_files(&value.0)) {
        if !file.files.contains_key(name) {
            return Err((
                format!("a setting names `file:{name}`, which is not in `[files]`"),
                nearest(name, file.files.keys().map(String::as_str))
                    .map(|near| format!("did you mean `file:{near}`?")),
            ));
        }
    }
    if let Some(name) = file.files.keys().find(|name| !is_file_name(name)) {
        return Err((
            format!("`[files]` has the name `{name}`"),
            Some("expected letters, digits, `.`, `_` and `-`".into()),
        ));
    }
    if file.change.is_some() && file.message.count == Some(1) {
        return Err((
            "`change` comes before the last mail, and `message.count` is 1".into(),
            Some("send two or more, or leave `count` out".into()),
        ));
    }
    if let Some(change) = &file.change {
        let words = change.files.iter().flat_map(|(file, other)| [file, other]);
        for word in words.filter(|word| command(word).is_none()) {
            GeneratedName::parse(word).map_err(|error| {
                let message = format!("`change.files` names `{word}`: {error}");
                (
                    message,
                    Some("expected a generated file such as `dh:2048`".into()),
                )
            })?;
        }
    }
    faults(&scenario.file)?;
    let count = scenario.mails();
    if !(1..=8).contains(&count) {
        return Err((
            format!("`message.count` is {count}"),
            Some("expected 1 to 8".into()),
        ));
    }
    if let Some(dns) = &scenario.file.dns {
        dns.check()?;
    }
    if scenario.file.dns.is_some() && postfix.is_none() {
        return Err((
            "[dns] is for a client that looks names up, which only Postfix does".into(),
            Some("leave it out, or make the client `postfix = { … }`".into()),
        ));
    }
    if scenario.file.why.trim().is_empty() {
        return Err((
            "`why` is empty".into(),
            Some("say the claim under test in a sentence".into()),
        ));
    }
    Ok(())
}

/// Each peer can do what it is told to do wrong.
fn faults(file: &ScenarioFile) -> Result<(), (String, Option<String>)> {
    let (server, client) = (&file.server, &file.client);
    let told = [
        (
            SideName::Server,
            false,
            server.rustls.as_ref().and_then(|peer| peer.fault),
        ),
        (
            SideName::Server,
            true,
            server.classic.as_ref().and_then(|peer| peer.fault),
        ),
        (
            SideName::Client,
            false,
            client.rustls.as_ref().and_then(|peer| peer.fault),
        ),
        (
            SideName::Client,
            true,
            client.classic.as_ref().and_then(|peer| peer.fault),
        ),
    ];
    for (side, classic, fault) in told {
        let Some(fault) = fault else { continue };
        if fault.is_classic() && !classic {
            return Err((
                format!("a rustls peer cannot do the fault {fault:?}"),
                Some("it is for a peer `classic = { … }`".into()),
            ));
        }
        if fault.side().is_some_and(|only| only != side) {
            return Err((
                format!("the fault {fault:?} is not one of a {side:?}").to_lowercase(),
                Some("it belongs to the other side".into()),
            ));
        }
    }
    Ok(())
}

/// The names in `file:NAME` within a value.
fn own_files(value: &str) -> impl Iterator<Item = &str> {
    value.split("file:").skip(1).map(|rest| {
        let end = rest.find(|c: char| !in_file_name(c)).unwrap_or(rest.len());
        rest.split_at(end).0
    })
}

fn in_file_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 60 && !name.starts_with('.') && name.chars().all(in_file_name)
}

fn one_peer(
    side: &str,
    postfix: bool,
    others: [bool; 3],
    on: bool,
) -> Result<(), (String, Option<String>)> {
    let advice = Some(format!(
        "[{side}] needs exactly one of `postfix = {{ }}`, `rustls = {{ }}`, `classic = {{ }}` and `exim = {{ }}`"
    ));
    match usize::from(postfix) + others.into_iter().filter(|named| *named).count() {
        0 => Err((format!("[{side}] names no peer"), advice)),
        2.. => Err((format!("[{side}] names two peers"), advice)),
        _ if on && !postfix => Err((
            format!("[{side}] has `on`, which is for Postfix only"),
            Some("leave it out: a Rust peer runs on this machine".into()),
        )),
        _ => Ok(()),
    }
}

pub(super) fn read(path: &Path) -> Result<String, ScenarioError> {
    let failed = |source| ScenarioError::Read {
        path: path.to_owned(),
        source,
    };
    let found = std::fs::metadata(path).map_err(failed)?.len();
    if found > SIZE_LIMIT {
        return Err(ScenarioError::TooLarge {
            path: path.to_owned(),
            found,
            limit: SIZE_LIMIT,
        });
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        ScenarioError::NotUtf8 {
            place: Place::at(path, &text, text.len()),
        }
    })
}

fn scenario_files(dir: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut files = Vec::new();
    for topic in entries(dir)? {
        if topic.is_dir() {
            files.extend(
                entries(&topic)?
                    .into_iter()
                    .filter(|path| path.extension().is_some_and(|e| e == "toml")),
            );
        }
    }
    files.sort();
    Ok(files)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let failed = |source| ScenarioError::Read {
        path: dir.to_owned(),
        source,
    };
    std::fs::read_dir(dir)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect()
}

/// The JSON schema of the scenario format.
pub fn schema() -> String {
    let schema = schemars::schema_for!(ScenarioFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads scenario files named one by one, wherever they are.
///
/// # Errors
/// As [`load`].
pub fn load_files(paths: &[PathBuf]) -> Result<Vec<Scenario>, Vec<ScenarioError>> {
    let mut scenarios = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        match read(path).and_then(|text| parse(path, &text)) {
            Ok(cases) => scenarios.extend(cases),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(scenarios)
    } else {
        Err(errors)
    }
}
