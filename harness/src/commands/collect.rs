//! `pfs collect`: what a report needs of this machine's Postfix, redacted. Reads configuration and the end of a log; no key,
//! and no table.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::Error;
use crate::cli;
use crate::collect::{log_lines, redacted};
use crate::outcome::EXIT_PASS;
use crate::printable::{printable, to_stdout};

/// Longest time for one command. Each of them reads a few files.
const DEADLINE: Duration = Duration::from_secs(20);

/// How much of the end of a log is read, in bytes.
const END_OF_LOG: u64 = 8 * 1024 * 1024;

/// Where distributions have the log of mail.
const LOGS: [&str; 2] = ["/var/log/mail.log", "/var/log/maillog"];

/// Commands whose output is shown, in this order.
const COMMANDS: [&[&str]; 5] = [
    &["postconf", "mail_version"],
    &["postconf", "-n"],
    &["postconf", "-M"],
    // Postfix 2.11 and later.
    &["postconf", "-P"],
    &["openssl", "version"],
];

pub(super) async fn collect(options: cli::Collect) -> Result<u8, Error> {
    let show = |title: &str, text: &str| {
        let text = redacted(text, options.addresses);
        to_stdout(format_args!("\n# {title}\n{}", printable(&text)));
    };
    let version = output(COMMANDS[0]).await;
    if let Err(why) = &version {
        let path = std::env::var("PATH").unwrap_or_default();
        return Err(Error::Usage(format!(
            "postconf cannot be run ({why}): run pfs collect where Postfix is, as root; PATH is {path}"
        )));
    }
    for words in COMMANDS {
        if let Ok(text) = output(words).await {
            show(&words.join(" "), &text);
        }
    }
    let log = match &options.log {
        Some(path) => Some(end_of(path)?),
        None => known_log().await,
    };
    let text = match log {
        Some(text) => log_lines(&text).join("\n"),
        None => "(no log was found: give its name)".to_owned(),
    };
    show("the last lines about TLS", &text);
    Ok(EXIT_PASS)
}

/// What a command prints; why it could not be run, or failed.
async fn output(words: &[&str]) -> Result<String, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no command".to_owned());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let done = timeout(DEADLINE, command.output()).await;
    let done = done.map_err(|_| format!("no answer within {} s", DEADLINE.as_secs()))?;
    let done = done.map_err(|error| error.to_string())?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{}: {}", done.status, said.trim()));
    }
    // What postconf warns of belongs to it.
    let text = [done.stdout, done.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The log that Postfix or the distribution has, else journald's.
async fn known_log() -> Option<String> {
    let own = output(&["postconf", "-h", "maillog_file"]).await;
    let own = own.unwrap_or_default().trim().to_owned();
    let paths = std::iter::once(own.as_str()).chain(LOGS);
    for path in paths.filter(|path| path.starts_with('/')) {
        let is_file = std::fs::metadata(path).is_ok_and(|facts| facts.is_file());
        if is_file && let Ok(text) = end_of(&PathBuf::from(path)) {
            return Some(text);
        }
    }
    let journal = ["journalctl", "-q", "--no-pager", "-n", "20000", "-t"];
    let mut words = journal.to_vec();
    words.extend(["postfix/smtpd", "-t", "postfix/smtp"]);
    output(&words).await.ok()
}

fn end_of(path: &Path) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::Usage(format!("{}: {error}", path.display()));
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    // A pipe has no end to go to.
    if length > END_OF_LOG {
        file.seek(SeekFrom::Start(length - END_OF_LOG))
            .map_err(failed)?;
    }
    let mut text = Vec::new();
    file.take(END_OF_LOG)
        .read_to_end(&mut text)
        .map_err(failed)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
