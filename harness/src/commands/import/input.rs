//! Where a report comes from: a file, standard input, an /etc/postfix, an unpacked sos report. Keys and passwords are never
//! read.

mod tables;

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::super::Error;
use crate::import::{LARGEST_REPORT, ReportFile};

/// Files of a directory that are of use, and how they are to be read. Names are those in /etc/postfix, in what `pfs collect`
/// and people put together, and in an unpacked report of sos(1).
const FILES: [(&str, How); 29] = [
    ("main.cf", How::As("cat main.cf")),
    ("master.cf", How::As("cat master.cf")),
    ("tls_policy", How::As("cat tls_policy")),
    ("tls_policy_maps", How::As("cat tls_policy_maps")),
    ("relay_clientcerts", How::As("cat relay_clientcerts")),
    ("sni", How::As("cat sni")),
    ("tls_server_sni_maps", How::As("cat sni")),
    ("transport", How::As("cat transport")),
    ("etc/postfix/main.cf", How::As("cat main.cf")),
    ("etc/postfix/master.cf", How::As("cat master.cf")),
    ("etc/postfix/tls_policy", How::As("cat tls_policy")),
    ("sos_commands/postfix/postconf", How::As("postconf")),
    ("sos_commands/postfix/postconf_-n", How::As("postconf -n")),
    ("postconf", How::As("postconf")),
    ("postconf-n", How::As("postconf -n")),
    ("postconf-M", How::As("cat master.cf")),
    ("postconf-P", How::As("postconf -P")),
    ("installed-rpms", How::Packages),
    ("installed-debs", How::Packages),
    ("sos_commands/dpkg/dpkg_-l", How::Packages),
    ("sos_commands/rpm/package-data", How::Packages),
    ("maillog", How::Log),
    ("mail.log", How::Log),
    ("var/log/maillog", How::Log),
    ("var/log/mail.log", How::Log),
    ("var/log/mail.err", How::Log),
    ("sos_commands/logs/journalctl_--no-pager", How::Log),
    ("sos_commands/logs/journalctl_--no-pager_--boot", How::Log),
    (
        "sos_commands/postfix/journalctl_--no-pager_--unit_postfix",
        How::Log,
    ),
];

/// How a file is to be read.
#[derive(Clone, Copy)]
enum How {
    /// As what this command prints.
    As(&'static str),
    /// As a log, of which the end counts, and in it what Postfix says.
    Log,
    /// As a list of packages: the lines of Postfix and OpenSSL.
    Packages,
}

/// How much of a file, or of the end of a log, is read, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A report as it lies there.
pub(super) enum Input {
    /// One text.
    Text(Vec<u8>),
    /// Files of a directory.
    Files(Vec<ReportFile>),
}

/// Reads what is named.
pub(super) fn read(input: &Path) -> Result<Input, Error> {
    let failed = |error: std::io::Error| Error::Usage(format!("{}: {error}", input.display()));
    let limit = LARGEST_REPORT as u64 + 1;
    let mut text = Vec::new();
    if input.as_os_str() == "-" {
        let stdin = std::io::stdin();
        stdin
            .lock()
            .take(limit)
            .read_to_end(&mut text)
            .map_err(failed)?;
        return Ok(Input::Text(text));
    }
    if !std::fs::metadata(input).map_err(failed)?.is_dir() {
        let file = std::fs::File::open(input).map_err(failed)?;
        file.take(limit).read_to_end(&mut text).map_err(failed)?;
        return Ok(Input::Text(text));
    }
    let root = top(input).canonicalize().map_err(failed)?;
    let mut files = Vec::new();
    for (name, how) in FILES {
        files.extend(file(&root, Path::new(name), how, name));
    }
    for table in tables::of(&files) {
        let known = files.iter().any(|file| file.name == table.name);
        if !known {
            let command = format!("cat {}", table.kind);
            let found = file(&root, Path::new(&table.name), How::As(""), &table.name);
            files.extend(found.map(|file| ReportFile {
                command: Some(command),
                ..file
            }));
        }
    }
    if files.is_empty() {
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        return Err(Error::Usage(format!(
            "{}: none of these is in it: {}",
            input.display(),
            names.join(", ")
        )));
    }
    Ok(Input::Files(files))
}

/// Archives of sos(1) hold one directory, `sosreport-HOST-…`: that is meant, too.
fn top(input: &Path) -> PathBuf {
    let has_any = |directory: &Path| FILES.iter().any(|(name, _)| directory.join(name).exists());
    if has_any(input) {
        return input.to_owned();
    }
    let entries = std::fs::read_dir(input).into_iter().flatten().flatten();
    let is_directory =
        |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir());
    let mut directories = entries.map(|entry| entry.path()).filter(is_directory);
    match (directories.next(), directories.next()) {
        (Some(only), None) if has_any(&only) => only,
        _ => input.to_owned(),
    }
}

fn file(root: &Path, path: &Path, how: How, name: &str) -> Option<ReportFile> {
    let text = contents(root, path, how)?;
    let command = match how {
        How::As(command) => Some(command.to_owned()),
        How::Packages => Some("rpm -q postfix openssl".to_owned()),
        How::Log => None,
    };
    Some(ReportFile {
        name: name.to_owned(),
        command,
        text,
    })
}

/// A regular file below `root`, reached by no link to elsewhere; nothing where it is not there or may not be read.
fn contents(root: &Path, path: &Path, how: How) -> Option<Vec<u8>> {
    let whole = root.join(path);
    let facts = std::fs::symlink_metadata(&whole).ok()?;
    if !facts.is_file() || !whole.canonicalize().ok()?.starts_with(root) {
        return None;
    }
    let mut file = std::fs::File::open(&whole).ok()?;
    if matches!(how, How::Log) {
        let start = facts.len().saturating_sub(LARGEST_FILE);
        file.seek(SeekFrom::Start(start)).ok()?;
    }
    let mut text = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut text).ok()?;
    Some(match how {
        How::As(_) => text,
        // A journal is of the whole machine.
        How::Log => lines_with(&text, |line| line.contains("postfix")),
        How::Packages => lines_with(&text, |line| {
            let name = line.trim_start_matches("ii").trim_start();
            ["postfix", "openssl"].iter().any(|package| {
                let rest = name.strip_prefix(package);
                rest.is_some_and(|rest| rest.starts_with([' ', '\t', '-', ':']))
            })
        }),
    })
}

fn lines_with(text: &[u8], wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    for line in text.lines().filter(|line| wanted(line)) {
        out.push_str(line);
        out.push('\n');
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests;
