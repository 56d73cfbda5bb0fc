//! The command line of `pfs`.

#![expect(
    missing_docs,
    reason = "clap would take a comment on flattened options for the help of the whole command"
)]

mod explore;
mod run;

pub use explore::Explore;
pub use run::{FileReport, FileReportError, ReportFormat, ReportOf, Reports, Run};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs scenario files against real Postfix servers and holds the log, the Received: header and
/// the peer's own view of each TLS handshake against each other and against snapshots.
#[derive(Debug, Parser)]
#[command(name = "pfs", version, max_term_width = 100)]
#[command(after_help = "\
A scenario is code: it can run commands and name files and programs. Run one of unknown origin with
`pfs run --untrusted`, which refuses what could execute or reach beyond the case.

Exit codes: 0 all passed, 1 some failed, 2 a scenario or an option is wrong (nothing was started),
3 the environment is broken (Docker, an image, a port, the disk).

Images, root file systems and keys are kept in $PFS_CACHE (default ~/.cache/pfs); they may be
deleted at any time.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios on every target and print a table of results.
    #[command(after_help = "\
Examples:
  pfs run                                  all scenarios on the three default targets
  pfs run eecdh sni                        the cases whose name contains eecdh or sni
  pfs run 'eecdh/server-group[P-256,TLSv1.3]' --target debian-12
  pfs run my/case.toml --target debian-testing --target mine=image:my/postfix:latest
  pfs run --format json >results.jsonl     one JSON object for each case and target
  pfs run --quiet --report junit=pfs.xml --report markdown=pfs.md
  pfs run --shard 1/2 --report json=1.jsonl    half of the cases; pfs report puts halves together
  pfs run --export scenarios               write out the scenarios that pfs was built with, to change them
  pfs run sni/miss --target debian-13 --bundle miss.tar    what a maintainer needs to see it without pfs
  pfs run --accept new-topic               write the snapshots of what was seen")]
    Run(Run),
    /// Report what earlier runs found, from their JSON lines, in any format; several files, such as those of shards, are
    /// put together. Starts nothing.
    #[command(after_help = "\
Examples:
  pfs report 1.jsonl 2.jsonl --report junit=pfs.xml --report markdown=pfs.md
  pfs report results.jsonl --format markdown >>\"$GITHUB_STEP_SUMMARY\"

A case that is there twice with the same outcome for the same reasons counts once; with another one
it is an error. What was announced and is not there, such as a shard, is broken.

Exit codes: as the run, or the runs as one, would have had; 2 if a file is not of pfs run.")]
    Report(ReportOf),
    /// Look at scenarios and snapshots without a Postfix, an engine or root, as in a build that may start nothing: every
    /// scenario can be read, every snapshot is of a case and has the words of a witness, and none is missing.
    #[command(after_help = "\
Examples:
  pfs check                  those of a directory scenarios here, else those within pfs
  pfs check my/case.toml     one file, and the snapshots beside it

Exit codes: 0 all is well, 1 a snapshot is missing, of no case or empty, 2 a scenario is wrong.")]
    Check(Check),
    /// List the cases, without running anything.
    #[command(after_help = "Examples:\n  pfs list\n  pfs list --format json")]
    List(List),
    /// Show what would run for one case: the lines of main.cf and master.cf. Starts nothing.
    #[command(
        after_help = "Example:\n  pfs plan 'eecdh/server-group[P-256,TLSv1.3]' --target debian-12"
    )]
    Plan(PlanArgs),
    /// Start the targets' fleets and leave them running, so that later runs start warm.
    #[command(
        after_help = "Example:\n  pfs up && pfs run sni; $EDITOR scenarios/sni/match.toml; pfs run sni; pfs down"
    )]
    Up(Up),
    /// Lend a real Postfix to a test in any language: says where it listens, which name and CA to verify, and then of each
    /// connection what came of it. Ends with its standard input.
    #[command(after_help = "\
Examples:
  pfs serve --json                                    a JSON line for the address, then one for each session
  pfs serve --target debian-12 smtpd_tls_security_level=encrypt smtpd_tls_mandatory_protocols='>=TLSv1.3'
  pfs serve --json --cert localhost-expired           must not be talked to")]
    Serve(Serve),
    /// Stop the fleets that `pfs up` left running; waits for runs that use them. Without it they end an hour after the
    /// last run.
    Down(Where),
    /// List the targets, and what Postfix and OpenSSL each has. Of those that are named, tell what was found in them, which
    /// makes them if need be.
    #[command(
        after_help = "Example:\n  pfs targets --target mine=debs:../build-area --target installed"
    )]
    Targets(TargetsOf),
    /// Write what the documentation promises, the scenarios that show it and what each target does, as Markdown: a page
    /// for each of its headings and each topic, from the committed snapshots. Starts nothing; exits with 1 if a claim has
    /// no scenario.
    #[command(after_help = "Example:\n  pfs claims                  into scenarios/claims")]
    Claims(ClaimsOf),
    /// Run all scenarios and write, for each target, every shape of TLS log line and Received: TLS
    /// comment as plain text and as JSON: test data for parsers.
    #[command(after_help = "\
