//! The options of `pfs explore`.

use std::path::PathBuf;

use clap::Args;

use super::{Scenarios, Targets, Where};

/// Options of `pfs explore`.
#[derive(Debug, Args)]
pub struct Explore {
    /// List the rules with their sources; starts nothing
    #[arg(long)]
    pub rules: bool,
    /// The space [default: space.toml, beside the scenarios]
    #[arg(long, value_name = "FILE.toml")]
    pub space: Option<PathBuf>,
    /// Findings that are known [default: known.toml, beside the scenarios]
    #[arg(long, value_name = "FILE.toml")]
    pub known: Option<PathBuf>,
    /// All pairs of values of different axes, or all triples of the main axes
    #[arg(long, value_name = "2|3", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    pub strength: u8,
    /// Chooses other rows with the same pairs in them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Begin no combination after this many minutes
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    pub budget: Option<u32>,
    /// Run only the first N combinations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: Option<u32>,
    /// Note here what has run, and leave out what is noted already
    #[arg(long, value_name = "FILE.jsonl")]
    pub resume: Option<PathBuf>,
    /// Write a scenario of each finding into this directory
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub scenarios: Scenarios,
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub place: Where,
    /// How many run at once [default: 4 for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}
