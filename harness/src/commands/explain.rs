//! `pfs explain`: nothing is started, nothing but the named files is read.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::Error;
use crate::cli;
use crate::explain::{self, Item, Reader, Shown, Summary};
use crate::outcome::EXIT_PASS;
use crate::{printable, say};

/// Bytes read at once.
const BUFFER: usize = 256 * 1024;

pub(super) fn explain(options: &cli::Explain) -> Result<u8, Error> {
    let mut reader = Reader::new();
    let mut shown = Shown::default();
    let mut summary = Summary::default();
    let json = options.format == cli::Format::Json;
    let mut found = |item: Item| {
        summary.count(&item);
        if options.summary {
            return;
        }
        if let Item::Session(session) = &item
            && !session.speaks_of_tls()
            && session.failure().is_none()
        {
            return;
        }
        let explanation = match &item {
            Item::Session(session) => explain::session(session),
            Item::Header(header) => explain::header(header),
            Item::Line { event, .. } => explain::line(event),
        };
        if json {
            say!("{}", printable::json(&explain::json(&item, &explanation)));
        } else {
            shown.add(&item, explanation);
        }
    };
    if options.files.is_empty() {
        let mut input = BufReader::with_capacity(BUFFER, io::stdin());
        reader
            .read(&mut input, &mut found)
            .map_err(|error| unreadable(Path::new("standard input"), &error))?;
    }
    for path in &options.files {
        if path == Path::new("-") {
            let mut input = BufReader::with_capacity(BUFFER, io::stdin());
            reader
                .read(&mut input, &mut found)
                .map_err(|error| unreadable(path, &error))?;
            continue;
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let mut input = BufReader::with_capacity(BUFFER, file);
        reader
            .read(&mut input, &mut found)
            .map_err(|error| unreadable(path, &error))?;
    }
    reader.finish(&mut found);
    (summary.lines, summary.postfix_lines) = reader.counts();
    if json {
        let object = serde_json::json!({ "kind": "summary", "summary": summary });
        say!("{}", printable::json(&object));
    } else {
        let text = shown.text();
        if !text.is_empty() {
            say!("{}", text.trim_end());
            say!("");
        }
        say!("{}", summary.text().trim_end());
    }
    Ok(EXIT_PASS)
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Usage(format!("{}: cannot be read: {error}", path.display()))
}