Examples:
  pfs corpus --output my-corpus --target mine=image:my/postfix:latest
  pfs corpus --target debian-11 --target debian-12 --target debian-13 --target debian-testing

The second one is how the committed scenarios/corpus is made.")]
    Corpus(Corpus),
    /// Say in plain words what logs, headers and reports tell of TLS: what was negotiated, whether it is
    /// forward secret and how one can tell, what the status word means, who gave up and why. Starts
    /// nothing.
    #[command(after_help = "\
Examples:
  pfs explain /var/log/mail.log              every kind of session, then the whole log in counts
  pfs explain --summary /var/log/mail.log*   the counts alone
  journalctl -u 'postfix*' -o json | pfs explain
  pfs explain --format json report.txt       one JSON object for each session, header and line

Any text will do: log lines are found however they are wrapped, quoted or indented, from Postfix 2.2
to 3.12. What is not understood is passed by, and nothing is called plain text for that.")]
    Explain(Explain),
    /// Run combinations of settings that nobody wrote down, every pair of values in one of them, and hold each against
    /// rules of the documentation. No result is expected: what breaks a rule is a finding, told once for each cause.
    #[command(after_help = "\
Examples:
  pfs explore --target debian-13             every pair of values
  pfs explore --rules                        what must hold of every combination, and who says so
  pfs explore --strength 3 --budget 30       every triple of the axes that matter most, for at most 30 minutes
  pfs explore --resume mine.jsonl            goes on where it was interrupted
  pfs explore --space mine.toml --output findings

The combinations are made of scenarios/space.toml, findings that are known stand in scenarios/known.toml.

Exit codes: 0 every finding is known, 1 one is not or a known one does not happen any more, 2 and 3 as with pfs run.")]
    Explore(Explore),
    /// Change one thing of each case at a time and run it: the case must notice. Those that do not
    /// are weak, unless the scenario says why nothing should change ([[equivalent]]).
    #[command(after_help = "\
Examples:
  pfs mutate eecdh                   all mutants of the cases whose name contains eecdh
  pfs mutate --sample 50             one mutant in 50, the same ones always
  pfs mutate edh --target debian-12 --format json

Exit codes: 0 every mutant was noticed, 1 some survived, 2 and 3 as with pfs run.")]
    Mutate(Mutate),
    /// Run the cases on two targets and tell what the second does otherwise, each thing once, most serious first.
    #[command(after_help = "\
Examples:
  pfs diff debian-12 debian-13 eecdh
  pfs diff debian-13 mine=debs:../build-area            what your package changes
  pfs diff debian-13 mine=source:../postfix@debian-13   what your tree changes
  pfs diff before.jsonl after.jsonl                     two files of pfs run --format json

What differs is run once more before it is told. --accepted names a file of differences that are all
right, [[accepted]] with finding (its key), reason and expires (a date); one that has expired or that
is not found any more is an error.

Exit codes: 0 the same, 4 only texts differ, 1 behaviour differs, 2 and 3 as with pfs run.")]
    Diff(Diff),
    /// Make a scenario of a bug report: configuration and log lines, in any order, as people paste
    /// them. Runs nothing unless --run is given; keys and passwords are never written.
    #[command(after_help = "\
Examples:
  pfs import report.txt >scenarios/mine/report.toml
  journalctl -u postfix | pfs import -
  pfs import /etc/postfix
  pfs import report.txt --run        on which targets the reported line appears

The input may be a file, standard input, an /etc/postfix or an unpacked sos report. Exit codes: 0
written (with --run: a target shows the line), 1 no target shows it, 2 nothing of Postfix in it,
3 as with pfs run.")]
    Import(Import),
    /// Print what a report needs of the Postfix that runs here: its settings, its services, versions, the last lines of
    /// its log about TLS. Passwords and mailboxes are replaced; keys and tables are not read.
    #[command(after_help = "\
Examples:
  pfs collect >report.txt            read it before you paste it
  pfs collect | pfs import -         or make a scenario of it
  pfs collect --addresses /var/log/mail.log.1

harness/collect.sh does the same without pfs, as a shell script.")]
    Collect(Collect),
    /// Leave out of a case whatever makes no difference to its verdict and to the kind of message in
    /// the logs, and print the smallest scenario.
    #[command(after_help = "\
Examples:
  pfs minimise my/report.toml --target debian-12
  pfs minimise 'eecdh/grade[ultra]'

