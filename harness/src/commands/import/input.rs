//! Where a report comes from: a file, standard input, an /etc/postfix, an unpacked sos report. Keys are never read.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::super::Error;
use crate::import::LARGEST_REPORT;

/// Files of a directory that are of use, by the folder they may lie in, and how they are to be read.
const FILES: [(&str, How); 18] = [
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
    ("postconf-n", How::As("postconf -n")),
    ("postconf-M", How::As("cat master.cf")),
    ("postconf-P", How::As("postconf -P")),
    ("maillog", How::Log),
    ("var/log/maillog", How::Log),
    ("var/log/mail.log", How::Log),
];

/// How a file is to be read.
#[derive(Clone, Copy)]
enum How {
    /// As what this command prints.
    As(&'static str),
    /// As a log, of which the end counts.
    Log,
}

/// How much of the end of a log is read, in bytes.
const END_OF_LOG: u64 = 1024 * 1024;

/// The report, with a shell's prompt before each file of a directory.
pub(super) fn read(input: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::Usage(format!("{}: {error}", input.display()));
    if input.as_os_str() == "-" {
        let mut text = Vec::new();
        let limit = LARGEST_REPORT as u64 + 1;
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut text)
            .map_err(failed)?;
        return Ok(text);
    }
    if !std::fs::metadata(input).map_err(failed)?.is_dir() {
        let mut text = Vec::new();
        let file = std::fs::File::open(input).map_err(failed)?;
        file.take(LARGEST_REPORT as u64 + 1)
            .read_to_end(&mut text)
            .map_err(failed)?;
        return Ok(text);
    }
    let mut report = Vec::new();
    for (name, how) in FILES {
        let path = input.join(name);
        if let Some(text) = contents(&path, how) {
            if let How::As(command) = how {
                report.extend(format!("\n\n# {command}\n").bytes());
            } else {
                report.extend(b"\n\n");
            }
            report.extend(text);
        }
    }
    if report.is_empty() {
        let known: Vec<PathBuf> = FILES.iter().map(|(name, _)| PathBuf::from(name)).collect();
        let names: Vec<String> = known
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(Error::Usage(format!(
            "{}: none of these is in it: {}",
            input.display(),
            names.join(", ")
        )));
    }
    Ok(report)
}

/// A regular file, no link to elsewhere; nothing where it is not there or may not be read.
fn contents(path: &Path, how: How) -> Option<Vec<u8>> {
    use std::io::Seek as _;
    let facts = std::fs::symlink_metadata(path).ok()?;
    if !facts.is_file() {
        return None;
    }
    let mut file = std::fs::File::open(path).ok()?;
    let limit = match how {
        How::Log => {
            let start = facts.len().saturating_sub(END_OF_LOG);
            file.seek(std::io::SeekFrom::Start(start)).ok()?;
            END_OF_LOG
        }
        How::As(_) => END_OF_LOG,
    };
    let mut text = Vec::new();
    file.take(limit).read_to_end(&mut text).ok()?;
    Some(text)
}
