//! Options of `pfs run` and `pfs report`, and which reports there are.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::{Scenarios, Targets, Where};
use crate::scenario::Shard;

/// Options of `pfs run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Names of cases or files, or pieces of them, which narrow; files ending in .toml, of which the cases are taken
    /// instead of those of the directory. None: all cases.
    #[arg(value_name = "FILTER|FILE.toml")]
    pub filters: Vec<String>,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
    /// How many cases run at once [default: 4 for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Run one of N parts of the cases, I from 1 to N: by a hash of the full name, the same on every machine
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// The target whose texts a target without snapshots is held against: a built-in one, or none [default: the one
    /// with the nearest Postfix and OpenSSL]
    #[arg(long, value_name = "NAME|none")]
    pub baseline: Option<String>,
    /// Write the scenarios within pfs, with their snapshots and schemas, into a new directory; run nothing
    #[arg(long, value_name = "DIR", exclusive = true)]
    pub export: Option<PathBuf>,
    /// Write what was seen as the new snapshots
    #[arg(long)]
    pub accept: bool,
    /// Leave the fleets running for inspection (as `pfs up` does)
    #[arg(long)]
    pub keep: bool,
    /// Refuse scenarios that could execute something of their own or reach beyond their case
    #[arg(long)]
    pub untrusted: bool,
    /// Write what it takes to see the case without pfs into an archive (tar): main.cf and master.cf, certificates, the
    /// command that does the same, versions, logs, header, wire. For one case, on any number of targets
    #[arg(long, value_name = "FILE.tar", conflicts_with = "shard")]
    pub bundle: Option<PathBuf>,
    /// Nothing on stderr but errors
    #[arg(long)]
    pub quiet: bool,
    /// Exit codes for `git bisect run`: 0 good, 1 bad, 125 if nothing was learned (not built, not started, not
    /// applicable), 129 for a scenario or an option that is wrong
    #[arg(long)]
    pub bisect: bool,
    /// Bad is what shows this text in what a witness said or in why a case failed, and nothing else
    #[arg(long, value_name = "TEXT", requires = "bisect", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub want: Option<String>,
    #[command(flatten)]
    pub reports: Reports,
}

/// Options of `pfs report`.
#[derive(Debug, Args)]
pub struct ReportOf {
    /// Files of JSON lines, as --report json=FILE and --format json of pfs run write them
    #[arg(value_name = "FILE.jsonl", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub reports: Reports,
}

/// Where results go.
#[derive(Debug, Args)]
pub struct Reports {
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Tell every case, all that the witnesses of a failure said, its configuration, and why what is not applicable is not
    #[arg(long, short)]
    pub verbose: bool,
    /// Besides, write a report into a file, which is there when it is whole; may be given more than once. KIND is junit,
    /// json, markdown or html
    #[arg(long = "report", value_name = "KIND=PATH")]
    pub written: Vec<FileReport>,
}

/// How results are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people at a terminal.
    Text,
    /// For a comment or the summary of a job: at most 60 KiB.
    Markdown,
    /// JUnit XML.
    Junit,
    /// One JSON object per line.
    Json,
    /// One page, self-contained, for a browser.
    Html,
}

/// A report in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// What it is; never text, which is for terminals.
    pub format: ReportFormat,
    /// The file.
    pub path: PathBuf,
}

/// What names no report in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReportError(String);

impl fmt::Display for FileReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.0;
        write!(
            f,
            "`{found}`: expected junit=PATH, json=PATH, markdown=PATH or html=PATH"
        )
    }
}

impl std::error::Error for FileReportError {}

impl FromStr for FileReport {
    type Err = FileReportError;

    fn from_str(text: &str) -> Result<Self, FileReportError> {
        let wrong = || FileReportError(text.to_owned());
        let (kind, path) = text.split_once('=').ok_or_else(wrong)?;
        let format = match kind {
            "junit" => ReportFormat::Junit,
            "json" => ReportFormat::Json,
            "markdown" => ReportFormat::Markdown,
            "html" => ReportFormat::Html,
            _ => return Err(wrong()),
        };
        if path.is_empty() {
            return Err(wrong());
        }
        let path = PathBuf::from(path);
        Ok(Self { format, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_kind_and_a_path() {
        let parsed: FileReport = "junit=out/a=b.xml".parse().unwrap();
        assert_eq!(parsed.format, ReportFormat::Junit);
        assert_eq!(parsed.path, PathBuf::from("out/a=b.xml"));
        for text in ["junit", "junit=", "text=a", "xml=a", "=a", ""] {
            let error = text.parse::<FileReport>().unwrap_err();
            assert!(error.to_string().contains("junit=PATH"), "{error}");
        }
    }

    /// clap looks only at the command that is run, and only then.
    #[test]
    fn every_command_is_well_formed() {
        use clap::CommandFactory as _;
        crate::cli::Cli::command().debug_assert();
    }
}