Exit codes: 0 printed, 2 and 3 as with pfs run.")]
    Minimise(Minimise),
    /// Run a case on several targets and name the first, in the order of versions, where its outcome
    /// or what the witnesses said differs from the one before.
    #[command(after_help = "\
Examples:
  pfs bisect my/report.toml --targets debian-11,debian-12,debian-13
  pfs bisect sni/miss --targets debian-13,mine=image:my/postfix:latest

Exit codes: 0 no difference, 1 a difference, 2 and 3 as with pfs run.")]
    Bisect(Bisect),
    /// Show what the cache holds: roots, bases and fleets, with sizes; remove what is named and nobody uses.
    #[command(after_help = "\
Examples:
  pfs clean                          shows all of it, and removes nothing
  pfs clean --remove roots,bases     removes those that no run uses; they are made again when wanted

What does not carry a mark of ours is never removed, and neither is what has something mounted below it.")]
    Clean(Clean),
    /// Print the script by which a shell completes the words of this command line.
    #[command(after_help = "Example:\n  pfs completions bash >/etc/bash_completion.d/pfs")]
    Completions(Completions),
    /// Print the manual page pfs(1), or write it and those of all commands.
    #[command(
        after_help = "Examples:\n  pfs man | man -l -\n  pfs man --output /usr/local/share/man/man1"
    )]
    Man(ManPages),
    /// Print the JSON schema of the scenario format, or of a line of `pfs run --format json`.
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
        of: SchemaOf,
    },
}

/// What there is a schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A scenario file.
    Scenario,
    /// The result of a case on a target.
    Result,
}

/// Options of `pfs explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Logs, mails, issues, headers. None, or -: standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only the counts over all of it
    #[arg(long)]
    pub summary: bool,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Options of `pfs import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The report: a file, a directory, or - for standard input
    #[arg(value_name = "FILE|DIR|-")]
    pub input: PathBuf,
    /// Write the scenario here, where nothing is yet [default: standard output]
    #[arg(long, short, value_name = "FILE.toml")]
    pub output: Option<PathBuf>,
    /// Run it, if it holds nothing that `pfs run --untrusted` refuses, and say which targets show the reported line
    #[arg(long)]
    pub run: bool,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
}

/// Options of `pfs completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Options of `pfs man`.
#[derive(Debug, Args)]
pub struct ManPages {
    /// Write the page of each command into this directory
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Options of `pfs collect`.
#[derive(Debug, Args)]
pub struct Collect {
    /// The log [default: that of maillog_file, /var/log/mail.log, /var/log/maillog, or journald]
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// Replace addresses, too
    #[arg(long)]
    pub addresses: bool,
}

/// Options of `pfs minimise`.
#[derive(Debug, Args)]
pub struct Minimise {
    /// The case, or a file ending in .toml
    #[arg(value_name = "CASE|FILE.toml")]
    pub case: String,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
}

/// Options of `pfs bisect`.
#[derive(Debug, Args)]
pub struct Bisect {
    /// The case, a piece of the names of several, or a file ending in .toml
    #[arg(value_name = "CASE|FILE.toml")]
    pub case: String,
    /// The targets, as with --target of pfs run
    #[arg(long, value_name = "T,T,…", value_delimiter = ',', required = true)]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub place: Where,
}

/// Options of `pfs mutate`.
#[derive(Debug, Args)]
pub struct Mutate {
    /// Names of cases or files, or pieces of them, which narrow; files ending in .toml, of which the cases are taken
    /// instead of those of the directory. None: all cases.
    #[arg(value_name = "FILTER|FILE.toml")]
    pub filters: Vec<String>,
    /// Run one mutant in N, chosen by a hash of its name
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: Option<u32>,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
    /// How many run at once [default: 4 for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Options of `pfs diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The first target, or a file of results
    #[arg(value_name = "A")]
    pub a: String,
    /// The second target, or a file of results
    #[arg(value_name = "B")]
    pub b: String,
    /// Names of cases or files, or pieces of them, which narrow; files ending in .toml, of which the cases are taken
    /// instead of those of the directory. None: all cases.
    #[arg(value_name = "FILTER|FILE.toml")]
    pub filters: Vec<String>,
    /// Differences that are all right
    #[arg(long, value_name = "FILE.toml")]
    pub accepted: Option<PathBuf>,
    /// What makes the exit code another than 0
    #[arg(long, value_enum, default_value_t = FailOn::Text)]
    pub fail_on: FailOn,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub place: Where,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub format: DiffFormat,
}

/// What counts as a difference for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// More than text.
    Behaviour,
    /// Anything.
    Text,
    /// Nothing.
    Never,
}

/// How a comparison is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Text,
    /// For a comment on a pull request: at most 60 KiB.
    Markdown,
    /// One JSON object.
    Json,
}

