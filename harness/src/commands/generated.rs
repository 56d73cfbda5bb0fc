//! `pfs completions` and `pfs man`: made from the command line's own description, so that they never lag behind it.

use clap::CommandFactory as _;

use super::Error;
use crate::cli::{Cli, Completions, ManPages};
use crate::outcome::EXIT_PASS;
use crate::printable::to_stdout;

pub(super) fn completions(options: &Completions) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "pfs", &mut script);
    to_stdout(format_args!("{}", String::from_utf8_lossy(&script)));
    EXIT_PASS
}

pub(super) fn man(options: &ManPages) -> Result<u8, Error> {
    let Some(directory) = &options.output else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(|error| Error::Report(error.to_string()))?;
        to_stdout(format_args!("{}", String::from_utf8_lossy(&page)));
        return Ok(EXIT_PASS);
    };
    let failed = |error: std::io::Error| Error::Report(format!("{}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), directory).map_err(failed)?;
    Ok(EXIT_PASS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_is_completed() {
        let directory = tempfile::tempdir().unwrap();
        let options = ManPages {
            output: Some(directory.path().join("man1")),
        };
        assert_eq!(man(&options).unwrap(), EXIT_PASS);
        let mut script = Vec::new();
        let shell = clap_complete::Shell::Bash;
        clap_complete::generate(shell, &mut Cli::command(), "pfs", &mut script);
        let script = String::from_utf8(script).unwrap();
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let page = directory.path().join(format!("man1/pfs-{name}.1"));
            let text = std::fs::read_to_string(&page);
            let text = text.unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            assert!(text.contains(".SH SYNOPSIS"), "{text}");
            assert!(script.contains(name), "{name}");
        }
        assert!(directory.path().join("man1/pfs.1").exists());
    }
}
