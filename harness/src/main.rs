//! The command `pfs`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser as _;
use harness::cli::Cli;
use harness::commands;
use harness::outcome::{EXIT_BROKEN, EXIT_USAGE};
use harness::{printable, tell};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tell!("pfs: cannot start: {error}");
            return ExitCode::from(EXIT_BROKEN);
        }
    };
    let code = match runtime.block_on(commands::execute(cli)) {
        Ok(code) => code,
        Err(error) => {
            for line in error.lines() {
                tell!("pfs: {line}");
            }
            if error.is_usage() {
                EXIT_USAGE
            } else {
                EXIT_BROKEN
            }
        }
    };
    let code = match printable::lost_output() {
        None => code,
        Some(error) => {
            tell!("pfs: standard output: {error}");
            EXIT_BROKEN
        }
    };
    // Blocking tasks that wait for a file or a lock must not hold up the end.
    runtime.shutdown_background();
    ExitCode::from(code)
}
