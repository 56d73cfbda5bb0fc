//! `pfs import`: a report into a scenario, and, if asked, whether a target shows the reported line.

mod input;
mod shown;

use std::io::Write as _;
use std::path::Path;

use input::Input;

use super::Error;
use crate::cli::Import;
use crate::import;
use crate::outcome::EXIT_PASS;

pub(super) async fn import(options: Import) -> Result<u8, Error> {
    let input = input::read(&options.input)?;
    let from = match options.input.as_os_str() == "-" {
        true => "stdin".to_owned(),
        false => options
            .input
            .file_name()
            .unwrap_or(options.input.as_os_str())
            .to_string_lossy()
            .into_owned(),
    };
    let imported = match &input {
        Input::Text(text) => import::import(text, &from),
        Input::Files(files) => import::import_files(files, &from),
    };
    let imported = imported.map_err(|error| Error::Usage(error.to_string()))?;
    match &options.output {
        Some(path) => {
            write_new(path, &imported.scenario)?;
            crate::tell!("{}: written; it has not been run", path.display());
        }
        None if options.run => {}
        None => {
            crate::printable::to_stdout(format_args!("{}", imported.scenario));
        }
    }
    if options.run {
        return shown::run(&options, &imported).await;
    }
    Ok(EXIT_PASS)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::Usage(format!("{}: {error}", path.display()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
