//! What each command of `pfs` does.

mod baseline;
mod bisect;
mod check;
mod claims;
mod clean;
mod collect;
mod confine;
mod corpus;
mod diff;
mod doctor;
mod error;
mod explain;
mod explore;
mod gather;
mod generated;
mod import;
mod library;
mod list;
mod minimise;
mod mutate;
mod prepare;
mod probe;
mod remembered;
mod report;
mod reports;
mod run;
mod serve;
mod targets;
mod warm;

pub use check::unexplained_conditions;
pub use claims::claims_pages;
pub use corpus::corpus_of_snapshots;
pub use error::Error;
pub use mutate::{fate_of, mutants_of, settle};
pub use prepare::{Ground, foresee, prepare};

use crate::cli::{Cli, Command, SchemaOf};
use crate::outcome::EXIT_PASS;

/// Carries a command out; returns the exit code.
///
/// # Errors
/// A wrong option or scenario ([`Error::is_usage`]), or a broken environment.
pub async fn execute(cli: Cli) -> Result<u8, Error> {
    match cli.command {
        Command::Run(options) => run::run(options).await,
        Command::Report(options) => report::report(options).await,
        Command::Check(options) => check::check(&options),
        Command::List(options) => list::list(&options),
        Command::Import(options) => import::import(options).await,
        Command::Completions(options) => Ok(generated::completions(&options)),
        Command::Man(options) => generated::man(&options),
        Command::Collect(options) => collect::collect(options).await,
        Command::Minimise(options) => minimise::minimise(options).await,
        Command::Bisect(options) => bisect::bisect(options).await,
        Command::Plan(options) => list::plan(&options),
        Command::Serve(options) => serve::serve(options).await,
        Command::Up(options) => warm::up(options).await,
        Command::Down(place) => warm::down(place).await,
        Command::Targets(options) => targets::targets(options).await,
        Command::Doctor(options) => doctor::doctor(&options).await,
        Command::Corpus(options) => corpus::corpus(options).await,
        Command::Diff(options) => diff::diff(options).await,
        Command::Mutate(options) => mutate::mutate(options).await,
        Command::Explore(options) => explore::explore(options).await,
        Command::Explain(options) => explain::explain(&options),
        Command::Clean(options) => clean::clean(&options),
        Command::Claims(options) => claims::claims(&options),
        Command::Schema { of } => {
            let schema = match of {
                SchemaOf::Scenario => crate::scenario::schema(),
                SchemaOf::Result => crate::report::result::schema(),
            };
            crate::say!("{}", schema.trim_end());
            Ok(EXIT_PASS)
        }
    }
}
