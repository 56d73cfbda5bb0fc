//! Tables about TLS that a main.cf names: their files are read, too. Those of passwords are not.

use crate::import::ReportFile;

/// A table's file.
pub(super) struct NamedTable {
    /// Its path below the directory.
    pub(super) name: String,
    /// What it is, as the importer knows it.
    pub(super) kind: &'static str,
}

/// Parameters with tables that a scenario keeps.
const PARAMETERS: [(&str, &str); 5] = [
    ("smtp_tls_policy_maps", "tls_policy"),
    ("lmtp_tls_policy_maps", "tls_policy"),
    ("tls_server_sni_maps", "sni"),
    ("relay_clientcerts", "relay_clientcerts"),
    ("transport_maps", "transport"),
];

/// Types whose source is a text file of the same name (DATABASE_README).
const TYPES: [&str; 8] = [
    "hash",
    "btree",
    "lmdb",
    "cdb",
    "dbm",
    "sdbm",
    "texthash",
    "default_database_type",
];

/// The tables that the main.cf among `files` names.
pub(super) fn of(files: &[ReportFile]) -> Vec<NamedTable> {
    let mut tables = Vec::new();
    let main = files.iter().filter(|file| file.name.ends_with("main.cf"));
    for file in main {
        let base = file.name.strip_suffix("main.cf").unwrap_or_default();
        for (name, value) in settings(&String::from_utf8_lossy(&file.text)) {
            let Some((_, kind)) = PARAMETERS.iter().find(|(known, _)| *known == name) else {
                continue;
            };
            let values = value.split([',', ' ', '\t']).filter_map(path);
            tables.extend(values.map(|path| NamedTable {
                name: format!("{base}{path}"),
                kind,
            }));
        }
    }
    tables
}

/// Settings, each with its continuation lines.
fn settings(text: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = out.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        if let Some((name, value)) = line.split_once('=') {
            out.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    out
}

/// The file of a table below the directory of main.cf.
fn path(word: &str) -> Option<String> {
    let word = word.strip_prefix("proxy:").unwrap_or(word);
    let (kind, path) = word.split_once(':')?;
    let kind = kind.trim_start_matches(['$', '{']).trim_end_matches('}');
    if !TYPES.contains(&kind) {
        return None;
    }
    let starts = [
        "/etc/postfix/",
        "$config_directory/",
        "${config_directory}/",
    ];
    let path = starts.iter().find_map(|start| path.strip_prefix(start))?;
    let is_plain = !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "..");
    is_plain.then(|| path.to_owned())
}