/// Options of `pfs clean`.
#[derive(Debug, Args)]
pub struct Clean {
    /// What to remove
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub remove: Vec<Holding>,
}

/// What a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Holding {
    /// Root file systems of targets.
    Roots,
    /// Base systems that roots are made from.
    Bases,
    /// What dead fleets left.
    Fleets,
    /// The scenarios within `pfs`, unpacked.
    Scenarios,
}

/// Options of `pfs corpus`.
#[derive(Debug, Args)]
pub struct Corpus {
    /// Where to write it [default: corpus, below the scenarios]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Take the accepted snapshots of the built-in targets instead of a run; starts nothing
    #[arg(long, conflicts_with = "targets")]
    pub from_snapshots: bool,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
}

/// Options of `pfs claims`.
#[derive(Debug, Args)]
pub struct ClaimsOf {
    /// Where to write the pages [default: claims, below the scenarios]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub scenarios: Scenarios,
}

/// Options of `pfs check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Pieces of case names, and files ending in .toml. None: all cases.
    #[arg(value_name = "FILTER|FILE.toml")]
    pub filters: Vec<String>,
    /// Refuse scenarios that could execute something of their own or reach beyond their case
    #[arg(long)]
    pub untrusted: bool,
    #[command(flatten)]
    pub scenarios: Scenarios,
}

/// Options of `pfs list`.
#[derive(Debug, Args)]
pub struct List {
    /// Pieces of case names. None: all cases.
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    #[command(flatten)]
    pub scenarios: Scenarios,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Options of `pfs plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The case, or a piece of its name that no other has.
    pub case: String,
    /// The target
    #[arg(long, value_name = "T")]
    pub target: String,
    #[command(flatten)]
    pub scenarios: Scenarios,
}

/// Options of `pfs targets`.
#[derive(Debug, Args)]
pub struct TargetsOf {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
}

/// Options of `pfs serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Parameters of main.cf; a value may have the names of generated things: chain:rsa2048, ca:root, dh:2048
    #[arg(value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// A certificate of the test PKI, once for each kind of key [default: localhost]
    #[arg(long, value_name = "NAME")]
    pub cert: Vec<String>,
    /// TLS from the first byte, as on port 465, instead of STARTTLS
    #[arg(long)]
    pub implicit_tls: bool,
    /// JSON lines
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
}

/// Options of `pfs up`.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
}

/// Where the scenarios are.
#[derive(Debug, Args)]
pub struct Scenarios {
    /// Directory of <topic>/<case>.toml files [default: scenarios, where that holds some; else those within pfs]
    #[arg(long = "scenarios", value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Which targets.
#[derive(Debug, Args)]
pub struct Targets {
    /// A target: debian-11, debian-12, debian-13, debian-testing, or your own: NAME=image:REF,
    /// NAME=root:DIR, NAME=debs:DIR[@debian-13], NAME=source:DIR[@debian-13], installed; may be given
    /// more than once [default: those in PFS_TARGETS, separated by commas; else debian-11, debian-12, debian-13]
    #[arg(long = "target", value_name = "T")]
    pub targets: Vec<String>,
}

impl Targets {
    /// Those of the command line, or else those in `PFS_TARGETS`; none for the defaults.
    pub fn names(&self) -> Vec<String> {
        if !self.targets.is_empty() {
            return self.targets.clone();
        }
        let names = std::env::var("PFS_TARGETS").unwrap_or_default();
        let names = names.split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// Which engine.
#[derive(Debug, Args)]
pub struct Where {
    /// What starts the Postfix instances; auto is docker if its socket answers, else chroot [default: the one in
    /// PFS_ENGINE, else auto]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
}

/// `PFS_ENGINE` names no engine.
#[derive(Debug, thiserror::Error)]
#[error("PFS_ENGINE={0}: expected auto, docker or chroot")]
pub struct BadEngine(String);

impl Where {
    /// The engine of the command line, or else that of `PFS_ENGINE`.
    ///
    /// # Errors
    /// The variable names none.
    pub fn engine(&self) -> Result<EngineName, BadEngine> {
        if let Some(engine) = self.engine {
            return Ok(engine);
        }
        let name = std::env::var_os("PFS_ENGINE").unwrap_or_default();
        let name = name.to_string_lossy();
        if name.is_empty() {
            return Ok(EngineName::Auto);
        }
        EngineName::from_str(&name, true).map_err(|_| BadEngine(name.into_owned()))
    }
}

/// The engines by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// Docker if its socket answers, else chroot.
    Auto,
    /// Containers (Docker, or Podman through its socket).
    Docker,
    /// Root file systems in directories, entered with chroot(2); needs root.
    Chroot,
}

/// What is printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
