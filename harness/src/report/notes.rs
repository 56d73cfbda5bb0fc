//! What goes on, on standard error, where standard output is for programs.

use std::io;

use super::Report;
use crate::event::Event;
use crate::note;

/// Tells what takes long, and the tally.
#[derive(Clone, Copy, Debug)]
pub struct Notes;

impl Report for Notes {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Doing { target, what } => note!("{target}: {what}"),
            Event::Finished(tally) => note!("{tally}"),
            Event::Started(_) | Event::Begun { .. } | Event::Case(_) => {}
        }
        Ok(())
    }
}
